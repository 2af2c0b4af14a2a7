//! Finds the commit that a server made from one of ours. It has another ID, because its author and signature
//! differ, but the same parents, files and message.

use git2::{Commit, Oid, Repository};

/// How many commits to look at, at most.
const FAR: usize = 1000;

/// Looks for the equivalent of `commit` at `tip` and in its history, down to the parents of `commit`.
pub fn find(repo: &Repository, tip: Oid, commit: Oid) -> Result<Option<Oid>, git2::Error> {
    let ours = repo.find_commit(commit)?;
    let mut walk = repo.revwalk()?;
    walk.push(tip)?;
    for parent in ours.parent_ids() {
        walk.hide(parent)?;
    }
    for theirs in walk.take(FAR) {
        let theirs = repo.find_commit(theirs?)?;
        if are(&ours, &theirs) {
            return Ok(Some(theirs.id()));
        }
    }
    Ok(None)
}

/// Whether two commits have the same parents, files and message.
pub fn are(one: &Commit<'_>, other: &Commit<'_>) -> bool {
    let words = |commit: &Commit<'_>| commit.message_bytes().trim_ascii_end().to_vec();
    one.tree_id() == other.tree_id() && one.parent_ids().eq(other.parent_ids()) && words(one) == words(other)
}
