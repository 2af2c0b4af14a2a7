//! Why there is no way to talk HTTP to a server.

use super::TlsProblem;

/// What is wrong with the settings, with the proxy, or with certificates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The value is not in it: it can hold a password.
    #[error("{setting} names no proxy that can be used")]
    BadProxy { setting: &'static str },
    #[error("{setting} turns off certificate checks, and tagbump never does that")]
    ChecksOff { setting: &'static str },
    #[error("git's configuration or environment sets {setting}, which tagbump doesn't support")]
    Unsupported { setting: &'static str },
    #[error("{setting} has characters in it that HTTP doesn't allow")]
    BadValue { setting: &'static str },
    #[error("{path}: holds no CA certificates{}", because(.reason))]
    NoCertificates {
        path: String,
        /// The setting or variable that names the path.
        setting: &'static str,
        reason: Option<String>,
    },
    #[error("no CA certificates were found on this machine, so https can't be trusted{}", because(.reason))]
    NoSystemCertificates { reason: Option<String> },
    #[error("the CA certificates can't be used, so https can't be trusted: {reason}")]
    UnusableCertificates { reason: String },
    #[error("{path}: can't read the client certificate: {reason}")]
    ClientFileUnreadable { path: String, setting: &'static str, reason: String },
    #[error("{path}: holds no {what}")]
    ClientFileIncomplete { path: String, setting: &'static str, what: ClientFilePart },
    #[error("{path}: the private key is encrypted, and tagbump asks for no password")]
    ClientKeyEncrypted { path: String, setting: &'static str },
    #[error("{path}: can't use the client certificate with its key: {reason}")]
    ClientCertificateUnusable { path: String, setting: &'static str, reason: String },
    /// A format that is not PEM.
    #[error("{setting} is {format}, and tagbump reads client certificates and keys as PEM only")]
    ClientFileFormat { setting: &'static str, format: String },
    /// The server as it is shown, without user and password.
    #[error("{server}: {problem}")]
    Tls { server: String, problem: TlsProblem },
    #[error("the proxy {proxy} requires authentication (407)")]
    ProxyAuthentication { proxy: String },
    #[error("the proxy {proxy} rejects the connection")]
    ProxyForbids { proxy: String },
}

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFilePart {
    Certificate,
    Key,
}

impl std::fmt::Display for ClientFilePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ClientFilePart::Certificate => "certificate",
            ClientFilePart::Key => "private key",
        })
    }
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
}
