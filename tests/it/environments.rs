//! `--env`: history and rollbacks of one environment. `fixtures/environments` has the bumps.

use crate::support::cli::{self, Run};
use crate::support::files::write;
use crate::support::past::{Past, tags};
use crate::support::repo::{API, ended, failed};

const CONFIG: &str = "environments:
  staging: { files: [envs/staging] }
  prod: { files: [envs/prod], from: staging }
";
const STAGING: &str = "envs/staging/api.yaml";
const PROD: &str = "envs/prod/api.yaml";

fn at(tag: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {API}:{tag}\n")
}

/// Staging had v1, v2 and v3, production v0 and v1.
fn past() -> Past {
    let past = Past::new();
    past.puts("Ada", "tagbump.yaml", CONFIG, "none", "x");
    for (file, tag) in [(STAGING, "v1"), (PROD, "v0"), (STAGING, "v2"), (PROD, "v1"), (STAGING, "v3")] {
        past.puts("Ada", file, &at(tag), API, tag);
    }
    past
}

fn rollback(past: &Past, arguments: &[&str]) -> Run {
    let mut command = cli::command(&past.path);
    command.arg("rollback").args(arguments).args(["--format", "json"]);
    Run::of(&command.output().unwrap())
}

#[test]
fn history_lists_one_environment() {
    let past = past();
    assert_eq!(tags(&past.told(&[API, "--env", "prod"])), ["v1", "v0"]);
    assert_eq!(tags(&past.told(&[API, "--env", "staging"])), ["v3", "v2", "v1"]);
    assert_eq!(tags(&past.told(&[API])).len(), 5, "all environments");
    let run = past.history(&[API, "--env", "live"]);
    assert!(run.stderr.contains("there is no environment live"), "{}", run.output());
}

#[test]
fn rollback_sets_one_environment() {
    let past = past();
    ended(&rollback(&past, &[API, "--env", "prod"]), 0, "edited");
    assert_eq!((past.read(PROD), past.read(STAGING)), (at("v0"), at("v3")));
}

/// Production changes only by its name.
#[test]
fn bare_rollback_leaves_environment_with_from() {
    for all in [&[][..], &["--all"]] {
        let past = past();
        let told = ended(&rollback(&past, &[&[API], all].concat()), 0, "edited");
        assert_eq!((past.read(PROD), past.read(STAGING)), (at("v1"), at("v2")));
        assert!(told["notices"].to_string().contains("left environment prod unchanged"), "{told}");
    }
}

#[test]
fn rollback_of_environment_without_the_image_fails() {
    let past = past();
    past.puts("Ada", PROD, "kind: Pod\n", "none", "x");
    let error = failed(&rollback(&past, &[API, "--env", "prod"]), 3);
    assert!(error.to_string().contains("environment prod doesn't run ghcr.io/acme/api"), "{error}");
}

#[test]
fn error_names_only_environments_that_the_files_of_a_service_reach() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "services:\n  api-stg: {{ image: {API}, files: [envs/stg] }}\nenvironments:\n  dev: {{ files: [envs/dev] }}\n  \
         stg: {{ files: [envs/stg], from: dev }}\n  prod: {{ files: [envs/prod], from: stg }}\n"
    );
    write(folder.path(), "tagbump.yaml", &config);
    for env in ["dev", "stg", "prod"] {
        write(folder.path(), &format!("envs/{env}/api.yaml"), &at("v1"));
    }
    let said = failed(&cli::tagbump(folder.path(), &["bump", "api-stg:v9", "--format", "json"]), 3);
    assert!(said.contains("service api-stg has files only in environments that take their tags"), "{said}");
    assert!(
        said.contains("tagbump promote stg, or set it with --env stg") && !said.contains("prod"),
        "{said}"
    );
}

#[test]
fn environment_variable_selects_the_environment() {
    let past = past();
    let mut command = cli::command(&past.path);
    let run = command.args(["bump", &format!("{API}:v9")]).env("TAGBUMP_ENV", "prod").output().unwrap();
    assert!(run.status.success(), "{}", Run::of(&run).output());
    assert_eq!((past.read(PROD), past.read(STAGING)), (at("v9"), at("v3")));
}
