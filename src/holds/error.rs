//! What can be wrong with a `tagbump-holds.yaml`.

use super::HoldTimeError;
use crate::file_selection::{HOLDS_PATH, SelectionError};
use crate::image::ImageError;
use crate::location::Location;
use crate::plan::SourceError;
use crate::visible::inline;
use crate::yaml::{ParseAborted, YamlError};

/// Why the holds can't be read.
#[derive(Debug, thiserror::Error)]
pub enum HoldsError {
    #[error("{HOLDS_PATH}: is over 1 MB")]
    TooLarge,
    #[error("{HOLDS_PATH}:{0} (not valid YAML)")]
    NotYaml(YamlError),
    #[error("{HOLDS_PATH}: {0}")]
    TooMuchWork(ParseAborted),
    /// It doesn't have the right keys or types. The position is line and column.
    #[error("{}: {}", place(.position), inline(.reason))]
    Types { position: Option<(usize, usize)>, reason: String },
    #[error("{at}: {key}: {problem}")]
    Value { at: Location, key: &'static str, problem: HoldProblem },
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldProblem {
    #[error("give the name alone, without tag or digest")]
    NotBareName,
    #[error("a path is empty")]
    EmptyPath,
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Time(#[from] HoldTimeError),
}

impl HoldsError {
    /// The place that it is about.
    pub fn location(&self) -> Option<Location> {
        let here = |line, column| Location { file: HOLDS_PATH.to_owned(), line, column: Some(column) };
        match self {
            HoldsError::NotYaml(error) => Some(here(error.line, error.column)),
            HoldsError::Types { position, .. } => position.map(|(line, column)| here(line, column)),
            HoldsError::Value { at, .. } => Some(at.clone()),
            HoldsError::TooLarge | HoldsError::TooMuchWork(_) | HoldsError::Source(_) => None,
        }
    }
}

fn place(position: &Option<(usize, usize)>) -> String {
    let at = |(line, column): &(usize, usize)| format!("{HOLDS_PATH}:{line}:{column}");
    position.as_ref().map_or_else(|| HOLDS_PATH.to_owned(), at)
}
