//! No secret is on the command line of a program that tagbump starts: every user of the machine can read it.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::git;
use crate::support::repo::{PASSWORD, REPO, USER, World, ended, push, run, script_at};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Programs at the front of `PATH` that record how they were called, then do their real job.
struct Watch {
    folder: PathBuf,
    log: PathBuf,
}

impl Watch {
    fn new(world: &World) -> Self {
        let watch = Watch { folder: world.path().join("bin"), log: world.path().join("command-lines") };
        let git = format!("exec '{}' \"$@\"", on_path("git").display());
        for (name, then) in [("git", &*git), ("ssh", "exit 1")] {
            let note = format!("printf '%s\\n' \"$0 $*\" >> '{}'", watch.log.display());
            script_at(&watch.folder.join(name), &format!("{note}\n{then}"));
        }
        watch
    }

    fn over<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("PATH", format!("{}:{}", self.folder.display(), std::env::var("PATH").unwrap()))
    }

    /// Checks that something was called, and that no call contains a password.
    #[track_caller]
    fn saw_no_secret(&self) {
        let lines = std::fs::read_to_string(&self.log).unwrap();
        let encoded = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
        assert!(lines.contains("/git "), "{lines}");
        assert!(!lines.contains(PASSWORD) && !lines.contains(&encoded), "{lines}");
    }
}

fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()).unwrap()
}

fn partial(world: &World, url: &str, name: &str, more: &[&str]) -> PathBuf {
    git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
    world.clone_of(url, name, &[&["--filter=blob:none"], more].concat())
}

#[track_caller]
fn followed(world: &World, folder: &Path) {
    assert_eq!(git(folder, &["rev-parse", "HEAD"]), world.tip());
    assert_eq!(git(folder, &["status", "--porcelain"]), "");
    git(folder, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn command_lines_have_no_password_of_url_in_any_clone() {
    for kind in ["shallow", "full", "partial"] {
        let world = World::new();
        let watch = Watch::new(&world);
        let elsewhere = world.server.url(REPO);
        let folder = match kind {
            "shallow" => world.clone_of(&elsewhere, "w", &["--depth", "1"]),
            "full" => world.clone_of(&elsewhere, "w", &[]),
            _ => partial(&world, &elsewhere, "w", &[]),
        };
        // without one, no git is started for a whole clone
        script_at(&folder.join(".git/hooks/post-merge"), "true");
        let run = run(watch.over(&mut push(&folder, "v1", &["--remote", &world.url()])));
        ended(&run, 0, "landed");
        watch.saw_no_secret();
        followed(&world, &folder);
    }
}

#[test]
fn command_lines_have_no_credential_from_any_source() {
    for way in ["url", "token", "header", "helper"] {
        let world = World::new();
        let watch = Watch::new(&world);
        let url = if way == "url" { world.url() } else { world.server.url(REPO) };
        let folder = partial(&world, &url, "w", &[]);
        let mut command = push(&folder, "v1", &[]);
        match way {
            "token" => {
                let remote = world.server.url(REPO).replace("://", &format!("://{USER}@"));
                command.args(["--remote", &remote]).env("TAGBUMP_TOKEN", PASSWORD);
            }
            "header" => {
                let encoded = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
                let key = format!("http.{}.extraheader", world.server.url(""));
                git(&folder, &["config", &key, &format!("Authorization: Basic {encoded}")]);
            }
            "helper" => {
                let answer = world.path().join("helper");
                script_at(&answer, &format!("echo username={USER}; echo password={PASSWORD}"));
                git(&folder, &["config", "credential.helper", answer.to_str().unwrap()]);
            }
            _ => {}
        }
        ended(&run(watch.over(&mut command)), 0, "landed");
        watch.saw_no_secret();
        followed(&world, &folder);
    }
}

/// As actions/checkout makes it for a sparse checkout: one commit, and only some of its files.
#[test]
fn partial_clone_is_fast_forwarded_when_others_pushed() {
    for (name, depth) in [("deep", &[][..]), ("shallow", &["--depth", "1"])] {
        let world = World::new();
        let watch = Watch::new(&world);
        let folder = partial(&world, &world.server.url(REPO), name, depth);
        for nth in 0..3 {
            world.rival(&format!("other/{nth}.txt"), "theirs\n");
        }
        let run = run(watch.over(&mut push(&folder, "v1", &["--remote", &world.url()])));
        ended(&run, 0, "landed");
        watch.saw_no_secret();
        followed(&world, &folder);
    }
}

/// A branch that forked before the clone's only commit has been merged since, so its commits are fetched as well.
#[test]
fn partial_clone_is_fast_forwarded_when_older_branch_was_merged() {
    let world = World::new();
    git(&world.bare, &["branch", "old", "main~1"]);
    let folder = partial(&world, &world.server.url(REPO), "w", &["--depth", "1"]);
    let other = world.path().join("other");
    git(world.path(), &["clone", "--quiet", world.bare.to_str().unwrap(), "other"]);
    git(&other, &["checkout", "--quiet", "-b", "old", "origin/old"]);
    crate::support::repo::commit(&other, "old.txt", "old\n");
    git(&other, &["checkout", "--quiet", "main"]);
    git(&other, &["merge", "--quiet", "--no-ff", "--no-edit", "old"]);
    git(&other, &["push", "--quiet", "origin", "main"]);
    let run = run(&mut push(&folder, "v1", &["--remote", &world.url()]));
    ended(&run, 0, "landed");
    // its history is cut there, so fetching more is up to git; what is there is complete either way
    git(&folder, &["fsck", "--strict", "--no-dangling"]);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    git(&folder, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    git(&folder, &["pull", "--quiet"]);
    followed(&world, &folder);
}
