//! Why a path below the root can't be opened.

use std::io::{self, ErrorKind};

use crate::plan::PathProblem;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{}", PathProblem::Symlink)]
    Symlink,
    #[error("{}", PathProblem::NotRegular)]
    NotRegular,
    #[error("{}", PathProblem::InsideDotGit)]
    InsideDotGit,
    #[error("{}", PathProblem::OutsideRoot)]
    OutsideRoot,
    #[error(transparent)]
    System(#[from] io::Error),
}

impl OpenError {
    /// Whether the file, or a folder on the path to it, doesn't exist.
    pub fn is_not_found(&self) -> bool {
        let missing = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        matches!(self, OpenError::System(e) if missing.contains(&e.kind()))
    }

    /// What is wrong with the path itself.
    pub fn problem(&self) -> Option<PathProblem> {
        match self {
            OpenError::Symlink => Some(PathProblem::Symlink),
            OpenError::NotRegular => Some(PathProblem::NotRegular),
            OpenError::InsideDotGit => Some(PathProblem::InsideDotGit),
            OpenError::OutsideRoot => Some(PathProblem::OutsideRoot),
            OpenError::System(_) => None,
        }
    }
}
