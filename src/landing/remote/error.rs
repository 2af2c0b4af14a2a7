//! Why a branch of a git remote can't be read, or takes no commit.

use super::known_messages::{self, ForbiddingHost};
use crate::git::{GitError, ServerError};
use crate::object_id::CommitId;

/// Why a branch of a git remote can't be read, or takes no commit. A URL has no user and no password.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Server(ServerError),
    #[error(transparent)]
    Http(HttpRefusal),
    /// The message of libgit2.
    #[error("can't read {url}: {reason}")]
    NotRead { url: String, reason: String },
    /// The message of libgit2.
    #[error("{url}: the push failed: {reason}")]
    NotPushed { url: String, reason: String },
    #[error("{url} has no branch {branch}")]
    NoBranch { url: String, branch: String },
    #[error("{url} has no default branch")]
    NoDefaultBranch { url: String },
    /// The time for reading a history is over. The last problem, with the URL.
    #[error("{problem}")]
    HistoryTimedOut { problem: String },
    /// Another branch has part of the new branch's name.
    #[error("{url}: the branch can't be created: {message}")]
    BranchInTheWay { url: String, message: String },
    #[error("{url} declines the push: {message}")]
    Declined { url: String, rules: Vec<BranchRule>, message: String },
    #[error("{commit} does not come after the branch's tip")]
    NotAfterTip { commit: CommitId },
    /// Credentials that the user may expect to be sent were not: one sentence each, with the reason.
    #[error("{error}")]
    Withheld { error: Box<RemoteError>, withheld: Vec<String> },
}

/// The server's rule against a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchRule {
    Protected,
    /// Only signed commits may land.
    Signature,
    /// The same on GitHub, whose API signs commits.
    SignatureOfGitHub,
    /// The token or key may not write to the repository.
    NoWriteAccess,
    /// The remote is not bare, and has the branch checked out.
    CheckedOut,
    /// A rule of a hook, in words of its own.
    Hook,
}

/// A status of an HTTP server that another try won't change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct HttpRefusal {
    /// With the proxy after it, if that may have answered.
    pub url: String,
    pub status: u16,
    /// Which credential was sent.
    pub credential: Option<String>,
    /// Whether there is a credential that wasn't sent.
    pub has_withheld: bool,
    /// The server's message.
    pub message: String,
}

impl HttpRefusal {
    /// Which host it is that forbids the push.
    pub fn forbidding_host(&self) -> ForbiddingHost {
        known_messages::forbidding_host(&self.url, &self.message)
    }

    fn text(&self) -> String {
        let HttpRefusal { url, status, credential, has_withheld, message } = self;
        let text = match (status, credential) {
            (401, Some(label)) => format!("{url} does not accept {label} (401)"),
            (401, None) if *has_withheld => {
                format!("{url}: authentication required (401), and no credential was sent")
            }
            (401, None) => {
                format!("{url}: authentication required (401); no credentials found for this host")
            }
            (403, Some(label)) => format!("{url} forbids access (403, with {label})"),
            (403, None) => format!("{url} forbids access (403)"),
            (404, _) => format!("{url} was not found (404)"),
            _ => format!("{url} answered {status}"),
        };
        with_message(text, message)
    }
}

/// Adds the server's message, if it sent one.
pub(super) fn with_message(text: String, message: &str) -> String {
    if message.is_empty() { text } else { format!("{text}: {message}") }
}
