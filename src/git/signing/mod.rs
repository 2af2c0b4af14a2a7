//! Signs commits as git does: with OpenPGP or X.509 through their programs, or with an SSH key.
//!
//! Which key, and by which program, git's configuration says. Nothing of it is looked for before the first
//! commit is made, so that a run with nothing to do asks nobody for a passphrase.
//!
//! Sources: `git help config` (`gpg.*`, `user.signingKey`, `commit.gpgSign`), git's `gpg-interface.c`.

mod error;
mod gpg;
mod openssh;
mod ssh;
mod words;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use git2::{Commit, Config, ErrorCode, Oid, Repository, Signature, Tree};

use super::checkout::Checkout;
use super::config;
use super::error::GitError;
use super::identity::Identity;
use super::process::{self, Interruption, NotRun, ProcessOutput, Purpose};
use crate::environment::Environment;
use gpg::Gpg;
use ssh::Ssh;

pub use error::{ProgramFailure, SigningError};

/// How long a program may take that can ask nobody.
const UNATTENDED: Duration = Duration::from_secs(60);

/// How long somebody at a terminal may take to be found.
const ATTENDED: Duration = Duration::from_secs(60 * 60);

/// Signs commits with one key.
#[derive(Debug)]
pub struct Signer {
    method: SigningMethod,
    station: SigningContext,
}

#[derive(Debug)]
enum SigningMethod {
    Gpg(Gpg),
    Ssh(Ssh),
}

/// Where programs run, and who is there.
#[derive(Debug)]
struct SigningContext {
    folder: PathBuf,
    home: Option<PathBuf>,
    /// Whether somebody can be asked for a passphrase.
    attended: bool,
    /// Whether the user has a program of their own that asks.
    has_askpass: bool,
    environment: Environment,
}

impl Checkout {
    /// Who signs commits here; nothing where nobody asked for it and git would not sign either.
    ///
    /// # Errors
    /// Where git's configuration makes no sense.
    pub fn signer(&self, asked: bool, committer: &Identity) -> Result<Option<Signer>, GitError> {
        let config = self.config()?;
        if !asked && !signs(&config)? {
            return Ok(None);
        }
        let key = config::text(&config, "user.signingkey");
        let station = SigningContext::new(self.folder_of_programs()?, self.environment());
        let method = match config::text(&config, "gpg.format").as_deref() {
            None | Some("openpgp") => SigningMethod::Gpg(Gpg::openpgp(&config, key, committer)),
            Some("x509") => SigningMethod::Gpg(Gpg::x509(&config, key, committer)),
            Some("ssh") => SigningMethod::Ssh(Ssh::new(&config, key)),
            Some(other) => {
                return Err(SigningError::UnknownFormat { format: other.to_owned() }.into());
            }
        };
        Ok(Some(Signer { method, station }))
    }
}

/// git's own rule: what is no boolean is a mistake, and not a no.
fn signs(config: &Config) -> Result<bool, SigningError> {
    match config.get_bool("commit.gpgsign") {
        Ok(signs) => Ok(signs),
        Err(e) if e.code() == ErrorCode::NotFound => Ok(false),
        Err(e) => Err(SigningError::NotABoolean { reason: e.message().to_owned() }),
    }
}

impl Signer {
    /// A signature of what a commit says, in armour.
    fn sign(&self, content: &[u8]) -> Result<String, GitError> {
        let signature = match &self.method {
            SigningMethod::Gpg(gpg) => gpg.sign(content, &self.station)?,
            SigningMethod::Ssh(ssh) => ssh.sign(content, &self.station)?,
        };
        // a line break at the end would be an empty line of the header
        Ok(signature.replace('\r', "").trim_end().to_owned())
    }
}

/// A commit that is to be made.
pub struct CommitDraft<'a> {
    pub author: &'a Signature<'a>,
    pub committer: &'a Signature<'a>,
    pub message: &'a str,
    pub tree: &'a Tree<'a>,
    pub parent: &'a Commit<'a>,
}

impl CommitDraft<'_> {
    /// Makes the commit, signed where there is a signer. No branch moves.
    ///
    /// # Errors
    /// Where it can't be signed, or not written.
    pub fn make(&self, repo: &Repository, signer: Option<&Signer>) -> Result<Oid, GitError> {
        let fault = |e: git2::Error| GitError::library("the commit can't be made", &e);
        let CommitDraft { author, committer, message, tree, parent } = self;
        let Some(signer) = signer else {
            return repo.commit(None, author, committer, message, tree, &[parent]).map_err(fault);
        };
        let content = repo.commit_create_buffer(author, committer, message, tree, &[parent]);
        let content = content.map_err(fault)?;
        let content = std::str::from_utf8(&content).map_err(|_| SigningError::AuthorNotUtf8)?;
        let signature = signer.sign(content.as_bytes())?;
        repo.commit_signed(content, &signature, Some("gpgsig")).map_err(fault)
    }
}

/// Whether a commit has a signature, of whomever.
pub fn is_signed(commit: &Commit<'_>) -> bool {
    commit.header_field_bytes("gpgsig").is_ok()
}

impl SigningContext {
    fn new(folder: PathBuf, environment: &Environment) -> Self {
        SigningContext {
            folder,
            home: environment.get("HOME").map(PathBuf::from),
            attended: environment.get("GITHUB_ACTIONS") != Some("true") && std::io::stdin().is_terminal(),
            has_askpass: environment.get("SSH_ASKPASS").is_some(),
            environment: environment.clone(),
        }
    }

    /// A path as it is configured, with `~/`; one that is not absolute is below the work tree's top.
    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(text),
        }
    }

    /// A program as it is configured: a name alone is looked for in `PATH`.
    fn program(&self, text: &str) -> Command {
        let is_path = text.contains(std::path::is_separator);
        let program = if is_path { self.path(text) } else { PathBuf::from(text) };
        let mut command = process::command(program, Purpose::Signing, &self.environment);
        command.current_dir(&self.folder);
        if !self.attended && !self.has_askpass {
            // who can't be asked has no passphrase: ssh-keygen says so at once, and does not wait
            command.env("SSH_ASKPASS_REQUIRE", "force").env("SSH_ASKPASS", "false");
        }
        command
    }

    /// Runs a program that may ask for a passphrase.
    fn run(&self, command: Command, input: &[u8]) -> Result<ProcessOutput, NotRun> {
        let time = if self.attended { ATTENDED } else { UNATTENDED };
        process::run(command, input, time, Interruption::EndsIt)
    }
}

/// Why a program could not be run.
fn not_run(program: &str, setting: &'static str, why: NotRun) -> SigningError {
    let failure = match why {
        NotRun::Missing => ProgramFailure::Missing,
        NotRun::Unstartable(e) => ProgramFailure::NotStarted(e.to_string()),
        NotRun::Late => ProgramFailure::TimedOut,
    };
    SigningError::Program { program: program.to_owned(), setting, failure, needed_because: None }
}

/// The last of the settings with one of these names, in git's order.
fn last(config: &Config, names: &[&str]) -> Option<String> {
    let mut found = None;
    let entries = config.entries(Some(r"^gpg\.")).ok()?;
    // what can't be read is not set
    let _ = entries.for_each(|entry| {
        if entry.name().is_ok_and(|name| names.contains(&name)) && entry.has_value() {
            found = entry.value().ok().map(str::to_owned);
        }
    });
    found.filter(|value| !value.is_empty())
}

/// A path for a message.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
