//! The versions of a file on its way back, and what their references say.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::Id;
use super::align::say_the_same;
use crate::image::join_tag;
use crate::plan::Mention;

/// One file on its way back.
#[derive(Clone)]
pub(super) struct Track {
    pub file: usize,
    /// What it is called here, below the repository's top.
    pub name: Rc<str>,
    pub blob: Id,
    /// What it says, once it was read.
    pub says: Option<Rc<[Mention]>>,
    /// For each of what it says the number that it is known by.
    pub numbers: Rc<[usize]>,
}

impl Track {
    pub fn pairs(&self) -> impl Iterator<Item = (&Mention, usize)> {
        self.says.iter().flat_map(|says| says.iter()).zip(self.numbers.iter().copied())
    }
}

/// A file's version, and what it says.
pub(super) struct Version<'a> {
    pub track: &'a Track,
    pub says: &'a [Mention],
}

impl<'a> Version<'a> {
    pub fn pairs(&self) -> impl Iterator<Item = (&'a Mention, usize)> + use<'a> {
        self.says.iter().zip(self.track.numbers.iter().copied())
    }

    pub fn index(&self) -> HashMap<usize, &'a Mention> {
        self.pairs().map(|(mention, number)| (number, mention)).collect()
    }

    /// The earlier tags of an image's references that have another tag now.
    pub fn replaced(&self, olds: &Olds<'_>, want: usize) -> Rc<[String]> {
        let changed = |(mention, number)| {
            let old = olds.of(number).filter(|old| old.want == want && !say_the_same(old, mention));
            old.map(|old| join_tag(old.tag.as_deref(), old.digest.as_deref())).collect::<Vec<_>>()
        };
        self.pairs().flat_map(changed).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The earlier versions of a file, one per parent, by the numbers of their references.
pub(super) struct Olds<'a>(Vec<HashMap<usize, &'a Mention>>);

impl<'a> Olds<'a> {
    pub fn new(tracks: impl Iterator<Item = &'a Track>) -> Self {
        Olds(tracks.map(|track| track.pairs().map(|(mention, number)| (number, mention)).collect()).collect())
    }

    pub fn of(&self, number: usize) -> impl Iterator<Item = &'a Mention> {
        self.0.iter().filter_map(move |old| old.get(&number).copied())
    }

    /// Whether one of them says the same.
    pub fn say(&self, number: usize, mention: &Mention) -> bool {
        self.of(number).any(|old| say_the_same(old, mention))
    }

    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        self.0.iter().flat_map(|old| old.keys().copied())
    }
}

/// Whether a version says what the one behind it says.
pub(super) fn is_same(old: &Track, says: &[Mention], numbers: &[usize]) -> bool {
    let new = says.iter().zip(numbers.iter().copied());
    old.pairs().count() == says.len()
        && old.pairs().zip(new).all(|((o, n), (s, m))| n == m && say_the_same(o, s))
}
