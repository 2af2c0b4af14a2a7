//! Bumps, as builds make them: landed through a git server, or, where only the edit matters, in a folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::system::Bump;
use crate::support::cli;
use crate::support::files::{copy, snapshot};
use crate::support::repo::{PASSWORD, USER, World, ended, run_together};

/// Pushes bumps of a repository all at once, each from a clone of its own, and gives a clone of what landed.
pub fn land(repo: &Path, bumps: &[Bump]) -> (World, PathBuf) {
    let files: Vec<_> =
        snapshot(repo).into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::with(|server| server.basic_auth(USER, PASSWORD), &files);
    let base = world.commits();
    let clones = (0..bumps.len()).map(|nth| world.shallow(&format!("build-{nth}")));
    let builds = clones.zip(bumps).map(|(clone, bump)| command(&clone, bump, &["--push"])).collect();
    for run in run_together(builds) {
        ended(&run, 0, "landed");
    }
    assert_eq!(world.commits(), base + bumps.len(), "a commit for each build");
    let landed = world.full("landed");
    (world, landed)
}

/// Makes bumps in a copy of a repository.
pub fn edit(repo: &Path, bumps: &[Bump], to: &Path) {
    copy(repo, to);
    for bump in bumps {
        let run = cli::Run::of(&command(to, bump, &[]).output().unwrap());
        ended(&run, 0, "edited");
    }
}

fn command(folder: &Path, bump: &Bump, more: &[&str]) -> Command {
    let mut command = cli::command(folder);
    command.arg("bump").args(bump.push.split_whitespace()).args(more).args(["--format", "json"]);
    command
}
