//! What a name in a folder stands for.

/// The kind of entry that a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Folder,
    Symlink,
    Other,
}
