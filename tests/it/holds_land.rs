//! Holds on a remote branch: they land as bumps do, and bind every bump that lands after them.

use std::process::Command;

use serde_json::Value;

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::hub::Hub;
use crate::support::repo::{
    self, API, FILE, PASSWORD, USER, World, ended, failed, kustomization, push, run_together,
};

const WEB: &str = "ghcr.io/acme/web";
const HOLDS: &str = "tagbump-holds.yaml";

fn world() -> World {
    World::with(
        |server| server.basic_auth(USER, PASSWORD),
        &[(FILE, &kustomization(&[API.to_owned(), WEB.to_owned()]))],
    )
}

/// A `hold` or `unhold` that lands.
fn land(world: &World, name: &str, arguments: &[&str]) -> Run {
    let mut command = cli::command(&world.shallow(name));
    repo::run(command.args(arguments).args(["--push", "--format", "json"]))
}

fn entry(image: &str) -> String {
    format!("holds:\n- image: {image}\n  reason: incident 42\n  by: ada\n")
}

fn skipped(json: &Value) -> &Value {
    assert_eq!(json["skipped"].as_array().unwrap().len(), 1, "{json}");
    &json["skipped"][0]
}

#[test]
fn hold_lands_and_binds_the_next_bump() {
    let world = world();
    let done = land(&world, "w1", &["hold", API, "--reason", "incident 42", "--until", "8h"]);
    let commit = ended(&done, 0, "landed")["commit"].as_str().unwrap().to_owned();
    let message = world.message();
    assert!(
        message.starts_with("chore: hold api image [skip ci]\n\nghcr.io/acme/api: `incident 42`"),
        "{message}"
    );
    assert!(world.file(HOLDS).contains("by: Ada"), "{}", world.file(HOLDS));
    // a commit in between, so that the warning must look for the one with the hold
    world.rival("README.md", "x\n");
    let mut skips = push(&world.full("w2"), "v1", &["--if-held", "skip"]);
    let json = ended(&repo::run(&mut skips), 0, "held");
    let detail = skipped(&json)["detail"].as_str().unwrap();
    assert!(detail.starts_with("stays at v0, held by Ada until 2"), "{detail}");
    assert!(detail.ends_with(&format!(": incident 42 (commit {})", &commit[..10])), "{detail}");
    ended(&repo::run(&mut push(&world.shallow("w3"), "v1", &[])), 4, "held");
    assert!(world.file(FILE).contains("newTag: v0 # by CI"));
    let write =
        ended(&repo::run(&mut push(&world.shallow("w4"), "v1", &["--if-held", "write"])), 0, "landed");
    assert_eq!(write["skipped"], Value::Array(Vec::new()));
    assert!(world.message().contains("\nTagbump-Hold-Overridden: ghcr.io/acme/api"), "{}", world.message());
    ended(&land(&world, "w5", &["unhold", API]), 0, "landed");
    assert!(world.message().starts_with("chore: unhold api image"), "{}", world.message());
    ended(&repo::run(&mut push(&world.shallow("w6"), "v2", &[])), 0, "landed");
}

#[test]
fn broken_file_that_is_overridden_is_recorded() {
    let world = world();
    world.rival(HOLDS, "holds: [\n");
    assert!(failed(&repo::run(&mut push(&world.shallow("w1"), "v1", &[])), 2).contains(HOLDS));
    ended(&repo::run(&mut push(&world.shallow("w2"), "v1", &["--if-held", "write"])), 0, "landed");
    assert!(world.message().contains("\nTagbump-Hold-Overridden: tagbump-holds.yaml"), "{}", world.message());
}

#[test]
fn bump_after_a_partial_hold_sets_the_rest() {
    let world = world();
    world.rival(HOLDS, &entry(API));
    let mut both = cli::command(&world.shallow("w"));
    both.args(["bump", &format!("{API}:v1"), &format!("{WEB}:v1"), "--push", "--if-held", "skip"]);
    let json = ended(&repo::run(both.args(["--format", "json"])), 0, "landed");
    assert_eq!(skipped(&json)["image"], API);
    let file = world.file(FILE);
    assert_eq!((file.matches("newTag: v0").count(), file.matches("newTag: v1").count()), (1, 1), "{file}");
    assert!(world.message().starts_with("chore: update web image to v1"), "{}", world.message());
}

#[test]
fn rollback_of_a_held_image_fails_unless_told_otherwise() {
    let world = world();
    ended(&repo::run(&mut push(&world.shallow("w1"), "v1", &[])), 0, "landed");
    world.rival(HOLDS, &entry(API));
    let tip = world.tip();
    let rollback = |name: &str, more: &[&str]| {
        let mut command = cli::command(&world.full(name));
        command.args(["rollback", API, "--push", "--format", "json"]).args(more);
        // as a runner, where a bump would skip
        repo::run(repo::actions(&mut command, "acme/gitops", &tip))
    };
    let failure = rollback("w2", &[]);
    assert_eq!((failure.exit, &repo::json(&failure)["outcome"]), (4, &"held".into()), "{failure:?}");
    assert_eq!(world.tip(), tip);
    ended(&rollback("w3", &["--if-held", "skip"]), 0, "held");
    ended(&rollback("w4", &["--if-held", "write"]), 0, "landed");
    assert!(world.file(FILE).contains("newTag: v0 # by CI"), "{}", world.file(FILE));
    assert!(world.message().contains("Tagbump-Hold-Overridden: ghcr.io/acme/api"), "{}", world.message());
}

#[test]
fn hold_that_lands_between_two_attempts_binds_the_second() {
    let world = world();
    let bare = world.bare.clone();
    world.server.before_receive(move || drop(repo::rival(&bare, HOLDS, &entry(API))));
    let json = ended(&repo::run(&mut push(&world.shallow("w"), "v1", &["--if-held", "skip"])), 0, "held");
    assert_eq!((&json["attempts"], skipped(&json)["reason"].as_str()), (&1.into(), Some("held")));
    assert_eq!(after_hold(&world), Vec::<String>::new());
}

/// The commits on main after the one that added the hold.
fn after_hold(world: &World) -> Vec<String> {
    let hold = git(&world.bare, &["log", "--format=%H", "--diff-filter=A", "main", "--", HOLDS]);
    let later = git(&world.bare, &["log", "--format=%s", &format!("{hold}..main")]);
    later.lines().map(str::to_owned).collect()
}

#[test]
fn no_bump_of_a_held_image_lands_after_the_hold_while_sixteen_builds_race() {
    let world = world();
    let bump = |nth: usize| -> Command {
        let image = if nth.is_multiple_of(4) { WEB } else { API };
        let mut command = cli::command(&world.shallow(&format!("w{nth}")));
        command.args(["bump", &format!("{image}:main-{nth:07x}"), "--push", "--format", "json"]);
        command.args(["--if-held", "skip", "--if-older", "write"]);
        command
    };
    let mut runs: Vec<Command> = (0..16).map(bump).collect();
    let mut hold = cli::command(&world.shallow("hold"));
    hold.args(["hold", API, "--reason", "incident 42", "--push", "--format", "json"]);
    runs.insert(3, hold);
    let mut ends = run_together(runs);
    ended(&ends.remove(3), 0, "landed");
    for (nth, run) in ends.iter().enumerate() {
        let outcome = repo::json(run)["outcome"].clone();
        let is_fine = outcome == "landed" || (!nth.is_multiple_of(4) && outcome == "held");
        assert!(run.exit == 0 && is_fine, "{run:?}");
    }
    let later = after_hold(&world);
    assert!(later.iter().all(|subject| subject.contains(" web image ")), "{later:?}");
    let landed = git(&world.bare, &["log", "--format=%s", "main"]);
    let held = ends.iter().filter(|run| repo::json(run)["outcome"] == "held").count();
    assert_eq!(landed.lines().filter(|line| line.contains(" api image ")).count(), 12 - held + 1, "{landed}");
}

#[test]
fn hold_is_committed_as_a_new_file_and_as_an_edit_of_one() {
    let world = world();
    let folder = world.full("w");
    let commit = |arguments: &[&str]| {
        let mut command = cli::command(&folder);
        ended(&repo::run(command.args(arguments).args(["--commit", "--format", "json"])), 0, "committed")
    };
    commit(&["hold", API, "--reason", "incident 42"]);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    let text = git(&folder, &["show", &format!("HEAD:{HOLDS}")]);
    assert!(text.contains("incident 42"), "{text}");
    commit(&["hold", WEB, "--reason", "freeze"]);
    // an entry that someone else is writing stays uncommitted
    let own = std::fs::read_to_string(folder.join(HOLDS)).unwrap() + "# mine\n";
    std::fs::write(folder.join(HOLDS), &own).unwrap();
    commit(&["unhold", API]);
    assert!(!git(&folder, &["show", &format!("HEAD:{HOLDS}")]).contains("# mine"));
    let left = std::fs::read_to_string(folder.join(HOLDS)).unwrap();
    assert!(left.ends_with("# mine\n") && !left.contains("incident 42"), "{left}");
}

#[test]
fn request_that_is_open_stays_as_it_is_when_its_image_is_held() {
    crate::support::hub::each_way(|hub: Hub| {
        hub.propose("v1", &[]);
        let head = hub.tip(crate::support::hub::HEAD);
        repo::rival(&hub.world.bare, HOLDS, &entry(API));
        let json = ended(&hub.run("v2", &["--if-held", "skip"]), 0, "held");
        assert_eq!(skipped(&json)["image"], API);
        assert_eq!((hub.tip(crate::support::hub::HEAD), hub.github.open_pulls().len()), (head, 1));
    });
}

#[test]
fn hold_on_the_base_binds_a_branch_that_others_commit_to() {
    crate::support::hub::each_way(|hub: Hub| {
        hub.propose("v1", &[]);
        hub.somebody_commits(crate::support::hub::HEAD, "theirs.txt");
        let head = hub.tip(crate::support::hub::HEAD);
        // the branch has no hold, and the bump would go on top of it
        repo::rival(&hub.world.bare, HOLDS, &entry(API));
        let json = ended(&hub.run("v2", &["--if-held", "skip"]), 0, "held");
        assert_eq!(skipped(&json)["image"], API);
        assert_eq!(hub.tip(crate::support::hub::HEAD), head);
    });
}

#[test]
fn hold_is_proposed_on_a_branch_of_its_own() {
    crate::support::hub::each_way(|hub: Hub| {
        let run = |arguments: &[&str]| {
            let mut command = cli::command(&hub.checkout());
            command.args(arguments).args(["--pr", "--format", "json"]);
            if hub.via == crate::support::hub::Via::Api {
                command.args(["--via", "api"]);
            }
            hub.github.env(&mut command);
            ended(&repo::run(&mut command), 0, "proposed")
        };
        run(&["hold", API, "--reason", "incident 42"]);
        let pull = hub.pull();
        assert_eq!((&*pull.head, &*pull.title), ("tagbump/main/hold-api", "chore: hold api image"));
        let file = git(&hub.world.bare, &["show", &format!("refs/heads/tagbump/main/hold-api:{HOLDS}")]);
        assert!(file.contains("reason: incident 42"), "{file}");
        // again: nothing changes
        let tip = hub.tip("tagbump/main/hold-api");
        run(&["hold", API, "--reason", "incident 42"]);
        assert_eq!((hub.tip("tagbump/main/hold-api"), hub.github.open_pulls().len()), (tip, 1));
    });
}
