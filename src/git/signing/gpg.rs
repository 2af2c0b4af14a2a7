//! Signs with OpenPGP through gpg, and with X.509 through gpgsm, which takes the same arguments.

use git2::Config;

use super::words::message_of;
use super::{SigningContext, SigningError, last, not_run};
use crate::git::identity::Identity;

/// gpg prints this once it has signed; its exit code alone is not enough.
const DONE: &str = "[GNUPG:] SIG_CREATED ";

/// gpg prints this for a key that it can't sign with (gnupg's `doc/DETAILS`).
const NO_KEY: &str = "[GNUPG:] INV_SGNR ";

/// A GnuPG program, and the key that it signs with.
#[derive(Debug)]
pub struct Gpg {
    program: String,
    /// The name of the default program.
    usual: &'static str,
    /// The setting in git's configuration that names the program.
    setting: &'static str,
    key: String,
    /// Whether the key is configured, rather than chosen by the committer's name.
    has_key: bool,
}

impl Gpg {
    /// Signs with OpenPGP. Without a key, gpg chooses one by the committer.
    pub fn openpgp(config: &Config, key: Option<String>, committer: &Identity) -> Self {
        let program = last(config, &["gpg.program", "gpg.openpgp.program"]);
        Gpg::new(program, "gpg", "gpg.program", key, committer)
    }

    /// Signs with X.509. Without a key, gpgsm chooses one by the committer.
    pub fn x509(config: &Config, key: Option<String>, committer: &Identity) -> Self {
        Gpg::new(last(config, &["gpg.x509.program"]), "gpgsm", "gpg.x509.program", key, committer)
    }

    fn new(
        program: Option<String>,
        usual: &'static str,
        setting: &'static str,
        key: Option<String>,
        committer: &Identity,
    ) -> Self {
        Gpg {
            program: program.unwrap_or_else(|| usual.to_owned()),
            usual,
            setting,
            has_key: key.is_some(),
            key: key.unwrap_or_else(|| format!("{} <{}>", committer.name, committer.email)),
        }
    }

    /// Signs `content`, and returns an armoured signature.
    ///
    /// # Errors
    /// Fails if the program can't run or can't sign.
    pub(super) fn sign(&self, content: &[u8], context: &SigningContext) -> Result<String, SigningError> {
        let mut command = context.program(&self.program);
        command.args(["--status-fd=2", "-bsau", &self.key]);
        let ran = context.run(command, content);
        let ran = ran.map_err(|why| not_run(&self.program, self.setting, why))?;
        let done = ran.stderr.lines().any(|line| line.starts_with(DONE));
        if ran.success && done && !ran.stdout.trim().is_empty() {
            return Ok(ran.stdout);
        }
        Err(self.error(&ran.stderr))
    }

    fn error(&self, stderr: &str) -> SigningError {
        let is_missing = stderr.lines().any(|line| line.starts_with(NO_KEY));
        SigningError::Gpg {
            program: self.program.clone(),
            key: self.key.clone(),
            is_configured: self.has_key,
            message: message_of(stderr),
            missing: is_missing.then_some(self.usual),
        }
    }
}
