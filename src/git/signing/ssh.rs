//! Signs with SSH keys: with plain key files directly, with all others (agents, passphrases, hardware) through
//! ssh-keygen.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use git2::Config;

use super::openssh::{self, KeyFile};
use super::words::{message_of, split};
use super::{SigningContext, SigningError, last, not_run, shown};
use crate::git::config;
use crate::git::error::GitError;
use crate::git::temporary_folder::temporary_folder;
use crate::worktree::{OpenError, open_regular_file};

const PROGRAM: &str = "gpg.ssh.program";
const KEY_COMMAND: &str = "gpg.ssh.defaultKeyCommand";
/// The namespace that git signs in, so that a signature can't be reused for another purpose (`gpg-interface.c`).
const NAMESPACE: &str = "git";
const MAX_KEY: u64 = 1024 * 1024;

/// A configured SSH key to sign with.
#[derive(Debug)]
pub struct Ssh {
    /// The configured program; `None` means ssh-keygen.
    program: Option<String>,
    key: Option<String>,
    key_command: Option<String>,
    /// The key that the command printed, once it has run.
    found: OnceLock<String>,
}

/// Where a key is.
enum KeyLocation {
    File(PathBuf),
    /// In an agent; this is the public key.
    Agent(String),
}

impl Ssh {
    /// Reads the configuration. `key` is `user.signingkey`, if it is set.
    pub fn new(config: &Config, key: Option<String>) -> Self {
        Ssh {
            program: last(config, &["gpg.ssh.program"]),
            key,
            key_command: config::text(config, KEY_COMMAND),
            found: OnceLock::new(),
        }
    }

    /// Signs `content`, and returns an armoured signature.
    ///
    /// # Errors
    /// Fails if there is no key, or if neither tagbump nor the program can sign with it.
    pub(super) fn sign(&self, content: &[u8], context: &SigningContext) -> Result<String, GitError> {
        let key = self.key(context)?;
        let key = match literal(key) {
            Some(public) => KeyLocation::Agent(public.to_owned()),
            None => KeyLocation::File(context.path(key)),
        };
        let mut why = "the key is in an agent";
        if let KeyLocation::File(path) = &key {
            match open(path)? {
                KeyFile::Key(opened) if self.program.is_none() => {
                    let signature = openssh::sign(&opened, NAMESPACE, content);
                    return signature.ok_or_else(|| SigningError::NoRandomNumbers.into());
                }
                KeyFile::Key(_) => {}
                KeyFile::Not(reason) => why = reason,
            }
        }
        self.sign_by_program(&key, why, content, context)
    }

    /// The key: `user.signingkey`, or else the first line that the configured command prints.
    fn key(&self, context: &SigningContext) -> Result<&str, SigningError> {
        if let Some(key) = self.key.as_ref().or(self.found.get()) {
            return Ok(key);
        }
        let line = self.key_command.as_ref().ok_or(SigningError::NoSshKey)?;
        let no_key =
            |reason: &str| SigningError::KeyCommand { setting: KEY_COMMAND, reason: reason.to_owned() };
        let parts = split(line).ok_or_else(|| no_key("a quote is not closed"))?;
        let mut command = context.program(&parts[0]);
        command.args(&parts[1..]);
        let ran = context.run(command, b"").map_err(|why| not_run(&parts[0], KEY_COMMAND, why))?;
        let first = ran.stdout.lines().next().unwrap_or_default().trim();
        if !ran.success {
            return Err(no_key(&message_of(&ran.stderr)));
        }
        literal(first).ok_or_else(|| no_key("its output is not a key"))?;
        Ok(self.found.get_or_init(|| first.to_owned()))
    }

    /// Signs with files, as git does: programs that replace ssh-keygen may not support anything else.
    fn sign_by_program(
        &self,
        key: &KeyLocation,
        why: &'static str,
        content: &[u8],
        context: &SigningContext,
    ) -> Result<String, GitError> {
        let program = self.program.as_deref().unwrap_or("ssh-keygen");
        let folder = temporary_folder()?;
        let write = |name: &str, bytes: &[u8]| -> Result<PathBuf, GitError> {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).map_err(GitError::Temporary)?;
            Ok(path)
        };
        let file = match key {
            KeyLocation::File(path) => path.clone(),
            KeyLocation::Agent(public) => write("key.pub", format!("{public}\n").as_bytes())?,
        };
        let buffer = write("commit", content)?;
        let mut command = context.program(program);
        command.args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(&file);
        if matches!(key, KeyLocation::Agent(_)) {
            command.arg("-U");
        }
        command.arg(&buffer);
        let ran = context.run(command, b"").map_err(|error| not_run(program, PROGRAM, error).needed(why))?;
        let signature = std::fs::read_to_string(folder.path().join("commit.sig")).unwrap_or_default();
        if ran.success && !signature.is_empty() {
            return Ok(signature);
        }
        let (program, message) = (program.to_owned(), message_of(&ran.stderr));
        Err(match key {
            KeyLocation::File(path) => {
                SigningError::SshFile { program, path: shown(path), message, because: why }
            }
            KeyLocation::Agent(public) => {
                let key = format!("{} of the agent", public.chars().take(80).collect::<String>());
                SigningError::SshAgent { program, key, message }
            }
        }
        .into())
    }
}

/// The public key, if a setting holds one and not a path.
fn literal(key: &str) -> Option<&str> {
    key.strip_prefix("key::").or_else(|| key.starts_with("ssh-").then_some(key))
}

/// Reads a key file. If there is only a public key beside it, an agent may have the key.
fn open(path: &Path) -> Result<KeyFile, SigningError> {
    let bad_file = |reason: &str| SigningError::BadKeyFile { path: shown(path), reason: reason.to_owned() };
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let (file, about) = match open_regular_file(path) {
        Ok(opened) => opened,
        Err(e) if e.is_not_found() && Path::new(&public).exists() => {
            return Ok(KeyFile::Not("only its public part is there"));
        }
        Err(e) if e.is_not_found() => return Err(bad_file("no such file")),
        Err(OpenError::NotRegular) => return Err(bad_file("it is not a regular file")),
        Err(e) => return Err(bad_file(&e.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(MAX_KEY + 1).read_to_end(&mut bytes).map_err(|e| bad_file(&e.to_string()))?;
    if bytes.len() as u64 > MAX_KEY {
        return Err(bad_file("it is too large for a key"));
    }
    match openssh::open(&bytes) {
        // ssh-keygen decides whether these permissions are acceptable, because that depends on the owner
        KeyFile::Key(_) if is_open(&about) => Ok(KeyFile::Not("others may read it")),
        opened => Ok(opened),
    }
}

/// Whether users other than the owner have any permission on the file.
#[cfg(unix)]
fn is_open(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    about.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open(_: &std::fs::Metadata) -> bool {
    false
}
