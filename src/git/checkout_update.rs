//! Makes the same step in the work tree, the index and a branch: all three, or none of them.
//!
//! They follow in this order, which is git's own (`builtin/merge.c`, `checkout_fast_forward`), and each of them is one
//! rename. So if the process is killed in between, no content is lost, and the files are those of the new commit: `git
//! status` shows them as changed, and `git pull` says so.

use std::path::Path;
use std::time::{Duration, Instant};

use git2::{ErrorCode, Index, IndexEntry, IndexTime, ObjectType, Oid, Repository, Signature};

use super::checkout::Checkout;
use super::error::{CommitError, GitError};
use super::oid::oid;
use crate::object_id::CommitId;
use crate::plan::FileEdit;
use crate::worktree::{FolderLock, StagedFiles, Worktree};

/// The edit of one file, in the index and in the work tree.
pub struct EditedFile {
    /// Its path below the top of the work tree.
    pub path: String,
    pub index: FileEdit,
    pub work: FileEdit,
    /// The file isn't there yet.
    pub is_new: bool,
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

    /// Makes the step. `aside` has the new files. Call it within [`crate::signals::uninterrupted`].
    ///
    /// # Errors
    /// Fails if the branch, the index or a file is locked or was changed by someone else.
    pub fn make(mut self, step: &BranchStep<'_>, aside: StagedFiles<'_>) -> Result<(), GitError> {
        let _lock = lock(self.checkout);
        // do whatever can fail early before the first file changes
        let branch = self.branch_at(step.from)?;
        refuse_locked(&self.checkout.repo, &branch)?;
        let blobs: Vec<Oid> = self.files.iter().map(|file| self.blob(file)).collect::<Result<_, _>>()?;
        aside.replace()?;
        let done = self.write_index(&blobs).and_then(|written| {
            self.move_branch(&branch, step).inspect_err(|_| self.put_index_back(written))
        });
        done.inspect_err(|_| self.put_files_back())
    }

    /// The reference that `HEAD` resolves to, or `HEAD` itself if it is detached.
    fn branch_at(&self, from: CommitId) -> Result<String, GitError> {
        let repo = &self.checkout.repo;
        let branch = head_branch(repo);
        if repo.refname_to_id(&branch).map_err(not_made)? != oid(from) {
            return Err(CommitError::BranchMoved.into());
        }
        Ok(branch)
    }

    /// The object of the file's staged content. It is there already unless the file has other staged changes.
    fn blob(&self, file: &EditedFile) -> Result<Oid, GitError> {
        let (repo, content) = (&self.checkout.repo, &file.index.after);
        let id = Oid::hash_object(ObjectType::Blob, content).map_err(not_made)?;
        let has = repo.odb().map_err(not_made)?.exists(id);
        if has { Ok(id) } else { repo.blob(content).map_err(not_made) }
    }

    /// Returns the index as it is then.
    fn write_index(&mut self, blobs: &[Oid]) -> Result<Option<Vec<u8>>, GitError> {
        let CheckoutUpdate { index, files, worktree, before, .. } = self;
        for (file, blob) in files.iter().zip(blobs) {
            stage(index, worktree, file, *blob).map_err(not_made)?;
        }
        let on_disk = |index: &Index| index.path().and_then(|path| std::fs::read(path).ok());
        if on_disk(index) != *before {
            return Err(CommitError::IndexChanged.into());
        }
        index.write().map_err(locked)?;
        Ok(on_disk(index))
    }

    fn move_branch(&self, branch: &str, step: &BranchStep<'_>) -> Result<(), GitError> {
        let repo = &self.checkout.repo;
        let mut transaction = repo.transaction().map_err(not_made)?;
        transaction.lock_ref(branch).map_err(locked)?;
        if repo.refname_to_id(branch).map_err(not_made)? != oid(step.from) {
            return Err(CommitError::BranchMoved.into());
        }
        transaction.set_target(branch, oid(step.to), step.committer, step.log).map_err(not_made)?;
        transaction.commit().map_err(not_made)
    }

    /// Restores the index, unless someone else has written it since.
    fn put_index_back(&self, written: Option<Vec<u8>>) {
        if let (Some(path), Some(written), Some(before)) = (self.index.path(), written, self.before.clone()) {
            let _ = replace(path, written, before);
        }
    }

    /// Restores the files that nobody else has changed since.
    fn put_files_back(&self) {
        for EditedFile { work, is_new, .. } in &self.files {
            let FileEdit { path, before, after } = work.clone();
            if *is_new {
                self.worktree.remove_created(&path, &after);
                continue;
            }
            let undo = FileEdit { path, before: after, after: before };
            let _ = self.worktree.stage(&[undo]).and_then(StagedFiles::replace);
        }
    }
}

/// Refuses if someone holds a lock. Each lock is taken later, for a moment: a killed process would leave it.
///
/// # Errors
/// With the file that is the lock.
pub fn refuse_locked(repo: &Repository, branch: &str) -> Result<(), CommitError> {
    let folder = if branch == "HEAD" { repo.path() } else { repo.commondir() };
    let locks = [repo.path().join("index.lock"), folder.join(format!("{branch}.lock"))];
    match locks.iter().find(|lock| lock.symlink_metadata().is_ok()) {
        Some(lock) => Err(CommitError::Locked { reason: format!("{} exists", lock.display()) }),
        None => Ok(()),
    }
}

/// The name of the branch that `HEAD` is on; `HEAD` if it is on none.
pub fn head_branch(repo: &Repository) -> String {
    let branch = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
    branch.unwrap_or_else(|| "HEAD".to_owned())
}

/// How long another run may take for its step, and how often to look whether it is done.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

/// Keeps other runs of tagbump out of a checkout during a step. What git changes meanwhile is noticed by comparing; so is what others
/// change if someone else keeps the lock for long, such as a job in `flock .git`: then `None` is returned.
pub fn lock(checkout: &Checkout) -> Option<FolderLock> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let lock = FolderLock::take(checkout.repo.path());
        if lock.is_some() || Instant::now() >= deadline {
            return lock;
        }
        std::thread::sleep(PAUSE);
    }
}

fn not_made(error: git2::Error) -> GitError {
    GitError::library("the commit can't be made", &error)
}

/// Whether someone else holds a lock, or what else kept this run from taking it.
fn locked(error: git2::Error) -> GitError {
    if error.code() == ErrorCode::Locked {
        return CommitError::Locked { reason: error.message().to_owned() }.into();
    }
    not_made(error)
}

/// Replaces a file if it has this content, through a work tree, which keeps its permissions.
fn replace(path: &Path, before: Vec<u8>, after: Vec<u8>) -> Result<(), GitError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let edit = [FileEdit { path: name.to_string_lossy().into_owned(), before, after }];
    Ok(Worktree::open(folder)?.stage(&edit)?.replace()?)
}

/// Replaces the staged blob with the edited one, and keeps its mode.
fn stage(index: &mut Index, worktree: &Worktree, file: &EditedFile, blob: Oid) -> Result<(), git2::Error> {
    let old = index.get_path(Path::new(&file.path), 0);
    let none = IndexTime::new(0, 0);
    let entry = IndexEntry {
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
    };
    index.add(&with_stat(entry, worktree, file))
}

/// Adds the time and size of a file that equals its staged version, so that git doesn't have to read it again. This only
/// saves time.
#[cfg(unix)]
fn with_stat(entry: IndexEntry, worktree: &Worktree, file: &EditedFile) -> IndexEntry {
    use std::os::unix::fs::MetadataExt;
    // git's index stores only the low 32 bits
    let time = |seconds: i64, nanoseconds: i64| IndexTime::new(seconds as i32, nanoseconds as u32);
    let is_same = file.index.after == file.work.after;
    let about = is_same.then(|| worktree.about_same(&file.work.path, &file.index.after)).flatten();
    match about {
        None => entry,
        Some(about) => IndexEntry {
            ctime: time(about.ctime(), about.ctime_nsec()),
            mtime: time(about.mtime(), about.mtime_nsec()),
            ino: about.ino() as u32,
            uid: about.uid(),
            gid: about.gid(),
            file_size: about.len() as u32,
            ..entry
        },
    }
}

#[cfg(not(unix))]
fn with_stat(entry: IndexEntry, _: &Worktree, _: &EditedFile) -> IndexEntry {
    entry
}
