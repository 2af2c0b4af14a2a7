//! Errors of `wait`.

use std::fmt;

use super::command::lines;
use crate::error::{Exit, Failure};
use crate::forge::ForgeKind;
use crate::hint::{flag, hint, setting};
use crate::landing::SEARCHED_COMMITS;
use crate::object_id::CommitId;
use crate::visible::inline;

/// Why a change is not live, or can't be waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    #[error("no IMAGE was given, the commit names none, and tagbump.yaml has no services")]
    NoImage,
    #[error("{remote}: statuses need a remote on GitHub, Gitea or GitLab, over https")]
    NoForge { remote: String },
    #[error("no token to read statuses from {forge}{}", lines(.withheld))]
    NoToken {
        forge: ForgeKind,
        /// Why tokens that were found aren't sent there.
        withheld: Vec<String>,
    },
    /// The forge doesn't show the statuses; `message` has its words.
    #[error("{message}")]
    StatusesRefused { forge: ForgeKind, status: u16, message: String },
    /// The commit that set the tags is older than the history that is read.
    #[error("none of {SEARCHED_COMMITS} of {} set these tags", inline(.branch))]
    WriterUnknown { branch: String },
    /// The images have neither a tag nor a digest.
    #[error("the references have no tag that a page could show")]
    NothingToShow,
    /// It never was there, or the branch was rewritten.
    #[error("{} has no commit {commit}; the branch may have been rewritten", inline(.branch))]
    NotOnBranch { commit: String, branch: String },
    #[error("{} is not live, because these failed: {}", .commit.short(), inline(&.names.join(", ")))]
    Failed { commit: CommitId, names: Vec<String> },
    #[error("{} is not live after {seconds} s: {what}", .commit.short())]
    TimedOut { commit: CommitId, seconds: u64, what: String },
    /// The last looks saw nothing.
    #[error("can't tell whether {} is live: {part} couldn't be read: {what}", .commit.short())]
    Unknown { commit: CommitId, part: UnreadPart, what: String },
}

/// What a look failed to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadPart {
    Branch,
    Statuses,
}

impl fmt::Display for UnreadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnreadPart::Branch => "the branch",
            UnreadPart::Statuses => "the statuses",
        })
    }
}

pub(super) fn describe(error: &WaitError) -> Failure {
    let message = error.to_string();
    match error {
        WaitError::NoImage => Failure::usage(message).hinted("name one, such as ghcr.io/acme/api"),
        WaitError::NoForge { .. } => Failure::usage(message).hinted(
            hint("name its kind with ")
                + flag("forge")
                + ", another remote with "
                + flag("remote")
                + ", or a page with "
                + flag("url"),
        ),
        WaitError::NoToken { forge, .. } => {
            let given = token_advice(*forge);
            Failure::new(Exit::Refused, message).hinted(format!("set TAGBUMP_TOKEN to {given}"))
        }
        WaitError::StatusesRefused { forge, status, .. } => {
            Failure::new(Exit::Refused, message).hinted(refusal_advice(*forge, *status))
        }
        WaitError::WriterUnknown { .. } => {
            Failure::usage(message).hinted(hint("name the commit with ") + flag("rev"))
        }
        WaitError::NothingToShow => Failure::usage(message)
            .hinted(hint("say what the page has when it is live, with ") + flag("contains")),
        WaitError::NotOnBranch { .. } => Failure::new(Exit::NotLive, message).hinted(
            hint("check the branch, and ") + flag("rev") + "; if the branch was rewritten, bump again",
        ),
        WaitError::Failed { .. } => Failure::new(Exit::NotLive, message)
            .hinted("see what the controller reports; to go back, run tagbump rollback"),
        WaitError::TimedOut { .. } => Failure::new(Exit::NotLive, message).hinted(
            hint("see what the controller does; give it more time with ") + setting("wait-timeout", "20m"),
        ),
        // not exit 7: nothing says that the change failed, so no workflow should undo it
        WaitError::Unknown { .. } => Failure::new(Exit::NotLanded, message)
            .hinted("look at the change by hand, or wait again when the server answers"),
    }
}

/// A token that may read statuses.
fn token_advice(forge: ForgeKind) -> &'static str {
    match forge {
        ForgeKind::GitHub => {
            "a token with statuses: read and checks: read, or give these permissions to the job"
        }
        ForgeKind::Gitea => "an access token with the scope read:repository",
        ForgeKind::GitLab => "an access token with the scope read_api",
    }
}

fn refusal_advice(forge: ForgeKind, status: u16) -> String {
    match status {
        401 => "the token is invalid or has expired; set another one in TAGBUMP_TOKEN".to_owned(),
        403 => format!("the token may not read statuses: set TAGBUMP_TOKEN to {}", token_advice(forge)),
        _ => format!(
            "the token can't see the repository or the commit: set TAGBUMP_TOKEN to {}",
            token_advice(forge)
        ),
    }
}
