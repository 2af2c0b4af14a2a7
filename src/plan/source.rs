//! Where a plan reads files: a work tree, a commit, a tip on a server.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::ops::ControlFlow;

use crate::dotenv::is_dotenv;
use crate::file_selection::{MatchLevel, Selection, file_name, is_yaml, split};
use crate::manifest::{CHART, is_compose, is_kustomization_file};
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
    /// Passes the files to `look`, in any order and from several threads at once. Once `look` breaks, the rest may be
    /// left out.
    ///
    /// # Errors
    /// If a named file doesn't exist, or can't be read.
    fn visit(
        &self,
        selection: &Selection,
        scope: VisitScope,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError>;

    /// Reads one file; `None` if there is no such file. A file of more than `max_size` bytes isn't loaded.
    ///
    /// # Errors
    /// If it can't be read, is a symlink, or is behind one.
    fn read(&self, path: &str, max_size: usize) -> Result<Option<FileContent>, SourceError>;

    /// The whole repository, if this is a folder of one.
    fn repository(&self) -> Option<RepositoryFiles<'_>> {
        None
    }

    /// Whether the source has all files of a repository, so that what runs can be computed from them.
    fn is_whole(&self) -> bool {
        true
    }
}

/// Which files a visit passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitScope {
    /// The selected ones.
    Selected,
    /// Every other YAML file too, at [`MatchLevel::ContextOnly`].
    WithContext,
}

/// The repository that some files are a folder of.
pub struct RepositoryFiles<'a> {
    pub files: Box<dyn FileSource + 'a>,
    /// The folder's path, with `/`.
    pub folder: String,
}

/// The content of a file, unless it is larger than the caller can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    Bytes(Vec<u8>),
    TooLarge,
}

impl FileContent {
    /// The bytes; `None` if they were too many.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            FileContent::Bytes(bytes) => Some(bytes),
            FileContent::TooLarge => None,
        }
    }

    /// The bytes, if there are at most `max_size` of them.
    pub fn new(bytes: Vec<u8>, max_size: usize) -> Self {
        if bytes.len() > max_size { FileContent::TooLarge } else { FileContent::Bytes(bytes) }
    }
}

/// The start of a file that is only a pointer to a Git LFS object. (Git LFS, `docs/spec.md`)
const LFS: &[u8] = b"version https://git-lfs";

/// Whether a file's content is stored in Git LFS, and not here.
pub fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.starts_with(LFS)
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
    #[error("{}: {} is a submodule, whose files belong to a repository of its own", inline(.path), inline(.submodule))]
    InSubmodule { path: String, submodule: String },
    #[error("{}: is stored in Git LFS; git has only the pointer", inline(.path))]
    InLfs { path: String },
    #[error("{}: skipped, over 50 MB", inline(.path))]
    TooLarge { path: String },
    #[error("{}: can't be read: {reason}", inline(.path))]
    Unreadable { path: String, reason: String },
    /// Of a commit. A partial clone leaves contents out.
    #[error("{}: this clone doesn't have its content", inline(.path))]
    NotCloned { path: String },
    #[error("commit {commit} can't be read: {reason}")]
    UnreadableCommit { commit: String, reason: String },
}

/// What is wrong with a path that leads to no regular file below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("goes through a symlink, which is neither followed nor replaced")]
    Symlink,
    #[error("is not a regular file")]
    NotRegular,
    #[error("is inside .git")]
    InsideDotGit,
    #[error("is outside the root")]
    OutsideRoot,
}

/// What a search found out about the files, besides their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundFiles {
    /// Files that were selected.
    pub count: usize,
    /// Folders with a `Chart.yaml`.
    pub charts: HashSet<String>,
    /// One for each file that was skipped, but for those in Git LFS.
    pub warnings: Vec<String>,
    /// Selected files whose content is in Git LFS.
    pub in_lfs: BTreeSet<String>,
    /// Folders whose files belong to a repository of their own.
    pub nested: BTreeSet<NestedRepository>,
    /// Symlinks that are called like manifests, with what they lead to, as it is written there. They aren't followed.
    pub symlinks: BTreeMap<String, String>,
    /// Files that can decide what runs without being YAML: JSON, which a generator can read parameters from, and the named
    /// templates of charts.
    pub other: BTreeSet<String>,
}

/// A folder below the root whose files belong to another repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NestedRepository {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Otherwise, it is a clone that happens to be there.
    pub is_submodule: bool,
}

impl fmt::Display for NestedRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_submodule { "a submodule" } else { "a repository of its own" };
        write!(f, "{} is {what}, and was not searched", inline(&self.path))
    }
}

impl FoundFiles {
    /// The submodule that a path is in, or that it is.
    pub fn submodule_of(&self, path: &str) -> Option<&str> {
        let is_inside = |submodule: &str| {
            path.strip_prefix(submodule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let submodules = self.nested.iter().filter(|nested| nested.is_submodule);
        submodules.map(|nested| nested.path.as_str()).find(|submodule| is_inside(submodule))
    }

    /// The warnings about all files that were skipped. Many can be in Git LFS, and most of those aren't manifests.
    pub fn all_warnings(&self) -> Vec<String> {
        let in_lfs = self.in_lfs.first().map(|first| {
            let first = || SourceError::InLfs { path: first.clone() };
            match self.in_lfs.len() {
                1 => first().to_string(),
                2 => format!("{}; so is 1 more file", first()),
                count => format!("{}; so are {} more files", first(), count - 1),
            }
        });
        self.warnings.iter().cloned().chain(in_lfs).collect()
    }

    /// Notes a file whose content is in Git LFS, if it is selected, or if its name says that it decides what runs.
    pub fn pass_in_lfs(&mut self, path: &str, match_level: MatchLevel) {
        let name = file_name(path);
        let decides =
            name == CHART || name.contains("values") || is_kustomization_file(name) || is_compose(name);
        if decides || match_level != MatchLevel::ContextOnly {
            self.in_lfs.insert(path.to_owned());
        }
    }

    /// Counts a file that was read.
    pub fn take(&mut self, path: &str, match_level: MatchLevel) {
        self.count += usize::from(match_level != MatchLevel::ContextOnly);
        self.pass(path);
    }

    /// Notes a symlink, if it is called like something that can decide what runs. `target` reads what it leads to.
    pub fn pass_symlink(&mut self, path: String, target: impl FnOnce() -> String) {
        let name = file_name(&path);
        if is_yaml(name) || name == "Kustomization" || is_dotenv(name) {
            self.symlinks.insert(path, target());
        }
    }

    /// Notes a file even if it isn't selected: its name may matter.
    pub fn pass(&mut self, path: &str) {
        let (folder, name) = split(path);
        if name == CHART {
            self.charts.insert(folder.to_owned());
        } else if is_other_kind(name) {
            self.other.insert(path.to_owned());
        }
    }
}

/// Whether a file can decide what runs, although it isn't YAML.
pub fn is_other_kind(name: &str) -> bool {
    name.ends_with(".json") || name.ends_with(".tpl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_lfs_get_one_warning() {
        let mut found = FoundFiles::default();
        let warnings = |found: &FoundFiles| found.all_warnings().join(" | ");
        found.pass_in_lfs("a.yaml", MatchLevel::ContextOnly);
        assert_eq!(warnings(&found), "");
        found.pass_in_lfs("b.yaml", MatchLevel::Discovered);
        assert_eq!(warnings(&found), "b.yaml: is stored in Git LFS; git has only the pointer");
        found.pass_in_lfs("c.yaml", MatchLevel::Pattern);
        assert_eq!(
            warnings(&found),
            "b.yaml: is stored in Git LFS; git has only the pointer; so is 1 more file"
        );
        found.pass_in_lfs("d.yaml", MatchLevel::Discovered);
        assert!(warnings(&found).ends_with("; so are 2 more files"));
    }
}
