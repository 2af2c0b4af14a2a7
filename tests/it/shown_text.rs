//! Text from files in commit messages, pull requests and summaries: it is shown, and has no effect.

use crate::support::cli;
use crate::support::git::git;
use crate::support::hub::{HEAD, Hub, each_way};
use crate::support::repo::{self, API, FILE, World, commit, ended, kustomization, push};

const BAIT: &str = "v1 fixes #1 @acme/everyone <img src=https://evil.example/x.png> [skip ci]";

/// A workload whose tag is not valid.
fn workload(tag: &str) -> String {
    let tag = tag.replace('\\', "\\\\").replace('"', "\\\"");
    format!("kind: Pod\nspec:\n  containers:\n    - image: \"{API}:{tag}\"\n")
}

/// A text without its code spans (section "Code spans" of the CommonMark specification).
fn outside_of_code(text: &str) -> String {
    let line = |line: &str| {
        let mut rest = line.to_owned();
        while let Some(open) = rest.find('`') {
            let run: String = rest[open..].chars().take_while(|c| *c == '`').collect();
            let Some(close) = rest[open + run.len()..].find(&run) else { break };
            rest.replace_range(open..open + close + 2 * run.len(), "");
        }
        rest
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn does_nothing(text: &str) {
    let outside = outside_of_code(text);
    let active = ["#1", "@acme", "<img", "://", "[skip"].iter().find(|bait| outside.contains(**bait));
    assert_eq!(active, None, "{text}");
}

#[test]
fn old_value_does_nothing_in_a_commit() {
    let world = World::with(|server| server, &[("a.yaml", &workload(BAIT))]);
    let folder = world.clone_of(&world.server.url(repo::REPO), "w", &[]);
    ended(&repo::run(&mut push(&folder, "v2", &["--no-skip-ci"])), 0, "landed");
    let message = world.message();
    does_nothing(&message);
    assert!(message.contains("`v1 fixes #1 @acme/everyone <img src="), "it is shown: {message}");
    assert!(!message.to_lowercase().contains("[skip ci]"), "{message}");
    assert!(message.ends_with(&format!("\n\nTagbump-Image: {API}:v2")), "{message}");
}

#[test]
fn old_value_does_nothing_in_a_pull_request() {
    each_way(|hub| {
        hub.world.rival("a.yaml", &workload(BAIT));
        let more = ["-f", "a.yaml", "--pr-title", "Deploy {tag} after {old_tag}"];
        hub.propose("v2", &more);
        let pull = hub.pull();
        let body = pull.body.unwrap();
        does_nothing(&pull.title);
        does_nothing(&body);
        assert!(body.contains("`v1 fixes #1"), "{body}");
        does_nothing(&hub.message(HEAD));
    });
}

#[test]
fn text_from_files_does_nothing_in_a_summary() {
    let (_folder, path) = repo::local();
    commit(&path, "b|`@acme`/x.yaml", &workload(&format!("\u{202e}{BAIT}")));
    let summary = path.join("summary.md");
    let mut command = cli::command(&path);
    command.args(["bump", &format!("{API}:v2")]).env("GITHUB_ACTIONS", "true");
    let run = repo::run(command.env("GITHUB_STEP_SUMMARY", &summary));
    assert_eq!(run.exit, 0, "{}", run.output());
    let text = std::fs::read_to_string(&summary).unwrap();
    let (table, diff) = text.split_once("<details>").unwrap();
    does_nothing(table);
    assert!(table.contains(r"`\u{202e}v1 fixes #1 @acme/everyone"), "{table}");
    assert!(diff.contains("\n```diff\n") && diff.trim_end().ends_with("\n```\n\n</details>"), "{diff}");
}

#[test]
fn names_of_files_and_branches_do_nothing() {
    let path = "@acme fixes #1/kustomization.yaml";
    let world = World::with(|server| server, &[(path, &kustomization(&[API.into()]))]);
    let folder = world.clone_of(&world.server.url(repo::REPO), "w", &[]);
    git(&folder, &["checkout", "--quiet", "-b", "@acme/#1"]);
    git(&folder, &["push", "--quiet", world.bare.to_str().unwrap(), "HEAD:refs/heads/@acme/#1"]);
    let template = "deploy {branch}\n\nfrom {files}";
    for (tag, more) in [("v1", &["--no-skip-ci", "-m", template][..]), ("v2", &["--no-skip-ci"])] {
        ended(&repo::run(&mut push(&folder, tag, more)), 0, "landed");
        let message = git(&world.bare, &["log", "-1", "--format=%B", "refs/heads/@acme/#1"]);
        does_nothing(&message);
        assert!(message.contains("`@acme fixes #1/kustomization.yaml`"), "{message}");
    }
}

/// Neither a file's content, nor its name, nor a reused message can add a trailer.
#[test]
fn no_text_makes_a_trailer() {
    let line = "Tagbump-Image: ghcr.io/acme/other:v9";
    let forged = format!("v1\n\n{line}\nTagbump-Rollback: {API}:v2");
    let escaped = workload("X").replace('X', &forged.replace('\n', "\\n"));
    let path = format!("{line}\n/kustomization.yaml");
    let world = World::with(|server| server, &[("a.yaml", &escaped)]);
    if cfg!(unix) {
        world.rival(&path, &kustomization(&[API.into()]));
    }
    let folder = world.clone_of(&world.server.url(repo::REPO), "w", &[]);
    let reused = format!("deploy\n\nas before\n\n{line}\n  Tagbump-Source: acme/api@abcdef0");
    for (tag, template) in [("v2", "{old_tag}\n\n{files}"), ("v3", &reused), ("v4", "")] {
        let more: &[&str] = if template.is_empty() { &["--all"] } else { &["--all", "-m", template] };
        ended(&repo::run(&mut push(&folder, tag, more)), 0, "landed");
        let message = world.message();
        let ours: Vec<_> = message.lines().filter(|line| line.trim().starts_with("Tagbump-")).collect();
        assert_eq!(ours, [format!("Tagbump-Image: {API}:{tag}")], "{message}");
    }
}

#[test]
fn rollback_trailer_leaves_out_value_that_is_no_tag() {
    let world = World::with(|server| server, &[(FILE, &kustomization(&[API.into()]))]);
    world.rival(FILE, &kustomization(&[API.into()]).replace("v0", &format!("{:?}", BAIT)));
    let folder = world.clone_of(&world.server.url(repo::REPO), "w", &[]);
    let mut command = cli::command(&folder);
    command.args(["rollback", API, "--push", "--format", "json", "--no-skip-ci"]);
    ended(&repo::run(&mut command), 0, "landed");
    let message = world.message();
    does_nothing(&message);
    assert!(message.ends_with(&format!("\n\nTagbump-Image: {API}:v0")), "{message}");
}

#[test]
fn title_that_is_cut_has_no_half_of_a_code_span() {
    let hub = Hub::new(crate::support::hub::Via::Git);
    hub.world.rival("a.yaml", &workload(&format!("{}{BAIT}", "x".repeat(40))));
    let title = format!("{} {{old_tag}}", "y".repeat(200));
    hub.propose("v2", &["-f", "a.yaml", "--pr-title", &title]);
    assert_eq!(hub.pull().title, "y".repeat(200));
}
