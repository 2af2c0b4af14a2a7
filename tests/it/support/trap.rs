//! A checkout whose configuration is a trap: a command in it leaves a mark when it is run.

use std::path::{Path, PathBuf};

use super::git::git;
use super::repo::{PASSWORD, REPO, USER, World, script_at};

/// A clone that has no credential of its own.
pub fn anonymous(world: &World) -> PathBuf {
    world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"])
}

/// A script that leaves a mark, and knows the right password.
pub fn trap(world: &World) -> (PathBuf, PathBuf) {
    let (script, mark) = (world.path().join("trap"), world.path().join("sprung"));
    let answer = format!("echo username={USER}; echo password={PASSWORD}");
    script_at(&script, &format!("echo \"$0 $*\" >> '{}'; {answer}", mark.display()));
    (script, mark)
}

/// Sets a key in the repository's configuration.
pub fn set(folder: &Path, key: &str, value: &str) {
    git(folder, &["config", key, value]);
}
