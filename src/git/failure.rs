//! Failures that several modules word in the same way.

use crate::error::Failure;

/// `HEAD` has no commit yet.
pub(crate) fn no_commit() -> Failure {
    Failure::usage("HEAD has no commit yet").hinted("make the first commit, then run again")
}

/// A libgit2 error without an exit code of its own.
pub(crate) fn git_failure(what: &str, error: &git2::Error) -> Failure {
    Failure::other(format!("{what}: {}", error.message()))
}
