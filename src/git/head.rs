//! The branch of a pull request: where a commit goes on it, and what it must find there.

use git2::{Oid, Repository};

/// How far down a branch tagbump's own commits are looked for.
const OWN_COMMITS: usize = 100;

/// The trailer that every commit of tagbump's has.
const TRAILER: &str = "Tagbump-Image: ";

/// A pull request's branch, as it is on the remote now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It is not there yet.
    New,
    /// It holds nothing but tagbump's commits: it is made anew on the base.
    Ours(Oid),
    /// Somebody else has committed there: the bump goes on top.
    Shared(Oid),
}

impl Head {
    /// What a branch is, from its tip and that of its base.
    pub fn of(repo: &Repository, tip: Option<Oid>, base: Oid) -> Self {
        match tip {
            None => Head::New,
            Some(tip) if is_ours(repo, tip, base) => Head::Ours(tip),
            Some(tip) => Head::Shared(tip),
        }
    }

    /// The commit that the bump is made on.
    pub fn onto(self, base: Oid) -> Oid {
        match self {
            Head::New | Head::Ours(_) => base,
            Head::Shared(tip) => tip,
        }
    }

    /// The tip, where there is a branch.
    pub fn tip(self) -> Option<Oid> {
        match self {
            Head::New => None,
            Head::Ours(tip) | Head::Shared(tip) => Some(tip),
        }
    }
}

/// Where a commit goes, and what must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// On top of a branch that is at the commit's parent.
    OnTop { branch: String },
    /// On a branch that is not there yet.
    New { branch: String },
    /// In the place of what a branch holds: its tip must be this one.
    Anew { branch: String, tip: String },
    /// It is there already.
    There,
}

/// Whether every commit of the branch that the base lacks is tagbump's. What can't be told is somebody's.
fn is_ours(repo: &Repository, tip: Oid, base: Oid) -> bool {
    let mut next = tip;
    for _ in 0..OWN_COMMITS {
        let Ok(commit) = repo.find_commit(next) else { return false };
        if next == base {
            return true;
        }
        let own =
            String::from_utf8_lossy(commit.message_bytes()).lines().any(|line| line.starts_with(TRAILER));
        match commit.parent_id(0) {
            Ok(parent) if own && commit.parent_count() == 1 => next = parent,
            _ => return repo.graph_descendant_of(base, next).unwrap_or(false),
        }
        if repo.graph_descendant_of(base, next).unwrap_or(false) {
            return true;
        }
    }
    false
}
