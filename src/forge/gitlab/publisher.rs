//! Pushes commits to the branch of a merge request, with the options that make or update it.

use std::collections::HashMap;
use std::time::Instant;

use super::options::MergeRequestSettings;
use crate::forge::ForgeError;
use crate::landing::remote::{GitBranch, GitPush, Publisher, push_commit};
use crate::landing::{Proposal, PublishOutcome, Tip};
use crate::object_id::CommitId;

/// Pushes to a branch of a repository on GitLab.
pub struct GitLabPush {
    settings: MergeRequestSettings,
    /// The options for each commit that was made.
    prepared: HashMap<CommitId, Vec<String>>,
    printed: Option<String>,
}

impl GitLabPush {
    /// Sends nothing yet.
    pub fn new(settings: MergeRequestSettings) -> Self {
        GitLabPush { settings, prepared: HashMap::new(), printed: None }
    }
}

impl Publisher<ForgeError> for GitLabPush {
    fn prepare(
        &mut self,
        git: &GitBranch,
        _tip: &Tip,
        commit: CommitId,
        proposal: &dyn Proposal,
    ) -> Result<(), ForgeError> {
        let target = git.branch().unwrap_or_default();
        let options = self.settings.options(target, proposal.request(), !git.has_head());
        self.prepared.insert(commit, options);
        Ok(())
    }

    fn publish(
        &mut self,
        git: &GitBranch,
        commit: CommitId,
        deadline: Instant,
    ) -> PublishOutcome<ForgeError> {
        let options = self.prepared.get(&commit).map(Vec::as_slice).unwrap_or_default();
        let (outcome, printed) = push_commit(git, commit, options, None, deadline);
        self.printed = printed;
        outcome.map(ForgeError::from)
    }

    fn find(&self, git: &GitBranch, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, ForgeError> {
        Publisher::<ForgeError>::find(&GitPush::default(), git, tip, commit)
    }

    fn printed(&self) -> Option<&str> {
        self.printed.as_deref()
    }
}
