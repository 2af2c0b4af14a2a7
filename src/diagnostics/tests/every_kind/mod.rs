//! Every kind of error has a hint. A failure can't be made without one; here each kind is made, so that no hint is empty either, and a kind
//! that is added without a sample fails.

mod commands;
mod decision;
mod files;
mod git_and_http;
mod landing;
mod plan;

use self::commands::{bump_errors, command_errors, settings_errors, wait_errors};
use self::decision::{config_errors, decision_errors, history_errors, tag_errors, target_errors};
use self::files::{source_errors, worktree_errors};
use self::git_and_http::{git_errors, http_errors};
use self::landing::{forge_errors, landing_errors, remote_errors};
use self::plan::plan_errors;
use super::super::*;
use crate::config::ConfigError;
use crate::location::Location;
use crate::object_id::CommitId;
use crate::scaffold::ScaffoldError;
use std::fmt::Debug;

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
    for audience in [Audience::CommandLine, Audience::Action] {
        let (message, hint) = (failure.message.for_audience(audience), failure.hint.for_audience(audience));
        assert!(!hint.trim().is_empty(), "{message}");
        assert_ne!(message, hint);
    }
}

#[track_caller]
fn have_hints(errors: impl IntoIterator<Item = impl Into<Error>>) {
    errors.into_iter().for_each(|error| has_hint(&describe(error.into())));
}

const GIT: &str = include_str!("../../../git/error.rs");

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
    let checked = include_str!("mod.rs");
    let name = |variant: &str| variant.to_lowercase();
    for variant in variants(include_str!("../../error.rs"), "Error") {
        let by_list = checked.contains(&format!("have_hints({}_errors())", name(variant)));
        let by_sample = ["Binary", "Failure", "Man", "RunnerFile", "Scaffold"].contains(&variant);
        assert!(by_list || by_sample, "{variant}");
    }
}
