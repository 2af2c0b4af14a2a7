//! The forges that host a repository, one folder each, behind one trait.
//!
//! [`choose`] and [`ForgeSite::identify`] are the only places that pick a forge. A new one is a folder with a [`Forge`], with a
//! [`Publisher`](crate::landing::remote::Publisher) if its API makes commits, and a case of [`ForgeSite`].
//!
//! GitHub is reached over octocrab. It brings the addressing of routes, headers and authentication for github.com and GitHub Enterprise
//! Server, and an ecosystem that people who know GitHub's API from Rust expect. It costs an async runtime and tower, which nothing else
//! here needs, and of its middleware only the layers for addresses, headers and the token are used: requests go over tagbump's own
//! HTTP client (`github::wire`), so that proxies, certificates, timeouts and limits are the same everywhere, and its retries are off,
//! because a POST that got a 502 may have done its work. No other module sees its types. Gitea is reached over that HTTP client alone:
//! its API looks like GitHub's, but octocrab's types don't fit it. GitLab makes merge requests by push options, without its API.

mod confirmed;
mod error;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod pull_json;
mod rest_client;
mod site;

use std::fmt;
use std::time::Instant;

use crate::landing::remote::RemoteBranch;
use crate::landing::{Backoff, BuildOrder, FetchError};

pub use confirmed::{ConfirmedPublisher, api_token};
pub use error::ForgeError;
pub use site::{ForgeSite, choose, choose_server};

/// The forges that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    GitHub,
    /// Gitea and Forgejo, whose APIs are the same.
    Gitea,
    GitLab,
}

impl fmt::Display for ForgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ForgeKind::GitHub => "GitHub",
            ForgeKind::Gitea => "Gitea",
            ForgeKind::GitLab => "GitLab",
        })
    }
}

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
    ) -> Result<ProposedPull, ForgeError>;

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

/// A pull request that was opened or updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedPull {
    pub pull: PullRequest,
    /// What the forge refused besides it. The pull request is open all the same.
    pub warnings: Vec<String>,
}

/// A pull request, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub url: String,
}
