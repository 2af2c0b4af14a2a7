//! GitHub as a forge.

use std::time::Instant;

use super::client::GitHub;
use super::{compare, pulls};
use crate::forge::{Forge, ForgeError, ProposedPull, PullRequest, PullRequestSpec, StillCurrent};
use crate::landing::{Backoff, BuildOrder, FetchError};

impl Forge for GitHub {
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

    fn confirm(
        &self,
        deadline: Instant,
        repository: &str,
        head: &str,
        base: &str,
    ) -> Result<(), FetchError<ForgeError>> {
        pulls::confirm(self, deadline, repository, head, base)
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
