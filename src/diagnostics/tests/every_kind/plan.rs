//! Plans: what can't be found or edited.

use super::files::{selection_errors, source_errors};
use super::{all, at, s};
use crate::manifest::{RefusalReason, SharedUser};
use crate::plan::{
    EnvironmentLimit, InTwoEnvironments, Instead, NestedRepository, NoMatch, OtherPlace, OtherRoot,
    PlanError, RefusedReference, SharedPlace, SourceError, UnmatchedImage, WiderPattern,
};
use crate::yaml::{EditBlocker, ParseAborted, YamlError};

pub(super) fn refusal_reasons() -> Vec<RefusalReason> {
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
    let blockers = all(include_str!("../../../yaml/span.rs"), "EditBlocker", blockers).into_iter();
    let mut samples: Vec<_> =
        blockers.map(|blocker| RefusalReason::Blocked { part: "the tag", blocker }).collect();
    samples.extend([
        RefusalReason::PartOfBlock,
        RefusalReason::InText { line: 1, reason: Box::new(RefusalReason::TagSuffix) },
        RefusalReason::TagSuffix,
        RefusalReason::DigestWithoutTag,
        RefusalReason::OtherRegistry { name: s() },
        RefusalReason::TwoDigests,
        RefusalReason::SharedValue { with: at(), user: SharedUser::Unknown, is_bumped: false },
        RefusalReason::SharedValue { with: at(), user: SharedUser::Image(s()), is_bumped: false },
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
        RefusalReason::Tested { by: at() },
        RefusalReason::Encrypted,
        RefusalReason::HasMac,
    ]);
    all(include_str!("../../../manifest/refusal.rs"), "RefusalReason", samples)
}

pub(super) fn wider() -> WiderPattern {
    WiderPattern { pattern: s(), files: 2 }
}

pub(super) fn no_matches() -> Vec<PlanError> {
    let instead = vec![
        Instead::WithoutTag { at: at() },
        Instead::OnlyDigest { at: at() },
        Instead::HelmValues { places: vec![at()] },
        Instead::Elsewhere { places: Vec::new() },
        Instead::Others { similar: Vec::new(), nameless: Vec::new() },
    ];
    let instead = all(include_str!("../../../plan/no_match.rs"), "Instead", instead);
    let nested = [true, false].map(|is_submodule| NestedRepository { path: s(), is_submodule });
    let mut found = Vec::new();
    for instead in instead {
        for (files, nested) in [(0, Vec::new()), (0, nested.to_vec()), (3, Vec::new())] {
            let images = vec![UnmatchedImage { name: s(), instead: instead.clone() }];
            let nested = nested.into_iter().collect();
            let (services, selected_by) = (vec![s()], Vec::new());
            let no_match = NoMatch { images, services, files, selected_by, nested, wider: None };
            found.push(PlanError::NoMatch(Box::new(no_match)));
        }
    }
    let wider = Some(wider());
    found.push(PlanError::NoMatch(Box::new(NoMatch {
        selected_by: vec![s()],
        images: Vec::new(),
        services: Vec::new(),
        files: 0,
        nested: Default::default(),
        wider,
    })));
    found
}

pub(super) fn shared(can_add: bool) -> SharedPlace {
    let others = vec![OtherRoot { root: s(), environment: Some(s()) }];
    SharedPlace { at: at(), image: s(), others, can_add }
}

pub(super) fn plan_errors() -> Vec<PlanError> {
    let refused = |reason| {
        PlanError::NotEditable(vec![RefusedReference { at: at(), written_at: None, reason, sops_path: None }])
    };
    let error = || YamlError { line: 1, column: 1, reason: s() };
    let mut samples: Vec<_> = refusal_reasons().into_iter().map(refused).collect();
    samples.extend(no_matches());
    samples.extend(selection_errors().into_iter().map(PlanError::Selection));
    samples.extend(source_errors().into_iter().map(PlanError::Source));
    samples.extend([
        PlanError::NotEditable(Vec::new()),
        PlanError::ServiceFileMissing {
            config: s(),
            service: s(),
            error: SourceError::NotFound { path: s(), reason: None },
            wider: None,
        },
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
            service: None,
            limit: EnvironmentLimit::Only(s()),
            places: vec![OtherPlace { at: at(), environment: None }],
        },
        PlanError::OtherEnvironments {
            image: s(),
            service: None,
            limit: EnvironmentLimit::Only(s()),
            places: vec![OtherPlace { at: at(), environment: Some(s()) }],
        },
        PlanError::OtherEnvironments {
            image: s(),
            service: None,
            limit: EnvironmentLimit::NotPromoted,
            places: Vec::new(),
        },
        PlanError::OtherEnvironments {
            image: s(),
            service: Some(s()),
            limit: EnvironmentLimit::Only(s()),
            places: vec![OtherPlace { at: at(), environment: Some(s()) }],
        },
        PlanError::SharedEnvironments(vec![shared(true)]),
        PlanError::SharedEnvironments(vec![shared(false)]),
        PlanError::OnlyWeaker { image: s(), places: Vec::new() },
        PlanError::TooMuchWork { file: s(), reason: ParseAborted::Cancelled },
        PlanError::Cancelled,
        PlanError::NotYaml { file: s(), error: error(), is_template: true },
        PlanError::NotYaml { file: s(), error: error(), is_template: false },
    ]);
    all(include_str!("../../../plan/error.rs"), "PlanError", samples)
}
