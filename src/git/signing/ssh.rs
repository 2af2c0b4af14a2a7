//! SSH keys: plain key files here, all others (agents, passphrases, hardware) by ssh-keygen.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use git2::Config;

use super::openssh::{self, KeyFile};
use super::words::{split, told};
use super::{SigningContext, last, not_run, shown};
use crate::error::{Failure, Result};
use crate::git::config;
use crate::git::temporary_folder::temporary_folder;
use crate::worktree::{OpenError, open_regular_file};

const PROGRAM: &str = "gpg.ssh.program";
const KEY_COMMAND: &str = "gpg.ssh.defaultKeyCommand";
/// What signatures by ssh are made for, so that none can be taken for another use (`gpg-interface.c`).
const NAMESPACE: &str = "git";
const MAX_KEY: u64 = 1024 * 1024;

/// An SSH key to sign with, as it is configured.
#[derive(Debug)]
pub struct Ssh {
    /// Where it is not ssh-keygen.
    program: Option<String>,
    key: Option<String>,
    key_command: Option<String>,
    /// The key, once the command has told it.
    found: OnceLock<String>,
}

/// Where a key is.
enum KeyLocation {
    File(PathBuf),
    /// In an agent; this is its public part.
    Agent(String),
}

impl Ssh {
    pub fn new(config: &Config, key: Option<String>) -> Self {
        Ssh {
            program: last(config, &["gpg.ssh.program"]),
            key,
            key_command: config::text(config, KEY_COMMAND),
            found: OnceLock::new(),
        }
    }

    pub(super) fn sign(&self, content: &[u8], station: &SigningContext) -> Result<String> {
        let key = self.key(station)?;
        let key = match literal(key) {
            Some(public) => KeyLocation::Agent(public.to_owned()),
            None => KeyLocation::File(station.path(key)),
        };
        let mut why = "the key is in an agent";
        if let KeyLocation::File(path) = &key {
            match open(path)? {
                KeyFile::Key(opened) if self.program.is_none() => {
                    return openssh::sign(&opened, NAMESPACE, content).ok_or_else(|| {
                        Failure::other("the commit can't be signed: the system gives no random numbers")
                    });
                }
                KeyFile::Key(_) => {}
                KeyFile::Not(reason) => why = reason,
            }
        }
        self.sign_by_program(&key, why, content, station)
    }

    /// `user.signingkey`, else the first line that the configured command prints.
    fn key(&self, station: &SigningContext) -> Result<&str> {
        if let Some(key) = self.key.as_ref().or(self.found.get()) {
            return Ok(key);
        }
        let line = self.key_command.as_ref().ok_or_else(|| {
            Failure::usage(
                "there is no SSH key to sign with: user.signingkey is not set in git's configuration",
            )
            .hinted("git config user.signingkey PATH, the key's file, or key::PUBLIC-KEY for one in an agent")
        })?;
        let fault = |why: &str| {
            Failure::usage(format!("{KEY_COMMAND} in git's configuration gives no key: {why}"))
                .hinted("it must print a public key, as key::ssh-ed25519 …; or set user.signingkey")
        };
        let words = split(line).ok_or_else(|| fault("a quote is not closed"))?;
        let mut command = station.program(&words[0]);
        command.args(&words[1..]);
        let ran = station.run(command, b"").map_err(|why| not_run(&words[0], KEY_COMMAND, why))?;
        let first = ran.stdout.lines().next().unwrap_or_default().trim();
        if !ran.success {
            return Err(fault(&told(&ran.stderr)));
        }
        literal(first).ok_or_else(|| fault("what it prints is none"))?;
        Ok(self.found.get_or_init(|| first.to_owned()))
    }

    /// As git does it, with files: programs in ssh-keygen's place may know no other way.
    fn sign_by_program(
        &self,
        key: &KeyLocation,
        why: &str,
        content: &[u8],
        station: &SigningContext,
    ) -> Result<String> {
        let program = self.program.as_deref().unwrap_or("ssh-keygen");
        let folder = temporary_folder()?;
        let write = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).context("no temporary file")?;
            Ok(path)
        };
        let file = match key {
            KeyLocation::File(path) => path.clone(),
            KeyLocation::Agent(public) => write("key.pub", format!("{public}\n").as_bytes())?,
        };
        let buffer = write("commit", content)?;
        let mut command = station.program(program);
        command.args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(&file);
        if matches!(key, KeyLocation::Agent(_)) {
            command.arg("-U");
        }
        command.arg(&buffer);
        let ran = station.run(command, b"").map_err(|fault| {
            let failure = not_run(program, PROGRAM, fault);
            Failure { message: format!("{}; it is needed as {why}", failure.message), ..failure }
        })?;
        let signature = std::fs::read_to_string(folder.path().join("commit.sig")).unwrap_or_default();
        if ran.success && !signature.is_empty() {
            return Ok(signature);
        }
        let label = match key {
            KeyLocation::File(path) => shown(path),
            KeyLocation::Agent(public) => {
                format!("{} of the agent", public.chars().take(80).collect::<String>())
            }
        };
        Err(Failure::other(format!("{program} can't sign the commit with {label}: {}", told(&ran.stderr)))
            .hinted(hint(key, why)))
    }
}

fn hint(key: &KeyLocation, why: &str) -> String {
    match key {
        KeyLocation::Agent(_) => {
            "start ssh-agent, give it the key with ssh-add, and see that SSH_AUTH_SOCK is set".to_owned()
        }
        KeyLocation::File(_) => format!(
            "{why}: give the private key to an agent with ssh-add, or set user.signingkey to a private key \
             without a passphrase, which nobody else may read (chmod 600)"
        ),
    }
}

/// The public key in a setting that is no path.
fn literal(key: &str) -> Option<&str> {
    key.strip_prefix("key::").or_else(|| key.starts_with("ssh-").then_some(key))
}

/// Reads a key file. Where there is none, an agent may have the key whose public part is beside it.
fn open(path: &Path) -> Result<KeyFile> {
    let fault = |why: &str| {
        Failure::usage(format!("the commit can't be signed: user.signingkey is {}: {why}", shown(path)))
            .hinted("git config user.signingkey PATH, the file of an SSH key, or key::PUBLIC-KEY for one in an agent")
    };
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let (file, about) = match open_regular_file(path) {
        Ok(opened) => opened,
        Err(e) if e.is_not_found() && Path::new(&public).exists() => {
            return Ok(KeyFile::Not("only its public part is there"));
        }
        Err(e) if e.is_not_found() => return Err(fault("there is no such file")),
        Err(OpenError::NotRegular) => return Err(fault("it is no file")),
        Err(e) => return Err(fault(&format!("it {e}"))),
    };
    let mut bytes = Vec::new();
    file.take(MAX_KEY + 1).read_to_end(&mut bytes).map_err(|e| fault(&e.to_string()))?;
    if bytes.len() as u64 > MAX_KEY {
        return Err(fault("it is too large for a key"));
    }
    match openssh::open(&bytes) {
        // whether that is right depends on whose it is, which ssh-keygen decides
        KeyFile::Key(_) if is_open(&about) => Ok(KeyFile::Not("others may read it")),
        opened => Ok(opened),
    }
}

/// Whether others than its owner may do something with it.
#[cfg(unix)]
fn is_open(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    about.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open(_: &std::fs::Metadata) -> bool {
    false
}
