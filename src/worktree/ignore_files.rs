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

/// An ignore file of the root, or of a folder above it, that isn't safe to read. The crate reads all of them,
/// even those that don't apply.
pub fn odd_file(root: &Path) -> Option<PathBuf> {
    [root.to_owned()].into_iter().chain(folders_above(root)).find_map(|folder| {
        let git = folder.join(".git");
        let is_odd_git = fs::metadata(&git).is_ok_and(|about| !about.is_dir() && !about.is_file());
        let rules = [folder.join(GITIGNORE), git.join("info/exclude")];
        if is_odd_git { Some(git) } else { rules.into_iter().find(|file| is_odd(file)) }
    })
}

/// Whether the ignore file of a folder below the root isn't safe to read.
pub fn has_odd_file(folder: &Path) -> bool {
    is_odd(&folder.join(GITIGNORE))
}

fn is_odd(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file() || about.len() > MAX_SIZE)
}

fn folders_above(root: &Path) -> Vec<PathBuf> {
    let root = dunce::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    root.ancestors().skip(1).map(Path::to_owned).collect()
}
