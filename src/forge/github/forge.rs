//! GitHub as a forge.

use std::time::Instant;

use super::auto_merge::Merging;
use super::client::GitHub;
use super::compare::GitHubComparison;
use super::graphql::GraphQl;
use super::{pulls, statuses};
use crate::actions::ApiUrls;
use crate::forge::{
    AnswerCache, AutoMergeState, CommitReader, CommitStatus, Forge, ForgeError, ProposedPull, PullRequest,
    PullRequestSpec, ScheduledMerge, StillCurrent,
};
use crate::history::CommitRange;
use crate::http::HttpSettings;
use crate::landing::{Backoff, BuildOrder, FetchError};

/// GitHub, by both of its APIs.
pub struct GitHubForge {
    hub: GitHub,
    graphql: GraphQl,
}

impl GitHubForge {
    /// # Errors
    /// If an address or the token is not valid.
    pub fn new(http: &HttpSettings, apis: &ApiUrls, token: &str) -> Result<Self, ForgeError> {
        let hub = GitHub::new(http, &apis.rest, token)?;
        Ok(GitHubForge { hub, graphql: GraphQl::new(http, &apis.graphql, token)? })
    }
}

impl Forge for GitHubForge {
    fn propose(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        is_current: &mut StillCurrent<'_>,
    ) -> Result<ProposedPull, ForgeError> {
        pulls::propose(&self.hub, backoff, spec, is_current)
    }

    fn find(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
    ) -> Result<Option<PullRequest>, ForgeError> {
        pulls::find(&self.hub, backoff, spec)
    }

    fn close(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
    ) -> Result<Option<PullRequest>, ForgeError> {
        pulls::close(&self.hub, backoff, spec)
    }

    fn auto_merge(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        merge: ScheduledMerge,
    ) -> Result<AutoMergeState, ForgeError> {
        Merging { hub: &self.hub, graphql: &self.graphql, spec, merge }.enable(backoff)
    }

    fn confirm(
        &self,
        deadline: Instant,
        repository: &str,
        head: &str,
        base: &str,
    ) -> Result<(), FetchError<ForgeError>> {
        pulls::confirm(&self.hub, deadline, repository, head, base)
    }
}

impl CommitReader for GitHubForge {
    fn order(
        &self,
        deadline: Instant,
        repository: &str,
        ours: &str,
        theirs: &str,
    ) -> Result<BuildOrder, String> {
        GitHubComparison::new(&self.hub, deadline, repository)?.order(ours, theirs)
    }

    fn range(
        &self,
        deadline: Instant,
        repository: &str,
        old: &str,
        new: &str,
    ) -> Result<CommitRange, String> {
        GitHubComparison::new(&self.hub, deadline, repository)?.range(old, new)
    }

    fn statuses(
        &self,
        deadline: Instant,
        repository: &str,
        commit: &str,
        cache: &mut AnswerCache,
    ) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
        statuses::statuses(&self.hub, deadline, repository, commit, cache)
    }
}
