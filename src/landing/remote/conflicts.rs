//! Whether a pull request's branch with commits of others still merges into its base.

use super::git_branch::GitBranch;
use crate::git::carry::conflicting_files;
use crate::git::oid::oid;
use crate::object_id::CommitId;

impl GitBranch {
    /// The files in which the branch with a commit of ours conflicts with its base, in a merge as the forge would make it. A commit that
    /// the server made isn't here, so the branch's last tip stands in for it. Empty if the fetched history doesn't show where both meet.
    pub fn conflicts_with_base(&self, commit: Option<CommitId>) -> Vec<String> {
        let repo = &self.workspace.repo;
        let find = |id: CommitId| repo.find_commit(oid(id)).ok();
        let head = commit.and_then(find).or_else(|| self.known_tips().1.and_then(find));
        let Some((base, head)) = self.known_tips().0.and_then(find).zip(head) else { return Vec::new() };
        if repo.merge_base(base.id(), head.id()).is_err() {
            return Vec::new();
        }
        repo.merge_commits(&base, &head, None).map(|merged| conflicting_files(&merged)).unwrap_or_default()
    }
}
