//! The branch of a pull request: who owns it, and how a commit gets onto it.

use std::path::Path;

use git2::{Commit, Delta, Repository, Signature, Tree};

use crate::git::Identity;
use crate::git::oid::{commit_id, oid};
use crate::landing;
use crate::object_id::CommitId;
use crate::plan::{ImageVersion, is_bump};

/// How many commits of a branch are searched for tagbump's own.
const OWN_COMMITS: usize = 100;
/// A commit that changes more files is not compared.
const MOST_FILES: usize = 1000;

/// The committer of commits that GitHub's API makes.
const GITHUB: &str = "noreply@github.com";

/// The committers of tagbump's own commits.
pub struct Committers<'a> {
    /// The one that we commit as.
    pub ours: &'a Identity,
    /// The remote's host: a forge is the committer of the commits that it makes.
    pub host: Option<&'a str>,
}

/// A pull request's branch, as it is on the remote now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrBranch {
    /// It doesn't exist yet.
    Missing,
    /// It has only tagbump's commits, so it is rebuilt on the base.
    OwnedByTagbump(CommitId),
    /// Someone else has committed there, so the bump goes on top.
    Shared(CommitId),
}

impl PrBranch {
    /// Determines who owns a branch, from its tip and that of its base.
    pub fn of(repo: &Repository, tip: Option<CommitId>, base: CommitId, by: &Committers<'_>) -> Self {
        match tip {
            None => PrBranch::Missing,
            Some(tip) if is_ours(repo, tip, base, by) => PrBranch::OwnedByTagbump(tip),
            Some(tip) => PrBranch::Shared(tip),
        }
    }

    /// The commit that the bump is made on.
    pub fn onto(self, base: CommitId) -> CommitId {
        match self {
            PrBranch::Missing | PrBranch::OwnedByTagbump(_) => base,
            PrBranch::Shared(tip) => tip,
        }
    }

    /// The tip, if the branch exists.
    pub fn tip(self) -> Option<CommitId> {
        match self {
            PrBranch::Missing => None,
            PrBranch::OwnedByTagbump(tip) | PrBranch::Shared(tip) => Some(tip),
        }
    }
}

/// How a branch is moved to a commit, and where it must be before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefUpdate {
    /// The branch must be at the commit's parent.
    FastForward { branch: String },
    /// The branch must not exist yet.
    Create { branch: String },
    /// The commit replaces those of the branch, whose tip must be this one.
    Replace { branch: String, tip: CommitId },
    /// The branch is at the commit already.
    UpToDate,
}

/// Whether every commit of the branch that the base lacks is tagbump's. If that is unknown, it is someone else's.
fn is_ours(repo: &Repository, tip: CommitId, base: CommitId, by: &Committers<'_>) -> bool {
    let own = own(repo, tip, base, by);
    let below = own.last().map_or(Some(tip), |last| last.parent_id(0).ok().map(commit_id));
    below.is_some_and(|below| is_part(repo, below, base))
}

/// The images that tagbump's last commits on a branch have set.
pub fn images(repo: &Repository, tip: CommitId, base: CommitId, by: &Committers<'_>) -> Vec<String> {
    let commits = own(repo, tip, base, by);
    commits.iter().flat_map(images_of).map(|image| image.name).collect()
}

/// The branch's last commits, as far as they are tagbump's and the base lacks them.
fn own<'r>(repo: &'r Repository, tip: CommitId, base: CommitId, by: &Committers<'_>) -> Vec<Commit<'r>> {
    let mut commits: Vec<Commit<'r>> = Vec::new();
    let mut next = tip;
    while commits.len() < OWN_COMMITS && !is_part(repo, next, base) {
        let Some(commit) = repo.find_commit(oid(next)).ok().filter(|commit| is_own(repo, commit, by)) else {
            break;
        };
        let Ok(parent) = commit.parent_id(0).map(commit_id) else { break };
        commits.push(commit);
        next = parent;
    }
    commits
}

/// Whether a commit is ours and unchanged: amending it changes the committer's time. Our trailers are not enough, because
/// people reuse messages: the commit must be a bump to the images that it names, and nothing else.
fn is_own(repo: &Repository, commit: &Commit<'_>, by: &Committers<'_>) -> bool {
    let (author, committer) = (commit.author(), commit.committer());
    commit.parent_count() == 1
        && author.when().seconds() == committer.when().seconds()
        && by.has(&committer)
        && is_bump_commit(repo, commit).unwrap_or(false)
}

impl Committers<'_> {
    fn has(&self, committer: &Signature<'_>) -> bool {
        let email = String::from_utf8_lossy(committer.email_bytes());
        let is_ours =
            committer.name_bytes() == self.ours.name.as_bytes() && email == self.ours.email.as_str();
        let of_forge = |host: &str| email == format!("noreply@{host}");
        is_ours || email == GITHUB || self.host.is_some_and(of_forge)
    }
}

fn images_of(commit: &Commit<'_>) -> Vec<ImageVersion> {
    landing::images_in_trailers(&String::from_utf8_lossy(commit.message_bytes()))
}

/// Whether a commit does nothing but bump files to the images that its message names.
fn is_bump_commit(repo: &Repository, commit: &Commit<'_>) -> Result<bool, git2::Error> {
    let images = images_of(commit);
    let (before, after) = (commit.parent(0)?.tree()?, commit.tree()?);
    let diff = repo.diff_tree_to_tree(Some(&before), Some(&after), None)?;
    let count = diff.deltas().count();
    if images.is_empty() || count == 0 || count > MOST_FILES {
        return Ok(false);
    }
    for delta in diff.deltas() {
        let (old, new) = (delta.old_file(), delta.new_file());
        let same_mode = delta.status() == Delta::Modified && old.mode() == new.mode();
        let Some(path) = new.path().and_then(Path::to_str).filter(|_| same_mode) else { return Ok(false) };
        let (old, new) = (file(repo, &before, path)?, file(repo, &after, path)?);
        if !is_bump(path, old.content(), new.content(), &images) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn file<'r>(repo: &'r Repository, tree: &Tree<'_>, path: &str) -> Result<git2::Blob<'r>, git2::Error> {
    repo.find_blob(tree.get_path(Path::new(path))?.id())
}

fn is_part(repo: &Repository, commit: CommitId, base: CommitId) -> bool {
    commit == base || repo.graph_descendant_of(oid(base), oid(commit)).unwrap_or(false)
}
