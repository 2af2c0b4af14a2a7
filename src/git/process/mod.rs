//! Starts programs: git, for what libgit2 can't do as git does, and the programs that git would run.
//!
//! No other file starts programs. Each is started for a [`Purpose`], which decides what its environment contains
//! (`environment`): a program gets no token unless handing out tokens is its purpose.
//!
//! | purpose | programs | what they run in turn | tokens |
//! |---|---|---|---|
//! | `Checkout` | `git status`, `merge`, `reset` | the checkout's hooks and filters, perhaps from its content | none |
//! | `Transfer` | ssh; git's `upload-pack` and `receive-pack` locally | `ProxyCommand`; the remote's hooks | none |
//! | `Signing` | gpg, gpgsm, ssh-keygen, or what is configured in their place | agents, pinentry | none |
//! | `UserHelpers` | `git credential` | helpers that the user configured | the job's |
//! | `RegistryHelper` | `docker-credential-NAME` | agents, cloud CLIs | none |
//! | `RepositoryHelpers` | `git config`, `git credential` | helpers named in the repository's configuration | none |
//!
//! Each program has a time limit (`child`), and tagbump keeps only so much of its output (`capture`). If a program
//! leaves processes behind that hold its pipes open, tagbump doesn't wait for them (`run`).

mod capture;
mod child;
mod environment;
mod run;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::environment::Environment;

pub use capture::Capture;
pub use child::{Interruption, TimedChild};
pub use environment::{Purpose, is_job_token};
pub use run::{NotRun, ProcessOutput, run};

/// A program without input, in the environment that its purpose allows.
pub fn command(program: impl AsRef<OsStr>, purpose: Purpose, environment: &Environment) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for (name, value) in environment::changes(purpose, environment) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// A git command that never prompts at a terminal, and uses a bare repository only if it is named explicitly.
pub fn git(folder: Option<&Path>, purpose: Purpose, environment: &Environment) -> Command {
    let mut command = command("git", purpose, environment);
    command.args(["-c", "safe.bareRepository=explicit"]).env("GIT_TERMINAL_PROMPT", "0");
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command
}
