//! Signing errors.

use crate::error::Failure;
use crate::git::{ProgramFailure, SigningError};
use crate::hint::{Hint, hint, setting};

const KEY: &str =
    "git config user.signingkey PATH, the file of an SSH key, or key::PUBLIC-KEY for one in an agent";

pub(super) fn describe(error: &SigningError) -> Failure {
    let failure = if is_usage(error) { Failure::usage } else { Failure::other };
    failure(error.to_string()).hinted(advice(error))
}

/// Whether git's configuration is wrong, or a program or key is missing.
fn is_usage(error: &SigningError) -> bool {
    match error {
        SigningError::UnknownFormat { .. }
        | SigningError::NotABoolean { .. }
        | SigningError::NoSshKey
        | SigningError::KeyCommand { .. }
        | SigningError::BadKeyFile { .. } => true,
        SigningError::Program { failure, .. } => *failure != ProgramFailure::TimedOut,
        SigningError::Gpg { missing, .. } => missing.is_some(),
        SigningError::AuthorNotUtf8
        | SigningError::NoRandomNumbers
        | SigningError::SshAgent { .. }
        | SigningError::SshFile { .. } => false,
    }
}

fn advice(error: &SigningError) -> Hint {
    match error {
        SigningError::UnknownFormat { .. } => {
            hint("set it to openpgp, x509 or ssh: git config gpg.format ssh")
        }
        SigningError::NotABoolean { .. } => hint("set it to true or false"),
        SigningError::AuthorNotUtf8 => hint("land it without a signature, or fix the name"),
        SigningError::Program { setting, failure, .. } => program_advice(setting, failure),
        SigningError::NoSshKey | SigningError::BadKeyFile { .. } => hint(KEY),
        SigningError::KeyCommand { .. } => {
            hint("it must print a public key, such as key::ssh-ed25519 …; or set user.signingkey")
        }
        SigningError::NoRandomNumbers => {
            hint("check that a program can read /dev/urandom here; a sandbox may forbid it")
        }
        SigningError::SshAgent { .. } => {
            hint("start ssh-agent, add the key with ssh-add, and check that SSH_AUTH_SOCK is set")
        }
        SigningError::SshFile { because, .. } => hint(format!(
            "{because}: add the private key to an agent with ssh-add, or set user.signingkey to a private key \
             without a passphrase that nobody else may read (chmod 600)"
        )),
        SigningError::Gpg { missing: Some(program), .. } => hint(format!(
            "import the secret key ({program} --import), or name one of yours with git config user.signingkey; \
             {program} --list-secret-keys shows them"
        )),
        SigningError::Gpg { missing: None, .. } => hint(
            "nobody can be asked for a passphrase here, so gpg-agent must know it; git commit -S fails in the same way",
        ),
    }
}

fn program_advice(name: &str, failure: &ProgramFailure) -> Hint {
    match failure {
        ProgramFailure::Missing => {
            let install = format!("install it, or set its path: git config {name} PATH; with ");
            hint(install) + setting("via", "api") + ", GitHub signs"
        }
        ProgramFailure::NotStarted(_) => hint(format!("fix {name} in git's configuration")),
        ProgramFailure::TimedOut => hint("add the key to an agent first, or use one without a passphrase"),
    }
}
