//! The work tree, names of images, and variables.

use super::{all, s};
use crate::file_selection::SelectionError;
use crate::image::{Digest, ImageArg, ImageError, NameProblem, Tag};
use crate::plan::{PathProblem, SourceError};
use crate::tag::{VariableError, unknown_variable};
use crate::worktree::{FileChange, WorktreeError};

pub(super) fn source_errors() -> Vec<SourceError> {
    let samples = vec![
        SourceError::Symlink { path: s() },
        SourceError::BadPath { path: s(), problem: PathProblem::Symlink },
        SourceError::NotFound { path: s(), reason: None },
        SourceError::NotCommitted { path: s() },
        SourceError::InSubmodule { path: s(), submodule: s() },
        SourceError::InLfs { path: s() },
        SourceError::TooLarge { path: s() },
        SourceError::Unreadable { path: s(), reason: s() },
        SourceError::NotCloned { path: s() },
        SourceError::UnreadableCommit { commit: s(), reason: s() },
    ];
    all(include_str!("../../../plan/source.rs"), "SourceError", samples)
}

pub(super) fn selection_errors() -> Vec<SelectionError> {
    let samples = vec![
        SelectionError::Pattern { pattern: s(), reason: s() },
        SelectionError::OutsideRoot { path: s() },
        SelectionError::InsideDotGit { path: s(), by_alias: true },
    ];
    all(include_str!("../../../file_selection/mod.rs"), "SelectionError", samples)
}

pub(super) fn worktree_errors() -> Vec<WorktreeError> {
    let samples = vec![
        WorktreeError::BadRoot { path: s(), reason: None },
        WorktreeError::NotWritten { path: s(), reason: s() },
        WorktreeError::NotReplaced { path: s(), reason: s() },
        WorktreeError::Changed { path: s(), change: FileChange::Edited },
        WorktreeError::Source(source_errors().remove(0)),
    ];
    all(include_str!("../../../worktree/error.rs"), "WorktreeError", samples)
}

pub(super) fn image_errors() -> Vec<ImageError> {
    let samples = vec![
        Tag::parse("").unwrap_err(),
        Tag::parse("-").unwrap_err(),
        Digest::parse("x").unwrap_err(),
        ImageError::Name { text: s(), problem: NameProblem::Empty },
        ImageArg::parse("https://ghcr.io/acme/api").unwrap_err(),
        ImageArg::parse("ghcr.io/Acme/api").unwrap_err(),
        ImageError::NewName { text: s(), name: s(), has_upper_case: false },
    ];
    all(include_str!("../../../image/error.rs"), "ImageError", samples)
}

pub(super) fn variable_errors() -> Vec<VariableError> {
    let samples = vec![
        unknown_variable("x"),
        VariableError::NoValue { name: "sha", reason: "x" },
        VariableError::UnreadEvent,
        VariableError::ExtraArgument { name: "sha", argument: s() },
        VariableError::DigitCount { digits: s() },
        VariableError::TooFewDigits { digits: 7, sha: s() },
        VariableError::Date { format: s(), reason: s() },
    ];
    all(include_str!("../../../tag.rs"), "VariableError", samples)
}
