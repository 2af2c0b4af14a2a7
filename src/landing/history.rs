//! The commits before a tip, and which of two builds is the newer one.
//!
//! Order is by ancestry, never by time: a slow build of an old commit finishes late.

use std::time::Instant;

use crate::history::{CommitRange, CommitStore};
use crate::object_id::CommitId;
use crate::plan::FileSource;

/// The commits before a tip, and those that images are built from.
pub trait History {
    /// The branch's name, once it is known.
    fn branch(&self) -> Option<&str>;

    /// Whether the branch may have commits after this one that are not available here.
    fn may_lack_newer(&self, commit: &str) -> bool;

    /// The commits that the order guard reads: the available ones, and with `deepens` also those on the server, at most
    /// [`super::MAX_SEARCHED_COMMITS`]. After `deadline`, there are no more.
    fn recent(&self, deadline: Instant, deepens: bool) -> Box<dyn CommitStore + '_>;

    /// A commit and everything before it, deepened on request.
    fn past(&self, deadline: Instant) -> Box<dyn CommitStore + '_>;

    /// The files of a commit before the tip.
    fn files_at(&self, commit: CommitId) -> Box<dyn FileSource + '_>;

    /// The commits that `new` has and `old` lacks, if the available history has them all. Fetches nothing.
    fn range(&self, old: &str, new: &str) -> Option<CommitRange>;

    /// Whether a commit is at hand. Fetches nothing.
    fn has(&self, commit: &str) -> bool;

    /// The order of two commits of the repository that the bump is landed in.
    fn order(&self, ours: &str, theirs: &str, deadline: Instant) -> BuildOrder;
}

/// How our commit compares with the one that the current image was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildOrder {
    Same,
    /// Ours comes before theirs: our build is the older one.
    Before,
    /// Ours comes after theirs.
    After,
    /// Neither comes before the other, and only theirs is on the default branch.
    DivergedTheirs,
    /// Neither comes before the other, and theirs is not on the default branch.
    DivergedOurs,
    /// Unknown, and why.
    Unknown(String),
}

/// Which of two commits the repository's default branch has.
#[derive(Clone, Copy, Debug)]
pub struct OnDefaultBranch {
    pub ours: bool,
    pub theirs: bool,
}

impl BuildOrder {
    /// The order of two commits of which neither comes before the other.
    pub fn of_diverged(on_default: OnDefaultBranch) -> Self {
        match on_default {
            OnDefaultBranch { ours: true, .. } => BuildOrder::DivergedOurs,
            OnDefaultBranch { ours: false, theirs: true } => BuildOrder::DivergedTheirs,
            OnDefaultBranch { ours: false, theirs: false } => {
                BuildOrder::Unknown("neither commit is on the default branch".to_owned())
            }
        }
    }

    /// Whether the current image must stay.
    pub fn is_late(&self) -> bool {
        matches!(self, BuildOrder::Before | BuildOrder::DivergedTheirs)
    }
}
