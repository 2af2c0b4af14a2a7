//! What came before a tip: from the history at hand, deepened in bounded steps where it is shallow.
//!
//! A checkout of one commit mostly is enough: a fetch brings all that came after it, and what did not come
//! came before.

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use git2::{Commit, Oid, Repository};

use super::fetch::{self, DEPTHS};
use super::past::{Deeper, Past};
use super::place::GitPlace;
use crate::land::{self, History, Order, There, Tip, Written};
use crate::timeline::Commits;

/// How many commits are looked through.
const FAR: usize = 1000;
const DEFAULT: &str = "refs/tagbump/default";

impl History for GitPlace {
    fn may_lack_newer(&self, commit: &str) -> bool {
        let repo = &self.workspace().repo;
        repo.is_shallow() && !self.resolve(commit).is_some_and(|commit| is_after_all_cuts(repo, commit))
    }

    fn goes_further(&self, tip: &Tip) -> bool {
        let repo = &self.workspace().repo;
        let commits = Oid::from_str(&tip.commit).and_then(|tip| {
            let mut walk = repo.revwalk()?;
            walk.push(tip)?;
            Ok(walk.take(FAR + 1).count())
        });
        commits.is_ok_and(|commits| commits > FAR)
    }

    fn past(&self, until: Instant) -> Box<dyn Commits + '_> {
        let deeper = Deeper {
            workspace: self.workspace(),
            endpoint: self.fetch_endpoint(),
            branch: self.branch().unwrap_or_default(),
            until,
            steps: Cell::default(),
        };
        Box::new(Past::new(&self.workspace().repo, Some(deeper)))
    }

    fn written(&self, there: There<'_>, deeper: Option<Instant>) -> Option<Written> {
        let repo = &self.workspace().repo;
        let path = self.full_path(there.file);
        let at_hand = || written(repo, &path, there);
        let mut found = at_hand();
        for depth in DEPTHS {
            let is_settled = found.as_ref().is_some_and(|found| found.in_file) || !repo.is_shallow();
            let Some(until) = deeper.filter(|_| !is_settled) else { break };
            if self.deepen(depth, until).is_err() {
                break;
            }
            found = at_hand();
        }
        found
    }

    fn order(&self, ours: &str, theirs: &str, until: Instant) -> Order {
        let told = self.order_at_hand(ours, theirs, until);
        let deeper = DEPTHS.iter().take_while(|_| self.workspace().repo.is_shallow());
        let told = told.or_else(|| {
            let mut deeper = deeper.map_while(|depth| self.deepen(*depth, until).ok());
            deeper.find_map(|()| self.order_at_hand(ours, theirs, until))
        });
        told.unwrap_or_else(|| {
            let known = |sha: &str| self.resolve(sha).is_some();
            let lost = [ours, theirs].into_iter().find(|sha| !known(sha));
            let lost =
                lost.map_or_else(|| "the history that joins them".to_owned(), |sha| format!("commit {sha}"));
            Order::Unknown(format!("{lost} is not among the last {FAR} commits"))
        })
    }
}

impl GitPlace {
    fn resolve(&self, sha: &str) -> Option<Oid> {
        Some(self.workspace().repo.find_commit_by_prefix(sha).ok()?.id())
    }

    /// Nothing where the history at hand does not tell.
    fn order_at_hand(&self, ours: &str, theirs: &str, until: Instant) -> Option<Order> {
        let repo = &self.workspace().repo;
        let ours = self.resolve(ours)?;
        let Some(theirs) = self.resolve(theirs) else {
            return self.comes_after_all(ours, until).then_some(Order::After);
        };
        if ours == theirs {
            return Some(Order::Same);
        }
        match repo.merge_base(ours, theirs) {
            Ok(base) if base == ours => Some(Order::Before),
            Ok(base) if base == theirs => Some(Order::After),
            // what is cut off may join them
            _ if repo.is_shallow() => None,
            _ => Some(self.diverged(ours, theirs, until)),
        }
    }

    /// Whether all commits that are cut off come before ours. A commit that is on the branch, and not here,
    /// is among those.
    fn comes_after_all(&self, ours: Oid, until: Instant) -> bool {
        let repo = &self.workspace().repo;
        // sources are on the default branch most likely, and may be there alone
        is_after_all_cuts(repo, ours) && self.default_tip(until).is_some()
    }

    fn diverged(&self, ours: Oid, theirs: Oid, until: Instant) -> Order {
        let repo = &self.workspace().repo;
        let Some(tip) = self.default_tip(until) else {
            return Order::Unknown("neither commit comes before the other".to_owned());
        };
        let on_it = |commit| commit == tip || repo.graph_descendant_of(tip, commit).unwrap_or(false);
        match (on_it(ours), on_it(theirs)) {
            (true, _) => Order::DivergedOurs,
            (false, true) => Order::DivergedTheirs,
            (false, false) => Order::Unknown("neither commit is on the default branch".to_owned()),
        }
    }

    /// The default branch's tip, fetched where it is not here.
    fn default_tip(&self, until: Instant) -> Option<Oid> {
        let (branch, tip) = self.default_branch()?;
        let depth = if self.workspace().repo.is_shallow() { DEPTHS[1] } else { 0 };
        if !self.workspace().has(tip) {
            fetch::deepen(self.workspace(), self.fetch_endpoint(), branch, DEFAULT, depth, until).ok()?;
        }
        self.workspace().has(tip).then_some(tip)
    }
}

/// The newest commit whose trailers say that it wrote the tag: one that has changed the file, else any.
fn written(repo: &Repository, path: &str, there: There<'_>) -> Option<Written> {
    let mut walk = repo.revwalk().ok()?;
    walk.push(Oid::from_str(&there.tip.commit).ok()?).ok()?;
    let mut elsewhere = None;
    for oid in walk.take(FAR).map_while(Result::ok) {
        let Ok(commit) = repo.find_commit(oid) else { continue };
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let Some(claims) = land::claims(&message, there.image, there.tag) else { continue };
        let written = Written { in_file: false, source: claims.source, rolled_back: claims.rolled_back };
        if has_changed(&commit, path, &message) {
            return Some(Written { in_file: true, ..written });
        }
        elsewhere.get_or_insert(written);
    }
    elsewhere
}

/// Whether a commit has changed a file. Where what it was made on is cut off, its message may say so.
fn has_changed(commit: &Commit<'_>, path: &str, message: &str) -> bool {
    let file = |commit: &Commit<'_>| Some(commit.tree().ok()?.get_path(Path::new(path)).ok()?.id());
    let parents = commit.raw_header_bytes().split(|byte| *byte == b'\n');
    let first = parents.filter(|line| line.starts_with(b"parent ")).count() > 0;
    match commit.parent(0) {
        Ok(parent) => file(commit) != file(&parent),
        Err(_) if first => message.contains(&format!("({path})")),
        Err(_) => file(commit).is_some(),
    }
}

/// Whether all that is cut off comes before a commit.
fn is_after_all_cuts(repo: &Repository, commit: Oid) -> bool {
    let cut = shallow_roots(repo);
    let before = |root: &Oid| *root == commit || repo.graph_descendant_of(commit, *root).unwrap_or(false);
    !cut.is_empty() && cut.iter().all(before)
}

/// The commits whose parents are cut off.
fn shallow_roots(repo: &Repository) -> Vec<Oid> {
    let text = std::fs::read_to_string(repo.path().join("shallow")).unwrap_or_default();
    text.lines()
        .filter_map(|line| Oid::from_str(line).ok())
        .filter(|oid| repo.find_commit(*oid).is_ok())
        .collect()
}
