//! Errors in paths and patterns.

use crate::error::Failure;
use crate::file_selection::SelectionError;
use crate::hint::{Hint, flag, hint};

pub(super) fn describe(error: &SelectionError) -> Failure {
    Failure::usage(error.to_string()).hinted(advice(error))
}

pub(super) fn advice(error: &SelectionError) -> Hint {
    match error {
        SelectionError::Pattern { .. } => {
            hint("patterns are *, **, ?, [abc] and {a,b}; quote them, so that the shell doesn't expand them")
        }
        SelectionError::OutsideRoot { .. } => {
            hint("paths are relative to the root and stay inside it; set the root with ") + flag("repo")
        }
        SelectionError::InsideDotGit { .. } => hint("tagbump never looks into .git; choose other files"),
    }
}
