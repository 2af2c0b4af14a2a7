//! What can go wrong below the root.

use crate::plan::{PathProblem, SourceError};
use crate::visible::inline;

use super::open_error::OpenError;

/// Why files can't be found or written.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    #[error("{path}: {}", .reason.as_deref().unwrap_or("is not a folder"))]
    BadRoot { path: String, reason: Option<String> },
    #[error("{}: can't be written: {reason}", inline(.path))]
    NotWritten { path: String, reason: String },
    #[error("{}: can't be replaced: {reason}", inline(.path))]
    NotReplaced { path: String, reason: String },
    #[error("{}: changed since it was read ({change}); nothing was written", inline(.path))]
    Changed { path: String, change: FileChange },
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// What happened to a file while tagbump worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileChange {
    #[error("it was edited")]
    Edited,
    #[error("its folder was swapped")]
    FolderSwapped,
    #[error("the new file beside it was swapped")]
    NewFileSwapped,
    #[error("it is a symlink now")]
    Symlink,
    #[error("it is gone")]
    Gone,
}

/// Why a file at a path can't be opened.
pub(super) fn not_opened(path: &str, error: OpenError) -> SourceError {
    let path = path.to_owned();
    match error.problem() {
        Some(problem) => SourceError::BadPath { path, problem },
        None => SourceError::Unreadable { path, reason: error.to_string() },
    }
}

/// As [`not_opened`], if a symlink is on the way to a file that tagbump looks for on its own.
pub(super) fn not_reached(path: &str, error: OpenError) -> SourceError {
    match error.problem() {
        Some(PathProblem::Symlink) => SourceError::Symlink { path: path.to_owned() },
        _ => not_opened(path, error),
    }
}
