//! `Tagbump-Source`: the commit that, by its trailer, a landed bump was built from.

use std::process::Command;

use crate::support::git::git;
use crate::support::repo::{self, World, actions, ended, failed, push};

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const OTHER: &str = "abc1234def5678abc1234def5678abc1234def56";

/// The trailer of the commit that the command lands.
#[track_caller]
fn source(world: &World, command: &mut Command) -> String {
    ended(&repo::run(command), 0, "landed");
    world.last("%(trailers:key=Tagbump-Source,valueonly)").trim().to_owned()
}

fn event(world: &World, json: &str) -> String {
    repo::write(world.path(), "event.json", json);
    world.path().join("event.json").to_str().unwrap().to_owned()
}

#[test]
fn source_is_the_given_one() {
    let world = World::new();
    let folder = world.shallow("w");
    let given = format!("acme/api@{SHA}");
    assert_eq!(source(&world, &mut push(&folder, "v1", &["--source", &given])), given);
    let mut command = push(&folder, "v2", &["--source", &given]);
    assert_eq!(source(&world, actions(&mut command, "acme/other", OTHER)), given, "before the event's");
    // without a repository, it is the run's repository
    let mut command = push(&folder, "v3", &["--source", SHA]);
    assert_eq!(source(&world, actions(&mut command, "acme/other", OTHER)), format!("acme/other@{SHA}"));
    let mut command = push(&folder, "v4", &[]);
    assert_eq!(source(&world, command.env("TAGBUMP_SOURCE", &given)), given);
    for wrong in ["acme/api@", "@1a2b3c4", "acme/api@xyz1234", "1a2b"] {
        failed(&repo::run(&mut push(&folder, "v5", &["--source", wrong])), 2);
    }
}

#[test]
fn notice_says_that_a_source_without_a_known_repository_is_not_recorded() {
    let world = World::new();
    let folder = world.shallow("w");
    let said = |told: &serde_json::Value| told["notices"].to_string().contains("isn't recorded");
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--source", SHA])), 0, "landed");
    let notice = format!(
        "the source {SHA} isn't recorded, because its repository is unknown: write --source REPOSITORY@{SHA}"
    );
    assert!(told["notices"].as_array().unwrap().contains(&notice.into()), "{told}");
    let given = format!("acme/api@{SHA}");
    assert!(!said(&ended(&repo::run(&mut push(&folder, "v2", &["--source", &given])), 0, "landed")));
    // a commit that the target has is the target's
    let known = world.tip();
    assert!(!said(&ended(
        &repo::run(&mut push(&world.shallow("x"), "v3", &["--source", &known])),
        0,
        "landed"
    )));
}

#[test]
fn source_is_commit_of_push_event() {
    let world = World::new();
    let folder = world.shallow("w");
    let command = &mut push(&folder, "v1", &[]);
    assert_eq!(source(&world, actions(command, "acme/api", SHA)), format!("acme/api@{SHA}"));
    let command = &mut push(&folder, "v2", &[]);
    actions(command, "acme/api", SHA).env("GITHUB_EVENT_NAME", "schedule");
    assert_eq!(source(&world, command), "", "GITHUB_SHA of other events is not what was built");
    assert_eq!(source(&world, &mut push(&folder, "v3", &[])), "", "nor is anything known outside of Actions");
}

#[test]
fn source_is_head_of_workflow_run_and_pull_request() {
    let world = World::new();
    let folder = world.shallow("w");
    let run = format!(
        r#"{{"workflow_run": {{"head_sha": "{OTHER}", "head_repository": {{"full_name": "bob/api"}}}}}}"#
    );
    let command = &mut push(&folder, "v1", &[]);
    actions(command, "acme/api", SHA).env("GITHUB_EVENT_NAME", "workflow_run");
    command.env("GITHUB_EVENT_PATH", event(&world, &run));
    assert_eq!(source(&world, command), format!("bob/api@{OTHER}"));
    let pull = format!(
        r#"{{"pull_request": {{"number": 7, "head": {{"sha": "{OTHER}", "repo": {{"full_name": "bob/api"}}}}}}}}"#
    );
    let command = &mut push(&folder, "v2", &["--branch", "main"]);
    actions(command, "acme/api", SHA).env("GITHUB_EVENT_NAME", "pull_request");
    command.env("GITHUB_EVENT_PATH", event(&world, &pull));
    assert_eq!(source(&world, command), format!("bob/api@{OTHER}"));
}

#[test]
fn source_is_commit_in_explicit_tag() {
    let world = World::new();
    let folder = world.shallow("w");
    // a commit that the checkout knows, in full
    let head = git(&folder, &["rev-parse", "HEAD"]);
    let tag = format!("main-{}", &head[..7]);
    assert_eq!(source(&world, &mut push(&folder, &tag, &[])), format!("acme/gitops@{head}"));
    // a commit that the event gives in full
    let command = &mut push(&folder, &format!("main-{}", &SHA[..7]), &[]);
    assert_eq!(source(&world, actions(command, "acme/api", SHA)), format!("acme/api@{SHA}"));
    // an unknown commit, found by the template: it takes precedence over the event's commit
    let command = &mut push(&folder, "r-abc1234", &["--tag-template", "r-{sha:7}"]);
    assert_eq!(source(&world, actions(command, "acme/api", SHA)), "acme/api@abc1234");
    // if the tag contains no commit, the event's counts
    let command = &mut push(&folder, "v1.2.3", &[]);
    assert_eq!(source(&world, actions(command, "acme/api", SHA)), format!("acme/api@{SHA}"));
}

/// Hex digits that aren't a commit, or that are part of a longer word.
#[test]
fn source_is_missing_when_tag_only_looks_like_commit() {
    let world = World::new();
    let folder = world.shallow("w");
    let head = git(&folder, &["rev-parse", "HEAD"]);
    for tag in [format!("x{}", &head[..7]), "main-20240101".to_owned(), format!("v1-{}", &head[..6])] {
        assert_eq!(source(&world, &mut push(&folder, &tag, &[])), "", "{tag}");
    }
}

/// A computed tag has the commit of the source.
#[test]
fn source_is_that_of_computed_tag() {
    let world = World::new();
    let folder = world.shallow("w");
    let head = git(&folder, &["rev-parse", "HEAD"]);
    let bump = |more: &[&str]| {
        let mut command = crate::support::cli::command(&folder);
        command.args(["bump", repo::API, "--push", "--format", "json"]).args(more);
        command
    };
    assert_eq!(source(&world, &mut bump(&[])), format!("acme/gitops@{head}"));
    assert!(world.message().contains(&format!("Tagbump-Image: {}:{}", repo::API, &head[..7])));
    let command = &mut bump(&["--source", &format!("acme/api@{SHA}")]);
    assert_eq!(source(&world, command), format!("acme/api@{SHA}"));
    assert!(world.message().contains(&format!(":{}\n", &SHA[..7])), "{}", world.message());
    let command = &mut bump(&["--tag-template", "{branch}-{sha:8}"]);
    assert_eq!(source(&world, actions(command, "acme/api", OTHER)), format!("acme/api@{OTHER}"));
    assert!(world.message().contains(&format!(":main-{}\n", &OTHER[..8])), "{}", world.message());
}
