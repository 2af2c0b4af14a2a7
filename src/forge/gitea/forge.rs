//! Gitea as a forge.

use std::time::Instant;

use super::client::Gitea;
use super::compare::GiteaComparison;
use super::{auto_merge, pulls, statuses};
use crate::forge::{
    AnswerCache, AutoMergeState, CommitReader, CommitStatus, Forge, ForgeError, ProposedPull, PullRequest,
    PullRequestSpec, ScheduledMerge, StillCurrent,
};
use crate::history::CommitRange;
use crate::landing::{Backoff, BuildOrder, FetchError};

impl Forge for Gitea {
    fn propose(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        is_current: &mut StillCurrent<'_>,
    ) -> Result<ProposedPull, ForgeError> {
        pulls::propose(self, backoff, spec, is_current)
    }

    fn find(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
    ) -> Result<Option<PullRequest>, ForgeError> {
        pulls::find(self, backoff, spec)
    }

    fn close(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
    ) -> Result<Option<PullRequest>, ForgeError> {
        pulls::close(self, backoff, spec)
    }

    fn auto_merge(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        merge: ScheduledMerge,
    ) -> Result<AutoMergeState, ForgeError> {
        auto_merge::enable(self, backoff, spec, merge)
    }

    fn confirm(
        &self,
        deadline: Instant,
        repository: &str,
        _head: &str,
        _base: &str,
    ) -> Result<(), FetchError<ForgeError>> {
        pulls::confirm(self, deadline, repository)
    }
}

impl CommitReader for Gitea {
    fn order(
        &self,
        deadline: Instant,
        repository: &str,
        ours: &str,
        theirs: &str,
    ) -> Result<BuildOrder, String> {
        GiteaComparison { gitea: self, deadline, repository }.order(ours, theirs)
    }

    fn range(
        &self,
        deadline: Instant,
        repository: &str,
        old: &str,
        new: &str,
    ) -> Result<CommitRange, String> {
        GiteaComparison { gitea: self, deadline, repository }.range(old, new)
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
