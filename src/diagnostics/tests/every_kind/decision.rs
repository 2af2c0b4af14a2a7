//! Decisions: configuration, history, rollbacks, promotions, holds.

use super::files::{image_errors, selection_errors, source_errors, variable_errors};
use super::git_and_http::git_errors;
use super::landing::{message_errors, registry_errors};
use super::plan::plan_errors;
use super::{all, at, s};
use crate::config::{ConfigError, ValueProblem};
use crate::decision::{DecisionError, PromotionError, RollbackError, SearchedHistory, TargetError};
use crate::git::GitError;
use crate::history::HistoryError;
use crate::holds::{HoldProblem, HoldTimeError, HoldsEditError, HoldsError};
use crate::image::{ImageArg, Tag};
use crate::tag::TagError;
use crate::template::Template;
use crate::yaml::{FieldPath, ParseAborted, YamlError};
use std::sync::Arc;

pub(super) fn config_errors() -> Vec<ConfigError> {
    let source = include_str!("../../../config/error.rs");
    let mut problems = vec![
        ValueProblem::ServiceName,
        ValueProblem::EnvironmentName,
        ValueProblem::NoFiles,
        ValueProblem::UnknownEnvironment { name: s(), known: vec![s()] },
        ValueProblem::CircularFrom { names: vec![s()] },
        ValueProblem::EmptyName { of: "a service" },
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

pub(super) fn rollback_errors() -> Vec<RollbackError> {
    let source = include_str!("../../../decision/rollback/error.rs");
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

pub(super) fn tag_errors() -> Vec<TagError> {
    let of_variable = |error| TagError::Variable { template: s(), error };
    let mut samples: Vec<_> = variable_errors().into_iter().map(of_variable).collect();
    samples.push(TagError::NotATag { template: s(), error: Tag::parse("").unwrap_err() });
    all(include_str!("../../../tag.rs"), "TagError", samples)
}

pub(super) fn promotion_errors() -> Vec<PromotionError> {
    let found = vec![(at(), s())];
    let error = ImageArg::parse("").unwrap_err();
    let samples = vec![
        PromotionError::NoFrom { at: at(), env: s() },
        PromotionError::NoServices,
        PromotionError::NothingInBoth { env: s(), from: s() },
        PromotionError::NotRun { from: s(), message: s() },
        PromotionError::OnlyInText { from: s(), image: s() },
        PromotionError::TwoTags { from: s(), image: s(), found },
        PromotionError::NoTag { at: at(), from: s(), image: s() },
        PromotionError::InvalidTag { at: at(), from: s(), image: s(), error },
    ];
    all(include_str!("../../../decision/promotion/error.rs"), "PromotionError", samples)
}

pub(super) fn target_errors() -> Vec<TargetError> {
    let mut samples = vec![
        TargetError::NoChange { image: s() },
        TargetError::UnknownEnvironment { name: s(), known: Vec::new() },
        TargetError::UnknownEnvironment { name: s(), known: vec![s()] },
    ];
    samples.extend(selection_errors().into_iter().map(TargetError::Selection));
    all(include_str!("../../../decision/targets.rs"), "TargetError", samples)
}

pub(super) fn history_errors() -> Vec<HistoryError> {
    let mut samples = vec![HistoryError::Unreadable { reason: s() }];
    samples.extend(plan_errors().into_iter().map(HistoryError::Plan));
    samples.extend(selection_errors().into_iter().map(HistoryError::Selection));
    all(include_str!("../../../history/error.rs"), "HistoryError", samples)
}

pub(super) fn hold_time_errors() -> Vec<HoldTimeError> {
    let samples = vec![
        HoldTimeError::NotATime { text: s() },
        HoldTimeError::Neither { text: s() },
        HoldTimeError::Past { text: s() },
    ];
    all(include_str!("../../../holds/time.rs"), "HoldTimeError", samples)
}

pub(super) fn holds_errors() -> Vec<HoldsError> {
    let source = include_str!("../../../holds/error.rs");
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

pub(super) fn decision_errors() -> Vec<DecisionError> {
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
    all(include_str!("../../../decision/error.rs"), "DecisionError", samples)
}
