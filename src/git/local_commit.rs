//! Commits the bump in the local repository, next to other uncommitted changes.
//!
//! The plan is made on `HEAD`. The same edit is then made in the index and in the work tree, whatever other changes
//! they have. If one of them differs from `HEAD`, and planning on it doesn't give the same changes, then the
//! reference itself was changed there, and nothing is written.

use std::path::Path;

use git2::{Index, IndexEntry, IndexEntryExtendedFlag, Repository, RepositoryState};

use super::checkout::Checkout;
use super::checkout_update::{BranchStep, CheckoutUpdate, EditedFile, head_branch, lock, refuse_locked};
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
    /// The commit that the plan is made on.
    pub head: CommitId,
    pub plan: &'a Plan,
    pub message: &'a str,
    pub author: &'a Identity,
    pub committer: &'a Identity,
    pub signer: Option<&'a Signer>,
    pub worktree: &'a Worktree,
    pub replan: &'a Replan<'a>,
}

/// Commits on `HEAD`, and makes the edit in the index and the work tree. Returns the commit's ID.
///
/// # Errors
/// Fails if a reference has an uncommitted change, in the middle of a merge or rebase, if the commit can't be
/// signed or written, and if someone else made a commit or changed the index meanwhile.
pub fn commit(checkout: &Checkout, request: &CommitRequest<'_>) -> Result<CommitId, GitError> {
    let not_made = |e: git2::Error| GitError::library("the commit can't be made", &e);
    let repo = &checkout.repo;
    // another run is in none of its steps while this one reads
    let reading = lock(checkout);
    check_state(repo)?;
    // before anyone enters a passphrase
    refuse_locked(repo, &head_branch(repo))?;
    if checkout.head() != Some(request.head) {
        return Err(CommitError::BranchMoved.into());
    }
    let parent = repo.find_commit(oid(request.head)).map_err(not_made)?;
    let mut index = repo.index().map_err(|e| unreadable_index(&e))?;
    let before = index.path().and_then(|path| std::fs::read(path).ok());
    // an earlier try may have read it already
    index.read(true).map_err(|e| unreadable_index(&e))?;
    let versions = IndexAndWorkTree {
        checkout,
        index: &index,
        plan: request.plan,
        worktree: request.worktree,
        replan: request.replan,
    };
    let edited: Vec<_> =
        request.plan.edits.iter().map(|edit| versions.of(edit)).collect::<Result<_, GitError>>()?;
    drop(reading);
    let tree = edited_tree(repo, &parent, &request.plan.edits, &checkout.prefix)?;
    let (author, committer) = (request.author.signature()?, request.committer.signature()?);
    let message = request.message;
    let draft = CommitDraft { author: &author, committer: &committer, message, tree: &tree, parent: &parent };
    let made = draft.make(repo, request.signer)?;
    let subject = request.message.lines().next().unwrap_or_default();
    let log = format!("commit: {subject}");
    let branch =
        BranchStep { from: commit_id(parent.id()), to: made, committer: Some(&committer), log: &log };
    let update = CheckoutUpdate { checkout, worktree: request.worktree, index, before, files: edited };
    let work = update.work();
    let aside = request.worktree.stage(&work)?;
    signals::uninterrupted(|| update.make(&branch, aside))?;
    Ok(made)
}

fn check_state(repo: &Repository) -> Result<(), CommitError> {
    if repo.state() != RepositoryState::Clean {
        return Err(CommitError::Unfinished);
    }
    Ok(())
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

fn unreadable_index(error: &git2::Error) -> CommitError {
    CommitError::UnreadableIndex { reason: error.message().to_owned() }
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
            return Ok(EditedFile { path: full, index: edit.clone(), work: edit.clone(), is_new: true });
        }
        let staged = self.index.get_path(Path::new(&full), 0);
        if staged.as_ref().is_some_and(is_left_out) {
            return Err(uncommitted(edit, UncommittedChange::Sparse).into());
        }
        let staged = staged.and_then(|entry| self.checkout.repo.find_blob(entry.id).ok());
        let staged = staged.ok_or_else(|| uncommitted(edit, UncommittedChange::NotInIndex))?;
        let work = self.worktree.read_one(&edit.path);
        let work =
            work.map_err(|e| uncommitted(edit, UncommittedChange::NotInWorkTree { reason: e.to_string() }))?;
        Ok(EditedFile {
            index: self.same_edit(edit, staged.content().to_vec(), UncommittedChange::Index)?,
            work: self.same_edit(edit, work, UncommittedChange::WorkTree)?,
            path: full,
            is_new: false,
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

/// Whether a sparse checkout leaves a file out of the work tree.
fn is_left_out(entry: &IndexEntry) -> bool {
    IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended).is_skip_worktree()
}

fn uncommitted(edit: &FileEdit, change: UncommittedChange) -> CommitError {
    CommitError::Uncommitted { path: edit.path.clone(), change }
}
