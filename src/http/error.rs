//! Why there is no way to talk HTTP to a server.

/// What is wrong with the settings, or with the proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The value is not in it: it can hold a password.
    #[error("{setting} names no proxy that can be used")]
    BadProxy { setting: &'static str },
    #[error("{setting} turns the check of certificates off, and tagbump never does that")]
    ChecksOff { setting: &'static str },
    #[error("{path}: holds no CA certificates{}", because(.reason))]
    NoCertificates {
        path: String,
        /// The setting or variable that names the path.
        setting: &'static str,
        reason: Option<String>,
    },
    #[error("no CA certificates were found on this machine, so https can't be trusted{}", because(.reason))]
    NoSystemCertificates { reason: Option<String> },
    #[error("the proxy {proxy} requires authentication (407)")]
    ProxyAuthentication { proxy: String },
    #[error("the proxy {proxy} rejects the connection")]
    ProxyForbids { proxy: String },
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
}
