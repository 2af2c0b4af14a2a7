//! What was read to render something, and what could not be followed.

use std::collections::BTreeSet;

use super::super::place::{FileId, Place};
use super::super::root::Doubt;

/// Grows while a root is rendered.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pub files: BTreeSet<FileId>,
    /// See [`Root::unknown`](super::super::root::Root::unknown).
    pub unknown: Vec<Doubt>,
    /// See [`Root::uncertain`](super::super::root::Root::uncertain).
    pub uncertain: Vec<Doubt>,
}

impl Trail {
    pub fn unknown(&mut self, at: Option<Place>, what: impl Into<String>) {
        self.unknown.push(Doubt { at, what: what.into() });
    }

    pub fn uncertain(&mut self, at: Option<Place>, what: impl Into<String>) {
        self.uncertain.push(Doubt { at, what: what.into() });
    }

    pub fn extend(&mut self, other: Trail) {
        self.files.extend(other.files);
        self.unknown.extend(other.unknown);
        self.uncertain.extend(other.uncertain);
    }
}
