//! Errors with repositories, and on the way to a server.

use super::answers::AnswerError;
use super::signing::SigningError;
use crate::http::HttpError;
use crate::plan::SourceError;
use crate::visible::inline;
use crate::worktree::WorktreeError;

/// Any error of this module.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// libgit2's own message.
    #[error("{doing}: {reason}")]
    Library { doing: &'static str, reason: String },
    /// The operating system's message, such as about permissions or a full disk.
    #[error("{doing}: {reason}")]
    System { doing: &'static str, reason: String },
    #[error("HEAD has no commit yet")]
    NoCommit,
    /// A temporary file or folder.
    #[error("can't create a temporary file: {0}")]
    Temporary(std::io::Error),
    #[error("the current folder no longer exists: {0}")]
    CurrentFolder(std::io::Error),
    #[error(transparent)]
    Carry(#[from] CarryError),
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    RemoteUrl(#[from] RemoteUrlError),
    #[error(transparent)]
    Setting(#[from] GitSettingError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
}

impl GitError {
    /// Wraps libgit2's error; `doing` says what failed.
    pub(crate) fn library(doing: &'static str, error: &git2::Error) -> Self {
        let reason = error.message().to_owned();
        match error.class() {
            git2::ErrorClass::Os => GitError::System { doing, reason },
            _ => GitError::Library { doing, reason },
        }
    }
}

/// A checkout, or one of its remotes, that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckoutError {
    #[error("{folder}: {reason}")]
    BadFolder { folder: String, reason: String },
    #[error("{folder}: the path is not valid UTF-8")]
    NotUtf8 { folder: String },
    #[error("{folder}: the repository belongs to another user")]
    ForeignOwner { folder: String },
    #[error("{folder}: the repository can't be opened: {reason}")]
    NotOpened { folder: String, reason: String, feature: Option<UnsupportedFeature> },
    #[error("GIT_DIR names {path}, which is not a git repository")]
    NoGitDir { path: String },
    #[error("{variable} is set, and tagbump can't use it")]
    UnsupportedVariable { variable: &'static str },
    #[error("git's configuration sets {setting}, which tagbump doesn't support")]
    UnsupportedSetting { setting: String },
    #[error("{setting} doesn't allow {protocol}")]
    ForbiddenProtocol { protocol: String, setting: String },
    #[error("{path}: the repository is bare, so it has no work tree")]
    Bare { path: String },
    #[error("{setting} names {path} as the work tree: {reason}")]
    NoWorkTree { setting: &'static str, path: String, reason: String },
    #[error("{root} is outside of the repository's work tree, {work_tree}")]
    OutsideWorkTree { root: String, work_tree: String },
    /// It may still have one to push to.
    #[error("the remote {name} has no URL to fetch from")]
    RemoteWithoutUrl { name: String },
    #[error("there is no remote {name} here")]
    UnknownRemote {
        name: String,
        /// The first of those that there are.
        other: Option<String>,
    },
    #[error("remote {name} starts with a dash")]
    DashedRemote { name: String },
    #[error("remote {name} has {count} URLs to push to")]
    SeveralPushUrls { name: String, count: usize },
}

/// A repository feature that libgit2 doesn't support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedFeature {
    Sha256,
    Reftable,
}

/// Why local commits can't be carried along with the bump.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarryError {
    #[error("local commits can be carried only from a clone with all its files")]
    PartialClone,
    #[error("the branch has no upstream, so it is unknown which commits are local")]
    NoUpstream,
    /// `branch` is the target, if it is known.
    #[error(
        "HEAD is detached, and {remote}/{} was not fetched, so it is unknown which commits are local",
        .branch.as_deref().unwrap_or("HEAD")
    )]
    Detached { remote: String, branch: Option<String> },
    #[error(
        "the local commit {commit} ({}) conflicts with the remote in {}",
        inline(.subject),
        inline(&.files.join(", "))
    )]
    Conflict { commit: String, subject: String, files: Vec<String> },
}

/// Why a commit can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("a merge, rebase or similar operation is in progress")]
    Unfinished,
    #[error("another program changed the index just now")]
    IndexChanged,
    #[error("another commit was made here just now")]
    BranchMoved,
    #[error("the index can't be read: {reason}")]
    UnreadableIndex { reason: String },
    #[error("another process is using the repository: {reason}")]
    Locked { reason: String },
    #[error("{}: {change}; nothing was written", inline(.path))]
    Uncommitted { path: String, change: UncommittedChange },
    #[error("{}: git doesn't allow this file name", inline(.path))]
    BadPath { path: String },
    #[error("{}", bad_identity(.name, .email, .reason))]
    BadIdentity { name: String, email: String, reason: String },
}

/// How the index or the work tree differs from the commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UncommittedChange {
    #[error("is not in the index as a file")]
    NotInIndex,
    #[error("is left out of the work tree, which is a sparse checkout")]
    Sparse,
    #[error("can't be edited in the work tree ({reason})")]
    NotInWorkTree { reason: String },
    #[error("has uncommitted changes in the index that touch the reference itself")]
    Index,
    #[error("has uncommitted changes in the work tree that touch the reference itself")]
    WorkTree,
}

/// A remote's URL that can't be used, shown without user and password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("remote {url}: {problem}")]
pub struct RemoteUrlError {
    pub url: String,
    pub problem: UrlProblem,
}

/// Why a remote's URL can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    #[error("remote helpers (x::) are not supported")]
    Helper,
    #[error("has control characters in it")]
    ControlCharacter,
    #[error("is not a URL")]
    NotAUrl {
        /// What the user may have meant.
        meant: Option<String>,
    },
    #[error("its scheme is not supported")]
    Scheme,
    #[error("{0}")]
    Ssh(&'static str),
    #[error("has a backslash in it")]
    Backslash,
    #[error("{0}")]
    Syntax(String),
    #[error("has an @ after the host: write it as %40, and a / in a password as %2F")]
    AtSign,
    #[error("has no host, or one that starts with a dash")]
    Host,
    #[error("is not a path, or starts with a dash")]
    Path,
    #[error("has a password in it, but is not a URL")]
    Password,
}

/// A mistake in git's configuration or environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitSettingError {
    #[error("{variable} is not a count")]
    Count { variable: &'static str },
    #[error("{variable} is {count}, but there is no {missing}")]
    MissingKey { variable: &'static str, count: usize, missing: String },
    #[error("{variable} is not in git's own format")]
    Parameters { variable: &'static str },
    #[error("{variable}: {key:?} is not a key of git's configuration")]
    Key { variable: String, key: String },
    #[error("{variable}: {text:?} is not a date")]
    Date { variable: String, text: String },
    #[error("http.extraheader in git's configuration holds no header")]
    Header,
    #[error("the remote's URL has a line break in it")]
    UrlLineBreak,
    #[error("{url}: ssh.variant simple takes no port")]
    SimpleSshPort { url: String },
    #[error("push.pushOption has no value, or one with a line break or more than {longest} bytes")]
    PushOption { longest: usize },
    #[error("{file}: {problem}")]
    Include { file: String, problem: IncludeProblem },
}

/// Why a file of git's configuration can't be read or included.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncludeProblem {
    #[error("git's configuration can't be read: {0}")]
    Unreadable(String),
    #[error("more than 10 files of git's configuration include each other")]
    TooDeep,
    #[error("git's configuration includes more than 1000 files")]
    TooMany,
    #[error("a relative path in git's configuration works only in a file, not in a variable")]
    NotFromFile,
    #[error("~USER in git's configuration is not supported")]
    OtherHome,
    #[error("HOME is not set, so ~ in git's configuration has no meaning")]
    NoHome,
    #[error("%(prefix) in git's configuration is not supported")]
    Prefix,
    #[error("sets a remote's URL, but a condition includes it, and another depends on the remotes' URLs")]
    RemoteUrl,
}

/// A permanent error from a server, or from a program in between. Retrying won't help.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("{server}: {error}")]
    Answer { server: String, error: AnswerError },
    #[error("{from} redirects to something that is not a git repository")]
    RedirectedToPage { from: String },
    #[error("{from} redirects to another server, {to}")]
    RedirectedAway {
        from: String,
        to: String,
        /// The repository's new URL, if it moved.
        url: String,
    },
    #[error("{url}: too many redirects")]
    TooManyRedirects { url: String },
    #[error("the server redirects to {url}, and http.followRedirects is false")]
    RedirectsOff { url: String },
    #[error("{url}: {reason}")]
    BadUrl { url: String, reason: String },
    #[error("{url} answers, but not as a git repository ({content_type})")]
    NotAGitServer { url: String, content_type: String },
    #[error("{url}: the server sent more than {kib} KiB of headers")]
    TooManyHeaders { url: String, kib: usize },
    #[error("git was not found, and a repository on this machine needs it")]
    GitMissing,
    #[error("git can't be started: {reason}")]
    GitNotStarted { reason: String },
    #[error("{path} is not a git repository")]
    NotARepository { path: String },
    #[error("{path}: the repository belongs to another user")]
    ForeignOwner { path: String },
    #[error("{url}: ssh can't be started: {reason}")]
    SshNotStarted { url: String, reason: String },
    #[error("{url}: {problem}\n{message}")]
    Ssh {
        url: String,
        host: String,
        port: Option<u16>,
        problem: SshProblem,
        /// Output of ssh, or of the server.
        message: String,
    },
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Setting(#[from] GitSettingError),
}

impl ServerError {
    /// Applies `change` to every text that may come from the server, for example to remove secrets.
    #[must_use]
    pub fn with_texts(mut self, change: impl Fn(&str) -> String) -> Self {
        self.texts().into_iter().for_each(|text| *text = change(text));
        self
    }

    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            ServerError::Answer { server, error: AnswerError::GaveUp(message) } => vec![server, message],
            ServerError::Answer { server, .. } => vec![server],
            ServerError::RedirectedToPage { from } => vec![from],
            ServerError::RedirectedAway { from, to, url } => vec![from, to, url],
            ServerError::TooManyRedirects { url }
            | ServerError::RedirectsOff { url }
            | ServerError::TooManyHeaders { url, .. } => vec![url],
            ServerError::BadUrl { url, reason } | ServerError::SshNotStarted { url, reason } => {
                vec![url, reason]
            }
            ServerError::NotAGitServer { url, content_type } => vec![url, content_type],
            ServerError::GitNotStarted { reason } => vec![reason],
            ServerError::NotARepository { path } | ServerError::ForeignOwner { path } => vec![path],
            ServerError::Ssh { url, host, message, .. } => vec![url, host, message],
            // they name settings and proxies, and nothing that a server sent
            ServerError::GitMissing | ServerError::Http(_) | ServerError::Setting(_) => Vec::new(),
        }
    }
}

/// Why a connection over ssh failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshProblem {
    #[error("the host's key has changed (host key verification failed)")]
    HostKeyChanged,
    #[error("the host's key is not known (host key verification failed)")]
    HostKeyUnknown,
    #[error("the host does not accept our key")]
    KeyRejected,
    #[error("the host denies this key access")]
    Forbidden,
    #[error("the repository was not found")]
    RepositoryMissing,
    #[error("a command was not found")]
    CommandMissing,
}

fn bad_identity(name: &str, email: &str, reason: &str) -> String {
    let who = inline(&format!("{name} <{email}>"));
    match email.trim().is_empty() {
        true => format!("`{who}` isn't a valid author: the e-mail address is empty"),
        false => format!("`{who}` isn't a valid author: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_without_address_is_told_so() {
        let error = |email: &str| CommitError::BadIdentity {
            name: "x".to_owned(),
            email: email.to_owned(),
            reason: "failed to parse signature".to_owned(),
        };
        assert_eq!(error("").to_string(), "`x <>` isn't a valid author: the e-mail address is empty");
        assert_eq!(error("<").to_string(), "`x <<>` isn't a valid author: failed to parse signature");
    }

    #[test]
    fn secrets_are_removed_from_every_text_of_a_server() {
        let secret = || "s3cret".to_owned();
        let gave_up = AnswerError::GaveUp(secret());
        for error in [
            ServerError::Answer { server: secret(), error: gave_up },
            ServerError::RedirectedToPage { from: secret() },
            ServerError::RedirectedAway { from: secret(), to: secret(), url: secret() },
            ServerError::TooManyRedirects { url: secret() },
            ServerError::RedirectsOff { url: secret() },
            ServerError::BadUrl { url: secret(), reason: secret() },
            ServerError::NotAGitServer { url: secret(), content_type: secret() },
            ServerError::TooManyHeaders { url: secret(), kib: 1 },
            ServerError::GitNotStarted { reason: secret() },
            ServerError::NotARepository { path: secret() },
            ServerError::ForeignOwner { path: secret() },
            ServerError::SshNotStarted { url: secret(), reason: secret() },
            ServerError::Ssh {
                url: secret(),
                host: secret(),
                port: None,
                problem: SshProblem::Forbidden,
                message: secret(),
            },
        ] {
            let changed = format!("{:?}", error.with_texts(|text| text.replace("s3cret", "***")));
            assert!(changed.contains("***") && !changed.contains("s3cret"), "{changed}");
        }
    }
}
