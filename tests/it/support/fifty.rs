//! A GitOps repository with 50 bumps of one image by writers of every style, and much else in between.

use std::cell::{Cell, RefCell};

use super::cli::{self, Run};
use super::past::Past;

pub const API: &str = "ghcr.io/acme/api";
pub const WEB: &str = "ghcr.io/acme/web";
pub const BUMPS: usize = 50;

/// One of three places where the image runs.
#[derive(Clone, Debug)]
struct Place {
    path: String,
    tag: String,
    digest: Option<String>,
    /// Of the other image in the file, where there is one.
    web: Option<String>,
}

impl Place {
    fn new(path: &str, web: Option<&str>) -> Self {
        Place { path: path.to_owned(), tag: "v0".to_owned(), digest: None, web: web.map(str::to_owned) }
    }

    fn said(&self) -> String {
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}{digest}", self.tag)
    }

    /// As a person has it: in another form every time.
    fn by_hand(&self, form: usize) -> String {
        if self.path.contains("release") {
            let digest = self.digest.as_ref().map(|d| format!("      digest: {d}\n")).unwrap_or_default();
            let tag = match form % 3 {
                0 => format!("      tag: '{}' # by hand\n      repository: {API}\n{digest}", self.tag),
                1 => format!("{digest}      repository: \"{API}\"\n\n      tag: \"{}\"\n", self.tag),
                _ => format!("      repository: {API} # ours\n      tag: {}\n{digest}", self.tag),
            };
            return format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: api}}\n\
                 spec:\n  values:\n    replicas: {form}\n    image:\n{tag}"
            );
        }
        let (item, key) = if form.is_multiple_of(2) { ("  - ", "    ") } else { ("- ", "  ") };
        let entry = |name: &str, tag: &str, digest: Option<&String>| {
            let digest = digest.map(|d| format!("{key}digest: {d}\n")).unwrap_or_default();
            match form % 3 {
                0 => format!("{item}name: {name}\n{key}newTag: {tag} # {form}\n{digest}"),
                1 => format!("{item}newTag: '{tag}'\n{digest}{key}name: \"{name}\"\n"),
                _ => format!("{item}name: {name} # ours\n\n{key}newTag: \"{tag}\"\n{digest}"),
            }
        };
        let api = entry(API, &self.tag, self.digest.as_ref());
        let web = self.web.as_ref().map(|tag| entry(WEB, tag, None)).unwrap_or_default();
        format!("# form {form}\nkind: Kustomization\nimages:\n# api\n{api}# web\n{web}# end\n")
    }

    /// The shape that `kustomize edit set image` leaves: keys sorted, lists not indented, no comments.
    fn by_kustomize(&self) -> String {
        let digest =
            self.digest.as_ref().map(|d| format!("- digest: {d}\n  name: ")).unwrap_or("- name: ".into());
        let web =
            self.web.as_ref().map(|tag| format!("- name: {WEB}\n  newTag: {tag}\n")).unwrap_or_default();
        format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n{digest}{API}\n  \
             newTag: {}\n{web}",
            self.tag
        )
    }
}

/// The repository while it is made.
pub struct Fifty {
    pub past: Past,
    places: RefCell<[Place; 3]>,
    bumps: Cell<usize>,
}

const DEV: usize = 0;
const PROD: usize = 1;
const RELEASE: usize = 2;

impl Fifty {
    /// All of it.
    pub fn new() -> Self {
        let places = [
            Place::new("apps/api/dev/kustomization.yaml", Some("w0")),
            Place::new("apps/api/prod/kustomization.yaml", None),
            Place::new("infra/release.yaml", None),
        ];
        let fifty = Fifty { past: Past::new(), places: RefCell::new(places), bumps: Cell::default() };
        fifty.begins();
        fifty.bump(12);
        fifty.reformats();
        fifty.changes_a_mode();
        fifty.bump(8);
        fifty.merges();
        fifty.breaks_and_mends();
        fifty.bump(6);
        fifty.renames_a_file();
        fifty.bump(6);
        fifty.pulls_a_merge();
        fifty.renames_a_folder();
        fifty.merges_two_images_of_one_file();
        fifty.bump(BUMPS - fifty.bumps.get());
        fifty
    }

    fn begins(&self) {
        self.past.write("README.md", "ours\n");
        self.past.commit("Ada", "begin");
        let places = self.places.borrow();
        for place in places.iter() {
            self.past.write(&place.path, &place.by_hand(0));
        }
        let commit = self.past.commit("Ada", "deploy");
        for place in places.iter() {
            self.past.note("Ada", &place.path, API, "v0", &commit);
        }
        self.past.note("Ada", &places[DEV].path, WEB, "w0", &commit);
    }

    /// So many bumps, the writers in turn, in one place after the other; the other image now and then.
    fn bump(&self, count: usize) {
        for _ in 0..count {
            self.bump_in(self.bumps.get() % 3);
            if self.bumps.get().is_multiple_of(5) {
                self.bump_web();
            }
        }
    }

    fn bump_in(&self, place: usize) {
        let nth = self.bumps.get() + 1;
        self.bumps.set(nth);
        let before = self.places.borrow()[place].clone();
        let mut after = before.clone();
        // now and then only the digest, and after that it is dropped, or changed with the tag
        let digest = format!("sha256:{nth:064x}");
        if nth.is_multiple_of(7) {
            after.digest = Some(digest);
        } else {
            after.tag =
                [format!("v1.{nth}.0"), format!("main-{nth:07x}"), format!("20261121{nth}")][nth % 3].clone();
            after.digest = before.digest.as_ref().filter(|_| nth.is_multiple_of(2)).map(|_| digest);
        }
        self.places.borrow_mut()[place] = after.clone();
        let (path, said) = (&after.path, after.said());
        let text = self.past.read(path);
        match (nth / 3) % 4 {
            0 => {
                self.past.puts("Ada", path, &after.by_hand(nth), API, &said);
            }
            // sed knows one line
            1 if before.digest.is_none() && after.digest.is_none() => {
                let text = text.replace(&before.tag, &after.tag);
                self.past.puts("sed", path, &text, API, &said);
            }
            2 if place != RELEASE => {
                self.past.puts("kustomize", path, &after.by_kustomize(), API, &said);
            }
            _ => self.by_tagbump(path, &said),
        }
    }

    /// One more, whichever turn it is.
    fn by_sed(&self, place: usize) {
        let nth = self.bumps.get() + 1;
        self.bumps.set(nth);
        let tag = format!("v2.{nth}.0");
        let mut after = self.places.borrow()[place].clone();
        let text = self.past.read(&after.path).replace(&after.tag, &tag);
        after.tag = tag;
        self.past.puts("sed", &after.path, &text, API, &after.said());
        self.places.borrow_mut()[place] = after;
    }

    fn by_tagbump(&self, path: &str, said: &str) {
        self.past.wait(super::past::STEP);
        let mut command = cli::command(&self.past.path);
        command.args(["bump", &format!("{API}:{said}"), "-f", path, "--commit"]);
        let run = Run::of(&self.past.by("tagbump", &mut command).output().unwrap());
        assert_eq!(run.exit, 0, "{}", run.output());
        let commit = self.past.git("x", &["rev-parse", "HEAD"]);
        self.past.note("tagbump", path, API, said, &commit);
    }

    fn bump_web(&self) {
        let place = self.places.borrow()[DEV].clone();
        let (old, new) = (place.web.unwrap(), format!("w{}", self.bumps.get()));
        let text = self.past.read(&place.path).replace(&old, &new);
        self.places.borrow_mut()[DEV].web = Some(new.clone());
        self.past.puts("Eve", &place.path, &text, WEB, &new);
    }

    /// The same tags in another form.
    fn reformats(&self) {
        for place in self.places.borrow().iter() {
            self.past.write(&place.path, &place.by_hand(4));
        }
        self.past.commit("Ada", "tidy up");
    }

    fn changes_a_mode(&self) {
        let path = self.places.borrow()[PROD].path.clone();
        self.past.git("Ada", &["update-index", "--chmod=+x", &path]);
        self.past.wait(super::past::STEP);
        self.past.git("Ada", &["commit", "--quiet", "--message", "mode"]);
        self.past.git("Ada", &["reset", "--quiet", "--hard"]);
    }

    /// A branch that brings a bump, while main gets one in another file.
    fn merges(&self) {
        self.past.git("Ada", &["checkout", "--quiet", "-b", "feature"]);
        self.bump_in(DEV);
        self.past.git("Ada", &["checkout", "--quiet", "main"]);
        self.bump_in(PROD);
        self.past.wait(super::past::STEP);
        self.past.git("Ada", &["merge", "--quiet", "--no-ff", "--message", "merge feature", "feature"]);
    }

    /// One commit makes a file no YAML, as conflict marks do; the next one mends it.
    fn breaks_and_mends(&self) {
        let path = self.places.borrow()[RELEASE].path.clone();
        let text = self.past.read(&path);
        self.past.write(&path, &format!("<<<<<<< HEAD\n{text}=======\n  : [\n>>>>>>> feature\n"));
        self.past.commit("Ada", "merge, not well");
        self.past.write(&path, &text);
        self.past.commit("Ada", "mend");
    }

    fn renames_a_file(&self) {
        let old = self.places.borrow()[RELEASE].path.clone();
        let new = "infra/api-release.yaml";
        self.past.git("Ada", &["mv", &old, new]);
        self.past.commit("Ada", "rename a file");
        self.places.borrow_mut()[RELEASE].path = new.to_owned();
        self.past.moved(&old, new);
    }

    /// As `git pull` does it where somebody was faster: the first parent is one's own.
    fn pulls_a_merge(&self) {
        self.past.git("Ada", &["branch", "mine"]);
        self.bump_in(RELEASE);
        self.past.git("Ada", &["checkout", "--quiet", "mine"]);
        self.bump_in(PROD);
        self.past.wait(super::past::STEP);
        let pull = ["pull", "--quiet", "--no-rebase", "--no-edit", ".", "main"];
        self.past.git("Ada", &pull);
        self.past.git("Ada", &["checkout", "--quiet", "main"]);
        self.past.git("Ada", &["merge", "--quiet", "--ff-only", "mine"]);
    }

    /// The same commit brings a tag.
    fn renames_a_folder(&self) {
        self.past.git("Ada", &["mv", "apps/api", "envs"]);
        for place in &mut self.places.borrow_mut()[..2] {
            place.path = place.path.replace("apps/api", "envs");
        }
        self.past.moved("apps/api", "envs");
        self.by_sed(DEV);
    }

    /// Both sides change the same file, each one another image: the merge is what neither had.
    fn merges_two_images_of_one_file(&self) {
        let path = self.places.borrow()[DEV].path.clone();
        let spread = self.places.borrow()[DEV].by_hand(4);
        self.past.write(&path, &spread);
        self.past.commit("Ada", "room for both");
        self.past.git("Ada", &["checkout", "--quiet", "-b", "both"]);
        self.bump_web();
        self.past.git("Ada", &["checkout", "--quiet", "main"]);
        self.by_sed(DEV);
        self.past.wait(super::past::STEP);
        self.past.git("Ada", &["merge", "--quiet", "--no-ff", "--message", "merge both", "both"]);
    }
}
