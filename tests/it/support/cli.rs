//! Runs the real binary, with nothing of the surrounding environment but what git needs to be found.

use std::path::Path;
use std::process::{Command, Output};

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(output: &Output) -> Self {
        Run {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Both streams.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The binary, to be run in a folder.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagbump"));
    command.current_dir(folder).env_clear();
    for name in ["PATH", "SYSTEMROOT", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", env!("CARGO_TARGET_TMPDIR")).env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Runs the binary in a folder.
pub fn tagbump(folder: &Path, arguments: &[&str]) -> Run {
    Run::of(&command(folder).args(arguments).output().unwrap())
}
