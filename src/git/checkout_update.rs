//! Makes the same step in a branch, the index and the work tree: all three, or none of them.

use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, Signature, Transaction};

use super::checkout::Checkout;
use super::error::{CommitError, GitError};
use super::oid::oid;
use crate::object_id::CommitId;
use crate::plan::FileEdit;
use crate::worktree::{StagedFiles, Worktree};

/// The edit of one file, in the index and in the work tree.
pub struct EditedFile {
    /// Its path below the top of the work tree.
    pub path: String,
    pub index: FileEdit,
    pub work: FileEdit,
}

/// A step of the branch that `HEAD` is on, or of a detached `HEAD` itself.
pub struct BranchStep<'a> {
    pub from: CommitId,
    pub to: CommitId,
    /// Who is named in the reflog, if not the configured user.
    pub committer: Option<&'a Signature<'a>>,
    /// What the reflog says about it.
    pub log: &'a str,
}

/// What to change in the index and the work tree.
pub struct CheckoutUpdate<'a> {
    pub checkout: &'a Checkout,
    pub worktree: &'a Worktree,
    pub index: Index,
    /// The index as it was read. If it has another content by now, nothing is changed.
    pub before: Option<Vec<u8>>,
    pub files: Vec<EditedFile>,
}

impl CheckoutUpdate<'_> {
    /// The edits in the work tree.
    pub fn work(&self) -> Vec<FileEdit> {
        self.files.iter().map(|file| file.work.clone()).collect()
    }

    /// Makes the step. `aside` has the new files. Call it within [`crate::signals::together`].
    ///
    /// # Errors
    /// Fails if the branch, the index or a file is locked or was changed by someone else.
    pub fn make(mut self, step: &BranchStep<'_>, aside: StagedFiles<'_>) -> Result<(), GitError> {
        // do whatever can fail early before the first file changes
        let mut transaction = self.checkout.repo.transaction().map_err(not_made)?;
        move_branch(self.checkout, &mut transaction, step)?;
        for file in &self.files {
            stage(self.checkout, &mut self.index, file).map_err(not_made)?;
        }
        if self.index.path().and_then(|path| std::fs::read(path).ok()) != self.before {
            return Err(CommitError::IndexChanged.into());
        }
        self.index.write().map_err(|e| locked(&e))?;
        let done =
            aside.replace().map_err(GitError::from).and_then(|()| transaction.commit().map_err(not_made));
        done.inspect_err(|_| self.put_back())?;
        refresh(&mut self.index, self.worktree, &self.files);
        Ok(())
    }

    /// Restores the index and the files as far as possible, after the branch could not be moved.
    fn put_back(&self) {
        if let (Some(path), Some(before)) = (self.index.path(), self.before.clone()) {
            let _ = put_index_back(path, before);
        }
        for EditedFile { work, .. } in &self.files {
            let FileEdit { path, before, after } = work.clone();
            let undo = FileEdit { path, before: after, after: before };
            let _ = self.worktree.stage(&[undo]).and_then(StagedFiles::replace);
        }
    }
}

fn not_made(error: git2::Error) -> GitError {
    GitError::library("the commit can't be made", &error)
}

/// Locks the branch and sets its new commit. Nothing moves until the transaction is committed.
fn move_branch(
    checkout: &Checkout,
    transaction: &mut Transaction<'_>,
    step: &BranchStep<'_>,
) -> Result<(), GitError> {
    let repo = &checkout.repo;
    // the reference that HEAD resolves to, or HEAD itself if it is detached
    let branch = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
    let branch = branch.unwrap_or_else(|| "HEAD".to_owned());
    transaction.lock_ref(&branch).map_err(|e| locked(&e))?;
    if repo.refname_to_id(&branch).map_err(not_made)? != oid(step.from) {
        return Err(CommitError::BranchMoved.into());
    }
    transaction.set_target(&branch, oid(step.to), step.committer, step.log).map_err(not_made)
}

/// Restores the index through a work tree, which keeps its permissions.
fn put_index_back(path: &Path, before: Vec<u8>) -> Result<(), GitError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let after = std::fs::read(path).map_err(|e| CommitError::UnreadableIndex { reason: e.to_string() })?;
    let undo = [FileEdit { path: name.to_string_lossy().into_owned(), before: after, after: before }];
    Ok(Worktree::open(folder)?.stage(&undo)?.replace()?)
}

fn locked(error: &git2::Error) -> CommitError {
    CommitError::Locked { reason: error.message().to_owned() }
}

/// Replaces the staged blob with the edited one, and keeps its mode.
fn stage(checkout: &Checkout, index: &mut Index, file: &EditedFile) -> Result<(), git2::Error> {
    let blob = checkout.repo.blob(&file.index.after)?;
    let old = index.get_path(Path::new(&file.path), 0);
    let none = IndexTime::new(0, 0);
    index.add(&IndexEntry {
        ctime: none,
        mtime: none,
        dev: 0,
        ino: 0,
        mode: old.map_or(0o100_644, |entry| entry.mode),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: blob,
        flags: 0,
        flags_extended: 0,
        path: file.path.clone().into_bytes(),
    })
}

/// Records the time and size of files that equal their staged version, so that git doesn't have to read them again.
/// This only saves time.
#[cfg(unix)]
fn refresh(index: &mut Index, worktree: &Worktree, edited: &[EditedFile]) {
    use std::os::unix::fs::MetadataExt;
    // git's index stores only the low 32 bits
    let time = |seconds: i64, nanoseconds: i64| IndexTime::new(seconds as i32, nanoseconds as u32);
    for EditedFile { path, index: staged, work } in
        edited.iter().filter(|file| file.index.after == file.work.after)
    {
        let about = worktree.about_same(&work.path, &staged.after);
        let Some((about, entry)) = about.zip(index.get_path(Path::new(path), 0)) else { continue };
        let _ = index.add(&IndexEntry {
            ctime: time(about.ctime(), about.ctime_nsec()),
            mtime: time(about.mtime(), about.mtime_nsec()),
            ino: about.ino() as u32,
            uid: about.uid(),
            gid: about.gid(),
            file_size: about.len() as u32,
            ..entry
        });
    }
    let _ = index.write();
}

#[cfg(not(unix))]
fn refresh(_: &mut Index, _: &Worktree, _: &[EditedFile]) {}
