//! `push.pushOption` reaches the server's hooks, as with git.
#![cfg(unix)]

use std::path::Path;

use crate::support::git::{git, try_git};
use crate::support::hub::{Hub, Via};
use crate::support::repo::{API, World, ended, failed, push, run};

/// The server writes down which options it gets.
fn takes_options(world: &World) -> std::path::PathBuf {
    let log = world.path().join("options");
    git(&world.bare, &["config", "receive.advertisePushOptions", "true"]);
    world.hook("pre-receive", &format!("env | sed -n /^GIT_PUSH_OPTION_/p | sort > '{}'", log.display()));
    log
}

fn options(folder: &Path, values: &[&str]) {
    for value in values {
        git(folder, &["config", "--add", "push.pushOption", value]);
    }
}

#[test]
fn options_reach_the_servers_hooks() {
    let world = World::new();
    let log = takes_options(&world);
    let local = format!("file://{}", world.bare.display());
    for (nth, url) in [world.url(), local].iter().enumerate() {
        let folder = world.clone_of(url, &format!("w{nth}"), &["--depth", "1"]);
        options(&folder, &["dropped", "", "ci.skip", "merge_request.title=A  \"title\" é"]);
        ended(&run(&mut push(&folder, &format!("w{nth}"), &[])), 0, "landed");
        let ours = std::fs::read_to_string(&log).unwrap();
        assert!(
            ours.contains("GIT_PUSH_OPTION_0=ci.skip\n") && ours.contains("GIT_PUSH_OPTION_COUNT=2\n"),
            "{ours}"
        );
        // git sends the same
        git(&folder, &["push", "--quiet", "origin", "HEAD:refs/heads/by-git"]);
        assert_eq!(std::fs::read_to_string(&log).unwrap(), ours);
        git(&world.bare, &["update-ref", "-d", "refs/heads/by-git"]);
    }
}

#[test]
fn option_without_a_value_is_an_error_as_in_git() {
    let world = World::new();
    let folder = world.shallow("w");
    let config = folder.join(".git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text + "[push]\n\tpushOption\n").unwrap();
    let message = failed(&run(&mut push(&folder, "v1", &[])), 2);
    assert!(message.contains("push.pushOption has no value"), "{message}");
    let by_git = try_git(&folder, &["push", "origin", "HEAD:refs/heads/x"]);
    assert!(String::from_utf8_lossy(&by_git.stderr).contains("missing value for 'push.pushoption'"));
}

#[test]
fn server_without_push_options_is_an_error_as_in_git() {
    let world = World::new();
    let folder = world.shallow("w");
    options(&folder, &["ci.skip"]);
    let message = failed(&run(&mut push(&folder, "v1", &[])), 2);
    assert!(
        message.contains("doesn't support push options") && message.contains("--get-all push.pushOption"),
        "{message}"
    );
    assert_eq!(world.commits(), 2);
    let by_git = try_git(&folder, &["push", "origin", "HEAD:refs/heads/x"]);
    assert!(String::from_utf8_lossy(&by_git.stderr).contains("does not support push options"));
    options(&folder, &[""]);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
}

#[test]
fn option_with_line_break_is_refused() {
    let world = World::new();
    let folder = world.shallow("w");
    options(&folder, &["a\nb"]);
    assert!(failed(&run(&mut push(&folder, "v1", &[])), 2).contains("line break"));
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn branch_of_pull_request_is_pushed_with_options() {
    let hub = Hub::new(Via::Git);
    let log = takes_options(&hub.world);
    let folder = hub.checkout();
    options(&folder, &["topic=x"]);
    ended(&run(&mut hub.command_in(&folder, &[&format!("{API}:v1")], &[])), 0, "proposed");
    assert!(std::fs::read_to_string(&log).unwrap().contains("GIT_PUSH_OPTION_0=topic=x"));
}
