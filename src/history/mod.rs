//! Which tags images have had: told from the commits that changed their references, whoever wrote them.
//!
//! Pure: commits are read through [`CommitStore`]. A commit that leaves a reference as one of its parents has it is
//! followed to that parent alone, as `git log` does ("History Simplification" in `git help log`), but by what
//! the references say, not by the files' bytes: two bumps of one file that a merge joins are both found. A file
//! that appears is looked for under its old name.

mod align;
mod file_history;
pub mod git;
mod versions;
mod walk;

use std::rc::Rc;

use crate::error::Result;

pub use crate::object_id::ObjectId;
pub use file_history::{FileHistory, WalkEnd};
pub use walk::walk_history;

/// What is known of commits. Paths are below the repository's top, with `/`.
pub trait CommitStore {
    /// When a commit was made, and on which others; nothing where it is not here.
    ///
    /// # Errors
    /// Where it can't be read.
    fn links(&self, commit: ObjectId) -> Result<Option<CommitLinks>>;

    /// A file of a tree.
    ///
    /// # Errors
    /// Where the tree can't be read.
    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>>;

    /// What is in a file.
    ///
    /// # Errors
    /// Where it can't be read.
    fn read(&self, file: ObjectId) -> Result<Vec<u8>>;

    /// What a file that an older tree lacks was called there.
    ///
    /// # Errors
    /// Where the trees can't be read.
    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>>;

    /// Who made a commit, and why.
    ///
    /// # Errors
    /// Where it can't be read.
    fn message(&self, commit: ObjectId) -> Result<CommitMessage>;

    /// Brings commits that were cut off before; `false` where no more are to be had.
    fn deepen(&self) -> bool;
}

/// A commit's place in time, and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitLinks {
    /// When it was committed: seconds since the epoch.
    pub time: i64,
    pub tree: ObjectId,
    /// Also those that are not here.
    pub parents: Vec<ObjectId>,
}

/// What a commit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMessage {
    pub author: String,
    pub email: String,
    pub message: String,
}

/// A tag that one file gave to an image, from one commit to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagEntry {
    /// Which of the request's wants it is of.
    pub target: usize,
    /// As it is called now.
    pub file: String,
    /// 1-based, in the file as it was.
    pub line: usize,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// The commit that wrote it; nothing where it may have been written before all that is known.
    pub written: Option<Rc<WritingCommit>>,
    /// The tags that this commit replaced, in any reference to the same image in this file: `TAG`, `TAG@DIGEST` or
    /// `@DIGEST`.
    pub replaced: Rc<[String]>,
    /// When another followed: seconds since the epoch. Nothing: it is there still.
    pub until: Option<i64>,
    /// Numbers of the references that it is of: from commit to commit they keep them.
    pub references: Vec<usize>,
}

/// The commit that wrote a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritingCommit {
    pub commit: ObjectId,
    /// When it was committed: seconds since the epoch.
    pub time: i64,
    pub words: CommitMessage,
    /// Whether all of its parents are available. If not, the tag may come from a missing one.
    pub has_all_parents: bool,
}

/// How far a history was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To its beginning, or as far as was wanted.
    Complete,
    /// To this commit, made at this time, behind which it is cut off, as in a shallow clone.
    Truncated { commit: ObjectId, time: i64 },
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
