//! Why an image can't be looked up in its registry.

use crate::http::HttpError;
use crate::image::Digest;

/// Why there is no answer, or not the one that was hoped for. `image` is NAME:TAG or NAME@DIGEST.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    #[error("{image:?} is not the name of an image in a registry")]
    NotAName { image: String },
    /// The registry has no such manifest. `similar` are tags that it has.
    #[error("{image} is not in its registry{}", after(.waited_seconds))]
    Missing { image: String, waited_seconds: u64, similar: Vec<String> },
    /// What was sent with the request is in `credential`, if anything was.
    #[error("{image}: missing, or no access; {registry} answered {status}{}", with(.credential))]
    Denied { image: String, registry: String, status: u16, credential: Option<String> },
    /// The token server refuses the credential itself.
    #[error("{registry} rejects the credential from {credential}: its token server answered {status}")]
    WrongCredential { registry: String, credential: String, status: u16 },
    /// The time ran out. The last problem.
    #[error("can't reach the registry of {image}: {problem}")]
    Unreachable { image: String, problem: String },
    #[error(
        "{registry} names a token server that tagbump doesn't trust with credentials: {server} {problem}"
    )]
    TokenServer { registry: String, server: String, problem: TokenServerProblem },
    /// An answer that no registry gives.
    #[error("{registry} doesn't behave like a registry: {problem}")]
    NotARegistry { registry: String, problem: String },
    /// The registry says one digest, and sends what has another.
    #[error("{registry} sent a manifest of {image} whose digest is {computed}, not {stated}")]
    WrongDigest { image: String, registry: String, stated: Digest, computed: Digest },
    #[error(transparent)]
    AuthFile(#[from] AuthFileError),
    #[error("the credential helper {program} {problem}")]
    Helper { program: String, problem: HelperProblem },
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What is wrong with an address that a registry names as that of its token server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenServerProblem {
    #[error("is not a URL")]
    NotAUrl,
    #[error("has a user in it")]
    HasUser,
    #[error("is not https")]
    NotHttps,
    #[error("is on this machine, or in a private network")]
    NotPublic,
}

/// What is wrong with a file of registry credentials. `source` is the variable that names it, or its path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFileError {
    #[error("can't read the registry credentials in {source_name}: {reason}")]
    Unreadable { source_name: String, reason: String },
    #[error("the registry credentials in {source_name} are not valid: {reason}")]
    Invalid { source_name: String, reason: String },
}

/// Why a credential helper gave no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelperProblem {
    #[error("has a name that is not a plain program name")]
    BadName,
    #[error("is not on PATH")]
    Missing,
    #[error("can't be started")]
    Unstartable,
    #[error("took too long")]
    Late,
    #[error("failed; tagbump doesn't show what it printed, because that may contain a secret")]
    Failed,
    #[error("printed something that is not a credential")]
    Garbled,
}

fn after(seconds: &u64) -> String {
    if *seconds == 0 { String::new() } else { format!(", after waiting {seconds} s for it") }
}

fn with(credential: &Option<String>) -> String {
    match credential {
        Some(from) => format!(" to the credential from {from}"),
        None => ", and tagbump found no credential for it".to_owned(),
    }
}
