//! Asks a credential helper of docker's for a registry's credentials.
//!
//! Source: `docker/docker-credential-helpers` (the protocol of `get`).

use std::time::Duration;

use serde::Deserialize;

use super::auth_file::RegistrySecret;
use super::{HelperProblem, RegistryError};
use crate::environment::Environment;
use crate::git::process::{self, Interruption, NotRun, Purpose};

/// The user that stands for an identity token.
const TOKEN_USER: &str = "<token>";

/// How a helper says that it knows no credentials. It exits with 1 then, as for any error.
const NOT_FOUND: &str = "credentials not found in native keychain";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperCredential {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks `docker-credential-NAME` for a server's credentials; `None` if it knows none. Nothing that it prints is shown.
///
/// # Errors
/// Fails if the name is not that of a program on `PATH`, and if the helper fails, or takes longer than `time`.
pub(super) fn ask(
    name: &str,
    server: &str,
    environment: &Environment,
    time: Duration,
) -> Result<Option<RegistrySecret>, RegistryError> {
    let program = format!("docker-credential-{name}");
    let answer = match is_bare(name) {
        true => run(&program, server, environment, time),
        false => Err(HelperProblem::BadName),
    };
    answer.map_err(|problem| RegistryError::Helper { program, problem })
}

fn run(
    program: &str,
    server: &str,
    environment: &Environment,
    time: Duration,
) -> Result<Option<RegistrySecret>, HelperProblem> {
    let mut command = process::command(program, Purpose::RegistryHelper, environment);
    command.arg("get");
    let output = process::run(command, server.as_bytes(), time, Interruption::EndsIt);
    let output = output.map_err(|error| match error {
        NotRun::Missing => HelperProblem::Missing,
        NotRun::Unstartable(_) => HelperProblem::Unstartable,
        NotRun::Late => HelperProblem::Late,
    })?;
    if !output.success {
        let knows_none = output.stdout.trim() == NOT_FOUND;
        return if knows_none { Ok(None) } else { Err(HelperProblem::Failed) };
    }
    secret(&output.stdout).ok_or(HelperProblem::Garbled)
}

/// The credential in an answer; an empty one is none. `None` for an answer that can't be read.
fn secret(text: &str) -> Option<Option<RegistrySecret>> {
    let HelperCredential { username, secret } = serde_json::from_str(text).ok()?;
    Some(match (&*username, secret.is_empty()) {
        (_, true) => None,
        (TOKEN_USER, false) => Some(RegistrySecret::IdentityToken(secret)),
        _ => Some(RegistrySecret::Password { user: username, password: secret }),
    })
}

/// Whether a name can only be that of a program on `PATH`.
fn is_bare(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.')
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_programs() {
        for name in ["gcr", "ecr-login", "osxkeychain", "pass", "wincred.v2"] {
            assert!(is_bare(name), "{name}");
        }
        for name in ["", "../x", "a/b", "a\\b", "a b", "x;y", "a\0", "C:x", &"x".repeat(65)] {
            assert!(!is_bare(name), "{name}");
        }
    }

    #[test]
    fn answers_are_read_as_docker_reads_them() {
        let password = RegistrySecret::Password { user: "a".to_owned(), password: "1".to_owned() };
        assert_eq!(secret(r#"{"ServerURL": "x", "Username": "a", "Secret": "1"}"#), Some(Some(password)));
        let token = RegistrySecret::IdentityToken("t".to_owned());
        assert_eq!(secret(r#"{"Username": "<token>", "Secret": "t"}"#), Some(Some(token)));
        assert_eq!(secret(r#"{"Username": "", "Secret": ""}"#), Some(None));
        assert_eq!(secret("oops"), None);
    }
}
