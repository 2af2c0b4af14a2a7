//! Finds out which ignore files apply to a root, and whether it is safe to read them. The `ignore` crate opens
//! them by path, reads them entirely, and would wait for a pipe.

use std::fs;
use std::path::{Path, PathBuf};

const GITIGNORE: &str = ".gitignore";
const MAX_SIZE: u64 = 1_000_000;

/// The position of a root relative to its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootPosition {
    NoRepository,
    Top,
    /// Ignore files in the folders above apply too, up to the repository's top level.
    Below,
}

impl RootPosition {
    pub fn of(root: &Path) -> Self {
        let has_git = |folder: &Path| folder.join(".git").exists();
        if has_git(root) {
            return RootPosition::Top;
        }
        let is_below = folders_above(root).iter().any(|folder| has_git(folder));
        if is_below { RootPosition::Below } else { RootPosition::NoRepository }
    }
}

/// Why an ignore file isn't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreFileProblem {
    #[error("is not a regular file")]
    NotRegular,
    #[error("is larger than 1 MB")]
    TooLarge,
}

/// An ignore file of the root, or of a folder above it, that isn't safe to read. The crate reads all of them,
/// even those that don't apply.
pub fn odd_file(root: &Path) -> Option<(PathBuf, IgnoreFileProblem)> {
    [root.to_owned()].into_iter().chain(folders_above(root)).find_map(|folder| {
        let git = folder.join(".git");
        let is_odd_git = fs::metadata(&git).is_ok_and(|about| !about.is_dir() && !about.is_file());
        if is_odd_git {
            return Some((git, IgnoreFileProblem::NotRegular));
        }
        let rules = [folder.join(GITIGNORE), git.join("info/exclude")];
        rules.into_iter().find_map(|file| problem(&file).map(|problem| (file, problem)))
    })
}

/// Why the ignore file of a folder below the root isn't safe to read, if it isn't.
pub fn problem_of_folder(folder: &Path) -> Option<IgnoreFileProblem> {
    problem(&folder.join(GITIGNORE))
}

fn problem(path: &Path) -> Option<IgnoreFileProblem> {
    let about = fs::metadata(path).ok()?;
    match about.is_file() {
        false => Some(IgnoreFileProblem::NotRegular),
        true => (about.len() > MAX_SIZE).then_some(IgnoreFileProblem::TooLarge),
    }
}

fn folders_above(root: &Path) -> Vec<PathBuf> {
    let root = dunce::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    root.ancestors().skip(1).map(Path::to_owned).collect()
}
