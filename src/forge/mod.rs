//! The forges that host a repository, one folder each, behind one trait.
//!
//! [`choose`] is the only place that picks a forge. A new one is a folder with a [`Forge`], with a
//! [`Publisher`](crate::landing::remote::Publisher) if its API makes commits, and a case of [`ForgeSite`].
//!
//! GitHub is reached over octocrab. It brings the addressing of routes, headers and authentication for github.com and GitHub Enterprise
//! Server, and an ecosystem that people who know GitHub's API from Rust expect. It costs an async runtime and tower, which nothing else
//! here needs, and of its middleware only the layers for addresses, headers and the token are used: requests go over tagbump's own
//! HTTP client (`github::wire`), so that proxies, certificates, timeouts and limits are the same everywhere, and its retries are off,
//! because a POST that got a 502 may have done its work. No other module sees its types.

mod confirmed;
mod error;
pub mod github;

use std::time::Instant;

use crate::actions::{ActionsRun, ApiUrls};
use crate::environment::Environment;
use crate::http::HttpSettings;
use crate::landing::remote::{Publisher, RemoteBranch};
use crate::landing::{Backoff, BuildOrder, FetchError};
use crate::object_id::CommitId;
use github::{GitHub, GitHubCommits};

pub use confirmed::ConfirmedPublisher;
pub use error::ForgeError;

/// A remote branch whose commits git or a forge publishes.
pub type ForgeBranch = RemoteBranch<ForgeError>;

/// What tagbump asks of a forge, besides publishing commits.
pub trait Forge {
    /// Opens the pull request of a branch, or updates the open one. A second time changes nothing.
    ///
    /// # Errors
    /// If the forge refuses, or the budget is spent.
    fn propose(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        is_current: &mut StillCurrent<'_>,
    ) -> Result<PullRequest, ForgeError>;

    /// Finds the open pull request of a branch.
    ///
    /// # Errors
    /// As [`Forge::propose`].
    fn find(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
    ) -> Result<Option<PullRequest>, ForgeError>;

    /// Closes the open pull request of a branch, if there is one.
    ///
    /// # Errors
    /// As [`Forge::propose`].
    fn close(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
    ) -> Result<Option<PullRequest>, ForgeError>;

    /// Confirms that the forge has a repository, `owner/name`, and that the token sees its pull requests. Asks once, for the one from `head`
    /// to `base`, and changes nothing.
    ///
    /// # Errors
    /// Transient errors, and refusals.
    fn confirm(
        &self,
        deadline: Instant,
        repository: &str,
        head: &str,
        base: &str,
    ) -> Result<(), FetchError<ForgeError>>;

    /// Compares two commits of a repository, `owner/name`.
    ///
    /// # Errors
    /// Why their order is unknown.
    fn order(
        &self,
        deadline: Instant,
        repository: &str,
        ours: &str,
        theirs: &str,
    ) -> Result<BuildOrder, String>;
}

/// What a pull request is to be.
#[derive(Clone, Debug)]
pub struct PullRequestSpec<'a> {
    /// `owner/name`.
    pub repository: &'a str,
    /// The repository's page, by the remote's URL.
    pub page: &'a str,
    /// The branch, in the same repository.
    pub head: &'a str,
    pub base: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub labels: &'a [String],
    pub draft: bool,
}

/// Whether the branch still has the commit that the pull request describes. If not, another run updated the branch, and the text is
/// left to that run.
pub type StillCurrent<'a> = dyn FnMut() -> bool + 'a;

/// A pull request, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub url: String,
}

/// A forge, and the address of its API. Nothing has been sent to it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgeSite {
    /// `is_known` if the host is github.com or the runner's own server. Any other host may be something else.
    GitHub { apis: ApiUrls, is_known: bool },
}

/// The forge that shows a repository at `page`: GitHub, whose API has the address that the runner gives, or the one that follows from the page.
pub fn choose(run: &ActionsRun, environment: &Environment, page: &str) -> Option<ForgeSite> {
    let is_known = run.is_github(environment, page);
    run.apis(environment, page).map(|apis| ForgeSite::GitHub { apis, is_known })
}

impl ForgeSite {
    /// Connects to the forge with a token.
    ///
    /// # Errors
    /// If the address or the token is not valid.
    pub fn connect(&self, http: &HttpSettings, token: &str) -> Result<Box<dyn Forge>, ForgeError> {
        match self {
            ForgeSite::GitHub { apis, .. } => Ok(Box::new(GitHub::new(http, &apis.rest, token)?)),
        }
    }

    /// Asks the server that shows the repository at `page` whether it is this forge, without credentials. A host that is known is not asked.
    ///
    /// # Errors
    /// If it is not, or doesn't answer.
    pub fn probe(
        &self,
        http: &HttpSettings,
        page: &str,
        deadline: Instant,
    ) -> Result<(), FetchError<ForgeError>> {
        let ForgeSite::GitHub { apis, is_known } = self;
        if *is_known || GitHub::anonymous(http, &apis.rest)?.is_github(deadline)? {
            return Ok(());
        }
        let (page, api) = (page.to_owned(), apis.rest.clone());
        Err(FetchError::Permanent(ForgeError::NoForge { page, api }))
    }

    /// Publishes commits of a repository, `owner/name`, by the forge's API.
    ///
    /// # Errors
    /// If the address or the token is not valid.
    pub fn publisher(
        &self,
        http: &HttpSettings,
        token: &str,
        repository: &str,
    ) -> Result<Box<dyn Publisher<ForgeError>>, ForgeError> {
        match self {
            ForgeSite::GitHub { apis, .. } => {
                Ok(Box::new(GitHubCommits::new(http, &apis.graphql, token, repository)?))
            }
        }
    }

    /// Where a browser shows a commit of the repository that is shown at `page`.
    pub fn commit_url(&self, page: &str, commit: CommitId) -> String {
        match self {
            ForgeSite::GitHub { .. } => format!("{page}/commit/{commit}"),
        }
    }
}
