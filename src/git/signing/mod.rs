//! Signs commits as git does: with OpenPGP or X.509 through their programs, or with an SSH key.
//!
//! git's configuration names the key and the program. tagbump looks for neither until it makes the first commit, so
//! that a run with nothing to do never asks for a passphrase.
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

use git2::{Commit, Config, ErrorCode, Repository, Signature, Tree};

use super::checkout::Checkout;
use super::config;
use super::error::GitError;
use super::identity::Identity;
use super::oid::commit_id;
use super::process::{self, Interruption, NotRun, ProcessOutput, Purpose};
use crate::environment::Environment;
use crate::object_id::CommitId;
use gpg::Gpg;
use ssh::Ssh;

pub use error::{ProgramFailure, SigningError};

/// How long a program may take if it can't ask anyone for a passphrase.
const UNATTENDED: Duration = Duration::from_secs(60);

/// How long a program may take at a terminal, where it may have to wait for the user.
const ATTENDED: Duration = Duration::from_secs(60 * 60);

/// Signs commits with one key.
#[derive(Debug)]
pub struct Signer {
    method: SigningMethod,
    context: SigningContext,
}

#[derive(Debug)]
enum SigningMethod {
    Gpg(Gpg),
    Ssh(Ssh),
}

/// Where programs run, and whether they can ask for a passphrase.
#[derive(Debug)]
struct SigningContext {
    folder: PathBuf,
    home: Option<PathBuf>,
    /// Whether a program can ask for a passphrase at a terminal.
    attended: bool,
    /// Whether the user has configured a program that asks for passphrases.
    has_askpass: bool,
    environment: Environment,
}

impl Checkout {
    /// The signer for this checkout. `None` if `asked` is false and git would not sign either.
    ///
    /// # Errors
    /// Fails if git's configuration is not valid.
    pub fn signer(&self, asked: bool, committer: &Identity) -> Result<Option<Signer>, GitError> {
        let config = self.config()?;
        if !asked && !signs(&config)? {
            return Ok(None);
        }
        let key = config::text(&config, "user.signingkey");
        let context = SigningContext::new(self.folder_of_programs()?, self.environment());
        let method = match config::text(&config, "gpg.format").as_deref() {
            None | Some("openpgp") => SigningMethod::Gpg(Gpg::openpgp(&config, key, committer)),
            Some("x509") => SigningMethod::Gpg(Gpg::x509(&config, key, committer)),
            Some("ssh") => SigningMethod::Ssh(Ssh::new(&config, key)),
            Some(other) => {
                return Err(SigningError::UnknownFormat { format: other.to_owned() }.into());
            }
        };
        Ok(Some(Signer { method, context }))
    }
}

/// Whether git is configured to sign. As in git, a value that isn't a boolean is an error, not a no.
fn signs(config: &Config) -> Result<bool, SigningError> {
    match config.get_bool("commit.gpgsign") {
        Ok(signs) => Ok(signs),
        Err(e) if e.code() == ErrorCode::NotFound => Ok(false),
        Err(e) => Err(SigningError::NotABoolean { reason: e.message().to_owned() }),
    }
}

impl Signer {
    /// Signs the content of a commit. Returns an armoured signature.
    fn sign(&self, content: &[u8]) -> Result<String, GitError> {
        let signature = match &self.method {
            SigningMethod::Gpg(gpg) => gpg.sign(content, &self.context)?,
            SigningMethod::Ssh(ssh) => ssh.sign(content, &self.context)?,
        };
        // a trailing line break would end up as an empty line in the header
        Ok(signature.replace('\r', "").trim_end().to_owned())
    }
}

/// A commit to make.
pub struct CommitDraft<'a> {
    pub author: &'a Signature<'a>,
    pub committer: &'a Signature<'a>,
    pub message: &'a str,
    pub tree: &'a Tree<'a>,
    pub parent: &'a Commit<'a>,
}

impl CommitDraft<'_> {
    /// Makes the commit, signed if there is a signer. No branch moves.
    ///
    /// # Errors
    /// Fails if the commit can't be signed or written.
    pub fn make(&self, repo: &Repository, signer: Option<&Signer>) -> Result<CommitId, GitError> {
        let not_made = |e: git2::Error| GitError::library("the commit can't be made", &e);
        let CommitDraft { author, committer, message, tree, parent } = self;
        let Some(signer) = signer else {
            let made = repo.commit(None, author, committer, message, tree, &[parent]);
            return made.map(commit_id).map_err(not_made);
        };
        let content = repo.commit_create_buffer(author, committer, message, tree, &[parent]);
        let content = content.map_err(not_made)?;
        let content = std::str::from_utf8(&content).map_err(|_| SigningError::AuthorNotUtf8)?;
        let signature = signer.sign(content.as_bytes())?;
        repo.commit_signed(content, &signature, Some("gpgsig")).map(commit_id).map_err(not_made)
    }
}

/// Whether a commit has a signature, valid or not.
pub fn is_signed(commit: &Commit<'_>) -> bool {
    commit.header_field_bytes("gpgsig").is_ok()
}

impl SigningContext {
    fn new(folder: PathBuf, environment: &Environment) -> Self {
        SigningContext {
            folder,
            home: environment.home(),
            attended: environment.get("GITHUB_ACTIONS") != Some("true") && std::io::stdin().is_terminal(),
            has_askpass: environment.get("SSH_ASKPASS").is_some(),
            environment: environment.clone(),
        }
    }

    /// Resolves a configured path. It may start with `~/`; a relative one is relative to the top of the work tree.
    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(text),
        }
    }

    /// Resolves a configured program. A bare name is looked up in `PATH`.
    fn program(&self, text: &str) -> Command {
        let is_path = text.contains(std::path::is_separator);
        let program = if is_path { self.path(text) } else { PathBuf::from(text) };
        let mut command = process::command(program, Purpose::Signing, &self.environment);
        command.current_dir(&self.folder);
        if !self.attended && !self.has_askpass {
            // with nobody to ask, this makes ssh-keygen fail at once instead of waiting for a passphrase
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

/// Explains why a program could not be run.
fn not_run(program: &str, setting: &'static str, why: NotRun) -> SigningError {
    let failure = match why {
        NotRun::Missing => ProgramFailure::Missing,
        NotRun::Unstartable(e) => ProgramFailure::NotStarted(e.to_string()),
        NotRun::Late => ProgramFailure::TimedOut,
    };
    SigningError::Program { program: program.to_owned(), setting, failure, needed_because: None }
}

/// The value of the last setting with one of these names, in git's order.
fn last(config: &Config, names: &[&str]) -> Option<String> {
    let settings = config::starting_with(config, "gpg.").into_iter();
    let mut values =
        settings.filter(|(name, _)| names.contains(&name.as_str())).filter_map(|(_, value)| value);
    values.next_back().filter(|value| !value.is_empty())
}

/// Formats a path for a message.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
