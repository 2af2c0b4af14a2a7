//! Everything that can end a command.

use super::command::CommandError;
use super::{command, config, describe, forge, git, history, http, landing, plan, selection, tag, worktree};
use crate::actions::RunnerFileError;
use crate::config::ConfigError;
use crate::decision::TargetError;
use crate::error::Failure;
use crate::extras::ManError;
use crate::file_selection::SelectionError;
use crate::forge::ForgeError;
use crate::forge::github::GitHubError;
use crate::git::{GitError, ServerError};
use crate::history::HistoryError;
use crate::http::HttpError;
use crate::landing::MessageError;
use crate::landing::remote::RemoteError;
use crate::plan::{PlanError, SourceError};
use crate::scaffold::ScaffoldError;
use crate::settings::SettingsError;
use crate::tag::TagError;
use crate::worktree::WorktreeError;

/// Why a command ended without doing what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Man(#[from] ManError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error(transparent)]
    RunnerFile(#[from] RunnerFileError),
    #[error(transparent)]
    Scaffold(#[from] ScaffoldError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// An error of the binary itself, which doesn't distinguish kinds of errors.
    #[error("{0:#}")]
    Binary(#[from] anyhow::Error),
    /// An error of a module that words its errors itself.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Error {
    /// Applies `change` to every text in the error, for example to remove secrets.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        Error::Failure(describe(self).map_texts(change))
    }
}

/// Lets modules that word their own errors use `?` on the errors of modules that don't.
macro_rules! failure_from {
    ($($error:ty => $describe:path),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                $describe(&error)
            }
        })*
    };
}

failure_from! {
    CommandError => command::describe,
    ConfigError => config::describe,
    ForgeError => forge::describe,
    GitError => git::describe,
    GitHubError => forge::describe_github,
    HistoryError => history::describe,
    HttpError => http::describe,
    MessageError => landing::describe_message,
    ServerError => git::describe_server,
    PlanError => plan::describe,
    RemoteError => landing::describe_remote,
    SelectionError => selection::describe,
    SourceError => worktree::describe_source,
    TagError => tag::describe,
    TargetError => tag::describe_target,
    WorktreeError => worktree::describe,
}
