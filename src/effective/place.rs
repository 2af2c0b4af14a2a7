//! Where a value is written.

use crate::yaml::NodeId;

/// A file that was read: its number in [`Files`](super::Files).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(usize);

impl FileId {
    pub(super) fn new(index: usize) -> Self {
        FileId(index)
    }

    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// A scalar in a file: the node where it is written, not an alias to it. In a file of `NAME=VALUE` lines, the number
/// of the assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub file: FileId,
    pub node: NodeId,
}
