//! Landing: gets a bump onto the remote branch as a commit, however many others push at the same time.
//!
//! The loop reads the tip, plans on *that*, and publishes a commit on top of it without force. If another push got there first, it
//! starts over on the new tip, so two bumps of one file never conflict.
//! A branch that commits can be made and published on is a [`TargetBranch`]: [`remote`] has the one of a git remote, tests have
//! their own. If others push at the same time, `pacing` says when to push again; after any other failure, [`Backoff`] does.
//! Everything outside of `remote` is pure but for the clock.

mod backoff;
mod error;
mod history;
mod included_commits;
mod landing_loop;
pub mod message;
mod pacing;
mod provenance;
pub mod remote;
mod skip_mark;
mod trailers;

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::object_id::CommitId;
use crate::plan::{FileSource, Plan};

pub use backoff::{Backoff, Clock, SystemClock};
pub use error::{GiveUpReason, LandingError, MessageError, outcome_unknown};
pub use history::{BuildOrder, History, OnDefaultBranch};
pub use included_commits::IncludedCommits;
pub use landing_loop::land;
pub use provenance::{
    MAX_SEARCHED_COMMITS, ProvenCommit, Provenance, RollbackProof, SEARCHED_COMMITS, claims_of, provenance,
    rolled_back_by,
};
pub use trailers::{Claims, RolledBack, claims, images_in_trailers};

/// Where a branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The commit that the bump is made on.
    pub commit: CommitId,
    /// The commit that the published branch points at. It is the same one, except for a pull request's branch, which may point
    /// elsewhere, or not exist yet.
    pub published: Option<CommitId>,
    /// With a pull request: the tip of its branch or of its base, whichever the bump is not made on.
    pub other_branch: Option<CommitId>,
    /// Whether the commit is not on the branch yet, because local commits are pushed along.
    pub carries: bool,
}

impl Tip {
    /// The tip of a branch that the bump is made on and published to.
    pub fn of(commit: CommitId) -> Self {
        Tip { commit, published: Some(commit), other_branch: None, carries: false }
    }
}

/// Why the server didn't answer, and whether another try may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError<E> {
    /// The next try may work; the server may say when to retry.
    Transient { what: String, retry_after: Option<Duration> },
    /// Connection refused, or an unknown host. It is retried a few times only.
    Unreachable { what: String },
    /// Another try would fail too.
    Permanent(E),
}

impl<E> FetchError<E> {
    /// What happened, and how long the server wants us to wait.
    ///
    /// # Errors
    /// A permanent error.
    pub fn transient(self) -> Result<(String, Option<Duration>), E> {
        match self {
            FetchError::Transient { what, retry_after } => Ok((what, retry_after)),
            FetchError::Unreachable { what } => Ok((what, None)),
            FetchError::Permanent(error) => Err(error),
        }
    }

    /// Converts a permanent error.
    pub fn map<F>(self, convert: impl FnOnce(E) -> F) -> FetchError<F> {
        match self {
            FetchError::Transient { what, retry_after } => FetchError::Transient { what, retry_after },
            FetchError::Unreachable { what } => FetchError::Unreachable { what },
            FetchError::Permanent(error) => FetchError::Permanent(convert(error)),
        }
    }

    /// What happened, as text.
    pub fn into_message(self) -> String
    where
        E: Display,
    {
        match self {
            FetchError::Transient { what, .. } | FetchError::Unreachable { what } => what,
            FetchError::Permanent(error) => error.to_string(),
        }
    }
}

impl<E> From<E> for FetchError<E> {
    fn from(error: E) -> Self {
        FetchError::Permanent(error)
    }
}

/// How an attempt to publish a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOutcome<E> {
    /// It is on the branch, under this ID: its own, or that of the commit which the server made from it.
    Published { commit: CommitId },
    /// The branch had moved before anything was sent.
    Outdated { what: String },
    /// The branch moved. The commit is not on it.
    NonFastForward { what: String },
    /// The server holds a lock on the branch. The commit is not on it.
    RefLocked { what: String },
    /// The server failed to unpack the push. The commit is not on the branch. A second try may work, a third won't.
    UnpackFailed { message: String },
    /// The server rejected it with a message that may mean a race or a rule. If the tip has moved, it was a race.
    RejectedUnclear { message: String },
    /// The connection was lost, or the answer can't be understood. The commit may be on the branch or not.
    Unknown { what: String, retry_after: Option<Duration> },
    /// The server refuses it, and would again.
    Refused(E),
}

impl<E> PublishOutcome<E> {
    /// Converts the error of a refusal.
    pub fn map<F>(self, convert: impl FnOnce(E) -> F) -> PublishOutcome<F> {
        match self {
            PublishOutcome::Published { commit } => PublishOutcome::Published { commit },
            PublishOutcome::Outdated { what } => PublishOutcome::Outdated { what },
            PublishOutcome::NonFastForward { what } => PublishOutcome::NonFastForward { what },
            PublishOutcome::RefLocked { what } => PublishOutcome::RefLocked { what },
            PublishOutcome::UnpackFailed { message } => PublishOutcome::UnpackFailed { message },
            PublishOutcome::RejectedUnclear { message } => PublishOutcome::RejectedUnclear { message },
            PublishOutcome::Unknown { what, retry_after } => PublishOutcome::Unknown { what, retry_after },
            PublishOutcome::Refused(error) => PublishOutcome::Refused(convert(error)),
        }
    }
}

/// A branch that commits can be made and published on.
pub trait TargetBranch {
    /// Why it can't be read, or takes no commit.
    type Error: Display;

    /// Reads the tip of the branch; gives up at `deadline`.
    ///
    /// # Errors
    /// If the server can't be reached, or has no such branch.
    fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError<Self::Error>>;

    /// The files of the tip.
    ///
    /// # Errors
    /// If the tip can't be read.
    fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>, Self::Error>;

    /// The commits before the tip.
    fn history(&self) -> &dyn History;

    /// Makes a commit on the tip, without publishing it.
    ///
    /// # Errors
    /// If the commit can't be made.
    fn commit(&mut self, tip: &Tip, proposal: &dyn Proposal) -> Result<CommitId, Self::Error>;

    /// Publishes a commit that was made on the tip, without force; gives up at `deadline`.
    fn publish(&mut self, commit: CommitId, deadline: Instant) -> PublishOutcome<Self::Error>;

    /// The ID of the commit on the branch, if the tip is it or comes after it.
    ///
    /// # Errors
    /// If the history can't be read.
    fn find(&mut self, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, Self::Error>;
}

/// A change that is to be landed on a tip, with everything that its author wants back when it has landed.
pub trait Proposal {
    fn plan(&self) -> &Plan;

    /// The commit message.
    fn message(&self) -> &str;

    /// Title and body of the request to merge it, if there is to be one.
    fn request(&self) -> RequestText<'_> {
        RequestText::default()
    }

    /// How long others than the branch's server were waited for: the budget for landing doesn't count that.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }
}

/// Title and body of a request to merge a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestText<'a> {
    pub title: &'a str,
    pub body: &'a str,
}

/// A tip, with everything that a proposal for it is made from.
#[derive(Clone, Copy)]
pub struct TipSnapshot<'a> {
    pub tip: &'a Tip,
    /// The files of the commit that the bump is made on.
    pub files: &'a dyn FileSource,
    /// With a pull request: the tip of its branch or of its base, whichever the bump is not made on, and its files.
    pub other_branch: Option<(&'a Tip, &'a dyn FileSource)>,
    pub history: &'a dyn History,
    /// When the budget is spent.
    pub deadline: Instant,
}

/// Makes a proposal for a tip.
pub type Propose<'a, P, E> = dyn FnMut(TipSnapshot<'_>) -> Result<P, E> + 'a;

/// Shows a tip to `look`.
///
/// # Errors
/// If the tip can't be read, and the errors of `look`.
pub fn with_snapshot<B: TargetBranch, T, E>(
    place: &B,
    tip: &Tip,
    deadline: Instant,
    look: impl FnOnce(TipSnapshot<'_>) -> Result<T, E>,
) -> Result<T, LandingError<B::Error, E>> {
    let files = place.files(tip).map_err(LandingError::Branch)?;
    let other = tip.other_branch.map(Tip::of);
    let others = other.as_ref().map(|other| place.files(other)).transpose();
    let others = others.map_err(LandingError::Branch)?;
    let other_branch = other.as_ref().zip(others.as_deref());
    look(TipSnapshot { tip, files: &*files, other_branch, history: place.history(), deadline })
        .map_err(LandingError::Propose)
}

/// How landing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing<P> {
    /// The proposal that is on the branch now.
    pub proposal: P,
    /// The commit that is on the branch now; `None` if every reference had its tag already.
    pub commit: Option<CommitId>,
    /// How many commits were published, or attempted.
    pub attempts: u32,
    /// The failed attempts, for `-v`.
    pub log: Vec<String>,
}

/// How landing failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLanded<B, P> {
    pub error: LandingError<B, P>,
    pub attempts: u32,
    pub log: Vec<String>,
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
