//! The versions of a file on its way back, and what their references say.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::ObjectId;
use super::align::same_version;
use crate::image::join_tag;
use crate::plan::CurrentReference;

/// One file on its way back.
#[derive(Clone)]
pub(super) struct FileTrace {
    pub file: usize,
    /// What it is called here, below the repository's top.
    pub name: Rc<str>,
    pub blob: ObjectId,
    /// What it says, once it was read.
    pub says: Option<Rc<[CurrentReference]>>,
    /// For each of what it says the number that it is known by.
    pub numbers: Rc<[usize]>,
}

impl FileTrace {
    pub fn pairs(&self) -> impl Iterator<Item = (&CurrentReference, usize)> {
        self.says.iter().flat_map(|says| says.iter()).zip(self.numbers.iter().copied())
    }
}

/// A file's version, and what it says.
pub(super) struct OldVersion<'a> {
    pub track: &'a FileTrace,
    pub says: &'a [CurrentReference],
}

impl<'a> OldVersion<'a> {
    pub fn pairs(&self) -> impl Iterator<Item = (&'a CurrentReference, usize)> + use<'a> {
        self.says.iter().zip(self.track.numbers.iter().copied())
    }

    pub fn index(&self) -> HashMap<usize, &'a CurrentReference> {
        self.pairs().map(|(mention, number)| (number, mention)).collect()
    }

    /// The earlier tags of an image's references that have another tag now.
    pub fn replaced(&self, olds: &OldVersions<'_>, target: usize) -> Rc<[String]> {
        let changed = |(mention, number)| {
            let old = olds.of(number).filter(|old| old.target == target && !same_version(old, mention));
            old.map(|old| join_tag(old.tag.as_deref(), old.digest.as_deref())).collect::<Vec<_>>()
        };
        self.pairs().flat_map(changed).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The earlier versions of a file, one per parent, by the numbers of their references.
pub(super) struct OldVersions<'a>(Vec<HashMap<usize, &'a CurrentReference>>);

impl<'a> OldVersions<'a> {
    pub fn new(tracks: impl Iterator<Item = &'a FileTrace>) -> Self {
        OldVersions(
            tracks.map(|track| track.pairs().map(|(mention, number)| (number, mention)).collect()).collect(),
        )
    }

    pub fn of(&self, number: usize) -> impl Iterator<Item = &'a CurrentReference> {
        self.0.iter().filter_map(move |old| old.get(&number).copied())
    }

    /// Whether one of them says the same.
    pub fn say(&self, number: usize, mention: &CurrentReference) -> bool {
        self.of(number).any(|old| same_version(old, mention))
    }

    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        self.0.iter().flat_map(|old| old.keys().copied())
    }
}

/// Whether a version says what the one behind it says.
pub(super) fn is_same(old: &FileTrace, says: &[CurrentReference], numbers: &[usize]) -> bool {
    let new = says.iter().zip(numbers.iter().copied());
    old.pairs().count() == says.len()
        && old.pairs().zip(new).all(|((o, n), (s, m))| n == m && same_version(o, s))
}
