//! An error as it is shown: exit code, message, and what to do about it.

use std::fmt;

use crate::hint::{Audience, Hint};
use crate::location::Location;

pub use crate::visible::inline;

/// Exit codes, part of tagbump's public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Anything without an exit code of its own.
    Other = 1,
    /// Bad usage, bad configuration, or no target.
    Usage = 2,
    /// No match, too many or too few matches, or several matches with different tags.
    NoMatch = 3,
    /// The bump did not land, for example because the time ran out; or it is unknown whether it is live.
    NotLanded = 4,
    /// The server refused.
    Refused = 5,
    /// A matching reference can't be edited safely.
    NotEditable = 6,
    /// `wait` only: the change is not live, because a status failed or the time ran out.
    NotLive = 7,
}

/// A run that ended without doing what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// What happened and where, in one sentence. If several places are involved, they follow on lines of their own.
    pub message: Hint,
    /// What to do about it.
    pub hint: Hint,
    /// The place in a file that the message starts with.
    pub place: Option<Box<Location>>,
}

/// A result whose error is ready to be shown.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// What happened, before it is known what to do about it. Only a hint makes it a [`Failure`], so that no error is without one.
#[derive(Clone, Debug)]
#[must_use]
pub struct FailureMessage {
    exit: Exit,
    message: Hint,
}

impl FailureMessage {
    /// Adds a hint on what to do.
    pub fn hinted(self, hint: impl Into<Hint>) -> Failure {
        Failure { exit: self.exit, message: self.message, hint: hint.into(), place: None }
    }
}

impl Failure {
    /// A failure without a place, which needs a hint.
    #[expect(clippy::new_ret_no_self, reason = "every failure starts as a message that needs a hint")]
    pub fn new(exit: Exit, message: impl Into<Hint>) -> FailureMessage {
        FailureMessage { exit, message: message.into() }
    }

    /// Bad usage, bad configuration, or no target.
    pub fn usage(message: impl Into<Hint>) -> FailureMessage {
        Failure::new(Exit::Usage, message)
    }

    /// Anything without an exit code of its own.
    pub fn other(message: impl Into<Hint>) -> FailureMessage {
        Failure::new(Exit::Other, message)
    }

    /// Replaces the hint on what to do.
    #[must_use]
    pub fn hinted(self, hint: impl Into<Hint>) -> Self {
        Failure { hint: hint.into(), ..self }
    }

    /// Applies `change` to every text in the failure, for example to remove secrets.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        let message = self.message.map_texts(&change);
        Failure { message, hint: self.hint.map_texts(&change), ..self }
    }

    /// Words message and hint for `audience`.
    #[must_use]
    pub fn worded_for(self, audience: Audience) -> Self {
        let message = self.message.for_audience(audience).into();
        Failure { message, hint: self.hint.for_audience(audience).into(), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for Failure {}
