//! A temporary bare repository to land from, so that nothing in the checkout moves. What is made in it stays in memory:
//! each new folder on disk, which has to be removed again, can take longer than everything else.
//!
//! It borrows the checkout's objects, as with `objects/info/alternates`, and its list of shallow commits, so a fetch brings
//! only what is new. It borrows nothing from a partial clone: objects may be missing there, and libgit2 can't fetch
//! them one by one.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryOpenFlags};
use tempfile::TempDir;

use super::checkout::Checkout;
use super::error::GitError;
use super::oid::{commit_id, oid};
use super::temporary_folder::temporary_folder;
use crate::object_id::CommitId;
use crate::worktree::open_regular_file;

/// libgit2 writes to the object store with the highest number. Those on disk have 1 and 2 (`git_odb__add_default_backends`).
const IN_MEMORY: i32 = 1000;

/// A temporary repository. It is removed when dropped.
pub struct Workspace {
    pub repo: Repository,
    /// Whether it borrows the checkout's objects.
    pub borrows: bool,
    /// Whether a fetch with a depth has cut off the history before it reached the checkout's.
    pub cut: Cell<bool>,
    folder: TempDir,
}

impl Workspace {
    /// Makes a workspace for a checkout.
    ///
    /// # Errors
    /// Fails if the temporary folder can't be written.
    pub fn new(checkout: &Checkout) -> Result<Self, GitError> {
        let folder = temporary_folder()?;
        make(folder.path()).map_err(GitError::Temporary)?;
        let borrows = checkout.is_whole();
        let lender = borrows.then(|| borrow(checkout, folder.path())).transpose();
        let lender = lender.map_err(GitError::Temporary)?;
        // only this way of opening reads the list of shallow commits
        let none: [&Path; 0] = [];
        let repo = Repository::open_ext(folder.path(), RepositoryOpenFlags::NO_SEARCH, none);
        let unusable = |e| GitError::library("no temporary repository", &e);
        let repo = repo.map_err(unusable)?;
        add_stores(&repo, lender.as_deref()).map_err(unusable)?;
        Ok(Workspace { repo, borrows, cut: Cell::new(false), folder })
    }

    /// Whether a commit is in the workspace or in the checkout's objects that it borrows.
    pub fn has(&self, commit: CommitId) -> bool {
        self.repo.find_commit(oid(commit)).is_ok()
    }

    /// The commits whose parents are cut off.
    pub fn shallow_commits(&self) -> Vec<CommitId> {
        let text = std::fs::read_to_string(self.repo.path().join("shallow")).unwrap_or_default();
        text.lines().filter_map(CommitId::parse).filter(|commit| self.has(*commit)).collect()
    }

    /// The folder of the objects that were fetched.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }
}

/// The objects are read-only files. Windows deletes such files only on some file systems.
impl Drop for Workspace {
    fn drop(&mut self) {
        if cfg!(windows) {
            make_deletable(self.folder.path(), DEPTH);
        }
    }
}

/// How deep the files of a bare repository are: `objects/ab/cdef…`.
const DEPTH: u32 = 3;

/// Makes the files in a folder writable, as far as possible.
#[allow(
    clippy::permissions_set_readonly_false,
    reason = "only their owner can enter the folder, and it is deleted"
)]
fn make_deletable(folder: &Path, depth: u32) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (Ok(kind), path) = (entry.file_type(), entry.path()) else { continue };
        if kind.is_dir() && depth > 1 {
            make_deletable(&path, depth - 1);
        } else if let (true, Ok(about)) = (kind.is_file(), entry.metadata()) {
            let mut permissions = about.permissions();
            permissions.set_readonly(false);
            let _ = std::fs::set_permissions(&path, permissions);
        }
    }
}

/// Makes the files that a bare repository needs (`git help repository-layout`) and no more: unused files would double
/// the time that a landing takes by itself.
fn make(folder: &Path) -> io::Result<()> {
    for name in ["objects", "objects/pack", "refs"] {
        std::fs::create_dir(folder.join(name))?;
    }
    std::fs::write(folder.join("HEAD"), "ref: refs/heads/main\n")?;
    // without it, the user's own configuration could name a format
    std::fs::write(folder.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
}

/// Borrows the checkout's shallow commits, and makes references to its commits: libgit2 offers to the server what
/// references point at. Returns the folder of the checkout's objects, to borrow them too.
fn borrow(checkout: &Checkout, workspace: &Path) -> io::Result<PathBuf> {
    let common = checkout.repo.commondir();
    let objects = dunce::canonicalize(common.join("objects"))?;
    match open_regular_file(&common.join("shallow")) {
        Ok((mut shallow, _)) => drop(io::copy(&mut shallow, &mut File::create(workspace.join("shallow"))?)?),
        Err(e) if e.is_not_found() => {}
        Err(e) => return Err(io::Error::other(e)),
    }
    std::fs::write(workspace.join("packed-refs"), offers(checkout))?;
    if objects.to_str().is_none() {
        // git2 takes such a path only from this file
        let mut line = objects.clone().into_os_string().into_encoded_bytes();
        line.push(b'\n');
        std::fs::create_dir(workspace.join("objects/info"))?;
        std::fs::write(workspace.join("objects/info/alternates"), line)?;
    }
    Ok(objects)
}

/// Adds the checkout's objects, and a store in memory for what is made here.
fn add_stores(repo: &Repository, lender: Option<&Path>) -> Result<(), git2::Error> {
    let odb = repo.odb()?;
    if let Some(objects) = lender.and_then(Path::to_str) {
        odb.add_disk_alternate(objects)?;
    }
    odb.add_new_mempack_backend(IN_MEMORY).map(drop)
}

fn offers(checkout: &Checkout) -> String {
    let tips = checkout.repo.references_glob("refs/remotes/*").into_iter().flatten().flatten();
    let tips = tips.filter_map(|reference| reference.target().map(commit_id));
    let known = |tip: &CommitId| checkout.repo.find_commit(oid(*tip)).is_ok();
    let offers = checkout.head().into_iter().chain(tips).filter(known).take(64).enumerate();
    offers.map(|(nth, tip)| format!("{tip} refs/tagbump/have/{nth:02}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_objects_become_deletable() {
        let folder = tempfile::tempdir().unwrap();
        let object = folder.path().join("objects/ab/cdef");
        std::fs::create_dir_all(object.parent().unwrap()).unwrap();
        std::fs::write(&object, "x").unwrap();
        let mut permissions = std::fs::metadata(&object).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&object, permissions).unwrap();
        make_deletable(folder.path(), DEPTH);
        assert!(!std::fs::metadata(&object).unwrap().permissions().readonly());
    }
}
