//! The branch of a pull request: where a commit goes on it, and what it must find there.

use git2::{Commit, Oid, Repository};

use crate::land;

/// How far down a branch tagbump's own commits are looked for.
const OWN_COMMITS: usize = 100;

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
    let own = own(repo, tip, base);
    let below = own.last().map_or(Some(tip), |last| last.parent_id(0).ok());
    below.is_some_and(|below| is_part(repo, below, base))
}

/// The images that tagbump's commits on a branch have brought, those of its last commits.
pub fn images(repo: &Repository, tip: Oid, base: Oid) -> Vec<String> {
    let message = |commit: &Commit<'_>| String::from_utf8_lossy(commit.message_bytes()).into_owned();
    own(repo, tip, base).iter().flat_map(|commit| land::brought(&message(commit))).collect()
}

/// The branch's last commits, as far as they are tagbump's and the base lacks them.
fn own<'r>(repo: &'r Repository, tip: Oid, base: Oid) -> Vec<Commit<'r>> {
    let mut commits: Vec<Commit<'r>> = Vec::new();
    let mut next = tip;
    while commits.len() < OWN_COMMITS && !is_part(repo, next, base) {
        let Some(commit) = repo.find_commit(next).ok().filter(is_own) else { break };
        let Ok(parent) = commit.parent_id(0) else { break };
        commits.push(commit);
        next = parent;
    }
    commits
}

/// A commit with our trailer that nobody has changed since: who amends one is its committer at a later time.
fn is_own(commit: &Commit<'_>) -> bool {
    let told = !land::brought(&String::from_utf8_lossy(commit.message_bytes())).is_empty();
    let (author, committer) = (commit.author().when(), commit.committer().when());
    told && commit.parent_count() == 1 && author.seconds() == committer.seconds()
}

fn is_part(repo: &Repository, commit: Oid, base: Oid) -> bool {
    commit == base || repo.graph_descendant_of(base, commit).unwrap_or(false)
}
