//! What was read to render something, and what could not be followed.

use std::collections::BTreeSet;

use super::super::files::Files;
use super::super::place::{FileId, Place};
use super::super::root::Doubt;
use super::super::value::Value;
use super::merge::overlay;

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

/// The map in a file. Several documents count as one map, as in Helm 4; Helm 3 reads the first only. `None` if
/// there is no such file.
pub fn load_map(files: &mut Files<'_>, path: &str, trail: &mut Trail) -> Option<Value> {
    let id = files.load(path)?;
    trail.files.insert(id);
    Some(maps_of(files, id))
}

/// As [`load_map`], for a file that is already read.
pub fn maps_of(files: &mut Files<'_>, id: FileId) -> Value {
    let mut map = Value::default();
    for document in files.documents(id) {
        if matches!(document, Value::Map(_)) {
            overlay(&mut map, document);
        }
    }
    map
}
