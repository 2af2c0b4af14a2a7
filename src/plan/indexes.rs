//! Positions in the lists of a plan. Each list has its own type, so that a file can't be taken for a target.

use std::ops::{Index, IndexMut};

use super::UpdateTarget;
use super::parsed_file::ParsedFile;

/// A position in [`Request::targets`](super::Request::targets), and in those of the request's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetIndex(usize);

/// A position in the files that a plan has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FileIndex(usize);

/// A field that a target names: the target, and the field's position in the target's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FieldPosition {
    pub target: TargetIndex,
    pub nth: usize,
}

impl TargetIndex {
    pub fn new(position: usize) -> Self {
        TargetIndex(position)
    }

    /// The targets with their positions.
    pub fn each(targets: &[UpdateTarget]) -> impl Iterator<Item = (Self, &UpdateTarget)> {
        targets.iter().enumerate().map(|(position, target)| (TargetIndex(position), target))
    }

    pub fn position(self) -> usize {
        self.0
    }

    /// What is at this position in a list that has one item for each target, such as the targets themselves.
    pub fn of<T>(self, items: &[T]) -> Option<&T> {
        items.get(self.0)
    }
}

impl Index<TargetIndex> for Vec<UpdateTarget> {
    type Output = UpdateTarget;

    fn index(&self, at: TargetIndex) -> &UpdateTarget {
        &self[at.0]
    }
}

impl IndexMut<TargetIndex> for Vec<UpdateTarget> {
    fn index_mut(&mut self, at: TargetIndex) -> &mut UpdateTarget {
        &mut self[at.0]
    }
}

impl FileIndex {
    pub const FIRST: FileIndex = FileIndex(0);

    /// The files with their positions.
    pub fn each(files: &[ParsedFile]) -> impl Iterator<Item = (Self, &ParsedFile)> {
        files.iter().enumerate().map(|(position, file)| (FileIndex(position), file))
    }
}

impl Index<FileIndex> for Vec<ParsedFile> {
    type Output = ParsedFile;

    fn index(&self, at: FileIndex) -> &ParsedFile {
        &self[at.0]
    }
}
