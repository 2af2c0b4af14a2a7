//! Publishes only after the forge has confirmed that the token sees the repository: otherwise the branch of a pull request would be left
//! behind on a server that opens none.

use std::time::Instant;

use super::{ForgeError, ForgeKind, ForgeSite};
use crate::landing::remote::{GitBranch, Publisher, Verification};
use crate::landing::{FetchError, Proposal, PublishOutcome, Tip};
use crate::object_id::CommitId;

/// The token for the API of the forge that hosts a branch.
///
/// # Errors
/// If there is none.
pub fn api_token(git: &GitBranch, site: &ForgeSite) -> Result<String, ForgeError> {
    let forge = site.kind().unwrap_or(ForgeKind::GitHub);
    git.api_token().ok_or_else(|| ForgeError::NoToken { forge, withheld: git.missing_token() })
}

/// A publisher behind the question whether the forge has the repository.
pub struct ConfirmedPublisher {
    publisher: Box<dyn Publisher<ForgeError>>,
    site: ForgeSite,
    is_confirmed: bool,
}

impl ConfirmedPublisher {
    /// Asks nothing yet.
    pub fn new(publisher: Box<dyn Publisher<ForgeError>>, site: ForgeSite) -> Self {
        ConfirmedPublisher { publisher, site, is_confirmed: false }
    }

    fn confirm(&self, git: &GitBranch, deadline: Instant) -> Result<(), FetchError<ForgeError>> {
        let repository = git.slug().unwrap_or_default();
        let token = api_token(git, &self.site)?;
        let (head, base) = (git.head_name().unwrap_or_default(), git.branch().unwrap_or_default());
        self.site.connect(git.http(), &token)?.confirm(deadline, &repository, head, base)
    }
}

impl Publisher<ForgeError> for ConfirmedPublisher {
    fn prepare(
        &mut self,
        git: &GitBranch,
        tip: &Tip,
        commit: CommitId,
        proposal: &dyn Proposal,
    ) -> Result<(), ForgeError> {
        self.publisher.prepare(git, tip, commit, proposal)
    }

    fn publish(
        &mut self,
        git: &GitBranch,
        commit: CommitId,
        deadline: Instant,
    ) -> PublishOutcome<ForgeError> {
        if !self.is_confirmed {
            match self.confirm(git, deadline) {
                Ok(()) => self.is_confirmed = true,
                Err(FetchError::Permanent(error)) => return PublishOutcome::Refused(error),
                // the next try starts over, but not before the forge wants it
                Err(FetchError::Transient { what, retry_after }) => {
                    return PublishOutcome::Unknown { what, retry_after };
                }
                Err(FetchError::Unreachable { what }) => {
                    return PublishOutcome::Unknown { what, retry_after: None };
                }
            }
        }
        self.publisher.publish(git, commit, deadline)
    }

    fn find(&self, git: &GitBranch, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, ForgeError> {
        self.publisher.find(git, tip, commit)
    }

    fn makes_own_commits(&self) -> bool {
        self.publisher.makes_own_commits()
    }

    fn printed(&self) -> Option<&str> {
        self.publisher.printed()
    }

    fn verification(&self, commit: CommitId, deadline: Instant) -> Verification {
        self.publisher.verification(commit, deadline)
    }
}
