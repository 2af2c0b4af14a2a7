//! git, its servers, and HTTP.

use super::files::{source_errors, worktree_errors};
use super::{GIT, all, s};
use crate::git::answers::{AnswerError, LimitExceeded};
use crate::git::{
    CarryError, CheckoutError, CommitError, GitError, GitSettingError, IncludeProblem, ProgramFailure,
    RemoteUrlError, ServerError, SigningError, SshProblem, UncommittedChange, UnsupportedFeature, UrlProblem,
};
use crate::http::{ClientFilePart, HttpError, TlsProblem};
use std::io;

pub(super) fn http_errors() -> Vec<HttpError> {
    let problems = vec![
        TlsProblem::UnknownIssuer,
        TlsProblem::MarkedAsCa,
        TlsProblem::OldVersion,
        TlsProblem::OtherName { expected: s(), names: Vec::new() },
        TlsProblem::Expired { until: s() },
        TlsProblem::NotYetValid { from: s() },
        TlsProblem::Untrusted(s()),
        TlsProblem::ClientCertificateMissing,
        TlsProblem::ClientRefused(s()),
    ];
    let problems = all(include_str!("../../../http/tls_problem.rs"), "TlsProblem", problems).into_iter();
    let mut samples: Vec<_> = problems.map(|problem| HttpError::Tls { server: s(), problem }).collect();
    samples.extend([
        HttpError::BadProxy { setting: "x" },
        HttpError::ChecksOff { setting: "x" },
        HttpError::NoCertificates { path: s(), setting: "x", reason: None },
        HttpError::NoSystemCertificates { reason: None },
        HttpError::UnusableCertificates { reason: s() },
        HttpError::ClientFileUnreadable { path: s(), setting: "x", reason: s() },
        HttpError::ClientFileIncomplete { path: s(), setting: "x", what: ClientFilePart::Key },
        HttpError::ClientKeyEncrypted { path: s(), setting: "x" },
        HttpError::ClientCertificateUnusable { path: s(), setting: "x", reason: s() },
        HttpError::ClientFileFormat { setting: "x", format: s() },
        HttpError::Unsupported { setting: "http.x" },
        HttpError::BadValue { setting: "http.x" },
        HttpError::ProxyAuthentication { proxy: s() },
        HttpError::ProxyForbids { proxy: s() },
    ]);
    all(include_str!("../../../http/error.rs"), "HttpError", samples)
}

pub(super) fn carry_errors() -> Vec<CarryError> {
    let samples = vec![
        CarryError::PartialClone,
        CarryError::NoUpstream,
        CarryError::Detached { remote: s(), branch: None },
        CarryError::Detached { remote: s(), branch: Some(s()) },
        CarryError::Conflict { commit: s(), subject: s(), files: vec![s()] },
    ];
    all(GIT, "CarryError", samples)
}

pub(super) fn checkout_errors() -> Vec<CheckoutError> {
    let unopened = |feature| CheckoutError::NotOpened { folder: s(), reason: s(), feature };
    let samples = vec![
        CheckoutError::BadFolder { folder: s(), reason: s() },
        CheckoutError::NotUtf8 { folder: s() },
        CheckoutError::ForeignOwner { folder: s() },
        unopened(None),
        unopened(Some(UnsupportedFeature::Sha256)),
        unopened(Some(UnsupportedFeature::Reftable)),
        CheckoutError::NoGitDir { path: s() },
        CheckoutError::UnsupportedVariable { variable: "X" },
        CheckoutError::UnsupportedSetting { setting: "remote.origin.proxy".to_owned() },
        CheckoutError::UnsupportedSetting { setting: s() },
        CheckoutError::ForbiddenProtocol { protocol: s(), setting: s() },
        CheckoutError::Bare { path: s() },
        CheckoutError::NoWorkTree { setting: "x", path: s(), reason: s() },
        CheckoutError::OutsideWorkTree { root: s(), work_tree: s() },
        CheckoutError::RemoteWithoutUrl { name: s() },
        CheckoutError::UnknownRemote { name: s(), other: None },
        CheckoutError::UnknownRemote { name: s(), other: Some(s()) },
        CheckoutError::DashedRemote { name: s() },
        CheckoutError::SeveralPushUrls { name: s(), count: 2 },
    ];
    all(GIT, "CheckoutError", samples)
}

pub(super) fn commit_errors() -> Vec<CommitError> {
    let samples = vec![
        CommitError::Unfinished,
        CommitError::IndexChanged,
        CommitError::BranchMoved,
        CommitError::UnreadableIndex { reason: s() },
        CommitError::Locked { reason: s() },
        CommitError::Uncommitted { path: s(), change: UncommittedChange::Index },
        CommitError::Uncommitted { path: s(), change: UncommittedChange::Sparse },
        CommitError::BadPath { path: s() },
        CommitError::BadIdentity { name: s(), email: s(), reason: s() },
    ];
    all(GIT, "CommitError", samples)
}

pub(super) fn url_errors() -> Vec<RemoteUrlError> {
    let samples = vec![
        UrlProblem::Helper,
        UrlProblem::ControlCharacter,
        UrlProblem::NotAUrl { meant: None },
        UrlProblem::NotAUrl { meant: Some(s()) },
        UrlProblem::Scheme,
        UrlProblem::Ssh("x"),
        UrlProblem::Backslash,
        UrlProblem::Syntax(s()),
        UrlProblem::AtSign,
        UrlProblem::Host,
        UrlProblem::Path,
        UrlProblem::Password,
    ];
    let samples = all(GIT, "UrlProblem", samples);
    samples.into_iter().map(|problem| RemoteUrlError { url: s(), problem }).collect()
}

pub(super) fn setting_errors() -> Vec<GitSettingError> {
    let problems = vec![
        IncludeProblem::Unreadable(s()),
        IncludeProblem::TooDeep,
        IncludeProblem::TooMany,
        IncludeProblem::NotFromFile,
        IncludeProblem::OtherHome,
        IncludeProblem::NoHome,
        IncludeProblem::Prefix,
        IncludeProblem::RemoteUrl,
    ];
    let problems = all(GIT, "IncludeProblem", problems).into_iter();
    let mut samples: Vec<_> =
        problems.map(|problem| GitSettingError::Include { file: s(), problem }).collect();
    samples.extend([
        GitSettingError::PushOption { longest: 1 },
        GitSettingError::Count { variable: "X" },
        GitSettingError::MissingKey { variable: "X", count: 2, missing: s() },
        GitSettingError::Parameters { variable: "X" },
        GitSettingError::Key { variable: s(), key: s() },
        GitSettingError::Date { variable: s(), text: s() },
        GitSettingError::Header,
        GitSettingError::UrlLineBreak,
        GitSettingError::SimpleSshPort { url: s() },
    ]);
    all(GIT, "GitSettingError", samples)
}

pub(super) fn signing_errors() -> Vec<SigningError> {
    let source = include_str!("../../../git/signing/error.rs");
    let failures = vec![ProgramFailure::Missing, ProgramFailure::NotStarted(s()), ProgramFailure::TimedOut];
    let failures = all(source, "ProgramFailure", failures);
    let program = |failure| SigningError::Program {
        program: s(),
        setting: "gpg.program",
        failure,
        needed_because: None,
    };
    let gpg =
        |missing| SigningError::Gpg { program: s(), key: s(), is_configured: true, message: s(), missing };
    let mut samples: Vec<_> = failures.into_iter().map(program).collect();
    samples.extend([
        SigningError::UnknownFormat { format: s() },
        SigningError::NotABoolean { reason: s() },
        SigningError::AuthorNotUtf8,
        SigningError::NoSshKey,
        SigningError::KeyCommand { setting: "x", reason: s() },
        SigningError::NoRandomNumbers,
        SigningError::BadKeyFile { path: s(), reason: s() },
        SigningError::SshAgent { program: s(), key: s(), message: s() },
        SigningError::SshFile { program: s(), path: s(), message: s(), because: "x" },
        gpg(None),
        gpg(Some("gpg")),
    ]);
    all(source, "SigningError", samples)
}

pub(super) fn answer_errors() -> Vec<AnswerError> {
    let source = include_str!("../../../git/answers/error.rs");
    let limits = vec![
        LimitExceeded::References,
        LimitExceeded::ReferenceBytes,
        LimitExceeded::FetchedBytes,
        LimitExceeded::FetchedObjects,
        LimitExceeded::PushAnswer,
    ];
    let limits = all(source, "LimitExceeded", limits);
    let mut samples: Vec<_> = limits.into_iter().map(AnswerError::TooLong).collect();
    samples.extend([
        AnswerError::Io(io::Error::other("x")),
        AnswerError::Garbled("x"),
        AnswerError::NoPushOptions,
        AnswerError::NoMergeRequestOptions,
        AnswerError::GaveUp(s()),
    ]);
    all(source, "AnswerError", samples)
}

pub(super) fn server_errors() -> Vec<ServerError> {
    let ssh = vec![
        SshProblem::HostKeyChanged,
        SshProblem::HostKeyUnknown,
        SshProblem::KeyRejected,
        SshProblem::Forbidden,
        SshProblem::RepositoryMissing,
        SshProblem::CommandMissing,
    ];
    let ssh = all(GIT, "SshProblem", ssh).into_iter();
    let mut samples: Vec<_> = ssh
        .map(|problem| ServerError::Ssh { url: s(), host: s(), port: None, problem, message: s() })
        .collect();
    samples.extend(answer_errors().into_iter().map(|error| ServerError::Answer { server: s(), error }));
    samples.extend(http_errors().into_iter().map(ServerError::Http));
    samples.extend(setting_errors().into_iter().map(ServerError::Setting));
    samples.extend([
        ServerError::RedirectedToPage { from: s() },
        ServerError::RedirectedAway { from: s(), to: s(), url: s() },
        ServerError::TooManyRedirects { url: s() },
        ServerError::RedirectsOff { url: s() },
        ServerError::BadUrl { url: s(), reason: s() },
        ServerError::NotAGitServer { url: s(), content_type: s() },
        ServerError::TooManyHeaders { url: s(), kib: 1 },
        ServerError::GitMissing,
        ServerError::GitNotStarted { reason: s() },
        ServerError::NotARepository { path: s() },
        ServerError::ForeignOwner { path: s() },
        ServerError::SshNotStarted { url: s(), reason: s() },
    ]);
    all(GIT, "ServerError", samples)
}

pub(super) fn git_errors() -> Vec<GitError> {
    let mut samples = vec![
        GitError::Library { doing: "x", reason: s() },
        GitError::System { doing: "x", reason: s() },
        GitError::NoCommit,
        GitError::Temporary(io::Error::other("x")),
        GitError::CurrentFolder(io::Error::other("x")),
    ];
    samples.extend(carry_errors().into_iter().map(GitError::Carry));
    samples.extend(checkout_errors().into_iter().map(GitError::Checkout));
    samples.extend(commit_errors().into_iter().map(GitError::Commit));
    samples.extend(http_errors().into_iter().map(GitError::Http));
    samples.extend(url_errors().into_iter().map(GitError::RemoteUrl));
    samples.extend(setting_errors().into_iter().map(GitError::Setting));
    samples.extend(signing_errors().into_iter().map(GitError::Signing));
    samples.extend(source_errors().into_iter().map(GitError::Source));
    samples.extend(worktree_errors().into_iter().map(GitError::Worktree));
    all(GIT, "GitError", samples)
}
