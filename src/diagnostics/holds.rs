//! Errors with `tagbump-holds.yaml`, and held references.

use super::worktree;
use crate::error::{Exit, Failure};
use crate::hint::{hint, setting};
use crate::holds::{HoldsEditError, HoldsError};

pub(super) fn describe(error: &HoldsError) -> Failure {
    if let HoldsError::Source(error) = error {
        return worktree::describe_source(error);
    }
    let advice = hint(
        "correct the file: holds is a list; an entry has image, reason and by, and may have files, env and until; to bump without reading it, use ",
    ) + setting("if-held", "write");
    Failure { place: error.location().map(Box::new), ..Failure::usage(error.to_string()).hinted(advice) }
}

pub(super) fn describe_edit(error: &HoldsEditError) -> Failure {
    let failure = Failure::new(Exit::NotEditable, error.to_string());
    let failure = failure.hinted("edit the file by hand, or write each entry on lines of its own");
    Failure { place: Some(Box::new(error.at.clone())), ..failure }
}

/// References that are held.
pub(super) fn describe_held(message: String) -> Failure {
    let advice = hint("leave them as they are with ") + setting("if-held", "skip");
    let advice = advice + ", write them anyway with " + setting("if-held", "write");
    Failure::new(Exit::NotLanded, message).hinted(advice + ", or end the hold with tagbump unhold")
}
