//! Rebases local commits onto a remote tip, in memory. The checkout doesn't change.

use git2::{Commit, Oid, Repository, Signature, Sort};

use super::checkout::Checkout;
use super::error::{CarryError, GitError};
use super::oid::{commit_id, oid};
use super::signing::{CommitDraft, Signer};
use crate::object_id::CommitId;

/// More commits than this are not a job's work: they were compared with the wrong base.
const MAX_COMMITS: usize = 1000;

/// The local commits to carry: those after `base`, up to `head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarriedCommits {
    /// A commit that the target is known to have.
    pub(super) base: CommitId,
    pub(crate) head: CommitId,
}

impl Checkout {
    /// The commits of `HEAD` that the target lacks: those since `base`, which a runner checked out, or else since the
    /// upstream branch. A detached `HEAD` has no upstream, so there it is the remote-tracking branch of the target: `branch`, or
    /// the remote's default branch. `None` if there are none.
    ///
    /// # Errors
    /// Fails in a partial clone, and if no base is known.
    pub fn carried(
        &self,
        base: Option<CommitId>,
        remote: &str,
        branch: Option<&str>,
    ) -> Result<Option<CarriedCommits>, GitError> {
        if !self.is_whole() {
            return Err(CarryError::PartialClone.into());
        }
        let Some(head) = self.head() else { return Ok(None) };
        let base = base.filter(|base| self.repo.find_commit(oid(*base)).is_ok());
        let base = base.or_else(|| match self.branch() {
            Some(_) => self.upstream(),
            None => self.tracked_tip(remote, branch),
        });
        let base = base.ok_or_else(|| match self.branch() {
            Some(_) => CarryError::NoUpstream,
            None => CarryError::Detached { remote: remote.to_owned(), branch: branch.map(str::to_owned) },
        })?;
        Ok((base != head).then_some(CarriedCommits { base, head }))
    }

    /// The tip of a branch of the remote, as it was fetched last.
    fn tracked_tip(&self, remote: &str, branch: Option<&str>) -> Option<CommitId> {
        let usual = format!("refs/remotes/{remote}/{}", branch.unwrap_or("HEAD"));
        let tracking = branch.and_then(|branch| self.tracking(remote, branch)).unwrap_or(usual);
        let reference = self.repo.find_reference(&tracking).ok()?;
        reference.peel_to_commit().ok().map(|commit| commit_id(commit.id()))
    }

    fn upstream(&self) -> Option<CommitId> {
        let branch = self.repo.find_branch(&self.branch()?, git2::BranchType::Local).ok()?;
        branch.upstream().ok()?.get().peel_to_commit().ok().map(|commit| commit_id(commit.id()))
    }
}

/// Puts the commits on a tip as `git rebase` does: it drops merges and commits that the tip already has, and signs
/// each commit again. Returns the last one, or the tip if none is left.
///
/// # Errors
/// Fails if a commit conflicts with the tip, listing the files, and if one can't be signed.
pub fn onto(
    repo: &Repository,
    tip: CommitId,
    carried: CarriedCommits,
    committer: &Signature<'_>,
    signer: Option<&Signer>,
) -> Result<CommitId, GitError> {
    let not_carried = |e: git2::Error| GitError::library("the local commits can't be carried", &e);
    let follows = |one: CommitId, other: CommitId| -> Result<bool, GitError> {
        Ok(one == other || repo.graph_descendant_of(oid(one), oid(other)).map_err(not_carried)?)
    };
    // keep the commits unchanged if nothing else has landed since, and nothing was removed from the branch
    if follows(carried.head, tip)? && follows(tip, carried.base)? {
        return Ok(carried.head);
    }
    let mut on = repo.find_commit(oid(tip)).map_err(not_carried)?;
    for next in list(repo, tip, carried).map_err(not_carried)? {
        let commit = repo.find_commit(next).map_err(not_carried)?;
        on = apply(repo, &on, &commit, committer, signer)?;
    }
    Ok(commit_id(on.id()))
}

/// The commits to carry, oldest first.
fn list(repo: &Repository, tip: CommitId, carried: CarriedCommits) -> Result<Vec<Oid>, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
    walk.push(oid(carried.head))?;
    walk.hide(oid(carried.base))?;
    walk.hide(oid(tip))?;
    let all = walk.take(MAX_COMMITS + 1).collect::<Result<Vec<_>, _>>()?;
    if all.len() > MAX_COMMITS {
        return Err(git2::Error::from_str("there are more than 1000 of them"));
    }
    Ok(all)
}

fn apply<'r>(
    repo: &'r Repository,
    on: &Commit<'r>,
    commit: &Commit<'r>,
    committer: &Signature<'_>,
    signer: Option<&Signer>,
) -> Result<Commit<'r>, GitError> {
    let not_carried = |e: git2::Error| GitError::library("the local commits can't be carried", &e);
    if commit.parent_count() > 1 {
        return Ok(on.clone());
    }
    let before = commit.parent(0).and_then(|parent| parent.tree()).map_err(not_carried)?;
    let (ours, theirs) = (on.tree().map_err(not_carried)?, commit.tree().map_err(not_carried)?);
    let mut merged = repo.merge_trees(&before, &ours, &theirs, None).map_err(not_carried)?;
    if merged.has_conflicts() {
        return Err(conflict(commit, &merged).into());
    }
    let tree = merged.write_tree_to(repo).map_err(not_carried)?;
    if tree == ours.id() {
        return Ok(on.clone());
    }
    let tree = repo.find_tree(tree).map_err(not_carried)?;
    // keep the message unchanged: a marker that skips CI must not be added to other people's work
    let message = commit.message().map_err(not_carried)?;
    let draft = CommitDraft { author: &commit.author(), committer, message, tree: &tree, parent: on };
    repo.find_commit(oid(draft.make(repo, signer)?)).map_err(not_carried)
}

/// The files of a merge that conflict.
pub(crate) fn conflicting_files(merged: &git2::Index) -> Vec<String> {
    let path = |entry: git2::IndexEntry| String::from_utf8_lossy(&entry.path).into_owned();
    let conflicts = merged.conflicts().into_iter().flatten().flatten();
    let mut files: Vec<_> = conflicts.filter_map(|c| c.our.or(c.their).or(c.ancestor).map(path)).collect();
    files.sort();
    files.dedup();
    files
}

fn conflict(commit: &Commit<'_>, merged: &git2::Index) -> CarryError {
    let files = conflicting_files(merged);
    let subject = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
    CarryError::Conflict { commit: commit_id(commit.id()).short(), subject, files }
}
