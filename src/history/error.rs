//! Why a history can't be read.

use crate::file_selection::SelectionError;
use crate::plan::PlanError;

/// Why a history can't be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A commit, tree or file is missing or damaged.
    #[error("the history can't be read: {reason}")]
    Unreadable { reason: String },
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
}
