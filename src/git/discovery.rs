//! Finds the repository to work in: by looking for `.git` in the folders above, or where git's variables say.
//!
//! Source: `git help git` ("The Git Repository"), git's `setup.c` (`setup_git_directory_gently`,
//! `setup_explicit_git_dir`). Unlike with git, a bare repository is never found by looking for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use git2::{Config, Repository, RepositoryOpenFlags};

use super::config::{self, UnmetInclude};
use super::error::{CheckoutError, GitError};
use crate::environment::Environment;

/// Variables that git reads, and that would make it use a repository in a way that tagbump can't.
const UNSUPPORTED: [&str; 5] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_SHALLOW_FILE",
];

/// What separates the folders in a variable.
const PATH_SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

/// A repository and its work tree.
pub struct FoundRepository {
    pub repo: Repository,
    pub work_tree: PathBuf,
    pub location: GitLocation,
    /// The conditions of its configuration that don't hold.
    pub unmet_includes: Vec<UnmetInclude>,
}

/// How a git process finds the repository again.
#[derive(Clone, Debug, Default)]
pub struct GitLocation {
    /// The git directory and the work tree, if git would not find them by looking for `.git`.
    named: Option<(PathBuf, PathBuf)>,
}

impl GitLocation {
    /// Whether git would not find it by looking for `.git`.
    pub fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// Names the repository for a git process, if that is necessary.
    pub fn name_for(&self, command: &mut Command) {
        if let Some((git_dir, work_tree)) = &self.named {
            command.env("GIT_DIR", git_dir).env("GIT_WORK_TREE", work_tree);
        }
    }
}

/// Finds the repository of a folder, whose path must be a real one; `None` if there is none.
///
/// # Errors
/// Fails if the repository can't be opened or belongs to another user, and if variables name none or one that tagbump
/// can't use.
pub fn find(root: &Path, environment: &Environment) -> Result<Option<FoundRepository>, GitError> {
    let variable = |name| environment.get(name).map(|path| root.join(path));
    let (git_dir, top) = match variable("GIT_DIR") {
        Some(git_dir) => (git_dir, None),
        None => match top(root, environment) {
            Some(top) => (top.join(".git"), Some(top)),
            None => return Ok(None),
        },
    };
    let repo = open(&git_dir, top)?;
    refuse_unsupported(&repo, root, environment)?;
    let named = top.map_or(git_dir, |top| named_git_dir(top, environment));
    let unmet_includes = config::apply(&repo, &named, environment)?;
    let work_tree = match variable("GIT_WORK_TREE") {
        Some(work_tree) => real(&work_tree, "GIT_WORK_TREE")?,
        None => configured_work_tree(&repo)?.map_or_else(|| usual_work_tree(&repo, root, top), Ok)?,
    };
    if !root.starts_with(&work_tree) {
        let (root, work_tree) = (root.display().to_string(), work_tree.display().to_string());
        return Err(CheckoutError::OutsideWorkTree { root, work_tree }.into());
    }
    if repo.workdir().and_then(|path| dunce::canonicalize(path).ok()).as_ref() != Some(&work_tree) {
        repo.set_workdir(&work_tree, false)
            .map_err(|e| GitError::library("the work tree can't be used", &e))?;
    }
    let is_usual = top == Some(&work_tree);
    let named = (!is_usual).then(|| (repo.path().to_owned(), work_tree.clone()));
    Ok(Some(FoundRepository { repo, work_tree, location: GitLocation { named }, unmet_includes }))
}

/// The nearest folder with a `.git`. git doesn't look into the folders in `GIT_CEILING_DIRECTORIES`, except for the one
/// where it starts.
fn top<'a>(root: &'a Path, environment: &Environment) -> Option<&'a Path> {
    let ceilings = environment.get("GIT_CEILING_DIRECTORIES").unwrap_or_default();
    let real = |path: PathBuf| dunce::canonicalize(&path).unwrap_or(path);
    let ceilings: Vec<PathBuf> = ceilings
        .split(PATH_SEPARATOR)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .map(real)
        .collect();
    let is_allowed = |folder: &&Path| *folder == root || !ceilings.iter().any(|ceiling| ceiling == folder);
    root.ancestors().take_while(is_allowed).find(|folder| folder.join(".git").exists())
}

/// Opens a repository. `top` is the folder that it was found in.
fn open(git_dir: &Path, top: Option<&Path>) -> Result<Repository, CheckoutError> {
    let none: [&Path; 0] = [];
    // `GIT_DIR` names the git directory itself, not the folder that it is in
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
    let opened = Repository::open_ext(git_dir, flags, none);
    opened.map_err(|e| match (top, e.code()) {
        (None, git2::ErrorCode::NotFound) => CheckoutError::NoGitDir { path: git_dir.display().to_string() },
        _ => super::checkout::unreadable(top.unwrap_or(git_dir), &e),
    })
}

fn refuse_unsupported(
    repo: &Repository,
    root: &Path,
    environment: &Environment,
) -> Result<(), CheckoutError> {
    if let Some(variable) = UNSUPPORTED.into_iter().find(|name| environment.get(name).is_some()) {
        return Err(CheckoutError::UnsupportedVariable { variable });
    }
    // git's hooks get the usual one
    let index = environment.get("GIT_INDEX_FILE").map(|path| real_parent(&root.join(path)));
    if index.is_some_and(|index| index != real_parent(&repo.path().join("index"))) {
        return Err(CheckoutError::UnsupportedVariable { variable: "GIT_INDEX_FILE" });
    }
    Ok(())
}

/// A file's path with the symbolic links above it resolved.
fn real_parent(path: &Path) -> PathBuf {
    let parent = path.parent().and_then(|parent| dunce::canonicalize(parent).ok());
    parent.zip(path.file_name()).map_or(path.to_owned(), |(parent, name)| parent.join(name))
}

/// The git directory of a work tree, with the symbolic links in `PWD` if that is the work tree. git compares both
/// with `includeIf.gitdir` (`strbuf_add_absolute_path`).
fn named_git_dir(top: &Path, environment: &Environment) -> PathBuf {
    let named = environment.get("PWD").map(Path::new).filter(|path| path.is_absolute());
    let is_same = |path: &&Path| dunce::canonicalize(path).is_ok_and(|real| real == top);
    named.filter(is_same).unwrap_or(top).join(".git")
}

/// The work tree that `core.worktree` names. It doesn't count in a linked work tree, as in git.
fn configured_work_tree(repo: &Repository) -> Result<Option<PathBuf>, GitError> {
    if repo.path() != repo.commondir() {
        return Ok(None);
    }
    let config = configuration(repo)?;
    let path = config::text(&config, "core.worktree").map(|path| repo.path().join(path));
    Ok(path.map(|path| real(&path, "core.worktree")).transpose()?)
}

/// The folder with `.git`. With `GIT_DIR`, it is the current folder, unless the repository is bare.
fn usual_work_tree(repo: &Repository, root: &Path, top: Option<&Path>) -> Result<PathBuf, GitError> {
    if top.is_none() && configuration(repo)?.get_bool("core.bare").unwrap_or(false) {
        return Err(CheckoutError::Bare { path: repo.path().display().to_string() }.into());
    }
    Ok(top.unwrap_or(root).to_owned())
}

fn configuration(repo: &Repository) -> Result<Config, GitError> {
    repo.config().map_err(|e| GitError::library("git's configuration can't be read", &e))
}

fn real(path: &Path, setting: &'static str) -> Result<PathBuf, CheckoutError> {
    dunce::canonicalize(path).map_err(|e| CheckoutError::NoWorkTree {
        setting,
        path: path.display().to_string(),
        reason: e.to_string(),
    })
}
