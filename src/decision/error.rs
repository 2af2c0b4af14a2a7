//! Why there is no decision, as data.

use std::sync::Arc;

use super::promotion::PromotionError;
use super::rollback::RollbackError;
use super::targets::TargetError;
use crate::config::ConfigError;
use crate::git::GitError;
use crate::history::HistoryError;
use crate::holds::{HoldsEditError, HoldsError};
use crate::landing::MessageError;
use crate::plan::PlanError;
use crate::registry::RegistryError;
use crate::tag::TagError;

/// Why a bump can't be decided.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    #[error("not inside a git repository")]
    NoRepository,
    /// The repository can't be opened, but the decision depends on it.
    #[error(transparent)]
    Unopened(Arc<GitError>),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Git(#[from] GitError),
    /// `all`: every reference that would change.
    #[error("{}", held_lines(.references))]
    Held { references: Vec<String>, all: bool },
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Holds(#[from] HoldsError),
    #[error(transparent)]
    HoldsEdit(#[from] HoldsEditError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Promotion(Box<PromotionError>),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Boxed, because it holds many texts.
    #[error(transparent)]
    Rollback(Box<RollbackError>),
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl From<PromotionError> for DecisionError {
    fn from(error: PromotionError) -> Self {
        DecisionError::Promotion(Box::new(error))
    }
}

fn held_lines(references: &[String]) -> String {
    match references {
        [only] => only.clone(),
        several => format!("{} references are held:\n{}", several.len(), several.join("\n")),
    }
}

impl From<RollbackError> for DecisionError {
    fn from(error: RollbackError) -> Self {
        DecisionError::Rollback(Box::new(error))
    }
}
