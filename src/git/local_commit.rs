//! Commits the bump in the local repository, next to other uncommitted changes.
//!
//! The plan is made on `HEAD`. The same edit is then made in the index and in the work tree, whatever other changes
//! they have. If one of them differs from `HEAD`, and planning on it doesn't give the same changes, then the
//! reference itself was changed there, and nothing is written.

use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, Repository, RepositoryState, Transaction};

use super::checkout::Checkout;
use super::error::{CommitError, GitError, UncommittedChange};
use super::identity::Identity;
use super::oid::{commit_id, oid};
use super::signing::{CommitDraft, Signer};
use super::tree::edited_tree;
use crate::object_id::CommitId;
use crate::plan::{FileEdit, Plan};
use crate::signals;
use crate::worktree::Worktree;

/// What to commit, and as whom.
pub struct CommitRequest<'a> {
    pub plan: &'a Plan,
    pub message: &'a str,
    pub author: &'a Identity,
    pub committer: &'a Identity,
    pub signer: Option<&'a Signer>,
    pub worktree: &'a Worktree,
    pub replan: &'a Replan<'a>,
}

/// The edit of one file, in the index and in the work tree.
struct EditedFile {
    path: String,
    index: FileEdit,
    work: FileEdit,
}

/// Commits on `HEAD`, and makes the edit in the index and the work tree. Returns the commit's ID.
///
/// # Errors
/// Fails if a reference has an uncommitted change, in the middle of a merge or rebase, and if the commit can't be
/// signed or written.
pub fn commit(checkout: &Checkout, request: &CommitRequest<'_>) -> Result<CommitId, GitError> {
    let not_made = |e: git2::Error| GitError::library("the commit can't be made", &e);
    let repo = &checkout.repo;
    check_state(repo)?;
    let parent = repo.find_commit(oid(checkout.head().ok_or(GitError::NoCommit)?)).map_err(not_made)?;
    let mut index = repo.index().map_err(|e| unreadable_index(&e))?;
    let before = index.path().and_then(|path| std::fs::read(path).ok());
    let versions = IndexAndWorkTree {
        checkout,
        index: &index,
        plan: request.plan,
        worktree: request.worktree,
        replan: request.replan,
    };
    let edited: Vec<_> =
        request.plan.edits.iter().map(|edit| versions.of(edit)).collect::<Result<_, GitError>>()?;
    let tree = edited_tree(repo, &parent, &request.plan.edits, &checkout.prefix)?;
    let (author, committer) = (request.author.signature()?, request.committer.signature()?);
    let message = request.message;
    let draft = CommitDraft { author: &author, committer: &committer, message, tree: &tree, parent: &parent };
    let made = draft.make(repo, request.signer)?;
    let work: Vec<_> = edited.iter().map(|e| e.work.clone()).collect();
    let aside = request.worktree.stage(&work)?;
    signals::together(|| {
        // do whatever can fail early before the first file changes
        let mut transaction = repo.transaction().map_err(not_made)?;
        move_branch(repo, &mut transaction, commit_id(parent.id()), made, request)?;
        for file in &edited {
            stage(checkout, &mut index, file).map_err(not_made)?;
        }
        if index.path().and_then(|path| std::fs::read(path).ok()) != before {
            return Err(CommitError::IndexChanged.into());
        }
        index.write().map_err(|e| locked(&e))?;
        let done =
            aside.replace().map_err(GitError::from).and_then(|()| transaction.commit().map_err(not_made));
        done.inspect_err(|_| put_back(&index, before, request.worktree, &edited))?;
        refresh(&mut index, request.worktree, &edited);
        Ok(made)
    })
}

fn check_state(repo: &Repository) -> Result<(), CommitError> {
    if repo.state() != RepositoryState::Clean {
        return Err(CommitError::Unfinished);
    }
    Ok(())
}

/// Locks the branch and sets its new commit. Nothing moves until the transaction is committed.
fn move_branch(
    repo: &Repository,
    transaction: &mut Transaction<'_>,
    from: CommitId,
    to: CommitId,
    request: &CommitRequest<'_>,
) -> Result<(), GitError> {
    let not_made = |e: git2::Error| GitError::library("the commit can't be made", &e);
    // the reference that HEAD resolves to, or HEAD itself if it is detached
    let branch = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
    let branch = branch.unwrap_or_else(|| "HEAD".to_owned());
    transaction.lock_ref(&branch).map_err(|e| locked(&e))?;
    if repo.refname_to_id(&branch).map_err(not_made)? != oid(from) {
        return Err(CommitError::BranchMoved.into());
    }
    let subject = request.message.lines().next().unwrap_or_default();
    let committer = request.committer.signature()?;
    transaction
        .set_target(&branch, oid(to), Some(&committer), &format!("commit: {subject}"))
        .map_err(not_made)
}

/// Checks whether [`commit`] would refuse, without changing anything.
///
/// # Errors
/// Fails as [`commit`] does.
pub fn rehearse(
    checkout: &Checkout,
    plan: &Plan,
    worktree: &Worktree,
    replan: &Replan<'_>,
) -> Result<(), GitError> {
    check_state(&checkout.repo)?;
    let index = checkout.repo.index().map_err(|e| unreadable_index(&e))?;
    let versions = IndexAndWorkTree { checkout, index: &index, plan, worktree, replan };
    plan.edits.iter().try_for_each(|edit| versions.of(edit).map(|_| ()))
}

/// Restores the index and the files as far as possible, after the branch could not be moved.
fn put_back(index: &Index, before: Option<Vec<u8>>, worktree: &Worktree, edited: &[EditedFile]) {
    if let (Some(path), Some(before)) = (index.path(), before) {
        let _ = put_index_back(path, before);
    }
    for EditedFile { work, .. } in edited {
        let FileEdit { path, before, after } = work.clone();
        let undo = FileEdit { path, before: after, after: before };
        let _ = worktree.stage(&[undo]).and_then(crate::worktree::StagedFiles::replace);
    }
}

/// Restores the index through a work tree, which keeps its permissions.
fn put_index_back(path: &Path, before: Vec<u8>) -> Result<(), GitError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let after = std::fs::read(path).map_err(|e| CommitError::UnreadableIndex { reason: e.to_string() })?;
    let undo = [FileEdit { path: name.to_string_lossy().into_owned(), before: after, after: before }];
    Ok(Worktree::open(folder)?.stage(&undo)?.replace()?)
}

fn unreadable_index(error: &git2::Error) -> CommitError {
    CommitError::UnreadableIndex { reason: error.message().to_owned() }
}

fn locked(error: &git2::Error) -> CommitError {
    CommitError::Locked { reason: error.message().to_owned() }
}

/// Plans the same bump on other contents of one file; `None` if that isn't possible.
pub type Replan<'a> = dyn Fn(&str, &[u8]) -> Option<Plan> + 'a;

/// Applies the plan's edits to the versions in the index and the work tree.
struct IndexAndWorkTree<'a> {
    checkout: &'a Checkout,
    index: &'a Index,
    plan: &'a Plan,
    worktree: &'a Worktree,
    replan: &'a Replan<'a>,
}

impl IndexAndWorkTree<'_> {
    fn of(&self, edit: &FileEdit) -> Result<EditedFile, GitError> {
        let full = self.checkout.full_path(&edit.path);
        if edit.before.is_empty() && self.is_new(&edit.path, &full) {
            return Ok(EditedFile { path: full, index: edit.clone(), work: edit.clone() });
        }
        let staged = self.index.get_path(Path::new(&full), 0);
        let staged = staged.and_then(|entry| self.checkout.repo.find_blob(entry.id).ok());
        let staged = staged.ok_or_else(|| uncommitted(edit, UncommittedChange::NotInIndex))?;
        let work = self.worktree.read_one(&edit.path);
        let work =
            work.map_err(|e| uncommitted(edit, UncommittedChange::NotInWorkTree { reason: e.to_string() }))?;
        Ok(EditedFile {
            index: self.same_edit(edit, staged.content().to_vec(), UncommittedChange::Index)?,
            work: self.same_edit(edit, work, UncommittedChange::WorkTree)?,
            path: full,
        })
    }

    /// Whether neither the index nor the work tree has the file.
    fn is_new(&self, path: &str, full: &str) -> bool {
        self.index.get_path(Path::new(full), 0).is_none() && matches!(self.worktree.has(path), Ok(false))
    }

    /// Makes the same changes in another version of the file.
    fn same_edit(
        &self,
        edit: &FileEdit,
        bytes: Vec<u8>,
        change: UncommittedChange,
    ) -> Result<FileEdit, CommitError> {
        if bytes == edit.before {
            return Ok(edit.clone());
        }
        let Some(planned) = (self.replan)(&edit.path, &bytes) else {
            return Err(uncommitted(edit, change));
        };
        let planned_changes = |plan: &Plan| -> Vec<_> {
            let here = plan.changes.iter().filter(|c| c.file == edit.path);
            here.map(|c| (c.image.clone(), c.from.clone(), c.to.clone())).collect()
        };
        match planned.edits.iter().find(|found| found.path == edit.path) {
            Some(found) if planned_changes(&planned) == planned_changes(self.plan) => Ok(found.clone()),
            _ => Err(uncommitted(edit, change)),
        }
    }
}

fn uncommitted(edit: &FileEdit, change: UncommittedChange) -> CommitError {
    CommitError::Uncommitted { path: edit.path.clone(), change }
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
