//! Which tags images have had, read from the commits that changed their references, no matter which tool made
//! them.
//!
//! Pure: commits are read through [`CommitStore`]. If a reference is the same in one of a commit's parents,
//! only that parent is followed, as `git log` does ("History Simplification" in `git help log`). But the
//! comparison is by references, not by the bytes of files, so it finds both bumps if a merge joins two bumps of
//! one file. If a commit adds a file, the walk looks for its old name in the parent.

mod align;
mod commit_range;
mod error;
mod file_history;
mod first_parents;
pub mod git;
mod merged_branch;
mod merged_commits;
mod versions;
mod walk;

use std::rc::Rc;

use crate::plan::TargetIndex;

pub use crate::object_id::{CommitId, ObjectId};
pub use commit_range::{CommitRange, ListedCommit, MAX_LISTED};
pub use error::HistoryError;
pub use file_history::{FileHistory, WalkEnd};
pub use first_parents::FirstParents;
pub use merged_branch::NamedBranch;
pub use merged_commits::MergedCommits;
pub use walk::{FollowedReferences, walk_history};

/// Reads commits. Paths are relative to the repository's top level and separated by `/`.
pub trait CommitStore {
    /// A commit's time, tree and parents; `None` if the commit isn't available here.
    ///
    /// # Errors
    /// The commit can't be read.
    fn links(&self, commit: CommitId) -> Result<Option<CommitLinks>, HistoryError>;

    /// The ID of a file in a tree, if it exists.
    ///
    /// # Errors
    /// The tree can't be read.
    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, HistoryError>;

    /// The content of a file.
    ///
    /// # Errors
    /// The file can't be read.
    fn read(&self, file: ObjectId) -> Result<Vec<u8>, HistoryError>;

    /// The name that a file had in an older tree, which lacks its current name.
    ///
    /// # Errors
    /// The trees can't be read.
    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, HistoryError>;

    /// A commit's author and message.
    ///
    /// # Errors
    /// The commit can't be read.
    fn message(&self, commit: CommitId) -> Result<CommitMessage, HistoryError>;

    /// The commit that an ID stands for, abbreviated or not; `None` if it isn't available here.
    fn resolve(&self, sha: &str) -> Option<CommitId>;

    /// A number that changes whenever more commits become available.
    fn depth(&self) -> usize;

    /// Fetches older commits that were cut off. Returns `false` if there are no more.
    fn deepen(&self) -> bool;
}

/// A commit's time, tree and parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitLinks {
    /// When it was committed: seconds since the epoch.
    pub time: i64,
    pub tree: ObjectId,
    /// All parents, including those that aren't available here.
    pub parents: Vec<CommitId>,
}

/// Where a walk through a history starts.
#[derive(Clone, Copy)]
pub struct HistoryStart<'a> {
    pub commits: &'a dyn CommitStore,
    pub tip: CommitId,
    /// The path of the root below the repository's top level.
    pub prefix: &'a str,
}

/// How often the place of a tag may move from one file to another before its history ends.
pub const MAX_MOVES: usize = 10;

/// A commit's author and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMessage {
    pub author: String,
    pub email: String,
    pub text: String,
}

/// A tag that an image had in one file, from the commit that set it to the one that replaced it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagEntry {
    /// The request's target.
    pub target: TargetIndex,
    /// The current name of the file.
    pub file: String,
    /// 1-based, in the file as it was then.
    pub line: usize,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// The commit that set the tag; `None` if it may be older than the available history.
    pub written: Option<Rc<WritingCommit>>,
    /// The tags that this commit replaced, in any reference to the same image in this file: `TAG`, `TAG@DIGEST`
    /// or `@DIGEST`.
    pub replaced: Rc<[String]>,
    /// When another tag replaced it: seconds since the epoch. `None` if it is still there.
    pub until: Option<i64>,
    /// The numbers of the references with this tag. A reference keeps its number from commit to commit.
    pub references: Vec<ReferenceNumber>,
}

/// The number that a walk gives to a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceNumber(usize);

impl ReferenceNumber {
    fn next(self) -> Self {
        ReferenceNumber(self.0 + 1)
    }
}

/// The commit that set a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritingCommit {
    pub commit: CommitId,
    /// When it was committed: seconds since the epoch.
    pub time: i64,
    pub message: CommitMessage,
    /// Whether all of its parents are available. If not, the tag may come from a missing one.
    pub has_all_parents: bool,
}

/// What a walk through a history saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryReach {
    pub extent: Extent,
    /// Whether one of the commits was a merge.
    pub has_merges: bool,
}

/// How much of the history was available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it, or as much as the caller wanted.
    Complete,
    /// It is cut off at this commit, as in a shallow clone. `time` is when that was committed.
    Truncated { commit: CommitId, time: i64 },
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
