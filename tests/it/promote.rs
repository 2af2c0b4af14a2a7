//! `tagbump promote --push`: production gets what staging runs, whoever pushes in the meantime.
//!
//! `fixtures/promotion` has what is copied, `promote_soak` what has run long enough.

use std::process::Command;

use serde_json::Value;

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::mono::{Mono, notices};
use crate::support::repo::{self, API, ended, failed, rival};

const WEB: &str = "ghcr.io/acme/web";
const STAGING: &str = "envs/staging/kustomization.yaml";
const PROD: &str = "envs/prod/kustomization.yaml";
const CONFIG: &str = "services:
  api: { image: ghcr.io/acme/api, files: [envs] }
  web: { image: ghcr.io/acme/web, files: [envs] }
environments:
  staging: { files: [envs/staging] }
  prod: { files: [envs/prod], from: staging }
";

fn at(api: &str, web: &str) -> String {
    let entry = |image: &str, tag: &str| format!("- name: {image}\n  newTag: \"{tag}\"\n");
    let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n";
    format!("{head}{}{}", entry(API, api), entry(WEB, web))
}

/// `count` builds; both environments run v0 of both images.
fn world(count: usize) -> Mono {
    let mono = Mono::new(count);
    for (path, text) in [("tagbump.yaml", CONFIG), (STAGING, &at("v0", "v0")), (PROD, &at("v0", "v0"))] {
        mono.world.rival(path, text);
    }
    mono
}

/// The job of a build sets the api image in an environment.
fn bump(mono: &Mono, nth: usize, env: &str) -> Run {
    let run = repo::run(&mut mono.job(&mono.builds[nth], &["--env", env]));
    ended(&run, 0, "landed");
    run
}

fn command(mono: &Mono, more: &[&str]) -> Command {
    let folder = mono.checkout(&format!("p-{}", fastrand::u32(..)), &mono.world.tip());
    let mut command = cli::command(&folder);
    command.args(["promote", "prod", "--push", "--format", "json"]).args(more);
    command
}

fn promote(mono: &Mono, more: &[&str]) -> Run {
    repo::run(&mut command(mono, more))
}

/// In a workflow that someone starts, on the newest commit: it has nothing to do with the images.
fn promote_in_actions(mono: &Mono) -> Run {
    let mut command = command(mono, &[]);
    let tip = mono.world.tip();
    repo::run(repo::actions(&mut command, "acme/gitops", &tip))
}

fn tags(mono: &Mono, path: &str) -> Vec<String> {
    let text = mono.world.file(path);
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("newTag: "));
    lines.map(|tag| tag.trim_matches('"').to_owned()).collect()
}

fn paragraph<'m>(message: &'m str, image: &str) -> &'m str {
    let is_its = |part: &&str| part.contains(&format!("Tagbump-Image: {image}:"));
    message.split("\n\n").find(is_its).unwrap_or_else(|| panic!("{message}"))
}

#[test]
fn promotion_keeps_source_and_names_where_it_is_from() {
    let mono = world(2);
    bump(&mono, 1, "staging");
    let tip = mono.world.tip();
    let told = ended(&promote_in_actions(&mono), 0, "landed");
    assert_eq!(tags(&mono, PROD), [&mono.builds[1][..7], "v0"]);
    assert_eq!(told["promoted_from"], serde_json::json!({ "env": "staging", "commit": tip }));
    assert_eq!(mono.world.last("%P"), tip);
    let (message, tag) = (mono.world.message(), &mono.builds[1][..7]);
    let trailers = format!(
        "Tagbump-Image: {API}:{tag}\nTagbump-Source: acme/gitops@{}\nTagbump-Promoted-From: staging@{tip}",
        mono.builds[1]
    );
    assert_eq!(message.trim_end().rsplit("\n\n").next(), Some(trailers.as_str()), "{message}");
    assert!(message.starts_with(&format!("chore: update api image to {tag}")), "{message}");
    ended(&promote_in_actions(&mono), 0, "already");
}

/// The build of the workflow that promotes is not the one that is promoted: its commit is no source.
#[test]
fn commit_of_the_workflow_is_no_source() {
    let mono = world(1);
    mono.world.rival(STAGING, &at("v1", "v0"));
    let told = ended(&promote_in_actions(&mono), 0, "landed");
    assert!(!mono.world.message().contains("Tagbump-Source"), "{}", mono.world.message());
    assert!(notices(&told).contains("the source commit of this build is unknown"), "{told}");
}

#[test]
fn promotion_reads_staging_again_when_it_moved_before_the_push() {
    let mono = world(3);
    bump(&mono, 1, "staging");
    let (bare, next) = (mono.world.bare.clone(), at(&mono.builds[2][..7], "v5"));
    mono.world.server.before_receive(move || drop(rival(&bare, STAGING, &next)));
    let told = ended(&promote(&mono, &[]), 0, "landed");
    assert_eq!((&told["attempts"], tags(&mono, PROD)), (&2.into(), tags(&mono, STAGING)));
    assert_eq!(tags(&mono, PROD), [&mono.builds[2][..7], "v5"]);
    let parent = mono.world.last("%P");
    assert_eq!(told["promoted_from"]["commit"], parent.as_str(), "the commit in which staging was read");
    assert!(mono.world.message().contains(&format!("staging@{parent}")), "{}", mono.world.message());
}

#[test]
fn newer_hot_fix_in_production_stays() {
    let mono = world(2);
    bump(&mono, 0, "staging");
    bump(&mono, 1, "prod");
    let told = ended(&promote_in_actions(&mono), 0, "superseded");
    assert_eq!(told["skipped"][0]["reason"], "superseded");
    assert!(notices(&told).contains("which is newer"), "{told}");
    assert_eq!(tags(&mono, PROD), [&mono.builds[1][..7], "v0"]);
    let folder = mono.checkout("table", &mono.world.tip());
    let mut table = cli::command(&folder);
    let table = repo::run(table.args(["promote", "prod", "--push", "-n", "--if-older", "skip"]));
    let row = format!("api      {}   stays (superseded)  ", &mono.builds[1][..7]);
    assert!(table.stdout.contains(&row), "{}", table.output());
    ended(&promote(&mono, &[]), 4, "superseded");
    ended(&promote(&mono, &["--if-older", "write"]), 0, "landed");
    assert_eq!(tags(&mono, PROD), [&mono.builds[0][..7], "v0"]);
}

#[test]
fn tag_that_was_rolled_back_in_production_is_superseded_and_a_newer_one_lands() {
    let mono = world(3);
    for nth in [0, 1] {
        bump(&mono, nth, "staging");
        ended(&promote_in_actions(&mono), 0, "landed");
    }
    let folder = mono.checkout("back", &mono.world.tip());
    let mut back = cli::command(&folder);
    back.args(["rollback", "api", "--env", "prod", "--push", "--format", "json"]);
    ended(&repo::run(&mut back), 0, "landed");
    assert_eq!(tags(&mono, PROD), [&mono.builds[0][..7], "v0"]);
    assert_eq!(tags(&mono, STAGING), [&mono.builds[1][..7], "v0"], "the rollback is for production alone");
    let told = ended(&promote_in_actions(&mono), 0, "superseded");
    assert!(notices(&told).contains("was rolled back"), "{told}");
    bump(&mono, 2, "staging");
    ended(&promote_in_actions(&mono), 0, "landed");
    assert_eq!(tags(&mono, PROD), [&mono.builds[2][..7], "v0"]);
}

/// A commit of staging that sets both images, each built from its own repository.
fn sets_both(mono: &Mono, api: &str, web: &str) {
    let work = mono.sources();
    repo::write(&work, STAGING, &at(&api[..7], &web[..7]));
    let message = format!(
        "Deploy\n\nTagbump-Image: {API}:{}\nTagbump-Source: acme/gitops@{api}\n\n\
         Tagbump-Image: {WEB}:{}\nTagbump-Source: acme/web@{web}\n",
        &api[..7],
        &web[..7]
    );
    git(&work, &["commit", "--quiet", "--all", "--message", &message]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    std::fs::remove_dir_all(&work).unwrap();
}

#[test]
fn each_service_keeps_its_own_source() {
    let mono = world(2);
    let web = "5".repeat(40);
    sets_both(&mono, &mono.builds[1], &web);
    ended(&promote_in_actions(&mono), 0, "landed");
    let message = mono.world.message();
    let (of_api, of_web) = (paragraph(&message, API), paragraph(&message, WEB));
    assert!(of_api.contains(&format!("Tagbump-Source: acme/gitops@{}", mono.builds[1])), "{message}");
    assert!(of_web.contains(&format!("Tagbump-Source: acme/web@{web}")), "{message}");
    assert!(!of_api.contains("acme/web@") && !of_web.contains("acme/gitops@"), "{message}");
    for part in [of_api, of_web] {
        assert!(part.contains("\nTagbump-Promoted-From: staging@"), "{message}");
    }
    // an older build of the api is late; nothing is known of the order in the other repository
    sets_both(&mono, &mono.builds[0], &"6".repeat(40));
    let told = ended(&promote_in_actions(&mono), 0, "landed");
    assert_eq!(tags(&mono, PROD), [&mono.builds[1][..7], "6666666"]);
    assert_eq!((&told["skipped"][0]["image"], &told["skipped"][1]), (&API.into(), &Value::Null));
    assert!(notices(&told).contains(&format!("{WEB}: can't determine whether 5555555 is newer")), "{told}");
    let message = mono.world.message();
    assert!(!message.contains(API) && message.contains(&format!("acme/web@{}", "6".repeat(40))), "{message}");
}

#[test]
fn two_tags_in_staging_are_an_error() {
    let mono = world(1);
    mono.world.rival("envs/staging/eu/kustomization.yaml", &at("v7", "v0"));
    let error = failed(&promote(&mono, &["api"]), 3);
    assert!(
        error.contains("staging runs different tags of ghcr.io/acme/api; nothing was written"),
        "{error}"
    );
    assert!(error.contains(&format!("\n  {STAGING}:5:11  v0\n")), "{error}");
    ended(&promote(&mono, &["web"]), 0, "already");
}

#[test]
fn named_services_are_promoted_alone() {
    let mono = world(1);
    mono.world.rival(STAGING, &at("v1", "v2"));
    let told = ended(&promote(&mono, &["web"]), 0, "landed");
    assert_eq!((tags(&mono, PROD), &told["tag"]), (vec!["v0".to_owned(), "v2".to_owned()], &"v2".into()));
}

#[test]
fn image_that_staging_lacks_is_to_be_bumped_there_first() {
    let mono = world(1);
    let only_api = format!("images:\n- name: {API}\n  newTag: v0\n");
    mono.world.rival(STAGING, &only_api);
    let error = failed(&promote(&mono, &["web"]), 3);
    assert!(error.contains("environment staging doesn't run"), "{error}");
    assert!(error.contains("staging doesn't run it: bump it there first"), "{error}");
}

#[test]
fn dry_run_shows_table_and_moves_nothing() {
    let mono = world(3);
    bump(&mono, 0, "prod");
    bump(&mono, 2, "staging");
    let tip = mono.world.tip();
    let folder = mono.checkout("table", &tip);
    // the commits between are counted in the history that is there
    git(&folder, &["fetch", "--quiet", "--unshallow", mono.world.bare.to_str().unwrap(), "main"]);
    let mut command = cli::command(&folder);
    let run = repo::run(command.args(["promote", "prod", "--push", "--dry-run"]));
    let rows: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .take(3)
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(
        rows[0].iter().map(|cell| cell.trim()).collect::<Vec<_>>(),
        ["service", "prod now", "would become", "in staging since", "commits between"]
    );
    let (now, next) = (&mono.builds[0][..7], &mono.builds[2][..7]);
    let api: Vec<&str> = rows[1].iter().map(|cell| cell.trim()).collect();
    assert_eq!((api[0], api[1], api[2], api[4]), ("api", now, next, "2"), "{}", run.output());
    let since = mono.world.last("%cd").len();
    assert!(since > 0 && api[3].ends_with('Z'), "{}", run.output());
    let web: Vec<&str> = rows[2].iter().map(|cell| cell.trim()).collect();
    assert_eq!((web[0], web[1], web[2], web[4]), ("web", "v0", "v0", "-"), "{}", run.output());
    assert!(run.stdout.contains(&format!("+  newTag: \"{next}\"")), "{}", run.output());
    assert_eq!((run.exit, mono.world.tip()), (0, tip));
}

#[test]
fn promotion_lands_without_checkout() {
    let mono = world(1);
    bump(&mono, 0, "staging");
    let folder = mono.world.path().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let mut command = cli::command(&folder);
    command.args(["promote", "prod", "-C", &mono.world.url(), "--push", "--format", "json"]);
    ended(&repo::run(command.args(["--author", "Ada <ada@example.com>"])), 0, "landed");
    assert_eq!(tags(&mono, PROD), [&mono.builds[0][..7], "v0"]);
    assert!(mono.world.message().contains(&format!("@{}", mono.builds[0])), "{}", mono.world.message());
}
