//! Why Gitea's API can't be used, or refuses.

/// Why Gitea's API can't be used, or refuses.
#[derive(Debug, thiserror::Error)]
pub enum GiteaError {
    #[error("{address}: Gitea's API is used only over https, or on this machine")]
    NotHttps { address: String },
    #[error("{address}: can't use Gitea's API: {reason}")]
    NotUsable { address: String, reason: String },
    #[error(transparent)]
    Refused(GiteaRefusal),
    /// There are more open pull requests than tagbump reads.
    #[error(
        "the repository has more than {read} open pull requests, so the one of this branch can't be found"
    )]
    TooManyPullRequests { read: usize },
}

/// A request that Gitea refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Gitea's API answered {status}: {message}")]
pub struct GiteaRefusal {
    pub status: u16,
    pub route: String,
    pub message: String,
}
