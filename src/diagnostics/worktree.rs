//! Errors with files in a work tree or a commit.

use crate::error::{Exit, Failure};
use crate::hint::{flag, hint};
use crate::plan::SourceError;
use crate::worktree::WorktreeError;

pub(super) fn describe(error: &WorktreeError) -> Failure {
    let message = error.to_string();
    match error {
        WorktreeError::Source(error) => describe_source(error),
        WorktreeError::BadRoot { .. } => {
            Failure::usage(message).hinted(hint("name a folder with ") + flag("repo"))
        }
        WorktreeError::Changed { .. } => Failure::other(message).hinted("run again"),
        WorktreeError::NotWritten { .. } | WorktreeError::NotReplaced { .. } => Failure::other(message),
    }
}

pub(super) fn describe_source(error: &SourceError) -> Failure {
    let message = error.to_string();
    let relative = || hint("paths in ") + flag("file") + " and tagbump.yaml are relative to the root";
    match error {
        SourceError::Symlink { .. } => Failure::usage(message).hinted("put the file itself there"),
        SourceError::BadPath { .. } => {
            Failure::usage(message).hinted("name the file itself, inside the root")
        }
        SourceError::NotFound { .. } => {
            let advice = relative() + "; set the root with " + flag("repo");
            Failure::new(Exit::NoMatch, message).hinted(advice)
        }
        SourceError::NotCommitted { .. } => {
            Failure::new(Exit::NoMatch, message).hinted(relative() + "; only committed files count")
        }
        SourceError::InLfs { .. } => {
            Failure::new(Exit::NotEditable, message).hinted("take manifests out of LFS: git lfs untrack")
        }
        SourceError::TooLarge { .. }
        | SourceError::Unreadable { .. }
        | SourceError::UnreadableCommit { .. } => Failure::other(message),
    }
}
