//! Why a forge doesn't do what it was asked.

use super::github::GitHubError;
use crate::http::HttpError;
use crate::landing::remote::RemoteError;

/// Why a forge, or a branch that is published through one, doesn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The budget is spent. The last problem.
    #[error("{problem}")]
    TimedOut { problem: String },
    /// The server isn't one of the forges that are known.
    #[error("{page}: found no forge there: {api} doesn't answer as GitHub's API does")]
    NoForge { page: String, api: String },
    #[error("no token for GitHub's API{}", lines(.withheld))]
    NoToken {
        /// Why tokens that were found aren't sent there.
        withheld: Vec<String>,
    },
    #[error(transparent)]
    GitHub(#[from] GitHubError),
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
    /// The budget is spent; `problem` is the last one.
    pub fn timed_out(problem: String) -> Self {
        ForgeError::TimedOut { problem }
    }
}
