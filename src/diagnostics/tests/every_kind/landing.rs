//! Landing, forges and registries.

use super::files::variable_errors;
use super::git_and_http::{git_errors, http_errors, server_errors};
use super::{all, id, s};
use crate::decision::DecisionError;
use crate::forge::gitea::{GiteaError, GiteaRefusal};
use crate::forge::github::{ApiRefusal, ApiRefusalReason, GitHubError};
use crate::forge::gitlab::{GitLabError, GitLabRefusal};
use crate::forge::pull_json::PullAnswerError;
use crate::forge::{ForgeError, ForgeKind};
use crate::image::Digest;
use crate::landing::remote::{BranchRule, HttpRefusal, RemoteError};
use crate::landing::{GiveUpReason, LandingError, MessageError};
use crate::registry::{AuthFileError, HelperProblem, RegistryError, TokenServerProblem};

pub(super) fn remote_errors() -> Vec<RemoteError> {
    let source = include_str!("../../../landing/remote/error.rs");
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
        rules.map(|rule| RemoteError::Declined { url: s(), rules: vec![rule], message: s() }).collect();
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
        let refusal = HttpRefusal { url: s(), status, credential, has_withheld, message: s() };
        samples.push(RemoteError::Http(refusal));
    }
    samples.extend([
        RemoteError::NotRead { url: s(), reason: s() },
        RemoteError::NotPushed { url: s(), reason: s() },
        RemoteError::NoBranch { url: s(), branch: s() },
        RemoteError::NoDefaultBranch { url: s() },
        RemoteError::HistoryTimedOut { problem: s() },
        RemoteError::BranchInTheWay { url: s(), message: s() },
        RemoteError::NotAfterTip { commit: id() },
        RemoteError::Withheld {
            error: Box::new(RemoteError::NoDefaultBranch { url: s() }),
            withheld: vec![s()],
        },
    ]);
    all(source, "RemoteError", samples)
}

pub(super) fn forge_errors() -> Vec<ForgeError> {
    let refused = [401, 403, 404, 422].map(|status| {
        let refusal = ApiRefusal { reason: ApiRefusalReason::Other, status, route: s(), message: s() };
        GitHubError::Refused(refusal)
    });
    let mut github = Vec::from(refused);
    github.extend([
        GitHubError::NotUsable { address: s(), reason: s() },
        GitHubError::NotHttps { address: s() },
        GitHubError::BadGraphQlAddress { address: s() },
        GitHubError::CommitForbidden { message: s() },
        GitHubError::Declined { rules: vec![BranchRule::Protected], message: s() },
        GitHubError::Unexpected { what: s() },
        GitHubError::NotPrepared { commit: id() },
        GitHubError::FilesTooLarge,
        GitHubError::FileMode { path: s(), mode: 0o755 },
    ]);
    let github = all(include_str!("../../../forge/github/error.rs"), "GitHubError", github);
    let refused = [401, 403, 404, 422]
        .map(|status| GiteaError::Refused(GiteaRefusal { status, route: s(), message: s() }));
    let mut gitea = Vec::from(refused);
    gitea.extend([
        GiteaError::NotUsable { address: s(), reason: s() },
        GiteaError::NotHttps { address: s() },
        GiteaError::TooManyPullRequests { read: 7 },
    ]);
    let gitea = all(include_str!("../../../forge/gitea/error.rs"), "GiteaError", gitea);
    let refused = [401, 403, 404, 422]
        .map(|status| GitLabError::Refused(GitLabRefusal { status, route: s(), message: s() }));
    let mut gitlab = Vec::from(refused);
    gitlab.extend([
        GitLabError::NotUsable { address: s(), reason: s() },
        GitLabError::NotHttps { address: s() },
    ]);
    let gitlab = all(include_str!("../../../forge/gitlab/error.rs"), "GitLabError", gitlab);
    let pull_answers = vec![
        PullAnswerError::NotAPullRequest { reason: s() },
        PullAnswerError::OtherPullRequest { number: 7, head: s(), base: s() },
    ];
    let pull_answers = all(include_str!("../../../forge/pull_json.rs"), "PullAnswerError", pull_answers);
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
    all(include_str!("../../../forge/error.rs"), "ForgeError", samples)
}

pub(super) fn message_errors() -> Vec<MessageError> {
    let source = include_str!("../../../landing/error.rs");
    let of_variable = |error| MessageError::Variable { option: "message", template: s(), error };
    let mut samples: Vec<_> = variable_errors().into_iter().map(of_variable).collect();
    samples.push(MessageError::Empty { option: "message" });
    all(source, "MessageError", samples)
}

pub(super) fn landing_errors() -> Vec<LandingError<ForgeError, DecisionError>> {
    let source = include_str!("../../../landing/error.rs");
    let reasons = vec![GiveUpReason::TimedOut, GiveUpReason::Unreachable, GiveUpReason::LockStays];
    let reasons = all(source, "GiveUpReason", reasons).into_iter();
    reasons
        .map(|reason| LandingError::GaveUp { tries: 1, problem: s(), reason })
        .chain([
            LandingError::RejectedUnclear { message: s() },
            LandingError::UnpackFailed { message: s() },
            LandingError::OutcomeUnknown {
                error: Box::new(LandingError::UnpackFailed { message: s() }),
                reason: s(),
            },
            LandingError::Branch(ForgeError::TimedOut { problem: s() }),
            LandingError::Propose(DecisionError::NoRepository),
        ])
        .collect()
}

pub(super) fn registry_errors() -> Vec<RegistryError> {
    let source = include_str!("../../../registry/error.rs");
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
