//! Runs git, where libgit2 can't do what git does.

use std::path::Path;
use std::process::{Command, Stdio};

/// Variables that would point git at another repository than the one it is told to work on.
///
/// Source: `git rev-parse --local-env-vars`.
const LOCAL_VARIABLES: [&str; 10] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_PROTOCOL",
];

/// A git command that asks nobody, and takes no bare repository that it was not pointed at.
pub fn git(folder: Option<&Path>) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "safe.bareRepository=explicit"]);
    for name in LOCAL_VARIABLES {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").stdin(Stdio::null());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command
}
