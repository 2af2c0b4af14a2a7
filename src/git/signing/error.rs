//! Why a commit can't be signed.

/// Why a commit can't be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    #[error("gpg.format in git's configuration is {format:?}")]
    UnknownFormat { format: String },
    #[error("commit.gpgsign in git's configuration: {reason}")]
    NotABoolean { reason: String },
    #[error("the commit can't be signed: its author's name is not valid UTF-8")]
    AuthorNotUtf8,
    #[error("the commit can't be signed: {program} {failure}{}", .needed_because.map(|why| format!("; it is needed because {why}")).unwrap_or_default())]
    Program {
        program: String,
        /// The setting in git's configuration that names the program.
        setting: &'static str,
        failure: ProgramFailure,
        needed_because: Option<&'static str>,
    },
    #[error("there is no SSH key to sign with: user.signingkey is not set in git's configuration")]
    NoSshKey,
    #[error("{setting} in git's configuration provides no key: {reason}")]
    KeyCommand { setting: &'static str, reason: String },
    #[error("the commit can't be signed: the system can't provide random numbers")]
    NoRandomNumbers,
    #[error("the commit can't be signed: user.signingkey is {path}: {reason}")]
    BadKeyFile { path: String, reason: String },
    #[error("{program} can't sign the commit with {key}: {message}")]
    SshAgent { program: String, key: String, message: String },
    #[error("{program} can't sign the commit with {path}: {message}")]
    SshFile {
        program: String,
        path: String,
        message: String,
        /// Why a program was needed.
        because: &'static str,
    },
    #[error("{program} can't sign the commit with the key {key} ({}): {message}", whose(*.is_configured))]
    Gpg {
        program: String,
        key: String,
        /// Whether the key comes from `user.signingkey`.
        is_configured: bool,
        message: String,
        /// If the key is missing: the program that lists the keys.
        missing: Option<&'static str>,
    },
}

/// Why a program did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramFailure {
    #[error("was not found")]
    Missing,
    #[error("can't be started: {0}")]
    NotStarted(String),
    #[error("did not answer in time; it may have waited for a passphrase")]
    TimedOut,
}

impl SigningError {
    /// Adds the reason why a program is needed.
    pub(super) fn needed(self, because: &'static str) -> Self {
        match self {
            SigningError::Program { program, setting, failure, .. } => {
                SigningError::Program { program, setting, failure, needed_because: Some(because) }
            }
            other => other,
        }
    }
}

fn whose(is_configured: bool) -> &'static str {
    if is_configured { "user.signingkey" } else { "the committer, as user.signingkey is not set" }
}
