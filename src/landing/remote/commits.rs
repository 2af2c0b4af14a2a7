//! Commits on a remote branch: makes them in the workspace, finds them again, and brings them into the checkout.

use std::path::Path;
use std::time::Instant;

use git2::Commit;

use super::error::RemoteError;
use super::git_branch::GitBranch;
use crate::git::oid::{commit_id, oid};
use crate::git::signing::{CommitDraft, is_signed};
use crate::git::tree::edited_tree;
use crate::git::{self, Checkout, GitError, LandedCommit, SyncResult, carry, equivalent_commit};
use crate::landing::Tip;
use crate::object_id::CommitId;
use crate::plan::FileEdit;

impl GitBranch {
    /// Makes a commit on a tip, in the workspace.
    ///
    /// # Errors
    /// If the commit can't be made.
    pub fn commit(&self, tip: &Tip, edits: &[FileEdit], message: &str) -> Result<CommitId, RemoteError> {
        let not_made = |e: git2::Error| GitError::library("the commit can't be made", &e);
        let repo = &self.workspace.repo;
        let parent = repo.find_commit(oid(tip.commit)).map_err(not_made)?;
        let tree = edited_tree(repo, &parent, edits, &self.prefix)?;
        let (author, committer) = (self.target.author.signature()?, self.target.committer.signature()?);
        let draft =
            CommitDraft { author: &author, committer: &committer, message, tree: &tree, parent: &parent };
        let made = draft.make(repo, None)?;
        let signer = self.target.signer.as_deref();
        // a pull request that has the same commit already is left unchanged
        let is_same = |tip: &Commit<'_>| {
            repo.find_commit(oid(made)).is_ok_and(|made| equivalent_commit::are(tip, &made))
        };
        let is_usable = |tip: &Commit<'_>| signer.is_none() || is_signed(tip);
        let pr_tip = self.head.tip().and_then(|tip| repo.find_commit(oid(tip)).ok());
        match pr_tip.filter(|tip| is_same(tip) && is_usable(tip)) {
            Some(tip) => Ok(commit_id(tip.id())),
            None if signer.is_none() => Ok(made),
            None => Ok(draft.make(repo, signer)?),
        }
    }

    /// The commit that the bump is made on: the tip, or the local commits rebased onto it.
    pub(super) fn carried_onto(&mut self, tip: CommitId) -> Result<CommitId, GitError> {
        let Some(carried) = self.target.carry else { return Ok(tip) };
        if let Some((_, onto)) = self.carried.filter(|(on, _)| *on == tip) {
            return Ok(onto);
        }
        let (committer, signer) = (self.target.committer.signature()?, self.target.signer.as_deref());
        let onto = carry::onto(&self.workspace.repo, tip, carried, &committer, signer)?;
        self.carried = Some((tip, onto));
        Ok(onto)
    }

    /// Remembers a commit that is about to be published: it may be on the branch from then on.
    pub fn note_published(&mut self, commit: CommitId) {
        self.published.push(commit);
    }

    /// Whether the tip has a commit that was published.
    pub(super) fn has_published(&self, tip: CommitId) -> bool {
        let repo = &self.workspace.repo;
        let has = |&commit: &CommitId| {
            commit == tip || repo.graph_descendant_of(oid(tip), oid(commit)).unwrap_or(false)
        };
        self.target.carry.is_some() && self.published.iter().any(has)
    }

    /// The commit that a server made from one that was made here, if the branch has it.
    ///
    /// # Errors
    /// If the history can't be read.
    pub fn find_equivalent(&self, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, RemoteError> {
        let found = equivalent_commit::find(&self.workspace.repo, published(tip), commit);
        Ok(found.map_err(|e| unreadable(&e))?)
    }

    /// A file's mode in a commit, if the commit has it, and its path below the repository's top.
    ///
    /// # Errors
    /// If the commit can't be read.
    pub fn file_mode(&self, commit: CommitId, path: &str) -> Result<(String, Option<i32>), RemoteError> {
        let path = self.full_path(path);
        let tree = self.workspace.repo.find_commit(oid(commit)).and_then(|commit| commit.tree());
        let tree = tree.map_err(|e| unreadable(&e))?;
        match tree.get_path(Path::new(&path)) {
            Ok(entry) => Ok((path, Some(entry.filemode()))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok((path, None)),
            Err(error) => Err(unreadable(&error).into()),
        }
    }

    fn full_path(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    /// The last of the local commits that are pushed along.
    fn carried_head(&self) -> Option<CommitId> {
        self.target.carry.map(|carried| carried.head)
    }

    /// Brings a landed commit into the checkout, if that is clean and on the same branch.
    pub fn sync(&self, checkout: &Checkout, remote: &str, commit: CommitId, deadline: Instant) -> SyncResult {
        let landed = LandedCommit {
            commit,
            branch: self.branch().unwrap_or_default(),
            workspace: &self.workspace,
            carried_head: self.carried_head(),
            deepen: &|depth| self.deepen(depth, deadline),
        };
        match git::sync(checkout, remote, &landed) {
            SyncResult::Skipped(why) => SyncResult::Skipped(self.scrub(&why)),
            done => done,
        }
    }
}

/// The commit that the branch points at, or that a new branch starts from.
pub(super) fn published(tip: &Tip) -> CommitId {
    tip.published.unwrap_or(tip.commit)
}

pub(super) fn unreadable(error: &git2::Error) -> GitError {
    GitError::library("the history can't be read", error)
}
