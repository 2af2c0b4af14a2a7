//! Errors with the registries of images.

use super::http;
use crate::error::{Exit, Failure};
use crate::hint::{Hint, flag, hint, setting};
use crate::registry::{AuthFileError, HelperProblem, RegistryError};

pub(super) fn describe(error: &RegistryError) -> Failure {
    let message = error.to_string();
    match error {
        RegistryError::NotAName { .. } => {
            Failure::usage(message).hinted("write the image as registry/path, in lower case")
        }
        RegistryError::Missing { similar, .. } => {
            Failure::new(Exit::NoMatch, message).hinted(missing(similar))
        }
        RegistryError::Denied { credential: None, .. } => Failure::new(Exit::Refused, message).hinted(
            "check the name; if the image is private, log in with docker login, or set DOCKER_AUTH_CONFIG",
        ),
        RegistryError::Denied { credential: Some(_), .. } => Failure::new(Exit::Refused, message).hinted(
            "check the name and tag, and that the credential may read the image (on ghcr.io: packages: read)",
        ),
        RegistryError::WrongCredential { .. } => Failure::new(Exit::Refused, message)
            .hinted("log in again with docker login, or correct the credential"),
        RegistryError::Unreachable { .. } => Failure::new(Exit::NotLanded, message).hinted(more_time()),
        RegistryError::TokenServer { .. } => Failure::new(Exit::Refused, message)
            .hinted(hint("ask the registry's administrators to correct the address; to skip the check, use ") + off()),
        RegistryError::NotARegistry { .. } => Failure::other(message)
            .hinted(hint("check the name of the image, and the proxy; to go on without it, use ") + off()),
        RegistryError::WrongDigest { .. } => Failure::other(message)
            .hinted("run again; if the error comes back, report it to the administrators of the registry or the proxy"),
        RegistryError::AuthFile(error) => auth_file(error),
        RegistryError::Helper { problem, .. } => Failure::other(message).hinted(helper(*problem)),
        RegistryError::Http(error) => http::describe(error),
    }
}

fn missing(similar: &[String]) -> Hint {
    let advice = match similar {
        [] => hint("check the name and tag, and that the build has pushed it; "),
        tags => hint(format!("the registry has {}; ", tags.join(", "))),
    };
    advice + "if it comes later, wait longer with " + flag("verify-timeout")
}

fn more_time() -> Hint {
    hint("run again, or wait longer with ")
        + flag("verify-timeout")
        + "; to go on without the registry, use "
        + off()
}

/// What asks no registry.
fn off() -> Hint {
    setting("verify", "off") + ", without " + setting("digest", "auto")
}

fn auth_file(error: &AuthFileError) -> Failure {
    let advice = match error {
        AuthFileError::Unreadable { .. } => {
            "check the path and its permissions, or unset the variable that names it"
        }
        AuthFileError::Invalid { .. } => "correct it, or log in again with docker login",
    };
    Failure::usage(error.to_string()).hinted(advice)
}

fn helper(problem: HelperProblem) -> &'static str {
    match problem {
        HelperProblem::BadName => "correct credsStore or credHelpers in docker's config.json",
        HelperProblem::Missing => {
            "install it, or remove it from credsStore and credHelpers in docker's config.json"
        }
        HelperProblem::Unstartable => "check that the file can be executed",
        HelperProblem::Late | HelperProblem::Failed | HelperProblem::Garbled => {
            "run it by hand: echo REGISTRY | docker-credential-NAME get"
        }
    }
}
