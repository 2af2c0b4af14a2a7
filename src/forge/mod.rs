//! The forges that host a repository, one folder each, behind two traits: [`Forge`] for pull requests, [`CommitReader`] for what is known
//! about commits.
//!
//! [`choose`] and [`ForgeSite::identify`] are the only places that pick a forge. A new one is a folder with a [`Forge`], with a
//! [`Publisher`](crate::landing::remote::Publisher) if its API makes commits, and a case of [`ForgeSite`].
//!
//! GitHub is reached over octocrab. It brings the addressing of routes, headers and authentication for github.com and GitHub Enterprise
//! Server, and an ecosystem that people who know GitHub's API from Rust expect. It costs an async runtime and tower, which nothing else
//! here needs, and of its middleware only the layers for addresses, headers and the token are used: requests go over tagbump's own
//! HTTP client (`github::wire`), so that proxies, certificates, timeouts and limits are the same everywhere, and its retries are off,
//! because a POST that got a 502 may have done its work. No other module sees its types. Gitea is reached over that HTTP client alone:
//! its API looks like GitHub's, but octocrab's types don't fit it. GitLab makes merge requests by push options, without its API, which
//! only answers questions about commits.

mod api_answer;
mod confirmed;
mod error;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod pull_json;
mod rest_client;
mod site;
mod status;

use std::fmt;
use std::time::Instant;

use crate::history::CommitRange;
use crate::landing::remote::RemoteBranch;
use crate::landing::{Backoff, BuildOrder, FetchError};
use crate::object_id::CommitId;
use crate::visible::inline;

pub use confirmed::{ConfirmedPublisher, api_token};
pub use error::ForgeError;
pub use site::{ForgeSite, choose, choose_server};
pub use status::{AnswerCache, CommitStatus, StatusState};

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

    /// Asks the forge to merge a pull request when the rules of its base are met. Asks for nothing if there are none.
    ///
    /// # Errors
    /// As [`Forge::propose`].
    fn auto_merge(
        &self,
        backoff: &mut Backoff<'_>,
        spec: &PullRequestSpec<'_>,
        merge: ScheduledMerge,
    ) -> Result<AutoMergeState, ForgeError>;

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
}

/// What tagbump asks of a forge about commits. It changes nothing, and every forge has it by its API.
pub trait CommitReader {
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

    /// The commits of a repository that `new` has and `old` lacks.
    ///
    /// # Errors
    /// Why they are unknown.
    fn range(&self, deadline: Instant, repository: &str, old: &str, new: &str)
    -> Result<CommitRange, String>;

    /// The newest status of each context of a commit, and the newest check run of each name. `cache` keeps answers from call to call.
    ///
    /// # Errors
    /// Transient errors, and refusals.
    fn statuses(
        &self,
        deadline: Instant,
        repository: &str,
        commit: &str,
        cache: &mut AnswerCache,
    ) -> Result<Vec<CommitStatus>, FetchError<ForgeError>>;
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
    /// People, and teams as `ORG/TEAM`. Like labels, they are for a new pull request.
    pub reviewers: &'a [String],
    pub assignees: &'a [String],
    pub draft: bool,
}

/// Who is asked for a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviewers<'a> {
    pub people: Vec<&'a str>,
    /// Teams of the repository's owner, without its name.
    pub teams: Vec<&'a str>,
    /// Teams of others, which can't be asked.
    pub foreign: Vec<&'a str>,
}

impl Reviewers<'_> {
    /// Whether no one can be asked.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.teams.is_empty()
    }

    /// A warning about each team that can't be asked.
    pub fn warnings(&self, repository: &str) -> Vec<String> {
        let warning = |team: &&str| {
            let (team, repository) = (inline(team), inline(repository));
            format!("no review was requested from {team}: only a team of {repository}'s owner can be asked")
        };
        self.foreign.iter().map(warning).collect()
    }
}

impl<'a> PullRequestSpec<'a> {
    /// The reviewers by their kind.
    pub fn reviewers(&self) -> Reviewers<'a> {
        let owner = self.repository.split('/').next().unwrap_or_default();
        let mut sorted = Reviewers::default();
        for reviewer in self.reviewers {
            match reviewer.split_once('/') {
                None => sorted.people.push(reviewer),
                Some((of, team)) if of.eq_ignore_ascii_case(owner) => sorted.teams.push(team),
                Some(_) => sorted.foreign.push(reviewer),
            }
        }
        sorted
    }
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMethod {
    Squash,
    Merge,
    Rebase,
}

/// A request to merge a pull request once its base branch's rules are met.
#[derive(Clone, Copy, Debug)]
pub struct ScheduledMerge {
    pub number: u64,
    /// The commit that may be merged, and no other.
    pub head: CommitId,
    /// `None` is the repository's default.
    pub method: Option<MergeMethod>,
}

/// Whether a pull request will be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutoMergeState {
    /// The forge merges it when the rules are met, or has merged it.
    Enabled {
        /// Whether an earlier run hadn't enabled it.
        is_new: bool,
        warning: Option<String>,
    },
    /// It stays open.
    NotEnabled { why: String },
}

impl AutoMergeState {
    /// Nothing is merged if it is unknown whether the base waits for anything.
    fn rules_unread(base: &str, error: &ForgeError) -> Self {
        AutoMergeState::NotEnabled { why: format!("the rules of {base} can't be read: {error}") }
    }
}

/// Whether the branch still has the commit that the pull request describes. If not, another run updated the branch, and the text is
/// left to that run.
pub type StillCurrent<'a> = dyn FnMut() -> bool + 'a;

/// A pull request that was opened or updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedPull {
    pub pull: PullRequest,
    /// Whether it was opened, or got another text.
    pub is_changed: bool,
    /// What the forge refused besides it. The pull request is still open.
    pub warnings: Vec<String>,
}

/// A pull request, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub url: String,
}
