//! Everything that can end a command.

use super::bump::BumpError;
use super::command::CommandError;
use super::wait::WaitError;
use super::{decision, describe, forge};
use crate::actions::RunnerFileError;
use crate::config::ConfigError;
use crate::decision::{DecisionError, TargetError};
use crate::error::Failure;
use crate::extras::ManError;
use crate::forge::ForgeError;
use crate::git::GitError;
use crate::history::HistoryError;
use crate::http::HttpError;
use crate::landing::LandingError;
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
    Bump(#[from] BumpError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Decision(#[from] DecisionError),
    #[error(transparent)]
    Forge(#[from] ForgeError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Landing(Box<LandingError<ForgeError, DecisionError>>),
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
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Wait(#[from] WaitError),
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// An error of the binary itself, which doesn't distinguish kinds of errors.
    #[error("{0:#}")]
    Binary(#[from] anyhow::Error),
    /// An error that is described already: secrets were removed from its text.
    #[error(transparent)]
    Failure(Failure),
}

impl Error {
    /// Applies `change` to every text in the error, for example to remove secrets.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        Error::Failure(describe(self).map_texts(change))
    }
}

impl From<LandingError<ForgeError, DecisionError>> for Error {
    fn from(error: LandingError<ForgeError, DecisionError>) -> Self {
        Error::Landing(Box::new(error))
    }
}

/// A landing's error can hold this one.
impl From<DecisionError> for Failure {
    fn from(error: DecisionError) -> Self {
        decision::describe(&error)
    }
}

/// A landing's error can hold this one.
impl From<ForgeError> for Failure {
    fn from(error: ForgeError) -> Self {
        forge::describe(&error)
    }
}
