//! GitLab's answers about commits.

use std::time::Instant;

use super::client::GitLab;
use super::compare::GitLabComparison;
use super::statuses;
use crate::forge::{AnswerCache, CommitReader, CommitStatus, ForgeError};
use crate::history::CommitRange;
use crate::landing::{BuildOrder, FetchError};

impl CommitReader for GitLab {
    fn order(
        &self,
        deadline: Instant,
        repository: &str,
        ours: &str,
        theirs: &str,
    ) -> Result<BuildOrder, String> {
        GitLabComparison { gitlab: self, deadline, repository }.order(ours, theirs)
    }

    fn range(
        &self,
        deadline: Instant,
        repository: &str,
        old: &str,
        new: &str,
    ) -> Result<CommitRange, String> {
        GitLabComparison { gitlab: self, deadline, repository }.range(old, new)
    }

    fn statuses(
        &self,
        deadline: Instant,
        repository: &str,
        commit: &str,
        _cache: &mut AnswerCache,
    ) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
        statuses::statuses(self, deadline, repository, commit)
    }
}
