//! What came before: which commit brought a tag to the branch, and which of two builds is the newer one.
//!
//! Order is by ancestry, never by time: a slow build of an old commit ends late.

use std::time::Instant;

use super::{RolledBack, Tip};
use crate::tag::Source;
use crate::timeline::Commits;

/// What is known of the commits before a tip, and of those that images are built from.
pub trait History {
    /// The commit that wrote what stands there, by its trailers; with `deeper` also where that takes asking the
    /// server. Where none of those has changed the file, as it was moved since, the newest one that wrote the
    /// same tag. Nothing where none is found.
    fn written(&self, there: There<'_>, deeper: Option<Instant>) -> Option<Written>;

    /// Whether commits that come after this one may be on the branch, and not at hand.
    fn may_lack_newer(&self, commit: &str) -> bool;

    /// Whether more commits are at hand than are looked through for who wrote what.
    fn goes_further(&self, tip: &Tip) -> bool;

    /// A commit and all that came before it, deepened as far as it is asked for.
    fn past(&self, until: Instant) -> Box<dyn Commits + '_>;

    /// The order of two commits of the repository that is landed in.
    fn order(&self, ours: &str, theirs: &str, until: Instant) -> Order;
}

/// A tag in a file of a tip.
#[derive(Clone, Copy, Debug)]
pub struct There<'a> {
    pub tip: &'a Tip,
    /// Below the root.
    pub file: &'a str,
    pub image: &'a str,
    pub tag: &'a str,
}

/// What a commit's trailers say of a tag that it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether it is known to have changed the file that was asked for.
    pub in_file: bool,
    /// What the image was built from.
    pub source: Option<Source>,
    /// What was there before, where it was put in the place of that by a rollback.
    pub rolled_back: Vec<RolledBack>,
}

/// How our commit stands to the one that was built before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
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

impl Order {
    /// Whether what is there shall stay.
    pub fn is_late(&self) -> bool {
        matches!(self, Order::Before | Order::DivergedTheirs)
    }
}
