//! How commits get onto a remote branch.

use std::sync::Arc;
use std::time::Instant;

use super::git_branch::GitBranch;
use crate::git::transport::Endpoint;
use crate::landing::{Proposal, PublishOutcome, Tip};
use crate::object_id::CommitId;

/// Publishes commits without force, and finds them again. The commits were made by git, in the workspace; git also reads the branch.
///
/// `E` is the error of all publishers: a forge's API can fail in more ways than git.
pub trait Publisher<E> {
    /// Asks the server for what publishing to a branch needs, if that can happen while its new commits are fetched.
    fn while_fetching(&mut self, _server: &Arc<Endpoint>, _branch: &str, _deadline: Instant) {}

    /// Prepares a commit that was made on a tip for publishing.
    ///
    /// # Errors
    /// If it can't be published this way, whatever the server says.
    fn prepare(
        &mut self,
        _git: &GitBranch,
        _tip: &Tip,
        _commit: CommitId,
        _proposal: &dyn Proposal,
    ) -> Result<(), E> {
        Ok(())
    }

    /// Publishes a commit if the branch hasn't moved since it was read; gives up at `deadline`.
    fn publish(&mut self, git: &GitBranch, commit: CommitId, deadline: Instant) -> PublishOutcome<E>;

    /// The ID of a commit on the branch, if the tip is it or comes after it.
    ///
    /// # Errors
    /// If the history can't be read.
    fn find(&self, git: &GitBranch, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, E>;

    /// Whether the server makes commits of its own from ours, so that they must be fetched back.
    fn makes_own_commits(&self) -> bool {
        false
    }

    /// What the server printed when it accepted the last push; `None` if it accepted none.
    fn printed(&self) -> Option<&str> {
        None
    }

    /// What the server says about the signature that it puts on its own commits.
    fn verification(&self, _commit: CommitId, _deadline: Instant) -> Verification {
        Verification::NotSignedByServer
    }
}

/// What a server says about the signature of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The server signs nothing.
    NotSignedByServer,
    Verified,
    /// It isn't shown as verified: the server's word for why.
    Unverified {
        state: String,
    },
    /// The server didn't answer.
    Unknown,
}
