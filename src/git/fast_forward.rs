//! Fast-forwards a checkout as `git merge --ff-only` does, but without a git process: where git would do no more than
//! replace a few files. In all other cases, git does it.

use git2::{Index, ObjectType, Oid, Repository, TreeEntry};

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

/// The modes of regular files.
const FILES: [i32; 2] = [0o100_644, 0o100_755];

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
        if !is_plain(checkout, &index, landed.branch, paths) || !is_unchanged(checkout, head, &index, &before)
        {
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

    /// Makes the step. Call it within [`crate::signals::uninterrupted`].
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

/// The changes from one commit to another; `None` if these are not only other contents of a few regular files. libgit2's
/// diff would read every tree, also those that are the same in both.
fn edits(repo: &Repository, from: CommitId, to: CommitId) -> Option<Vec<EditedFile>> {
    let tree = |commit| repo.find_commit(oid(commit)).map(|commit| commit.tree_id()).ok();
    let mut left = vec![(String::new(), tree(from)?, tree(to)?)];
    let mut edits = Vec::new();
    while let Some((folder, old, new)) = left.pop() {
        let (old, new) = (repo.find_tree(old).ok()?, repo.find_tree(new).ok()?);
        if old.len() != new.len() {
            return None;
        }
        for (old, new) in old.iter().zip(&new).filter(|(old, new)| !is_same(old, new)) {
            if edits.len() + left.len() >= MAX_FILES || !has_same_name_and_mode(&old, &new) {
                return None;
            }
            let path = format!("{folder}{}", new.name().ok()?);
            match new.kind()? {
                ObjectType::Tree => left.push((path + "/", old.id(), new.id())),
                _ => edits.push(edit(repo, path, &old, &new)?),
            }
        }
    }
    Some(edits)
}

fn is_same(old: &TreeEntry<'_>, new: &TreeEntry<'_>) -> bool {
    old.id() == new.id() && has_same_name_and_mode(old, new)
}

fn has_same_name_and_mode(old: &TreeEntry<'_>, new: &TreeEntry<'_>) -> bool {
    (old.name_bytes(), old.filemode_raw()) == (new.name_bytes(), new.filemode_raw())
}

fn edit(repo: &Repository, path: String, old: &TreeEntry<'_>, new: &TreeEntry<'_>) -> Option<EditedFile> {
    if !FILES.contains(&new.filemode_raw()) {
        return None;
    }
    let edit = FileEdit { path: path.clone(), before: bytes(repo, old.id())?, after: bytes(repo, new.id())? };
    Some(EditedFile { path, index: edit.clone(), work: edit, is_new: false })
}

fn bytes(repo: &Repository, id: Oid) -> Option<Vec<u8>> {
    let (size, kind) = repo.odb().and_then(|objects| objects.read_header(id)).ok()?;
    if kind != ObjectType::Blob || size as u64 > MAX_FILE_SIZE {
        return None;
    }
    Some(repo.find_blob(id).ok()?.content().to_vec())
}
