//! `--soak` and `soak:`: only what has run long enough in staging is promoted.

use serde_json::Value;

use crate::support::cli::{self, Run};
use crate::support::past::Past;
use crate::support::repo::{API, ended};

const HOUR: i64 = 3600;
const STAGING: &str = "envs/staging/api.yaml";
const PROD: &str = "envs/prod/api.yaml";
const CONFIG: &str = "services: { api: { image: ghcr.io/acme/api } }
environments:
  staging: { files: [envs/staging] }
  prod: { files: [envs/prod], from: staging, soak: 12h }
";

fn at(tag: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {API}:{tag}\n")
}

/// Staging has run v1 since some days, production v0.
fn past() -> Past {
    let past = Past::new();
    past.puts("Ada", "tagbump.yaml", CONFIG, "none", "x");
    past.puts("Ada", PROD, &at("v0"), API, "v0");
    stage(&past, "v1");
    past.wait(72 * HOUR);
    past
}

fn stage(past: &Past, tag: &str) {
    past.puts("Ada", STAGING, &at(tag), API, tag);
}

/// Promotes in a local commit, so many hours after the last commit.
fn promote(past: &Past, hours: i64, more: &[&str]) -> Run {
    let mut command = cli::command(&past.path);
    command.args(["promote", "prod", "--commit", "--dry-run", "--format", "json"]).args(more);
    command.env("SOURCE_DATE_EPOCH", (past.now() + hours * HOUR).to_string());
    Run::of(&command.output().unwrap())
}

#[track_caller]
fn promotes(past: &Past, hours: i64, tag: &str) -> Value {
    let told = ended(&promote(past, hours, &[]), 0, "planned");
    assert_eq!(told["changes"][0]["to"], tag, "{told}");
    told
}

#[track_caller]
fn is_soaking(past: &Past, hours: i64) -> Value {
    ended(&promote(past, hours, &["--if-held", "skip"]), 0, "held")
}

#[test]
fn tag_is_promoted_once_it_has_run_long_enough() {
    let past = past();
    promotes(&past, 0, "v1");
    stage(&past, "v2");
    promotes(&past, 11, "v1");
    promotes(&past, 12, "v2");
    let now = ended(&promote(&past, 0, &["--soak", "0"]), 0, "planned");
    assert_eq!(now["changes"][0]["to"], "v2", "{now}");
    let long = ended(&promote(&past, 0, &["--soak", "30d", "--if-held", "skip"]), 0, "held");
    assert!(long["notices"].to_string().contains("no tag has run in staging for 30d"), "{long}");
}

/// Somebody promoted v2 in a hurry. It is newer than what has soaked, so production doesn't go back.
#[test]
fn production_stays_when_it_runs_what_staging_got_later() {
    let past = past();
    stage(&past, "v2");
    past.puts("Ada", PROD, &at("v2"), API, "v2");
    let told = is_soaking(&past, 1);
    let detail = told["skipped"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, "stays at v2, because staging got it after v1, the newest that has run there for 12h");
}

/// A digest is another image, even behind the same tag.
#[test]
fn digest_that_has_not_soaked_stays_behind() {
    let past = past();
    let digest = format!("v1@sha256:{}", "1".repeat(64));
    stage(&past, &digest);
    promotes(&past, 1, "v1");
    promotes(&past, 12, &digest);
}

#[test]
fn nothing_is_promoted_before_something_has_soaked() {
    let past = Past::new();
    past.puts("Ada", "tagbump.yaml", CONFIG, "none", "x");
    past.puts("Ada", PROD, &at("v0"), API, "v0");
    stage(&past, "v1");
    let told = is_soaking(&past, 3);
    let skipped = &told["skipped"][0];
    assert_eq!((&skipped["file"], &skipped["line"]), (&PROD.into(), &5.into()));
    assert_eq!((&skipped["image"], &skipped["reason"]), (&API.into(), &"soaking".into()));
    let detail = skipped["detail"].as_str().unwrap();
    assert_eq!(detail, "stays at v0, because no tag has run in staging for 12h; v1 runs there now");
    let late = ended(&promote(&past, 3, &[]), 4, "held");
    assert!(late["error"]["hint"].as_str().unwrap().contains("--soak 0"), "{late}");
    let mut in_actions = cli::command(&past.path);
    in_actions.args(["promote", "prod", "--commit", "--format", "json"]).env("GITHUB_ACTIONS", "true");
    in_actions.env("SOURCE_DATE_EPOCH", (past.now() + HOUR).to_string());
    ended(&Run::of(&in_actions.output().unwrap()), 0, "held");
}

#[test]
fn tag_that_tagbump_rolled_back_never_counts() {
    let past = past();
    stage(&past, "v2");
    past.wait(72 * HOUR);
    promotes(&past, 0, "v2");
    let mut back = cli::command(&past.path);
    back.args(["rollback", API, "--env", "staging", "--commit", "--format", "json"]);
    ended(&Run::of(&past.by("Ada", &mut back).output().unwrap()), 0, "committed");
    promotes(&past, 1, "v1");
    // the next bump stands above the rollback
    past.wait(HOUR);
    stage(&past, "v3");
    promotes(&past, 1, "v1");
}

#[test]
fn tag_that_was_rolled_back_by_hand_never_counts() {
    let past = past();
    stage(&past, "v2");
    past.wait(72 * HOUR);
    stage(&past, "v1");
    past.wait(HOUR);
    stage(&past, "v3");
    promotes(&past, 1, "v1");
}

#[test]
fn commit_that_is_dated_back_does_not_count() {
    let past = past();
    past.puts("Ada", "README.md", "w\n", "none", "x");
    past.wait(-40 * HOUR);
    stage(&past, "v2");
    past.wait(40 * HOUR);
    promotes(&past, 1, "v1");
    // nor once there are other commits on top of it
    past.puts("Ada", "README.md", "x\n", "none", "x");
    promotes(&past, 1, "v1");
}

#[test]
fn commit_that_is_dated_ahead_does_not_count() {
    let past = past();
    past.wait(40 * HOUR);
    stage(&past, "v2");
    past.wait(-40 * HOUR);
    promotes(&past, 1, "v1");
}

/// Clocks differ by minutes: then the commit counts as just as old as the one before it.
#[test]
fn commit_that_is_a_little_older_than_its_parent_counts_from_there() {
    let past = past();
    past.puts("Ada", "README.md", "w\n", "none", "x");
    past.wait(-HOUR - 300);
    stage(&past, "v2");
    past.wait(300);
    promotes(&past, 11, "v1");
    promotes(&past, 12, "v2");
}

/// The commits of a branch may be days old when it is merged.
#[test]
fn merge_counts_and_not_the_commit_that_it_brings() {
    let past = past();
    past.git("Ada", &["checkout", "--quiet", "-b", "change"]);
    stage(&past, "v2");
    past.git("Ada", &["checkout", "--quiet", "-"]);
    past.wait(48 * HOUR);
    past.puts("Ada", "README.md", "x\n", "none", "x");
    past.git("Ada", &["merge", "--quiet", "--no-ff", "--no-edit", "change"]);
    promotes(&past, 1, "v1");
    promotes(&past, 12, "v2");
}

#[test]
fn shallow_history_shows_no_soaking() {
    let past = past();
    let parent = past.path.parent().unwrap();
    let source = format!("file://{}", past.path.display());
    past.git("Ada", &["clone", "--quiet", "--depth", "1", &source, parent.join("shallow").to_str().unwrap()]);
    let shallow = Past::of(parent.join("shallow"));
    let mut command = cli::command(&shallow.path);
    command.args(["promote", "prod", "-n", "--commit", "--if-held", "skip", "--format", "json"]);
    command.env("SOURCE_DATE_EPOCH", past.now().to_string());
    ended(&Run::of(&command.output().unwrap()), 0, "held");
}

/// The commit names the source of the version that it sets, not of the one that runs in staging now.
#[test]
fn older_version_keeps_its_own_source() {
    let past = Past::new();
    past.puts("Ada", "tagbump.yaml", CONFIG, "none", "x");
    past.puts("Ada", PROD, &at("v0"), API, "v0");
    for (tag, digit) in [("v1", "1"), ("v2", "2")] {
        past.write(STAGING, &at(tag));
        let source = digit.repeat(40);
        past.commit("Ada", &format!("x\n\nTagbump-Image: {API}:{tag}\nTagbump-Source: acme/api@{source}"));
        past.wait(13 * HOUR);
    }
    past.wait(-10 * HOUR);
    let mut command = cli::command(&past.path);
    command.args(["promote", "prod", "--commit", "--format", "json"]);
    command.env("SOURCE_DATE_EPOCH", past.now().to_string());
    ended(&Run::of(&past.by("Ada", &mut command).output().unwrap()), 0, "committed");
    let message = past.git("x", &["log", "-1", "--format=%B"]);
    assert!(message.contains(&format!("Tagbump-Source: acme/api@{}", "1".repeat(40))), "{message}");
    assert!(message.contains("Tagbump-Promoted-From: staging@"), "{message}");
}

#[test]
fn tag_that_ran_is_promoted_with_text_behind_its_variable() {
    let past = Past::new();
    let image = |tag: &str| format!("services:\n  api:\n    image: {API}:{tag}\n");
    past.write("staging/compose.yaml", &image("${V}-ad"));
    past.write("prod/compose.yaml", &image("v1-ad"));
    past.write("tagbump.yaml", &CONFIG.replace("envs/", ""));
    for tag in ["v5", "v6", "v7"] {
        past.wait(72 * HOUR);
        past.write("staging/.env", &format!("V={tag}\n"));
        past.commit("Ada", tag);
    }
    promotes(&past, 2, "v6-ad");
}
