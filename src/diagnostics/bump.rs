//! Errors of a bump itself, apart from those of its decision and of landing.

use super::command::{UNSET_MARKER, lines};
use super::tag;
use crate::ci::System;
use crate::error::{Exit, Failure};
use crate::hint::{Hint, flag, hint, in_action, setting, switch};
use crate::tag::{VariableError, variables};
use crate::visible::inline;

/// Why a bump can't be made, or isn't landed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BumpError {
    #[error("no {who}: set user.name and user.email{}", lines(.unread))]
    NoAuthor {
        /// `commit author` or `committer`.
        who: &'static str,
        /// Why settings of git don't count.
        unread: Vec<String>,
    },
    #[error("{folder}: is not inside a git repository")]
    NoCheckout { folder: String },
    /// The template of a pull request's branch has a variable without a value.
    #[error("{0}")]
    BranchTemplate(VariableError),
    #[error("{branch} can't be the branch of a pull request")]
    BadHeadBranch { branch: String },
    /// Pull requests and merge queues have no branch that people work on.
    #[error("{event} events have no branch to land on")]
    NoBranch { event: String },
    #[error("{system} runs this for a {} ({variable} is set), so there is no branch to land on", .system.request_word())]
    RequestBuild { system: System, variable: String },
    #[error("{} is a branch of GitHub's merge queue, so there is no branch to land on", inline(.branch))]
    MergeQueue { branch: String },
    #[error("{} are set, so it is unclear which CI system names the branch to land on", .markers.join(" and "))]
    SeveralSystems { markers: Vec<&'static str> },
    #[error("HEAD is detached, and tagbump doesn't know the variables of this CI system")]
    UnknownCi,
    #[error("HEAD is detached, and {system} names no branch")]
    NoPipelineBranch { system: System },
    #[error("HEAD is detached, and {system} doesn't say whether it builds this repository")]
    UnclearRepository { system: System },
    #[error(
        "{remote}: pull requests need a remote on GitHub, Gitea or GitLab, over https, or on GitLab over ssh"
    )]
    NoForge { remote: String },
    #[error("commits by API need a remote on GitHub, over http or https")]
    ApiWithoutForge,
    #[error("the remote's URL doesn't name a repository")]
    NoRepositoryName,
    /// In a dry run, which doesn't retry.
    #[error("{problem}")]
    TipUnknown { problem: String },
    /// The time ran out before the server named its default branch.
    #[error("{problem}")]
    BaseUnknown { problem: String },
    /// Every reference has a newer tag already.
    #[error("not landed: {}", .references.join("; "))]
    Superseded { references: Vec<String> },
    /// No version has run long enough in the environment before.
    #[error("not landed: {}", .references.join("; "))]
    Soaking { references: Vec<String> },
}

pub(super) fn describe(error: &BumpError) -> Failure {
    Failure::new(exit(error), message(error)).hinted(advice(error))
}

/// A job for a fork's pull request can't push, whatever its settings are.
pub(super) fn explain_fork(failure: Failure) -> Failure {
    let message = failure.message + "\npull requests from forks can't push";
    Failure { message, ..failure }
        .hinted("bump after the merge: on push, or on workflow_run, which gets the repository's own token")
}

fn exit(error: &BumpError) -> Exit {
    match error {
        BumpError::TipUnknown { .. } => Exit::Other,
        BumpError::BaseUnknown { .. } | BumpError::Superseded { .. } | BumpError::Soaking { .. } => {
            Exit::NotLanded
        }
        BumpError::NoAuthor { .. }
        | BumpError::NoCheckout { .. }
        | BumpError::BranchTemplate(_)
        | BumpError::BadHeadBranch { .. }
        | BumpError::NoBranch { .. }
        | BumpError::RequestBuild { .. }
        | BumpError::MergeQueue { .. }
        | BumpError::SeveralSystems { .. }
        | BumpError::UnknownCi
        | BumpError::NoPipelineBranch { .. }
        | BumpError::UnclearRepository { .. }
        | BumpError::NoForge { .. }
        | BumpError::ApiWithoutForge
        | BumpError::NoRepositoryName => Exit::Usage,
    }
}

fn message(error: &BumpError) -> Hint {
    match error {
        BumpError::BranchTemplate(error) => flag("pr-branch") + ": " + error.to_string().as_str(),
        BumpError::BadHeadBranch { branch } => {
            flag("pr-branch") + " gives " + branch.as_str() + ", which can't be the branch of a pull request"
        }
        BumpError::ApiWithoutForge => setting("via", "api") + " needs a remote on GitHub, over http or https",
        other => hint(other.to_string()),
    }
}

fn named_branch() -> Hint {
    hint("name the branch to land on with ") + flag("branch")
}

fn checkout_advice() -> Hint {
    in_action("run actions/checkout in a step before this one, or ")
        + "name a checkout with "
        + flag("repo")
        + " (not a bare repository), or leave out "
        + switch("commit")
        + " and "
        + switch("push")
}

fn forge_advice() -> Hint {
    hint("name the remote with ")
        + flag("remote")
        + ", or, if it is on GitLab, say so with "
        + flag("forge")
        + ", or land with "
        + switch("push")
}

fn superseded_advice() -> Hint {
    hint("the current tag is newer, or a rollback set it; to go back to an older one, use tagbump rollback")
        + in_action(", with the input \"command\"")
        + "; to replace it anyway, use "
        + setting("if-older", "write")
}

fn advice(error: &BumpError) -> Hint {
    match error {
        BumpError::NoAuthor { .. } => {
            hint("run git config user.name NAME and git config user.email EMAIL, or use ")
                + setting("author", "'NAME <EMAIL>'")
        }
        BumpError::NoCheckout { .. } => checkout_advice(),
        BumpError::BranchTemplate(VariableError::Unknown { .. }) => {
            tag::known_variables(["base", "name"].into_iter().chain(variables()))
        }
        BumpError::BranchTemplate(_) => hint("change ") + flag("pr-branch"),
        BumpError::BadHeadBranch { .. } => {
            hint("use a name that git check-ref-format --branch accepts, and that is not the base")
        }
        BumpError::NoBranch { .. }
        | BumpError::MergeQueue { .. }
        | BumpError::UnknownCi
        | BumpError::NoPipelineBranch { .. }
        | BumpError::UnclearRepository { .. } => named_branch(),
        BumpError::RequestBuild { system, .. } => {
            named_branch() + ", or land after the merge, with " + system.without_requests()
        }
        BumpError::SeveralSystems { .. } => named_branch() + ", or " + UNSET_MARKER,
        BumpError::NoForge { .. } => forge_advice(),
        BumpError::ApiWithoutForge => {
            hint("name the remote with ") + flag("remote") + ", or land with " + setting("via", "git")
        }
        BumpError::TipUnknown { .. } => hint("check the network, then run again"),
        BumpError::BaseUnknown { .. } => {
            hint("check the network, then run again, or increase ") + flag("timeout")
        }
        BumpError::Superseded { .. } => superseded_advice(),
        BumpError::Soaking { .. } => {
            hint("wait, or promote what runs there now with ")
                + setting("soak", "0")
                + "; with "
                + setting("if-held", "skip")
                + " this isn't an error"
        }
        BumpError::NoRepositoryName => {
            hint("use a URL such as https://HOST/OWNER/NAME, or land with ")
                + switch("push")
                + " and "
                + setting("via", "git")
        }
    }
}
