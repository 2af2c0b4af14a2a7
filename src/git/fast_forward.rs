//! Fast-forwards a checkout as `git merge --ff-only` does, but without a git process: where git would do no more than
//! replace a few files. In all other cases, git does it.

use std::path::Path;

use git2::{Delta, DiffDelta, FileMode, Index, ObjectType, Oid, Repository};

use super::checkout::Checkout;
use super::checkout_update::{BranchStep, CheckoutUpdate, EditedFile};
use super::error::GitError;
use super::oid::oid;
use super::plain_checkout::is_plain;
use super::sync::LandedCommit;
use super::unchanged::is_unchanged;
use crate::file_selection::MAX_FILE_SIZE;
use crate::object_id::CommitId;
use crate::plan::FileEdit;
use crate::worktree::Worktree;

/// With more changed files, starting git takes less time than what it does.
const MAX_FILES: usize = 64;

/// A step of a clean checkout to a commit that follows `HEAD`.
pub struct FastForward<'a> {
    checkout: &'a Checkout,
    worktree: Worktree,
    index: Index,
    before: Option<Vec<u8>>,
    files: Vec<EditedFile>,
    head: CommitId,
    commit: CommitId,
}

impl<'a> FastForward<'a> {
    /// Prepares the step; `None` if it takes git to make it, or to find out whether the checkout is clean.
    pub fn find(checkout: &'a Checkout, head: CommitId, landed: &LandedCommit<'_>) -> Option<Self> {
        if !landed.workspace.borrows || head == landed.commit {
            return None;
        }
        let mut index = checkout.repo.index().ok()?;
        let before = std::fs::read(index.path()?).ok()?;
        index.read(true).ok()?;
        let files = edits(&landed.workspace.repo, head, landed.commit)?;
        let paths = files.iter().map(|file| file.path.as_str());
        if !is_plain(checkout, &index, landed.branch, paths) || !is_unchanged(checkout, head, &index) {
            return None;
        }
        let worktree = Worktree::open(&checkout.workdir).ok()?;
        Some(FastForward {
            checkout,
            worktree,
            index,
            before: Some(before),
            files,
            head,
            commit: landed.commit,
        })
    }

    /// Makes the step. Call it within [`crate::signals::together`].
    ///
    /// # Errors
    /// Fails if the branch, the index or a file is locked or was changed by someone else.
    pub fn make(self) -> Result<(), GitError> {
        let FastForward { checkout, worktree, index, before, files, head, commit } = self;
        let log = format!("merge {commit}: Fast-forward");
        let step = BranchStep { from: head, to: commit, committer: None, log: &log };
        let update = CheckoutUpdate { checkout, worktree: &worktree, index, before, files };
        let work = update.work();
        let aside = worktree.stage_copies(&work, checkout.repo.path())?;
        // git does this too; nothing depends on it
        let _ = checkout.repo.reference("ORIG_HEAD", oid(head), true, "");
        update.make(&step, aside)
    }
}

/// The changes from one commit to another; `None` if these are not only other contents of a few regular files.
fn edits(repo: &Repository, from: CommitId, to: CommitId) -> Option<Vec<EditedFile>> {
    let tree = |commit| repo.find_commit(oid(commit)).and_then(|commit| commit.tree()).ok();
    let changes = repo.diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), None).ok()?;
    if changes.deltas().len() > MAX_FILES {
        return None;
    }
    changes.deltas().map(|change| edit(repo, &change)).collect()
}

fn edit(repo: &Repository, change: &DiffDelta<'_>) -> Option<EditedFile> {
    let (old, new) = (change.old_file(), change.new_file());
    let is_regular = [FileMode::Blob, FileMode::BlobExecutable].contains(&new.mode());
    if change.status() != Delta::Modified || !is_regular || old.mode() != new.mode() {
        return None;
    }
    let path = new.path().and_then(Path::to_str)?.to_owned();
    let edit = FileEdit { path: path.clone(), before: bytes(repo, old.id())?, after: bytes(repo, new.id())? };
    Some(EditedFile { path, index: edit.clone(), work: edit })
}

fn bytes(repo: &Repository, id: Oid) -> Option<Vec<u8>> {
    let (size, kind) = repo.odb().and_then(|objects| objects.read_header(id)).ok()?;
    if kind != ObjectType::Blob || size as u64 > MAX_FILE_SIZE {
        return None;
    }
    Some(repo.find_blob(id).ok()?.content().to_vec())
}
