//! Everything that can end a command.

use super::bump::BumpError;
use super::command::CommandError;
use super::{command, config, decision, describe, git, http, plan, selection, tag, worktree};
use crate::actions::RunnerFileError;
use crate::config::ConfigError;
use crate::decision::{DecisionError, TargetError};
use crate::error::Failure;
use crate::extras::ManError;
use crate::file_selection::SelectionError;
use crate::git::{GitError, ServerError};
use crate::hint::Speaker;
use crate::http::HttpError;
use crate::plan::{PlanError, SourceError};
use crate::scaffold::ScaffoldError;
use crate::settings::SettingsError;
use crate::tag::TagError;
use crate::worktree::WorktreeError;

/// Why a command ended without doing what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Bump(#[from] BumpError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Decision(#[from] DecisionError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Man(#[from] ManError),
    #[error(transparent)]
    Plan(#[from] PlanError),
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
    /// Words the error for `speaker`, and applies `change` to every text in it, for example to remove secrets.
    #[must_use]
    pub fn map_texts(self, speaker: Speaker, change: impl Fn(&str) -> String) -> Self {
        Error::Failure(describe(self, speaker).map_texts(change))
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
    DecisionError => decision::describe,
    GitError => git::describe,
    HttpError => http::describe,
    ServerError => git::describe_server,
    PlanError => plan::describe,
    SelectionError => selection::describe,
    SourceError => worktree::describe_source,
    TagError => tag::describe,
    TargetError => tag::describe_target,
    WorktreeError => worktree::describe,
}
