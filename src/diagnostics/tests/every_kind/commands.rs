//! What commands refuse by themselves.

use super::super::super::*;
use super::decision::{hold_time_errors, tag_errors};
use super::files::{image_errors, selection_errors, variable_errors};
use super::{all, at, id, s};
use crate::ci::System;
use crate::forge::ForgeKind;
use crate::git::AuthorError;
use crate::image::Digest;
use crate::plan::NestedRepository;
use crate::settings::{BadCombination, BareName, ExpectedValue, SettingsError};
use crate::template::Template;
use crate::yaml::FieldPath;

pub(super) fn wait_errors() -> Vec<WaitError> {
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
        WaitError::Unknown { commit: id(), part: UnreadPart::Statuses, what: s() },
    ];
    all(include_str!("../../wait.rs"), "WaitError", samples)
}

pub(super) fn settings_errors() -> Vec<SettingsError> {
    let source = include_str!("../../../settings/error.rs");
    let expected = vec![
        ExpectedValue::Source,
        ExpectedValue::Number,
        ExpectedValue::Time,
        ExpectedValue::Duration,
        ExpectedValue::AtMostADay,
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

pub(super) fn bump_errors() -> Vec<BumpError> {
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
    all(include_str!("../../bump.rs"), "BumpError", samples)
}

pub(super) fn command_errors() -> Vec<CommandError> {
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
    all(include_str!("../../command.rs"), "CommandError", samples)
}
