//! Why GitHub's API can't be used, or refuses.

use crate::landing::remote::BranchRule;
use crate::object_id::CommitId;

/// Why GitHub's API can't be used, or refuses.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    #[error("{address}: GitHub's API is used only over https, or on this machine")]
    NotHttps { address: String },
    #[error("{address}: can't use GitHub's API: {reason}")]
    NotUsable { address: String, reason: String },
    #[error("{address}: not a valid address for a GraphQL API")]
    BadGraphQlAddress { address: String },
    #[error(transparent)]
    Refused(ApiRefusal),
    /// The token may not write.
    #[error("GitHub's API rejected the commit: {message}")]
    CommitForbidden { message: String },
    /// Rules of the branch.
    #[error("GitHub's API rejected the commit: {message}")]
    Declined { rules: Vec<BranchRule>, message: String },
    /// GitHub's words for why it doesn't do what it was asked.
    #[error("GitHub's API answered: {what}")]
    Unexpected { what: String },
    #[error("{commit} was not made here")]
    NotPrepared { commit: CommitId },
    #[error("the changed files are larger than GitHub's API accepts in one request")]
    FilesTooLarge,
    /// The API makes plain files only.
    #[error("{path}: has mode {mode:o}, which GitHub's API would change to 100644")]
    FileMode { path: String, mode: i32 },
}

/// A request that GitHub refuses, as far as it is known why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("GitHub's API answered {status}: {message}")]
pub struct ApiRefusal {
    pub reason: ApiRefusalReason,
    pub status: u16,
    pub route: String,
    /// GitHub's message, with the details.
    pub message: String,
}

/// Why GitHub refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiRefusalReason {
    /// There is an open pull request of this branch.
    AlreadyExists,
    /// GitHub doesn't see the head branch, or no difference to its base.
    NothingToPropose,
    /// GitHub doesn't see the object of the request.
    UnknownNode,
    /// Actions may not create pull requests in this repository.
    MayNotCreatePulls,
    Other,
}
