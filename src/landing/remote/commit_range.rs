//! The commits between two others, if the workspace has them all.

use std::collections::HashSet;

use crate::git::oid::{commit_id, oid};
use crate::git::workspace::Workspace;
use crate::history::{CommitRange, ListedCommit, MAX_LISTED};
use crate::landing::MAX_SEARCHED_COMMITS;
use crate::object_id::CommitId;

/// The commits that `new` has and `old` lacks. `None` if some of them may be missing here, or if there are too many to count.
pub(super) fn commit_range(workspace: &Workspace, old: CommitId, new: CommitId) -> Option<CommitRange> {
    let repo = &workspace.repo;
    let cut: HashSet<CommitId> = workspace.shallow_commits().into_iter().collect();
    let mut walk = repo.revwalk().ok()?;
    walk.push(oid(new)).ok()?;
    walk.hide(oid(old)).ok()?;
    let mut range = CommitRange::default();
    for id in walk {
        let id = commit_id(id.ok()?);
        // its parents may belong to the range
        if cut.contains(&id) || range.total == MAX_SEARCHED_COMMITS {
            return None;
        }
        range.total += 1;
        if range.commits.len() < MAX_LISTED {
            let commit = repo.find_commit(oid(id)).ok()?;
            let message = String::from_utf8_lossy(commit.message_bytes());
            range.commits.push(ListedCommit::new(&id.to_string(), &message));
        }
    }
    Some(range)
}
