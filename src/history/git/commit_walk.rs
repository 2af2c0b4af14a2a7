//! Reads a git repository's commits in the form that `history` needs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use git2::{ErrorCode, Oid, Repository};

use super::commit_links::read_links;
use super::fast_reads;
use super::renames::Renames;
use crate::git::oid::{commit_id, object_id, oid};
use crate::git::{Checkout, GitError};
use crate::history::{CommitId, CommitLinks, CommitMessage, CommitStore, HistoryError, ObjectId};

/// Fetches a shallow history to the given depth. The error says why it can't.
pub type Deepen<'r> = dyn Fn(i32) -> Result<(), String> + 'r;

/// The depths, in commits, to which a shallow history is fetched step by step.
const DEPTHS: [i32; 5] = [50, 250, 1000, 5000, 25_000];

/// The commits of a repository. If its history is shallow, it may be able to fetch more of them.
pub struct CommitWalk<'r> {
    repo: &'r Repository,
    trails: RefCell<BTreeMap<String, PathTrail>>,
    /// The renames between the last two trees.
    renames: RefCell<Option<Renames>>,
    deepen: Option<Box<Deepen<'r>>>,
    /// How many of `DEPTHS` were fetched so far.
    steps: Cell<usize>,
    /// Why the last fetch failed.
    stopped: RefCell<Option<String>>,
}

/// Where the parts of a path led in the last tree. In the next commit, most of them lead to the same place.
#[derive(Default)]
struct PathTrail {
    /// The tree or file at each part of the path, as far as they exist.
    parts: Vec<Oid>,
    file: Option<Oid>,
}

impl<'r> CommitWalk<'r> {
    /// Reads the history of `repo`; `deepen` fetches more of it.
    pub fn new(repo: &'r Repository, deepen: Option<Box<Deepen<'r>>>) -> Self {
        fast_reads::enable();
        CommitWalk {
            repo,
            trails: RefCell::default(),
            renames: RefCell::default(),
            deepen,
            steps: Cell::default(),
            stopped: RefCell::default(),
        }
    }

    /// Reads the history of a checkout. Also returns the commit of its `HEAD`.
    ///
    /// # Errors
    /// If there is no commit yet.
    pub fn of_head(checkout: &'r Checkout) -> Result<(Self, CommitId), GitError> {
        let head = checkout.head().ok_or(GitError::NoCommit)?;
        Ok((CommitWalk::new(&checkout.repo, None), head))
    }

    /// Takes the reason why fetching more history failed, if it did.
    pub fn trouble(&self) -> Option<String> {
        self.stopped.take()
    }

    fn look_up(&self, tree: ObjectId, path: &str) -> Result<Option<Oid>, git2::Error> {
        let mut trails = self.trails.borrow_mut();
        let trail = match trails.get_mut(path) {
            Some(trail) => trail,
            None => trails.entry(path.to_owned()).or_default(),
        };
        let odb = self.repo.odb()?;
        let mut next = oid(tree);
        let mut parts = path.split('/').enumerate().peekable();
        while let Some((at, part)) = parts.next() {
            let tree = odb.read(next)?;
            let has_more = parts.peek().is_some();
            let found = entry(tree.data(), part).filter(|(is_tree, _)| *is_tree == has_more);
            let Some((_, there)) = found else {
                trail.parts.truncate(at);
                trail.file = None;
                return Ok(None);
            };
            next = there;
            if trail.parts.get(at) == Some(&next) {
                return Ok(trail.file);
            }
            trail.parts.truncate(at);
            trail.parts.push(next);
        }
        trail.file = Some(next);
        Ok(trail.file)
    }

    fn renamed(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, git2::Error> {
        let trees = (oid(tree), oid(older));
        let mut known = self.renames.borrow_mut();
        let renames = match known.take().filter(|renames| renames.trees == trees) {
            Some(renames) => known.insert(renames),
            None => known.insert(Renames::between(self.repo, trees)?),
        };
        renames.old_name(self.repo, path)
    }
}

impl CommitStore for CommitWalk<'_> {
    fn links(&self, commit: CommitId) -> Result<Option<CommitLinks>, HistoryError> {
        match read_links(self.repo, commit) {
            Ok(links) => Ok(Some(links)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, HistoryError> {
        Ok(self.look_up(tree, path).map_err(|e| unreadable(&e))?.map(object_id))
    }

    fn read(&self, file: ObjectId) -> Result<Vec<u8>, HistoryError> {
        let blob = self.repo.find_blob(oid(file));
        Ok(blob.map_err(|e| unreadable(&e))?.content().to_vec())
    }

    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, HistoryError> {
        self.renamed(tree, older, path).map_err(|e| unreadable(&e))
    }

    fn message(&self, commit: CommitId) -> Result<CommitMessage, HistoryError> {
        let commit = self.repo.find_commit(oid(commit)).map_err(|e| unreadable(&e))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let author = commit.author();
        Ok(CommitMessage {
            author: text(author.name_bytes()),
            email: text(author.email_bytes()),
            text: text(commit.message_bytes()),
        })
    }

    fn resolve(&self, sha: &str) -> Option<CommitId> {
        self.repo.find_commit_by_prefix(sha).ok().map(|commit| commit_id(commit.id()))
    }

    fn depth(&self) -> usize {
        self.steps.get()
    }

    fn deepen(&self) -> bool {
        let Some(deepen) = &self.deepen else { return false };
        let Some(depth) = DEPTHS.get(self.steps.get()) else { return false };
        self.steps.set(self.steps.get() + 1);
        deepen(*depth).map_err(|why| self.stopped.replace(Some(why))).is_ok()
    }
}

/// Finds a name in a tree. Returns whether it is a tree itself, and its object. Symlinks and submodules don't count.
///
/// An entry is `MODE NAME`, a zero byte, and the 20 bytes of an object ID ("Tree Objects" in "Pro Git"). libgit2
/// would parse every entry, which takes most of the time in a tree with hundreds of them.
fn entry(tree: &[u8], name: &str) -> Option<(bool, Oid)> {
    let mut rest = tree;
    while let Some(zero) = memchr::memchr(0, rest) {
        let (head, behind) = rest.split_at(zero);
        let (id, next) = behind.get(1..)?.split_at_checked(20)?;
        rest = next;
        let mode = head.strip_suffix(name.as_bytes()).and_then(|mode| mode.strip_suffix(b" "));
        let Some(mode) = mode.filter(|mode| mode.iter().all(u8::is_ascii_digit)) else { continue };
        let (is_tree, is_file) = (mode == b"40000", mode.starts_with(b"100"));
        return (is_tree || is_file).then_some((is_tree, Oid::from_bytes(id).ok()?));
    }
    None
}

fn unreadable(error: &git2::Error) -> HistoryError {
    HistoryError::Unreadable { reason: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_a_tree_are_found_by_their_whole_names() {
        let entries: [(&str, u8); 5] =
            [("100644 a b", 1), ("100755 b", 2), ("40000 c", 3), ("120000 link", 4), ("160000 sub", 5)];
        let tree: Vec<u8> =
            entries.iter().flat_map(|(head, byte)| [head.as_bytes(), &[0], &[*byte; 20]].concat()).collect();
        let found = |name: &str| entry(&tree, name).map(|(is_tree, id)| (is_tree, id.as_bytes()[0]));
        assert_eq!(found("b"), Some((false, 2)));
        assert_eq!(found("a b"), Some((false, 1)));
        assert_eq!(found("c"), Some((true, 3)));
        assert_eq!([found("link"), found("sub"), found("100644 a b"), found("")], [None; 4]);
        assert_eq!(entry(&tree[..tree.len() - 1], "sub"), None);
        assert_eq!(entry(b"no tree", "tree"), None);
    }
}
