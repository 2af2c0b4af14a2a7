//! The pull requests, and what becomes of them when their branches move.

use git2::Oid;

use super::store::{Refs, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub open: bool,
    pub merged: bool,
    pub draft: bool,
    pub head: String,
    pub base: String,
    /// What was on the head last, while it was open.
    pub head_sha: String,
    pub base_sha: String,
    pub labels: Vec<String>,
    pub reviewers: Vec<String>,
    pub assignees: Vec<String>,
    /// The method, if auto-merge is enabled; empty in a queue.
    pub auto_merge: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub closed_at: Option<String>,
}

impl Pull {
    pub fn close(&mut self) {
        self.open = false;
        self.closed_at = Some(super::now());
    }

    pub fn reopen(&mut self) {
        self.open = true;
        self.closed_at = None;
    }
}

/// Closes what GitHub closes by itself: a pull request whose branch is gone, or has nothing that the base
/// lacks; merged, if the base has what it was about.
pub fn settle(pulls: &mut [Pull], refs: &Refs, store: &Store) {
    let branch = |name: &str| refs.get(&format!("refs/heads/{name}")).copied();
    for pull in pulls.iter_mut().filter(|pull| pull.open) {
        let (Some(head), Some(base)) = (branch(&pull.head), branch(&pull.base)) else {
            pull.close();
            continue;
        };
        if !store.holds(base, head) {
            pull.head_sha = head.to_string();
            pull.base_sha = base.to_string();
            continue;
        }
        let was = Oid::from_str(&pull.head_sha).expect("an object's name");
        pull.merged = store.holds(base, was);
        pull.close();
    }
}
