//! Errors with files in a work tree or a commit.

use crate::error::{Exit, Failure};
use crate::hint::{Hint, flag, hint, setting, switch};
use crate::plan::SourceError;
use crate::visible::inline;
use crate::worktree::WorktreeError;

pub(super) fn describe(error: &WorktreeError) -> Failure {
    let message = error.to_string();
    match error {
        WorktreeError::Source(error) => describe_source(error),
        WorktreeError::BadRoot { .. } => {
            Failure::usage(message).hinted(hint("name a folder with ") + flag("repo"))
        }
        WorktreeError::Changed { .. } => Failure::other(message).hinted("run again"),
        WorktreeError::NotWritten { .. } | WorktreeError::NotReplaced { .. } => Failure::other(message)
            .hinted("check the rights of the file and of its folder, and the space on the disk"),
    }
}

/// How to bump in a submodule. A clone without its submodules has an empty folder there.
pub(super) fn into_submodule(path: &str) -> Hint {
    if path == "." {
        return hint("the root is an empty submodule: get its files with git submodule update --init");
    }
    let way_in = hint(format!("{} is a submodule: run with ", inline(path))) + setting("repo", inline(path));
    way_in + "; if the folder is empty, first run git submodule update --init"
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
        SourceError::InSubmodule { submodule, .. } => {
            Failure::new(Exit::NoMatch, message).hinted(into_submodule(submodule))
        }
        SourceError::InLfs { .. } => {
            Failure::new(Exit::NotEditable, message).hinted("take manifests out of LFS: git lfs untrack")
        }
        SourceError::TooLarge { .. } => {
            Failure::other(message).hinted("move the references into a file of their own")
        }
        SourceError::Unreadable { .. } => {
            Failure::other(message).hinted("check the rights of the file and of the folders above it")
        }
        SourceError::NotCloned { .. } => Failure::other(message).hinted(
            hint("fetch what a partial clone (--filter) left out with git fetch --refetch --no-filter, or land with ")
                + switch("push")
                + "; in another clone, run git fsck",
        ),
        SourceError::UnreadableCommit { .. } => {
            Failure::other(message).hinted("check the repository with git fsck, or use a fresh clone")
        }
    }
}
