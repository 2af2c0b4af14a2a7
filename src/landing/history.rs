//! What came before: which commit brought a tag to the branch, and which of two builds is the newer one.
//!
//! Order is by ancestry, never by time: a slow build of an old commit ends late.

use std::time::Instant;

use crate::history::CommitStore;

/// What is known of the commits before a tip, and of those that images are built from.
pub trait History {
    /// Whether commits that come after this one may be on the branch, and not at hand.
    fn may_lack_newer(&self, commit: &str) -> bool;

    /// The commits that the order guard reads: the available ones, and with `deepens` also those on the server, at most
    /// [`super::FAR`]. After `deadline`, there are no more.
    fn recent(&self, deadline: Instant, deepens: bool) -> Box<dyn CommitStore + '_>;

    /// A commit and all that came before it, deepened as far as it is asked for.
    fn past(&self, deadline: Instant) -> Box<dyn CommitStore + '_>;

    /// The order of two commits of the repository that is landed in.
    fn order(&self, ours: &str, theirs: &str, deadline: Instant) -> BuildOrder;
}

/// How our commit stands to the one that was built before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildOrder {
    Same,
    /// Ours comes before theirs: we are late.
    Before,
    /// Ours comes after theirs.
    After,
    /// Neither comes before the other, and only theirs is on the default branch.
    DivergedTheirs,
    /// Neither comes before the other, and theirs is not what is on the default branch.
    DivergedOurs,
    /// It can't be told, and why.
    Unknown(String),
}

impl BuildOrder {
    /// Whether what is there shall stay.
    pub fn is_late(&self) -> bool {
        matches!(self, BuildOrder::Before | BuildOrder::DivergedTheirs)
    }
}
