//! GitHub as a forge.

use std::time::Instant;

use super::client::{ApiRequest, GitHub};
use super::error::GitHubError;
use super::{compare, pulls};
use crate::forge::{Forge, ForgeError, PullRequest, PullRequestSpec, StillCurrent};
use crate::landing::{Backoff, BuildOrder, FetchError};

impl Forge for GitHub {
    fn propose(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        is_current: &mut StillCurrent<'_>,
    ) -> Result<PullRequest, ForgeError> {
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

    fn confirm(&self, deadline: Instant, repository: &str) -> Result<(), FetchError<ForgeError>> {
        let route = format!("/repos/{repository}");
        let answer = self.once(deadline, &route, ApiRequest::Get)?;
        if answer["full_name"].is_string() {
            return Ok(());
        }
        Err(FetchError::Permanent(GitHubError::NotARepository { route }.into()))
    }

    fn order(
        &self,
        deadline: Instant,
        repository: &str,
        ours: &str,
        theirs: &str,
    ) -> Result<BuildOrder, String> {
        compare::order(self, deadline, repository, ours, theirs)
    }
}
