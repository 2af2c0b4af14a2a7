//! Landing: making a bump a commit on the remote branch, however many others do the same.
//!
//! The loop reads the tip, plans on *that*, publishes a commit on top of it without force, and starts over
//! when somebody was faster: the bump is made anew on the new tip, so two bumps of one file never conflict.
//! Where a commit can be made and published is a [`RemoteBranch`]; git's is in the git room, tests have their own.

mod backoff;
mod history;
mod landing_loop;
pub mod message;
mod provenance;
mod trailers;

use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::plan::{FileEdit, FileSource, Plan};

pub use backoff::{Backoff, Clock, SystemClock};
pub use history::{BuildOrder, History};
pub use landing_loop::land;
pub use provenance::{FAR, ProvenCommit, Provenance, RollbackProof, claims_of, provenance};
pub use trailers::{Claims, RolledBack, brought, claims};

/// Where a branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The commit that the bump is made on.
    pub commit: String,
    /// What the branch that is published to points at. The commit itself, but for a pull request's branch:
    /// that may be elsewhere, or nowhere yet.
    pub published: Option<String>,
    /// Of a pull request's branch and its base, the one that is not built on.
    pub beside: Option<String>,
    /// Whether the commit is not on the branch yet: local commits are carried along.
    pub carries: bool,
}

impl Tip {
    /// Of a branch that is built on.
    pub fn of(commit: String) -> Self {
        Tip { published: Some(commit.clone()), commit, beside: None, carries: false }
    }
}

/// Why a step did not work, and whether it may the next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// A fault that passes; the server may say when to come back.
    Transient { what: String, retry_after: Option<Duration> },
    /// Nobody answers at that address. May pass, but is tried a few times only.
    Unreachable { what: String },
    /// Will not change by trying again.
    Permanent(Failure),
}

/// What became of a commit that was to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// It is on the branch, under this name: the one it was made with, unless the server makes its own.
    Published { commit: String },
    /// Somebody was faster: it is not, and won't be.
    NonFastForward { what: String },
    /// The server holds a lock on the branch; it is not there.
    RefLocked { what: String },
    /// The server could not take in what was sent: it is not there. Once more may do, more often won't.
    UnpackFailed { words: String },
    /// The server said no, in words that may mean a race or a rule: whether the tip moved tells.
    RejectedUnclear { words: String },
    /// The connection was lost, or the answer was no answer: it may be there or not.
    Unknown { what: String, retry_after: Option<Duration> },
    /// The server says no, and will.
    Refused(Failure),
}

/// A branch that commits can be published on.
pub trait RemoteBranch {
    /// Finds out where the branch is now; gives up at `deadline`.
    ///
    /// # Errors
    /// Where the server can't be asked, or has no such branch.
    fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError>;

    /// The files of the tip.
    ///
    /// # Errors
    /// Where the tip can't be read.
    fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>>;

    /// What is known of the commits before the tip.
    fn history(&self) -> &dyn History;

    /// Makes a commit on the tip; publishes nothing. Gives its name here.
    ///
    /// # Errors
    /// Where the commit can't be made.
    fn commit(&mut self, tip: &Tip, edits: &[FileEdit], message: &str) -> Result<String>;

    /// Publishes a commit that was made on the tip, without force; gives up at `deadline`.
    fn publish(&mut self, commit: &str, deadline: Instant) -> PublishOutcome;

    /// The name of the commit on the branch, if the tip is it or comes after it.
    ///
    /// # Errors
    /// Where the history can't be read.
    fn find(&mut self, tip: &Tip, commit: &str) -> Result<Option<String>>;
}

/// A change that is to be landed on a tip, with everything that its author wants back when it has landed.
pub trait Proposal {
    fn plan(&self) -> &Plan;

    /// The commit message.
    fn message(&self) -> &str;
}

/// A tip, with all that a proposal for it is made of.
#[derive(Clone, Copy)]
pub struct TipSnapshot<'a> {
    pub tip: &'a Tip,
    /// The files of the commit that is built on.
    pub files: &'a dyn FileSource,
    /// Of a pull request's branch and its base, the one that is not built on, and its files.
    pub beside: Option<(&'a Tip, &'a dyn FileSource)>,
    pub history: &'a dyn History,
    /// When the budget is spent.
    pub deadline: Instant,
}

/// Makes a proposal for a tip.
pub type Propose<'a, P> = dyn FnMut(TipSnapshot<'_>) -> Result<P> + 'a;

/// Has `look` see a tip.
///
/// # Errors
/// Where the tip can't be read, and what `look` says.
pub fn with_snapshot<T>(
    place: &dyn RemoteBranch,
    tip: &Tip,
    deadline: Instant,
    look: impl FnOnce(TipSnapshot<'_>) -> Result<T>,
) -> Result<T> {
    let files = place.files(tip)?;
    let other = tip.beside.clone().map(Tip::of);
    let others = other.as_ref().map(|other| place.files(other)).transpose()?;
    let beside = other.as_ref().zip(others.as_deref());
    look(TipSnapshot { tip, files: &*files, beside, history: place.history(), deadline })
}

/// How landing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing<P> {
    /// The proposal that is on the branch now.
    pub proposal: P,
    /// The commit that is on the branch now; nothing where every reference had its tag already.
    pub commit: Option<String>,
    /// How many commits were published or tried to be.
    pub attempts: u32,
    /// What happened on the way, for `-v`.
    pub log: Vec<String>,
}

/// How landing failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLanded {
    pub failure: Failure,
    pub attempts: u32,
    pub log: Vec<String>,
}

#[cfg(test)]
mod tests;
