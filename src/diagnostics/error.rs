//! Everything that can end a command.

use super::command::CommandError;
use super::{command, config, describe, plan, selection, tag, worktree};
use crate::config::ConfigError;
use crate::decision::TargetError;
use crate::error::Failure;
use crate::file_selection::SelectionError;
use crate::hint::Speaker;
use crate::plan::{PlanError, SourceError};
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
    Plan(#[from] PlanError),
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
    /// From a module that words its errors itself.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Error {
    /// With every text in it changed, such as to take secrets out.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        Error::Failure(describe(self, Speaker::CommandLine).map_texts(change))
    }
}

/// For the modules that word their errors themselves, and call others that don't.
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
    PlanError => plan::describe,
    SelectionError => selection::describe,
    SourceError => worktree::describe_source,
    TagError => tag::describe,
    TargetError => tag::describe_target,
    WorktreeError => worktree::describe,
}
