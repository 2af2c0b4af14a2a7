//! Why a path below the root can't be opened.

use std::io::{self, ErrorKind};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("goes through a symlink, which is neither followed nor replaced")]
    Symlink,
    #[error("is no regular file")]
    NotRegular,
    #[error("is inside of .git")]
    InsideDotGit,
    #[error("leaves the root")]
    OutsideRoot,
    #[error("can't be opened: {0}")]
    System(#[from] io::Error),
}

impl OpenError {
    /// Whether the file, or a folder on the path to it, doesn't exist.
    pub fn is_not_found(&self) -> bool {
        let missing = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        matches!(self, OpenError::System(e) if missing.contains(&e.kind()))
    }
}
