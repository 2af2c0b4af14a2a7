//! Repositories of somebody else. Only root can give a folder away, so these run where they are asked for:
//! `cargo test --features root-tests --test as_root`, as root.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;

use support::git::git;
use support::repo::{API, World, ended, failed, push, run};
use support::trap::{anonymous, set, trap};

/// Gives a folder to somebody else.
fn give_away(folder: &Path) {
    let given = Command::new("chown").args(["-R", "54321:54321"]).arg(folder).output().unwrap();
    assert!(given.status.success(), "run as root: {}", String::from_utf8_lossy(&given.stderr));
}

fn spring_everywhere(folder: &Path, script: &Path) {
    set(folder, "commit.gpgsign", "true");
    for key in ["credential.helper", "core.fsmonitor", "core.sshCommand", "core.askPass", "gpg.program"] {
        set(folder, key, script.to_str().unwrap());
    }
}

#[test]
fn a_repository_of_somebody_else_is_refused() {
    // the whole of it, or the part that holds the configuration
    for part in ["", ".git"] {
        let world = World::new();
        let folder = anonymous(&world);
        let (script, mark) = trap(&world);
        spring_everywhere(&folder, &script);
        give_away(&folder.join(part));
        for reach in [&["--push"][..], &["--commit"], &["--push", "--dry-run"]] {
            let mut command = support::cli::command(&folder);
            command.args(["bump", &format!("{API}:v1"), "--format", "json"]).args(reach);
            let said = failed(&run(&mut command), 1);
            assert!(said.contains("somebody else") && said.contains("safe.directory"), "{said}");
        }
        assert!(!mark.exists(), "{}", std::fs::read_to_string(&mark).unwrap());
        assert!(world.server.requests().is_empty());
    }
}

/// git's own list of exceptions holds, if it is the user's.
#[test]
fn a_repository_of_somebody_else_that_the_user_trusts() {
    let world = World::new();
    let folder = anonymous(&world);
    let (script, mark) = trap(&world);
    set(&folder, "credential.helper", script.to_str().unwrap());
    // a repository can't vouch for itself
    set(&folder, "safe.directory", "*");
    give_away(&folder);
    failed(&run(&mut push(&folder, "v1", &[])), 1);
    assert!(!mark.exists());
    let home = world.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let settings = home.join(".gitconfig");
    let place = folder.canonicalize().unwrap();
    git(
        world.path(),
        &["config", "--file", settings.to_str().unwrap(), "safe.directory", place.to_str().unwrap()],
    );
    ended(&run(push(&folder, "v1", &[]).env("HOME", &home)), 0, "landed");
    assert!(mark.exists());
}

#[test]
fn a_bare_directory_of_somebody_else_is_refused() {
    let world = World::new();
    let folder = world.clone_of(world.bare.to_str().unwrap(), "w", &[]);
    give_away(&world.bare);
    let said = failed(&run(&mut push(&folder, "v1", &["--timeout", "5s"])), 1);
    assert!(said.contains("somebody else") && said.contains("safe.directory"), "{said}");
}
