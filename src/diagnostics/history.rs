//! Errors with histories.

use super::{plan, selection};
use crate::error::Failure;
use crate::history::HistoryError;

pub(super) fn describe(error: &HistoryError) -> Failure {
    match error {
        HistoryError::Unreadable { .. } => Failure::other(error.to_string())
            .hinted("a partial clone lacks some of it; tagbump history --fetch reads it from the server"),
        HistoryError::Plan(error) => plan::describe(error),
        HistoryError::Selection(error) => selection::describe(error),
    }
}
