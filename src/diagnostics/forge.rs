//! Errors with forges.

use super::{http, landing};
use crate::error::{Exit, Failure};
use crate::forge::gitea::GiteaError;
use crate::forge::github::{ApiRefusal, ApiRefusalReason, GitHubError};
use crate::forge::gitlab::GitLabError;
use crate::forge::{ForgeError, ForgeKind};
use crate::hint::{Hint, flag, hint, setting, switch};

pub(super) fn describe(error: &ForgeError) -> Failure {
    match error {
        ForgeError::TimedOut { problem } => {
            Failure::new(Exit::NotLanded, problem.as_str()).hinted(landing::more_time())
        }
        ForgeError::NoForge { .. } => Failure::usage(error.to_string()).hinted(
            hint("nothing was pushed; if the server hides its API, name its kind with ")
                + flag("forge")
                + ", or land with "
                + switch("push"),
        ),
        ForgeError::NoToken { forge, .. } => {
            Failure::new(Exit::Refused, error.to_string()).hinted(match forge {
                ForgeKind::GitHub => {
                    "set TAGBUMP_TOKEN, or GITHUB_TOKEN with contents: write (pull requests also need pull-requests: write)"
                }
                ForgeKind::Gitea => "set TAGBUMP_TOKEN to an access token with the scope write:repository",
                ForgeKind::GitLab => "set TAGBUMP_TOKEN to an access token with the scope write_repository",
            })
        }
        ForgeError::NoApi { .. } => Failure::other(error.to_string()).hinted("please report this as a bug"),
        ForgeError::NoMergeRequest { branch, .. } => Failure::new(Exit::Refused, error.to_string()).hinted(format!(
            "the branch was pushed; fix what GitLab reports above, delete {branch}, and run again: only a push makes a merge request"
        )),
        ForgeError::OptionInTheWay { .. } => Failure::usage(error.to_string()).hinted(
            hint("it would change the merge request that tagbump makes: remove it, or land with ") + switch("push"),
        ),
        ForgeError::GitHub(error) => describe_github(error),
        ForgeError::Gitea(error) => describe_gitea(error),
        ForgeError::GitLab(error) => describe_gitlab(error),
        ForgeError::PullAnswer(error) => Failure::other(error.to_string()).hinted(
            hint("check GITHUB_API_URL and ") + flag("forge") + "; a proxy may answer in the forge's place",
        ),
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
        GitHubError::Declined { rules, .. } => {
            Failure::new(Exit::Refused, message).hinted(landing::rules_advice(rules))
        }
        GitHubError::Unexpected { .. } => Failure::new(Exit::Refused, message)
            .hinted("read GitHub's message above; a setting or rule of the repository is the likely cause"),
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

fn describe_gitea(error: &GiteaError) -> Failure {
    let message = error.to_string();
    match error {
        GiteaError::NotUsable { .. } => {
            Failure::other(message).hinted("check GITHUB_API_URL, and that the token is a single line")
        }
        GiteaError::NotHttps { .. } => {
            Failure::usage(message).hinted(hint("use an https remote, or land with ") + switch("push"))
        }
        GiteaError::Refused(refusal) => {
            Failure::new(Exit::Refused, message).hinted(gitea_advice(refusal.status, &refusal.route))
        }
        GiteaError::TooManyPullRequests { .. } => Failure::other(message)
            .hinted(hint("close those that are no longer needed, or land with ") + switch("push")),
    }
}

fn describe_gitlab(error: &GitLabError) -> Failure {
    let message = error.to_string();
    match error {
        GitLabError::NotUsable { .. } => {
            Failure::other(message).hinted("check CI_SERVER_URL, and that the token is a single line")
        }
        GitLabError::NotHttps { .. } => Failure::usage(message).hinted("use an https remote"),
        GitLabError::Refused(refusal) => Failure::new(Exit::Refused, message).hinted(match refusal.status {
            401 => "the token is invalid or has expired; set another one in TAGBUMP_TOKEN".to_owned(),
            403 => "the token needs the scope read_api; set one in TAGBUMP_TOKEN".to_owned(),
            404 => {
                format!("the token can't see {}; check the remote, and the token's project", refusal.route)
            }
            _ => "read GitLab's message above; a setting of the project is the likely cause".to_owned(),
        }),
    }
}

fn gitea_advice(status: u16, route: &str) -> String {
    match status {
        401 => "the token is invalid or has expired; set another one in TAGBUMP_TOKEN".to_owned(),
        403 => "the token lacks permissions: it needs the scope write:repository, and its owner must be \
                allowed to write to the repository"
            .to_owned(),
        404 => format!(
            "the token can't see {route}; check the remote, the repository's units, and the token's owner and scopes"
        ),
        _ => "read Gitea's message above; a setting or rule of the repository is the likely cause".to_owned(),
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
