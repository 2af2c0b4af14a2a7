//! The bare repository, as the API reads and writes it.

use std::collections::BTreeMap;
use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{Commit, Delta, FileMode, ObjectType, Oid, Patch, Repository, Signature, Time};
use serde_json::{Value, json};

/// Name and target of every reference.
pub type Refs = BTreeMap<String, Oid>;

/// Stands in for the signature that GitHub makes.
const SIGNED: &str =
    "-----BEGIN PGP SIGNATURE-----\n\nTWFkZSBieSBhIGZha2UgR2l0SHViLg==\n-----END PGP SIGNATURE-----";
const WEB: (&str, &str) = ("GitHub", "noreply@github.com");

pub struct Store {
    repo: Repository,
    /// The references to be seen; none: as they are.
    seen: Option<Refs>,
}

/// One path of a new tree: a mode with an object, or none where it is to go.
pub type Entry = (String, Option<(FileMode, Oid)>);

/// Someone with a time, as a commit has it.
pub type Person = Signature<'static>;

impl Store {
    pub fn open(bare: &Path, seen: Option<Refs>) -> Self {
        Store { repo: Repository::open_bare(bare).expect("a bare repository"), seen }
    }

    pub fn refs(&self) -> Refs {
        self.seen.clone().unwrap_or_else(|| self.live_refs())
    }

    pub fn live_refs(&self) -> Refs {
        let references = self.repo.references().expect("references");
        let named = references.filter_map(|reference| {
            let reference = reference.ok()?;
            Some((reference.name().ok()?.to_owned(), reference.target()?))
        });
        named.collect()
    }

    pub fn tip(&self, reference: &str) -> Option<Oid> {
        match &self.seen {
            Some(refs) => refs.get(reference).copied(),
            None => self.live_tip(reference),
        }
    }

    pub fn live_tip(&self, reference: &str) -> Option<Oid> {
        self.repo.refname_to_id(reference).ok()
    }

    pub fn branch(&self, name: &str) -> Option<Oid> {
        self.tip(&format!("refs/heads/{name}"))
    }

    pub fn default_branch(&self) -> String {
        let head = self.repo.find_reference("HEAD").expect("HEAD");
        let target = head.symbolic_target().ok().flatten().unwrap_or("refs/heads/main");
        target.trim_start_matches("refs/heads/").to_owned()
    }

    /// A commit by its name, or that of a branch or tag, long or short.
    pub fn commit_named(&self, text: &str) -> Option<Oid> {
        let tip = ["", "refs/", "refs/heads/", "refs/tags/"]
            .iter()
            .find_map(|prefix| self.tip(&format!("{prefix}{text}")));
        let oid = tip.or_else(|| self.by_digits(text))?;
        Some(self.repo.find_object(oid, None).ok()?.peel_to_commit().ok()?.id())
    }

    fn by_digits(&self, text: &str) -> Option<Oid> {
        let hex = text.len() >= 4 && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(self.repo.find_commit_by_prefix(text).ok().filter(|_| hex)?.id())
    }

    pub fn commit(&self, oid: Oid) -> Commit<'_> {
        self.repo.find_commit(oid).expect("a commit that was found before")
    }

    pub fn has(&self, text: &str, kind: ObjectType) -> Option<Oid> {
        let oid = Oid::from_str(text).ok()?;
        self.repo.find_object(oid, Some(kind)).ok()?;
        Some(oid)
    }

    /// The tree of a commit, or the tree itself.
    pub fn tree_of(&self, text: &str) -> Option<Oid> {
        let object = self.repo.find_object(Oid::from_str(text).ok()?, None).ok()?;
        Some(object.peel_to_tree().ok()?.id())
    }

    pub fn has_path(&self, commit: Oid, path: &str) -> bool {
        self.commit(commit).tree().is_ok_and(|tree| tree.get_path(Path::new(path)).is_ok())
    }

    pub fn blob(&self, content: &[u8]) -> Oid {
        self.repo.blob(content).expect("a blob is written")
    }

    /// A tree on top of another one, or of nothing.
    pub fn tree(&self, base: Option<Oid>, entries: &[Entry]) -> Result<Oid, git2::Error> {
        let empty = self.repo.treebuilder(None)?.write()?;
        let base = self.repo.find_tree(base.unwrap_or(empty))?;
        let mut update = TreeUpdateBuilder::new();
        for (path, what) in entries {
            match what {
                Some((mode, oid)) => update.upsert(path.as_str(), *oid, *mode),
                None => update.remove(path.as_str()),
            };
        }
        update.create_updated(&self.repo, &base)
    }

    /// A tree's own entries.
    pub fn entries(&self, tree: Oid) -> Vec<(String, i32, String, Oid)> {
        let tree = self.repo.find_tree(tree).expect("a tree that was found before");
        let told = |entry: git2::TreeEntry<'_>| {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let kind = entry.kind().map_or("blob", |kind| kind.str()).to_owned();
            (name, entry.filemode(), kind, entry.id())
        };
        tree.iter().map(told).collect()
    }

    /// Makes a commit that nothing points at.
    pub fn make_commit(
        &self,
        tree: Oid,
        parents: &[Oid],
        message: &str,
        (author, committer): (&Person, &Person),
        signed: bool,
    ) -> Oid {
        let tree = self.repo.find_tree(tree).expect("a tree that was found before");
        let parents: Vec<_> = parents.iter().map(|oid| self.commit(*oid)).collect();
        let parents: Vec<_> = parents.iter().collect();
        if !signed {
            return self
                .repo
                .commit(None, author, committer, message, &tree, &parents)
                .expect("a commit is made");
        }
        let made = self.repo.commit_create_buffer(author, committer, message, &tree, &parents);
        let text = String::from_utf8(made.expect("a commit is made").to_vec()).expect("UTF-8");
        self.repo.commit_signed(&text, SIGNED, None).expect("a commit is signed")
    }

    /// Sets a reference if it points at `old` (at nothing: if there is none).
    pub fn set_ref(&self, name: &str, new: Oid, old: Option<Oid>) -> bool {
        let set = match old {
            Some(old) => self.repo.reference_matching(name, new, true, old, "by the API"),
            None => self.repo.reference(name, new, false, "by the API"),
        };
        set.is_ok()
    }

    pub fn delete_ref(&self, name: &str) {
        self.repo
            .find_reference(name)
            .and_then(|mut reference| reference.delete())
            .expect("a reference goes");
    }

    /// Somebody else's commit on a branch.
    pub fn rival(&self, reference: &str) {
        let tip = self.live_tip(reference).expect("a branch to be faster on");
        let path = format!("rival-{}.txt", &tip.to_string()[..7]);
        let entry = (path, Some((FileMode::Blob, self.blob(b"rival\n"))));
        let tree = self.tree(Some(self.commit(tip).tree_id()), &[entry]).expect("a tree is made");
        let who = person("Rival", "rival@example.com");
        let made = self.make_commit(tree, &[tip], "Be faster\n", (&who, &who), false);
        assert!(self.set_ref(reference, made, Some(tip)), "a rival commits");
    }

    /// How many commits `head` has that `base` lacks, the other way round, and where they meet.
    pub fn relation(&self, base: Oid, head: Oid) -> (usize, usize, Option<Oid>) {
        let (ahead, behind) = self.repo.graph_ahead_behind(head, base).expect("a walk");
        (ahead, behind, self.repo.merge_base(base, head).ok())
    }

    /// Whether `base` has all that `head` has.
    pub fn holds(&self, base: Oid, head: Oid) -> bool {
        self.relation(base, head).0 == 0
    }

    /// The commits that `head` has and `base` lacks, oldest first.
    pub fn between(&self, base: Oid, head: Oid) -> Vec<Oid> {
        let mut walk = self.repo.revwalk().expect("a walk");
        walk.push(head).and_then(|()| walk.hide(base)).expect("a walk");
        let mut found: Vec<_> = walk.filter_map(Result::ok).collect();
        found.reverse();
        found
    }

    /// The files that differ: path, status, lines added, lines removed, object.
    pub fn files(&self, from: Option<Oid>, to: Oid) -> Vec<(String, &'static str, usize, usize, Oid)> {
        let from = from.map(|oid| self.commit(oid).tree().expect("a tree"));
        let to = self.commit(to).tree().expect("a tree");
        let diff = self.repo.diff_tree_to_tree(from.as_ref(), Some(&to), None).expect("a diff");
        let told = |(index, delta): (usize, git2::DiffDelta<'_>)| {
            let (status, side) = match delta.status() {
                Delta::Added => ("added", delta.new_file()),
                Delta::Deleted => ("removed", delta.old_file()),
                _ => ("modified", delta.new_file()),
            };
            let path = String::from_utf8_lossy(side.path_bytes().unwrap_or_default()).into_owned();
            let patch = Patch::from_diff(&diff, index).ok().flatten();
            let lines = patch.and_then(|patch| patch.line_stats().ok()).unwrap_or_default();
            (path, status, lines.1, lines.2, side.id())
        };
        diff.deltas().enumerate().map(told).collect()
    }

    /// What GitHub says of a commit's signature: only its own is known here.
    pub fn verification(&self, oid: Oid) -> Value {
        let Ok((signature, payload)) = self.repo.extract_signature(&oid, None) else {
            return json!({
                "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
            });
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let known = text(&signature) == SIGNED;
        let at = known.then(|| super::date(self.commit(oid).committer().when()));
        json!({
            "verified": known, "reason": if known { "valid" } else { "unknown_key" },
            "signature": text(&signature), "payload": text(&payload), "verified_at": at,
        })
    }
}

pub fn person(name: &str, email: &str) -> Person {
    Signature::new(name, email, &Time::new(super::epoch() as i64, 0)).expect("a name and an address")
}

/// Who commits what is made on GitHub itself.
pub fn web() -> Person {
    person(WEB.0, WEB.1)
}

/// Whether GitHub takes a path into a tree.
pub fn is_path(path: &str) -> bool {
    let bad = |part: &str| ["", ".", ".."].contains(&part) || part.eq_ignore_ascii_case(".git");
    !path.split('/').any(bad)
}
