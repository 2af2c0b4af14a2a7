//! Where a plan reads files: a work tree, a commit, a tip on a server.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::file_selection::{MatchLevel, Selection};
use crate::manifest::CHART;
use crate::visible::inline;

/// A file to look at.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Relative to the root, with `/`.
    pub path: &'a str,
    pub bytes: &'a [u8],
    pub match_level: MatchLevel,
}

/// Where files are read from: a working tree, or a commit.
pub trait FileSource {
    /// Hands every selected file to `look`, in any order and from several threads at once; with `context`
    /// every other YAML file too. Once `look` breaks, the rest may be left out.
    ///
    /// # Errors
    /// A named file that is not there, or that may not be read.
    fn visit(
        &self,
        selection: &Selection,
        context: bool,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError>;

    /// One file's bytes, at most so many of them; nothing where it is not there.
    ///
    /// # Errors
    /// Where it can't be read, is a symlink, or is behind one.
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError>;

    /// Whether the source has all files of a repository, so that what runs can be computed from them.
    fn is_whole(&self) -> bool {
        true
    }
}

/// What is done with each file, and whether more are wanted.
pub type Visitor<'a> = &'a (dyn Fn(SourceFile<'_>) -> ControlFlow<()> + Sync);

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{}: is a symlink, or behind one, which tagbump doesn't follow", inline(.path))]
    Symlink { path: String },
    /// A file that was named by its path.
    #[error("{}: {problem}", inline(.path))]
    BadPath { path: String, problem: PathProblem },
    #[error("{}: {}", inline(.path), .reason.as_deref().unwrap_or("no such file or folder"))]
    NotFound { path: String, reason: Option<String> },
    #[error("{}: no such file in the commit", inline(.path))]
    NotCommitted { path: String },
    #[error("{}: is stored in Git LFS; git has only the pointer", inline(.path))]
    InLfs { path: String },
    #[error("{}: skipped, over 50 MB", inline(.path))]
    TooLarge { path: String },
    #[error("{}: can't be read: {reason}", inline(.path))]
    Unreadable { path: String, reason: String },
    #[error("commit {commit} can't be read: {reason}")]
    UnreadableCommit { commit: String, reason: String },
}

/// What is wrong with a path that leads to no regular file below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("goes through a symlink, which is neither followed nor replaced")]
    Symlink,
    #[error("is a symlink or a submodule")]
    SymlinkOrSubmodule,
    #[error("is not a regular file")]
    NotRegular,
    #[error("is inside .git")]
    InsideDotGit,
    #[error("is outside the root")]
    OutsideRoot,
}

/// What is known of the files besides what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundFiles {
    /// Files that were selected.
    pub count: usize,
    /// Folders with a `Chart.yaml`.
    pub charts: HashSet<String>,
    /// Files that were left out.
    pub warnings: Vec<String>,
}

impl FoundFiles {
    /// Counts a file that is looked at.
    pub fn take(&mut self, path: &str, standing: MatchLevel) {
        self.count += usize::from(standing != MatchLevel::ContextOnly);
        self.pass(path);
    }

    /// Notes a file that may not be selected, for what its name says.
    pub fn pass(&mut self, path: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == CHART {
            self.charts.insert(folder.to_owned());
        }
    }
}
