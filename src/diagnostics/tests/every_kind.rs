//! Every kind of error has a hint. A failure can't be made without one; here each kind is made, so that no hint is empty either, and a kind
//! that is added without a sample fails.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use super::super::*;
use crate::ci::System;
use crate::config::{ConfigError, ValueProblem};
use crate::decision::{DecisionError, PromotionError, RollbackError, SearchedHistory, TargetError};
use crate::file_selection::SelectionError;
use crate::forge::gitea::{GiteaError, GiteaRefusal};
use crate::forge::github::{ApiRefusal, ApiRefusalReason, GitHubError};
use crate::forge::gitlab::{GitLabError, GitLabRefusal};
use crate::forge::pull_json::PullAnswerError;
use crate::forge::{ForgeError, ForgeKind};
use crate::git::answers::{AnswerError, LimitExceeded};
use crate::git::{
    AuthorError, CarryError, CheckoutError, CommitError, GitError, GitSettingError, IncludeProblem,
    ProgramFailure, RemoteUrlError, ServerError, SigningError, SshProblem, UncommittedChange,
    UnsupportedFeature, UrlProblem,
};
use crate::history::HistoryError;
use crate::holds::{HoldProblem, HoldTimeError, HoldsEditError, HoldsError};
use crate::http::{ClientFilePart, HttpError, TlsProblem};
use crate::image::{Digest, ImageArg, ImageError, NameProblem, Tag};
use crate::landing::remote::{BranchRule, HttpRefusal, RemoteError};
use crate::landing::{GiveUpReason, LandingError, MessageError};
use crate::location::Location;
use crate::manifest::RefusalReason;
use crate::object_id::CommitId;
use crate::plan::{
    EnvironmentLimit, InTwoEnvironments, Instead, NestedRepository, NoMatch, OtherPlace, OtherRoot,
    PathProblem, PlanError, RefusedReference, SharedPlace, SourceError, UnmatchedImage, WiderPattern,
};
use crate::registry::{AuthFileError, HelperProblem, RegistryError, TokenServerProblem};
use crate::scaffold::ScaffoldError;
use crate::settings::{BadCombination, BareName, ExpectedValue, SettingsError};
use crate::tag::{TagError, VariableError, unknown_variable};
use crate::template::Template;
use crate::worktree::{FileChange, WorktreeError};
use crate::yaml::{EditBlocker, FieldPath, ParseAborted, YamlError};

fn s() -> String {
    "x".to_owned()
}

fn at() -> Location {
    Location { file: s(), line: 1, column: Some(1) }
}

fn id() -> CommitId {
    CommitId::parse(&"1a".repeat(20)).unwrap()
}

/// The names of an enum's variants, as its source has them.
fn variants<'s>(source: &'s str, name: &str) -> Vec<&'s str> {
    let body = source.split_once(&format!("pub enum {name} {{\n")).expect("the enum is in the file").1;
    let body = body.split_once("\n}").unwrap().0;
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let ends = |c: char| !c.is_alphanumeric();
    lines
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.split(ends).next().unwrap())
        .collect()
}

/// Checks that there is a sample of each variant, and gives the samples.
#[track_caller]
fn all<E: Debug>(source: &str, name: &str, samples: Vec<E>) -> Vec<E> {
    let shown: Vec<String> = samples.iter().map(|sample| format!("{sample:?}")).collect();
    let is_of = |shown: &String, variant: &str| {
        shown.strip_prefix(variant).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    let known = variants(source, name);
    assert!(known.len() > 1, "{name}: {known:?}");
    for variant in known {
        assert!(shown.iter().any(|shown| is_of(shown, variant)), "no sample of {name}::{variant}");
    }
    samples
}

#[track_caller]
fn has_hint(failure: &Failure) {
    for speaker in [Speaker::CommandLine, Speaker::Action] {
        let (message, hint) = (failure.message.for_speaker(speaker), failure.hint.for_speaker(speaker));
        assert!(!hint.trim().is_empty(), "{message}");
        assert_ne!(message, hint);
    }
}

#[track_caller]
fn have_hints(errors: impl IntoIterator<Item = impl Into<Error>>) {
    errors.into_iter().for_each(|error| has_hint(&describe(error.into())));
}

fn source_errors() -> Vec<SourceError> {
    let samples = vec![
        SourceError::Symlink { path: s() },
        SourceError::BadPath { path: s(), problem: PathProblem::Symlink },
        SourceError::NotFound { path: s(), reason: None },
        SourceError::NotCommitted { path: s() },
        SourceError::InSubmodule { path: s(), submodule: s() },
        SourceError::InLfs { path: s() },
        SourceError::TooLarge { path: s() },
        SourceError::Unreadable { path: s(), reason: s() },
        SourceError::NotCloned { path: s() },
        SourceError::UnreadableCommit { commit: s(), reason: s() },
    ];
    all(include_str!("../../plan/source.rs"), "SourceError", samples)
}

fn selection_errors() -> Vec<SelectionError> {
    let samples = vec![
        SelectionError::Pattern { pattern: s(), reason: s() },
        SelectionError::OutsideRoot { path: s() },
        SelectionError::InsideDotGit { path: s(), by_alias: true },
    ];
    all(include_str!("../../file_selection.rs"), "SelectionError", samples)
}

fn worktree_errors() -> Vec<WorktreeError> {
    let samples = vec![
        WorktreeError::BadRoot { path: s(), reason: None },
        WorktreeError::NotWritten { path: s(), reason: s() },
        WorktreeError::NotReplaced { path: s(), reason: s() },
        WorktreeError::Changed { path: s(), change: FileChange::Edited },
        WorktreeError::Source(source_errors().remove(0)),
    ];
    all(include_str!("../../worktree/error.rs"), "WorktreeError", samples)
}

fn image_errors() -> Vec<ImageError> {
    let samples = vec![
        Tag::parse("").unwrap_err(),
        Tag::parse("-").unwrap_err(),
        Digest::parse("x").unwrap_err(),
        ImageError::Name { text: s(), problem: NameProblem::Empty },
        ImageArg::parse("https://ghcr.io/acme/api").unwrap_err(),
        ImageArg::parse("ghcr.io/Acme/api").unwrap_err(),
        ImageError::NewName { text: s(), name: s(), has_upper_case: false },
    ];
    all(include_str!("../../image/error.rs"), "ImageError", samples)
}

fn variable_errors() -> Vec<VariableError> {
    let samples = vec![
        unknown_variable("x"),
        VariableError::NoValue { name: "sha", reason: "x" },
        VariableError::ExtraArgument { name: "sha", argument: s() },
        VariableError::DigitCount { digits: s() },
        VariableError::TooFewDigits { digits: 7, sha: s() },
        VariableError::Date { format: s(), reason: s() },
    ];
    all(include_str!("../../tag.rs"), "VariableError", samples)
}

fn http_errors() -> Vec<HttpError> {
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
    let problems = all(include_str!("../../http/tls_problem.rs"), "TlsProblem", problems).into_iter();
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
    all(include_str!("../../http/error.rs"), "HttpError", samples)
}

const GIT: &str = include_str!("../../git/error.rs");

fn carry_errors() -> Vec<CarryError> {
    let samples = vec![
        CarryError::PartialClone,
        CarryError::NoUpstream,
        CarryError::Detached { remote: s(), branch: None },
        CarryError::Detached { remote: s(), branch: Some(s()) },
        CarryError::Conflict { commit: s(), subject: s(), files: vec![s()] },
    ];
    all(GIT, "CarryError", samples)
}

fn checkout_errors() -> Vec<CheckoutError> {
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

fn commit_errors() -> Vec<CommitError> {
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

fn url_errors() -> Vec<RemoteUrlError> {
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

fn setting_errors() -> Vec<GitSettingError> {
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

fn signing_errors() -> Vec<SigningError> {
    let source = include_str!("../../git/signing/error.rs");
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

fn answer_errors() -> Vec<AnswerError> {
    let source = include_str!("../../git/answers/error.rs");
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
        AnswerError::GaveUp(s()),
    ]);
    all(source, "AnswerError", samples)
}

fn server_errors() -> Vec<ServerError> {
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
        .map(|problem| ServerError::Ssh { url: s(), host: s(), port: None, problem, words: s() })
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

fn git_errors() -> Vec<GitError> {
    let mut samples = vec![
        GitError::Library { doing: "x", reason: s() },
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

fn remote_errors() -> Vec<RemoteError> {
    let source = include_str!("../../landing/remote/error.rs");
    let rules = vec![
        BranchRule::Protected,
        BranchRule::Signature,
        BranchRule::SignatureOfGitHub,
        BranchRule::NoWriteAccess,
        BranchRule::CheckedOut,
        BranchRule::Hook,
    ];
    let rules = all(source, "BranchRule", rules).into_iter();
    let mut samples: Vec<_> =
        rules.map(|rule| RemoteError::Declined { url: s(), rules: vec![rule], words: s() }).collect();
    samples.extend(git_errors().into_iter().map(RemoteError::Git));
    samples.extend(server_errors().into_iter().map(RemoteError::Server));
    for (status, credential, has_withheld) in [
        (401, None, false),
        (401, None, true),
        (401, Some(s()), false),
        (403, None, false),
        (404, None, false),
        (418, None, false),
    ] {
        let refusal = HttpRefusal { url: s(), status, credential, has_withheld, words: s() };
        samples.push(RemoteError::Http(refusal));
    }
    samples.extend([
        RemoteError::NotRead { url: s(), reason: s() },
        RemoteError::NotPushed { url: s(), reason: s() },
        RemoteError::NoBranch { url: s(), branch: s() },
        RemoteError::NoDefaultBranch { url: s() },
        RemoteError::TipNotFetched { url: s(), tip: id() },
        RemoteError::HistoryTimedOut { problem: s() },
        RemoteError::BranchInTheWay { url: s(), words: s() },
        RemoteError::NotAfterTip { commit: id() },
        RemoteError::Withheld {
            error: Box::new(RemoteError::NoDefaultBranch { url: s() }),
            withheld: vec![s()],
        },
    ]);
    all(source, "RemoteError", samples)
}

fn forge_errors() -> Vec<ForgeError> {
    let refused = [401, 403, 404, 422].map(|status| {
        let refusal = ApiRefusal { reason: ApiRefusalReason::Other, status, route: s(), message: s() };
        GitHubError::Refused(refusal)
    });
    let mut github = Vec::from(refused);
    github.extend([
        GitHubError::NotUsable { address: s(), reason: s() },
        GitHubError::NotHttps { address: s() },
        GitHubError::BadGraphQlAddress { address: s() },
        GitHubError::CommitForbidden { words: s() },
        GitHubError::Unexpected { what: s() },
        GitHubError::NotPrepared { commit: id() },
        GitHubError::FilesTooLarge,
        GitHubError::FileMode { path: s(), mode: 0o755 },
    ]);
    let github = all(include_str!("../../forge/github/error.rs"), "GitHubError", github);
    let refused = [401, 403, 404, 422]
        .map(|status| GiteaError::Refused(GiteaRefusal { status, route: s(), message: s() }));
    let mut gitea = Vec::from(refused);
    gitea.extend([
        GiteaError::NotUsable { address: s(), reason: s() },
        GiteaError::NotHttps { address: s() },
        GiteaError::TooManyPullRequests { read: 7 },
    ]);
    let gitea = all(include_str!("../../forge/gitea/error.rs"), "GiteaError", gitea);
    let refused = [401, 403, 404, 422]
        .map(|status| GitLabError::Refused(GitLabRefusal { status, route: s(), message: s() }));
    let mut gitlab = Vec::from(refused);
    gitlab.extend([
        GitLabError::NotUsable { address: s(), reason: s() },
        GitLabError::NotHttps { address: s() },
    ]);
    let gitlab = all(include_str!("../../forge/gitlab/error.rs"), "GitLabError", gitlab);
    let pull_answers = vec![
        PullAnswerError::NotAPullRequest { reason: s() },
        PullAnswerError::OtherPullRequest { number: 7, head: s(), base: s() },
    ];
    let pull_answers = all(include_str!("../../forge/pull_json.rs"), "PullAnswerError", pull_answers);
    let mut samples = vec![
        ForgeError::TimedOut { problem: s() },
        ForgeError::NoForge { page: s(), apis: vec![s(), s()] },
        ForgeError::NoToken { forge: ForgeKind::GitHub, withheld: vec![s()] },
        ForgeError::NoToken { forge: ForgeKind::Gitea, withheld: vec![s()] },
        ForgeError::NoToken { forge: ForgeKind::GitLab, withheld: vec![s()] },
        ForgeError::NoApi { forge: ForgeKind::GitLab },
        ForgeError::NoMergeRequest { branch: s(), why: s() },
        ForgeError::OptionInTheWay { option: s() },
    ];
    samples.extend(github.into_iter().map(ForgeError::GitHub));
    samples.extend(gitea.into_iter().map(ForgeError::Gitea));
    samples.extend(gitlab.into_iter().map(ForgeError::GitLab));
    samples.extend(pull_answers.into_iter().map(ForgeError::PullAnswer));
    samples.extend(http_errors().into_iter().map(ForgeError::Http));
    samples.extend(remote_errors().into_iter().map(ForgeError::Remote));
    all(include_str!("../../forge/error.rs"), "ForgeError", samples)
}

fn message_errors() -> Vec<MessageError> {
    let source = include_str!("../../landing/error.rs");
    let of_variable = |error| MessageError::Variable { option: "message", template: s(), error };
    let mut samples: Vec<_> = variable_errors().into_iter().map(of_variable).collect();
    samples.push(MessageError::Empty { option: "message" });
    all(source, "MessageError", samples)
}

fn landing_errors() -> Vec<LandingError<ForgeError, DecisionError>> {
    let source = include_str!("../../landing/error.rs");
    let reasons = vec![GiveUpReason::TimedOut, GiveUpReason::Unreachable, GiveUpReason::LockStays];
    let reasons = all(source, "GiveUpReason", reasons).into_iter();
    reasons
        .map(|reason| LandingError::GaveUp { tries: 1, problem: s(), reason })
        .chain([
            LandingError::RejectedUnclear { words: s() },
            LandingError::UnpackFailed { words: s() },
            LandingError::OutcomeUnknown(Box::new(LandingError::UnpackFailed { words: s() })),
            LandingError::Branch(ForgeError::TimedOut { problem: s() }),
            LandingError::Propose(DecisionError::NoRepository),
        ])
        .collect()
}

fn refusal_reasons() -> Vec<RefusalReason> {
    let blockers = vec![
        EditBlocker::NotScalar,
        EditBlocker::Alias,
        EditBlocker::Block,
        EditBlocker::MultiLine,
        EditBlocker::Tagged,
        EditBlocker::Placeholder,
        EditBlocker::AnchoredNothing,
        EditBlocker::Twice,
        EditBlocker::Unplaced,
        EditBlocker::Folded,
        EditBlocker::Lines,
        EditBlocker::Shared,
    ];
    let blockers = all(include_str!("../../yaml/span.rs"), "EditBlocker", blockers).into_iter();
    let mut samples: Vec<_> =
        blockers.map(|blocker| RefusalReason::Blocked { part: "the tag", blocker }).collect();
    samples.extend([
        RefusalReason::PartOfBlock,
        RefusalReason::InText { line: 1, reason: Box::new(RefusalReason::TagSuffix) },
        RefusalReason::TagSuffix,
        RefusalReason::DigestWithoutTag,
        RefusalReason::OtherRegistry { name: s() },
        RefusalReason::TwoDigests,
        RefusalReason::SharedValue { with: at() },
        RefusalReason::OtherEntry { image: s() },
        RefusalReason::DigestElsewhere { at: at(), why: None },
        RefusalReason::DigestElsewhere { at: at(), why: Some(Box::new(RefusalReason::Encrypted)) },
        RefusalReason::DigestUnplaced,
        RefusalReason::SharedDigest { at: at(), others: s() },
        RefusalReason::SetsOthers { others: s(), runs_itself: true },
        RefusalReason::SetsOthers { others: s(), runs_itself: false },
        RefusalReason::Misread { reader: "Flux", tag: s() },
        RefusalReason::AroundVariable { around: s() },
        RefusalReason::DigestBehindVariable,
        RefusalReason::Fixed { reason: s() },
        RefusalReason::ImagesNotList,
        RefusalReason::NoImage,
        RefusalReason::Encrypted,
        RefusalReason::HasMac,
    ]);
    all(include_str!("../../manifest/refusal.rs"), "RefusalReason", samples)
}

fn wider() -> WiderPattern {
    WiderPattern { pattern: s(), files: 2 }
}

fn no_matches() -> Vec<PlanError> {
    let instead = vec![
        Instead::WithoutTag { at: at() },
        Instead::HelmValues { at: at() },
        Instead::Elsewhere { places: Vec::new() },
        Instead::Others { similar: Vec::new(), nameless: Vec::new() },
    ];
    let instead = all(include_str!("../../plan/no_match.rs"), "Instead", instead);
    let nested = [true, false].map(|is_submodule| NestedRepository { path: s(), is_submodule });
    let mut found = Vec::new();
    for instead in instead {
        for (files, nested) in [(0, Vec::new()), (0, nested.to_vec()), (3, Vec::new())] {
            let images = vec![UnmatchedImage { name: s(), instead: instead.clone() }];
            let nested = nested.into_iter().collect();
            let no_match = NoMatch { images, services: vec![s()], files, nested, wider: None };
            found.push(PlanError::NoMatch(Box::new(no_match)));
        }
    }
    let wider = Some(wider());
    found.push(PlanError::NoMatch(Box::new(NoMatch {
        images: Vec::new(),
        services: Vec::new(),
        files: 0,
        nested: Default::default(),
        wider,
    })));
    found
}

fn shared(can_add: bool) -> SharedPlace {
    let others = vec![OtherRoot { root: s(), environment: Some(s()) }];
    SharedPlace { at: at(), image: s(), others, can_add }
}

fn plan_errors() -> Vec<PlanError> {
    let refused =
        |reason| PlanError::NotEditable(vec![RefusedReference { at: at(), written_at: None, reason }]);
    let error = || YamlError { line: 1, column: 1, reason: s() };
    let mut samples: Vec<_> = refusal_reasons().into_iter().map(refused).collect();
    samples.extend(no_matches());
    samples.extend(selection_errors().into_iter().map(PlanError::Selection));
    samples.extend(source_errors().into_iter().map(PlanError::Source));
    samples.extend([
        PlanError::NotEditable(Vec::new()),
        PlanError::NotFoundHere { error: SourceError::NotFound { path: s(), reason: None }, wider: wider() },
        PlanError::MatchedTwice { one: s(), other: s(), at: at() },
        PlanError::FieldNotFound { files: s(), path: s() },
        PlanError::NotVerified { file: s() },
        PlanError::WrongCount { expected: 1, found: Vec::new() },
        PlanError::DifferentTags { image: s(), found: Vec::new() },
        PlanError::Replaced { image: s(), tag: None, places: Vec::new() },
        PlanError::InTwoEnvironments(Box::new(InTwoEnvironments {
            at: at(),
            name: s(),
            root: s(),
            file: s(),
            other: s(),
        })),
        PlanError::NoneOfItsFiles { service: s(), image: s(), own: vec![s()], typed: vec![s()] },
        PlanError::OtherEnvironments {
            image: s(),
            limit: EnvironmentLimit::Only(s()),
            places: vec![OtherPlace { at: at(), environment: None }],
        },
        PlanError::OtherEnvironments {
            image: s(),
            limit: EnvironmentLimit::Only(s()),
            places: vec![OtherPlace { at: at(), environment: Some(s()) }],
        },
        PlanError::OtherEnvironments { image: s(), limit: EnvironmentLimit::NotPromoted, places: Vec::new() },
        PlanError::SharedEnvironments(vec![shared(true)]),
        PlanError::SharedEnvironments(vec![shared(false)]),
        PlanError::OnlyWeaker { image: s(), places: Vec::new() },
        PlanError::TooMuchWork { file: s(), reason: ParseAborted::Cancelled },
        PlanError::Cancelled,
        PlanError::NotYaml { file: s(), error: error(), is_template: true },
        PlanError::NotYaml { file: s(), error: error(), is_template: false },
    ]);
    all(include_str!("../../plan/error.rs"), "PlanError", samples)
}

fn config_errors() -> Vec<ConfigError> {
    let source = include_str!("../../config/error.rs");
    let mut problems = vec![
        ValueProblem::ServiceName,
        ValueProblem::EnvironmentName,
        ValueProblem::NoFiles,
        ValueProblem::UnknownEnvironment { name: s(), known: vec![s()] },
        ValueProblem::CircularFrom { names: vec![s()] },
        ValueProblem::NameOfEnvironment,
        ValueProblem::Duration { text: s() },
        ValueProblem::SoakWithoutFrom,
        ValueProblem::NotBareName,
        ValueProblem::EmptyPath,
        ValueProblem::Template(Template::parse("{").unwrap_err()),
        ValueProblem::Field(FieldPath::parse("").unwrap_err()),
    ];
    problems.extend(variable_errors().into_iter().map(ValueProblem::Variable));
    problems.extend(image_errors().into_iter().map(ValueProblem::Image));
    problems.extend(selection_errors().into_iter().map(ValueProblem::Selection));
    let of_value = |problem| ConfigError::Value {
        file: s(),
        position: None,
        key: "message".to_owned(),
        problem: Box::new(problem),
    };
    let mut samples: Vec<_> = all(source, "ValueProblem", problems).into_iter().map(of_value).collect();
    samples.extend(source_errors().into_iter().map(ConfigError::Source));
    samples.extend([
        ConfigError::TwoFiles,
        ConfigError::TooLarge { file: s() },
        ConfigError::NotYaml { file: s(), error: YamlError { line: 1, column: 1, reason: s() } },
        ConfigError::TooMuchWork { file: s(), reason: ParseAborted::Cancelled },
        ConfigError::DuplicateKey { at: at(), key: s() },
        ConfigError::UnknownKey { at: at(), map: s(), key: s(), known: &["tag"] },
        ConfigError::Types { file: s(), position: None, reason: s() },
    ]);
    all(source, "ConfigError", samples)
}

fn rollback_errors() -> Vec<RollbackError> {
    let source = include_str!("../../decision/rollback/error.rs");
    let histories = vec![
        SearchedHistory::Complete,
        SearchedHistory::IncompleteCheckout,
        SearchedHistory::IncompleteFetch,
    ];
    let histories = all(source, "SearchedHistory", histories).into_iter();
    let never =
        |history| RollbackError::NeverHadTag { at: at(), image: s(), tag: s(), had: Vec::new(), history };
    let mut samples: Vec<_> = histories.map(never).collect();
    let two = || (s(), s());
    samples.extend([
        RollbackError::NoHistory,
        RollbackError::NoEarlierTag {
            at: at(),
            image: s(),
            now: s(),
            skipped: Vec::new(),
            history: SearchedHistory::Complete,
        },
        RollbackError::TwoTags { file: s(), image: s(), tags: two(), lines: (1, 2) },
        RollbackError::TwoTagsBefore { file: s(), image: s(), now: s(), tags: two() },
        RollbackError::InvalidTag { file: s(), image: s(), tag: s(), error: Tag::parse("").unwrap_err() },
        RollbackError::Moved { at: at(), image: s(), now: s(), before: s() },
    ]);
    all(source, "RollbackError", samples)
}

fn tag_errors() -> Vec<TagError> {
    let of_variable = |error| TagError::Variable { template: s(), error };
    let mut samples: Vec<_> = variable_errors().into_iter().map(of_variable).collect();
    samples.push(TagError::NotATag { template: s(), error: Tag::parse("").unwrap_err() });
    all(include_str!("../../tag.rs"), "TagError", samples)
}

fn promotion_errors() -> Vec<PromotionError> {
    let found = vec![(at(), s())];
    let error = ImageArg::parse("").unwrap_err();
    let samples = vec![
        PromotionError::NoFrom { at: at(), env: s() },
        PromotionError::NoServices,
        PromotionError::NothingInBoth { env: s(), from: s() },
        PromotionError::TwoTags { from: s(), image: s(), found },
        PromotionError::NoTag { at: at(), from: s(), image: s() },
        PromotionError::InvalidTag { at: at(), from: s(), image: s(), error },
    ];
    all(include_str!("../../decision/promotion/error.rs"), "PromotionError", samples)
}

fn target_errors() -> Vec<TargetError> {
    let mut samples = vec![
        TargetError::NoChange { image: s() },
        TargetError::UnknownEnvironment { name: s(), known: Vec::new() },
        TargetError::UnknownEnvironment { name: s(), known: vec![s()] },
    ];
    samples.extend(selection_errors().into_iter().map(TargetError::Selection));
    all(include_str!("../../decision/targets.rs"), "TargetError", samples)
}

fn history_errors() -> Vec<HistoryError> {
    let mut samples = vec![HistoryError::Unreadable { reason: s() }];
    samples.extend(plan_errors().into_iter().map(HistoryError::Plan));
    samples.extend(selection_errors().into_iter().map(HistoryError::Selection));
    all(include_str!("../../history/error.rs"), "HistoryError", samples)
}

fn hold_time_errors() -> Vec<HoldTimeError> {
    let samples = vec![
        HoldTimeError::NotATime { text: s() },
        HoldTimeError::Neither { text: s() },
        HoldTimeError::Past { text: s() },
    ];
    all(include_str!("../../holds/time.rs"), "HoldTimeError", samples)
}

fn holds_errors() -> Vec<HoldsError> {
    let source = include_str!("../../holds/error.rs");
    let mut problems = vec![HoldProblem::NotBareName, HoldProblem::EmptyPath];
    problems.extend(image_errors().into_iter().map(HoldProblem::Image));
    problems.extend(selection_errors().into_iter().map(HoldProblem::Selection));
    problems.extend(hold_time_errors().into_iter().map(HoldProblem::Time));
    let of_value = |problem| HoldsError::Value { at: at(), key: "image", problem };
    let mut samples: Vec<_> = all(source, "HoldProblem", problems).into_iter().map(of_value).collect();
    samples.extend(source_errors().into_iter().map(HoldsError::Source));
    samples.extend([
        HoldsError::TooLarge,
        HoldsError::NotYaml(YamlError { line: 1, column: 1, reason: s() }),
        HoldsError::TooMuchWork(ParseAborted::Cancelled),
        HoldsError::Types { position: None, reason: s() },
    ]);
    all(source, "HoldsError", samples)
}

fn decision_errors() -> Vec<DecisionError> {
    let mut samples =
        vec![DecisionError::NoRepository, DecisionError::Unopened(Arc::new(GitError::NoCommit))];
    samples.extend(config_errors().into_iter().map(DecisionError::Config));
    samples.extend(git_errors().into_iter().map(DecisionError::Git));
    samples.push(DecisionError::Held { references: vec![s(), s()], all: true });
    samples.push(DecisionError::HoldsEdit(HoldsEditError { at: at() }));
    samples.extend(history_errors().into_iter().map(DecisionError::History));
    samples.extend(holds_errors().into_iter().map(DecisionError::Holds));
    samples.extend(message_errors().into_iter().map(DecisionError::Message));
    samples.extend(plan_errors().into_iter().map(DecisionError::Plan));
    samples.extend(promotion_errors().into_iter().map(|error| DecisionError::Promotion(Box::new(error))));
    samples.extend(registry_errors().into_iter().map(DecisionError::Registry));
    samples.extend(rollback_errors().into_iter().map(DecisionError::from));
    samples.extend(tag_errors().into_iter().map(DecisionError::Tag));
    samples.extend(target_errors().into_iter().map(DecisionError::Target));
    all(include_str!("../../decision/error.rs"), "DecisionError", samples)
}

fn registry_errors() -> Vec<RegistryError> {
    let source = include_str!("../../registry/error.rs");
    let helper = [
        HelperProblem::BadName,
        HelperProblem::Missing,
        HelperProblem::Unstartable,
        HelperProblem::Late,
        HelperProblem::Failed,
        HelperProblem::Garbled,
    ];
    let server = [
        TokenServerProblem::NotAUrl,
        TokenServerProblem::HasUser,
        TokenServerProblem::NotHttps,
        TokenServerProblem::NotPublic,
    ];
    let files = vec![
        AuthFileError::Unreadable { source_name: s(), reason: s() },
        AuthFileError::Invalid { source_name: s(), reason: s() },
    ];
    let digest = || Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let mut samples = vec![
        RegistryError::NotAName { image: s() },
        RegistryError::Missing { image: s(), waited_seconds: 0, similar: Vec::new() },
        RegistryError::Missing { image: s(), waited_seconds: 1, similar: vec![s()] },
        RegistryError::Denied { image: s(), registry: s(), status: 401, credential: None },
        RegistryError::Denied { image: s(), registry: s(), status: 401, credential: Some(s()) },
        RegistryError::WrongCredential { registry: s(), credential: s(), status: 401 },
        RegistryError::Unreachable { image: s(), problem: s() },
        RegistryError::NotARegistry { registry: s(), problem: s() },
        RegistryError::WrongDigest { image: s(), registry: s(), stated: digest(), computed: digest() },
    ];
    let helpers = all(source, "HelperProblem", helper.to_vec()).into_iter();
    samples.extend(helpers.map(|problem| RegistryError::Helper { program: s(), problem }));
    let servers = all(source, "TokenServerProblem", server.to_vec()).into_iter();
    samples.extend(servers.map(|problem| RegistryError::TokenServer { registry: s(), server: s(), problem }));
    samples.extend(all(source, "AuthFileError", files).into_iter().map(RegistryError::AuthFile));
    samples.extend(http_errors().into_iter().map(RegistryError::Http));
    all(source, "RegistryError", samples)
}

fn wait_errors() -> Vec<WaitError> {
    let samples = vec![
        WaitError::NoImage,
        WaitError::NoForge { remote: s() },
        WaitError::NoToken { forge: ForgeKind::GitHub, withheld: vec![s()] },
        WaitError::NoToken { forge: ForgeKind::Gitea, withheld: vec![s()] },
        WaitError::NoToken { forge: ForgeKind::GitLab, withheld: vec![s()] },
        WaitError::StatusesRefused { forge: ForgeKind::GitHub, status: 401, message: s() },
        WaitError::StatusesRefused { forge: ForgeKind::Gitea, status: 403, message: s() },
        WaitError::StatusesRefused { forge: ForgeKind::GitLab, status: 404, message: s() },
        WaitError::WriterUnknown { branch: s() },
        WaitError::NothingToShow,
        WaitError::NotOnBranch { commit: s(), branch: s() },
        WaitError::Failed { commit: id(), names: vec![s()] },
        WaitError::TimedOut { commit: id(), seconds: 7, what: s() },
    ];
    all(include_str!("../wait.rs"), "WaitError", samples)
}

fn settings_errors() -> Vec<SettingsError> {
    let source = include_str!("../../settings/error.rs");
    let expected = vec![
        ExpectedValue::Source,
        ExpectedValue::Number,
        ExpectedValue::Time,
        ExpectedValue::Duration,
        ExpectedValue::LongDuration,
        ExpectedValue::Branch,
        ExpectedValue::Verify,
        ExpectedValue::Commit,
        ExpectedValue::Pattern,
        ExpectedValue::Page,
        ExpectedValue::OneLine,
    ];
    let combinations = vec![
        BadCombination::UrlWithoutLanding,
        BadCombination::DraftWithAutoMerge,
        BadCombination::ApiWithCommit,
        BadCombination::ApiWithAuthor,
        BadCombination::ApiWithSign,
        BadCombination::CarryWithoutPush,
        BadCombination::NothingToWaitFor,
        BadCombination::ContainsWithoutUrl,
        BadCombination::NoImage,
        BadCombination::HoldWithoutReason,
        BadCombination::FieldWithoutFile,
        BadCombination::FieldForSeveralImages,
        BadCombination::TwoDigests,
        BadCombination::DigestForSeveralImages,
    ];
    let bare = all(
        source,
        "BareName",
        vec![
            BareName::Tag,
            BareName::Scan,
            BareName::History,
            BareName::Promotion,
            BareName::Hold,
            BareName::Wait,
        ],
    );
    let mut samples = vec![
        SettingsError::Template { flag: "message", error: Template::parse("{").unwrap_err() },
        SettingsError::Digest(Digest::parse("x").unwrap_err()),
        SettingsError::Field(FieldPath::parse("").unwrap_err()),
        SettingsError::Author(AuthorError { text: s() }),
        SettingsError::NotARollback { image: s() },
        SettingsError::NeedsFolder { url: s() },
    ];
    let expected = all(source, "ExpectedValue", expected).into_iter();
    samples.extend(expected.map(|expected| SettingsError::Value { flag: "timeout", value: s(), expected }));
    samples.extend(bare.into_iter().map(|takes| SettingsError::NotBareName { image: s(), takes }));
    samples.extend(all(source, "BadCombination", combinations).into_iter().map(SettingsError::Combination));
    samples.extend(hold_time_errors().into_iter().map(SettingsError::Until));
    samples.extend(image_errors().into_iter().map(SettingsError::Image));
    samples.extend(selection_errors().into_iter().map(SettingsError::Selection));
    all(source, "SettingsError", samples)
}

fn bump_errors() -> Vec<BumpError> {
    let mut samples: Vec<_> = variable_errors().into_iter().map(BumpError::BranchTemplate).collect();
    samples.extend([
        BumpError::NoAuthor { who: "committer", unread: vec![s()] },
        BumpError::NoCheckout { folder: s() },
        BumpError::BadHeadBranch { branch: s() },
        BumpError::NoBranch { event: s() },
        BumpError::RequestBuild { system: System::GitLab, variable: s() },
        BumpError::MergeQueue { branch: s() },
        BumpError::SeveralSystems { markers: vec!["X", "Y"] },
        BumpError::UnknownCi,
        BumpError::NoPipelineBranch { system: System::GitLab },
        BumpError::UnclearRepository { system: System::GitLab },
        BumpError::NoForge { remote: s() },
        BumpError::ApiWithoutForge,
        BumpError::NoRepositoryName,
        BumpError::TipUnknown { problem: s() },
        BumpError::BaseUnknown { problem: s() },
        BumpError::Superseded { references: vec![s()] },
        BumpError::Soaking { references: vec![s()] },
    ]);
    all(include_str!("../bump.rs"), "BumpError", samples)
}

fn command_errors() -> Vec<CommandError> {
    let samples = vec![
        CommandError::NoRepository { folder: s() },
        CommandError::TagWithoutFolder,
        CommandError::NoReferences { files: 1, nested: Vec::new() },
        CommandError::NoReferences {
            files: 0,
            nested: vec![NestedRepository { path: s(), is_submodule: true }],
        },
        CommandError::NoneEditable { files: 1, at: at(), reason: s() },
        CommandError::SeveralSystems { error: tag_errors().remove(0), markers: vec!["X", "Y"] },
    ];
    all(include_str!("../command.rs"), "CommandError", samples)
}

#[test]
fn every_kind_of_error_has_a_hint() {
    have_hints(bump_errors());
    have_hints(command_errors());
    have_hints(config_errors());
    have_hints(decision_errors());
    have_hints(forge_errors());
    have_hints(git_errors());
    have_hints(history_errors());
    have_hints(http_errors());
    have_hints(landing_errors());
    have_hints(plan_errors());
    have_hints(remote_errors());
    have_hints(selection_errors());
    have_hints(settings_errors());
    have_hints(source_errors());
    have_hints(tag_errors());
    have_hints(target_errors());
    have_hints(wait_errors());
    have_hints(worktree_errors());
    have_hints([
        ScaffoldError::ReadsDifferently { path: s() },
        ScaffoldError::Invalid { path: s(), error: Box::new(ConfigError::TwoFiles) },
    ]);
    have_hints([anyhow::anyhow!("x")]);
    // these types have one kind each, which only their modules make
    let missing = std::path::Path::new("/dev/null/missing");
    have_hints([crate::extras::man(missing).unwrap_err()]);
}

/// Every kind of error that can end a command is in the list above, or is described already.
#[test]
fn every_error_of_a_command_is_listed() {
    let checked = include_str!("every_kind.rs");
    let name = |variant: &str| variant.to_lowercase();
    for variant in variants(include_str!("../error.rs"), "Error") {
        let by_list = checked.contains(&format!("have_hints({}_errors())", name(variant)));
        let by_sample = ["Binary", "Failure", "Man", "RunnerFile", "Scaffold"].contains(&variant);
        assert!(by_list || by_sample, "{variant}");
    }
}
