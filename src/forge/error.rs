//! Why a forge doesn't do what it was asked.

use super::ForgeKind;
use super::gitea::GiteaError;
use super::github::GitHubError;
use super::gitlab::GitLabError;
use super::pull_json::PullAnswerError;
use crate::http::HttpError;
use crate::landing::remote::RemoteError;

/// Why a forge, or a branch that is published through one, doesn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The budget is spent. The last problem.
    #[error("{problem}")]
    TimedOut { problem: String },
    /// The server isn't one of the forges that are known.
    #[error(
        "{page}: found no forge there: neither GitHub's, Gitea's nor GitLab's API answers at {}",
        .apis.join(" or ")
    )]
    NoForge { page: String, apis: Vec<String> },
    #[error("no token for {forge}'s API{}", lines(.withheld))]
    NoToken {
        forge: ForgeKind,
        /// Why tokens that were found aren't sent there.
        withheld: Vec<String>,
    },
    /// tagbump makes no pull requests by this API.
    #[error("tagbump doesn't use {forge}'s API for pull requests")]
    NoApi { forge: ForgeKind },
    /// The branch was pushed.
    #[error("GitLab made no merge request for {branch}: {why}")]
    NoMergeRequest { branch: String, why: String },
    /// It would change the merge request, too.
    #[error("push.pushOption in git's configuration has {option}")]
    OptionInTheWay { option: String },
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    #[error(transparent)]
    Gitea(#[from] GiteaError),
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    #[error(transparent)]
    PullAnswer(#[from] PullAnswerError),
    #[error(transparent)]
    Http(#[from] HttpError),
    /// git reads the branch, whatever publishes the commits.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

fn lines(texts: &[String]) -> String {
    texts.iter().map(|text| format!("\n{text}")).collect()
}

impl ForgeError {
    /// The HTTP status of a forge that refused a request.
    pub fn refused_status(&self) -> Option<u16> {
        match self {
            ForgeError::GitHub(GitHubError::Refused(refusal)) => Some(refusal.status),
            ForgeError::Gitea(GiteaError::Refused(refusal)) => Some(refusal.status),
            ForgeError::GitLab(GitLabError::Refused(refusal)) => Some(refusal.status),
            _ => None,
        }
    }

    /// The budget is spent; `problem` is the last one.
    pub fn timed_out(problem: String) -> Self {
        ForgeError::TimedOut { problem }
    }
}
