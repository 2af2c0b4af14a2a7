//! Why GitLab's API can't be used, or refuses.

/// Why GitLab's API can't be used, or refuses.
#[derive(Debug, thiserror::Error)]
pub enum GitLabError {
    #[error("{address}: GitLab's API is used only over https, or on this machine")]
    NotHttps { address: String },
    #[error("{address}: can't use GitLab's API: {reason}")]
    NotUsable { address: String, reason: String },
    #[error(transparent)]
    Refused(GitLabRefusal),
}

/// A request that GitLab refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("GitLab's API answered {status}: {message}")]
pub struct GitLabRefusal {
    pub status: u16,
    pub route: String,
    pub message: String,
}
