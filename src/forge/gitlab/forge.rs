//! GitLab's answers about commits.

use std::time::Instant;

use super::client::GitLab;
use super::{compare, statuses};
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
        compare::order(self, deadline, repository, ours, theirs)
    }

    fn range(
        &self,
        deadline: Instant,
        repository: &str,
        old: &str,
        new: &str,
    ) -> Result<CommitRange, String> {
        compare::range(self, deadline, repository, old, new)
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
