//! The versions of a file that a walk visits, and the references in them.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::align::same_version;
use super::{ObjectId, ReferenceNumber};
use crate::image::join_tag;
use crate::plan::{CurrentReference, TargetIndex};

/// The position of a file in those that a walk traces.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TracedIndex(pub usize);

/// One file at one commit of the walk.
#[derive(Clone)]
pub(super) struct FileTrace {
    pub file: TracedIndex,
    /// The name of the file in this commit, relative to the repository's top level.
    pub name: Rc<str>,
    pub blob: ObjectId,
    /// Its references, if the file was read already.
    pub says: Option<Rc<[CurrentReference]>>,
    /// The number of each reference, in the same order.
    pub numbers: Rc<[ReferenceNumber]>,
}

impl FileTrace {
    pub fn pairs(&self) -> impl Iterator<Item = (&CurrentReference, ReferenceNumber)> {
        self.says.iter().flat_map(|says| says.iter()).zip(self.numbers.iter().copied())
    }
}

/// A file's version and its references.
pub(super) struct OldVersion<'a> {
    pub track: &'a FileTrace,
    pub says: &'a [CurrentReference],
}

impl<'a> OldVersion<'a> {
    pub fn pairs(&self) -> impl Iterator<Item = (&'a CurrentReference, ReferenceNumber)> + use<'a> {
        self.says.iter().zip(self.track.numbers.iter().copied())
    }

    pub fn index(&self) -> HashMap<ReferenceNumber, &'a CurrentReference> {
        self.pairs().map(|(mention, number)| (number, mention)).collect()
    }

    /// The earlier tags of the target's references that have another tag now.
    pub fn replaced(&self, olds: &OldVersions<'_>, target: TargetIndex) -> Rc<[String]> {
        let changed = |(mention, number)| {
            let old = olds.of(number).filter(|old| old.target == target && !same_version(old, mention));
            old.map(|old| join_tag(old.tag.as_deref(), old.digest.as_deref())).collect::<Vec<_>>()
        };
        self.pairs().flat_map(changed).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The earlier versions of a file, one per parent. They map the numbers of references to the references.
pub(super) struct OldVersions<'a>(Vec<HashMap<ReferenceNumber, &'a CurrentReference>>);

impl<'a> OldVersions<'a> {
    pub fn new(tracks: impl Iterator<Item = &'a FileTrace>) -> Self {
        OldVersions(
            tracks.map(|track| track.pairs().map(|(mention, number)| (number, mention)).collect()).collect(),
        )
    }

    pub fn of(&self, number: ReferenceNumber) -> impl Iterator<Item = &'a CurrentReference> {
        self.0.iter().filter_map(move |old| old.get(&number).copied())
    }

    /// Whether this reference has the same tag and digest in one of them.
    pub fn say(&self, number: ReferenceNumber, mention: &CurrentReference) -> bool {
        self.of(number).any(|old| same_version(old, mention))
    }

    pub fn numbers(&self) -> impl Iterator<Item = ReferenceNumber> {
        self.0.iter().flat_map(|old| old.keys().copied())
    }
}

/// Whether two versions have the same references with the same tags.
pub(super) fn is_same(old: &FileTrace, says: &[CurrentReference], numbers: &[ReferenceNumber]) -> bool {
    let new = says.iter().zip(numbers.iter().copied());
    old.pairs().count() == says.len()
        && old.pairs().zip(new).all(|((o, n), (s, m))| n == m && same_version(o, s))
}
