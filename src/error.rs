//! What can go wrong, with the exit code that it means and the way out of it.

use std::fmt;

use crate::hint::{Hint, Speaker};
use crate::location::Location;

pub use crate::visible::inline;

/// Exit codes, part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Anything without a code of its own.
    Other = 1,
    /// Wrong usage, bad config, no target.
    Usage = 2,
    /// Nothing matched, not as many as expected, or several places with different tags.
    NoMatch = 3,
    /// The bump was not landed: the budget is spent.
    NotLanded = 4,
    /// The server refuses.
    Refused = 5,
    /// A matching reference can't be edited safely.
    NotEditable = 6,
}

/// A run that ends without doing what was asked: what happened, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// What happened, and where; one sentence, with lines of detail below it where there are several places.
    pub message: String,
    /// What to do.
    pub hint: Option<Hint>,
    /// The place in a file that the message starts with.
    pub place: Option<Box<Location>>,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure { exit, message: message.into(), hint: None, place: None }
    }

    /// Wrong usage, bad config or no target.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(Exit::Usage, message)
    }

    /// Anything that has no exit code of its own.
    pub fn other(message: impl Into<String>) -> Self {
        Failure::new(Exit::Other, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With every text in it changed, such as to take secrets out.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        let message = change(&self.message);
        Failure { message, hint: self.hint.map(|hint| hint.map_texts(change)), ..self }
    }

    /// With the hint worded for whoever reads it.
    #[must_use]
    pub fn worded_for(self, speaker: Speaker) -> Self {
        Failure { hint: self.hint.map(|hint| hint.for_speaker(speaker).into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
