//! Finds the commit that a server made from one of ours. It has another ID, because its author and signature
//! differ, but the same parents, files and message.

use git2::{Commit, Repository};

use super::oid::{commit_id, oid};
use crate::object_id::CommitId;

/// How many commits to look at, at most.
const MAX_SEARCHED_COMMITS: usize = 1000;

/// Looks for the equivalent of `commit` at `tip` and in its history, down to the parents of `commit`.
pub fn find(repo: &Repository, tip: CommitId, commit: CommitId) -> Result<Option<CommitId>, git2::Error> {
    let ours = repo.find_commit(oid(commit))?;
    let mut walk = repo.revwalk()?;
    walk.push(oid(tip))?;
    for parent in ours.parent_ids() {
        walk.hide(parent)?;
    }
    for theirs in walk.take(MAX_SEARCHED_COMMITS) {
        let theirs = repo.find_commit(theirs?)?;
        if are(&ours, &theirs) {
            return Ok(Some(commit_id(theirs.id())));
        }
    }
    Ok(None)
}

/// Whether two commits have the same parents, files and message.
pub fn are(one: &Commit<'_>, other: &Commit<'_>) -> bool {
    let message = |commit: &Commit<'_>| commit.message_bytes().trim_ascii_end().to_vec();
    one.tree_id() == other.tree_id()
        && one.parent_ids().eq(other.parent_ids())
        && message(one) == message(other)
}
