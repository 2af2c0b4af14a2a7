//! Errors with forges.

use super::{http, landing};
use crate::error::{Exit, Failure};
use crate::forge::ForgeError;
use crate::forge::github::{ApiRefusal, ApiRefusalReason, GitHubError};
use crate::hint::{Hint, flag, hint, setting, switch};

pub(super) fn describe(error: &ForgeError) -> Failure {
    match error {
        ForgeError::TimedOut { problem } => {
            Failure::new(Exit::NotLanded, problem.as_str()).hinted(landing::more_time())
        }
        ForgeError::NoForge { .. } => Failure::usage(error.to_string()).hinted(
            hint("nothing was pushed; land with ")
                + switch("push")
                + ", or name a remote on GitHub with "
                + flag("remote"),
        ),
        ForgeError::NoToken { .. } => Failure::new(Exit::Refused, error.to_string()).hinted(
            "set TAGBUMP_TOKEN, or GITHUB_TOKEN with contents: write (pull requests also need pull-requests: write)",
        ),
        ForgeError::GitHub(error) => describe_github(error),
        ForgeError::Http(error) => http::describe(error),
        ForgeError::Remote(error) => landing::describe_remote(error),
    }
}

pub(super) fn describe_github(error: &GitHubError) -> Failure {
    let message = error.to_string();
    match error {
        GitHubError::NotUsable { .. } => {
            Failure::other(message).hinted("check GITHUB_API_URL, and that the token is a single line")
        }
        GitHubError::NotHttps { .. } => {
            Failure::usage(message).hinted(hint("use an https remote, or land with ") + switch("push"))
        }
        GitHubError::BadGraphQlAddress { .. } => Failure::usage(message).hinted("check GITHUB_GRAPHQL_URL"),
        GitHubError::Refused(refusal) => Failure::new(Exit::Refused, message).hinted(advice(refusal)),
        GitHubError::CommitForbidden { .. } => Failure::new(Exit::Refused, message)
            .hinted("the token can't write: give the job permissions: contents: write"),
        GitHubError::NotAPullRequest { .. } => {
            Failure::other(message).hinted("check GITHUB_API_URL; a proxy may answer in GitHub's place")
        }
        GitHubError::NotPrepared { .. } => Failure::other(message)
            .hinted(hint("land it with ") + setting("via", "git") + ", and please report this as a bug"),
        GitHubError::FilesTooLarge => {
            Failure::new(Exit::NotEditable, message).hinted(hint("land them with ") + setting("via", "git"))
        }
        GitHubError::FileMode { .. } => {
            let via_git = hint("land it with ") + setting("via", "git");
            Failure::new(Exit::NotEditable, message).hinted(via_git + ", or change the file's mode")
        }
    }
}

fn advice(refusal: &ApiRefusal) -> Hint {
    match (refusal.status, refusal.reason) {
        (401, _) => hint("the token is invalid or has expired; set another one in TAGBUMP_TOKEN"),
        (403, ApiRefusalReason::MayNotCreatePulls) => {
            hint("let Actions create pull requests: Settings, Actions, General, Workflow permissions")
        }
        (403, _) => {
            hint("the token lacks permissions: give the job contents: write and pull-requests: write")
        }
        (404, _) => hint(format!(
            "the token can't see {}; check the remote, and the token's repositories and permissions",
            refusal.route
        )),
        _ => hint("read GitHub's message above; a setting or rule of the repository is the likely cause"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_request_is_exit_5_with_a_hint_for_its_status() {
        for (status, reason, hint) in [
            (401, ApiRefusalReason::Other, "TAGBUMP_TOKEN"),
            (403, ApiRefusalReason::Other, "pull-requests: write"),
            (403, ApiRefusalReason::MayNotCreatePulls, "let Actions create pull requests"),
            (404, ApiRefusalReason::Other, "/repos/a/b/pulls"),
            (422, ApiRefusalReason::Other, "setting"),
        ] {
            let (route, message) = ("/repos/a/b/pulls".to_owned(), "no".to_owned());
            let refusal = ApiRefusal { reason, status, route, message };
            let failure = describe_github(&GitHubError::Refused(refusal));
            assert_eq!(failure.exit, Exit::Refused);
            assert_eq!(failure.to_string(), format!("GitHub's API answered {status}: no"));
            assert!(failure.hint.to_string().contains(hint), "{status}");
        }
    }
}
