//! What came before a tip: from the history at hand, deepened in bounded steps where it is shallow.
//!
//! A checkout of one commit mostly is enough: a fetch brings all that came after it, and what did not come
//! came before.

use std::cell::Cell;
use std::time::Instant;

use git2::{Oid, Repository};

use super::fetch::{self, DEPTHS};
use super::past::{Deeper, Past, thoroughly};
use super::place::GitPlace;
use crate::error::Result;
use crate::land::{FAR, History, Order};
use crate::timeline::{Commits, Id, Links, Words};

/// How many bytes of files are read to find the commit that set a tag.
const MAX_READ: usize = 256 << 20;
const DEFAULT: &str = "refs/tagbump/default";

impl History for GitPlace {
    fn may_lack_newer(&self, commit: &str) -> bool {
        let repo = &self.workspace().repo;
        repo.is_shallow() && !self.resolve(commit).is_some_and(|commit| is_after_all_cuts(repo, commit))
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

    fn recent(&self, until: Instant, deepens: bool) -> Box<dyn Commits + '_> {
        let past = Past::new(&self.workspace().repo, None);
        let now = Instant::now();
        // however large the files are, this leaves time to land
        let looks_until = now + until.saturating_duration_since(now) / 2;
        let (steps, read) = (Cell::default(), Cell::default());
        Box::new(Recent { past, place: self, until, looks_until, deepens, steps, read })
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

/// The commits of a branch, within bounds of time, depth and size.
struct Recent<'a> {
    past: Past<'a>,
    place: &'a GitPlace,
    until: Instant,
    looks_until: Instant,
    deepens: bool,
    /// How many of the depths have been fetched.
    steps: Cell<usize>,
    /// How many bytes of files were read.
    read: Cell<usize>,
}

impl Recent<'_> {
    fn is_over(&self) -> bool {
        self.read.get() > MAX_READ || Instant::now() >= self.looks_until
    }
}

impl Commits for Recent<'_> {
    fn links(&self, commit: Id) -> Result<Option<Links>> {
        if self.is_over() { Ok(None) } else { self.past.links(commit) }
    }

    fn file(&self, tree: Id, path: &str) -> Result<Option<Id>> {
        self.past.file(tree, path)
    }

    fn read(&self, file: Id) -> Result<Vec<u8>> {
        let bytes = self.past.read(file)?;
        self.read.set(self.read.get() + bytes.len());
        Ok(bytes)
    }

    fn old_name(&self, tree: Id, older: Id, path: &str) -> Result<Option<String>> {
        self.past.old_name(tree, older, path)
    }

    fn words(&self, commit: Id) -> Result<Words> {
        self.past.words(commit)
    }

    fn deepen(&self) -> bool {
        let is_shallow = self.place.workspace().repo.is_shallow();
        if !self.deepens || !is_shallow || self.is_over() {
            return false;
        }
        let Some(depth) = DEPTHS.get(self.steps.get()) else { return false };
        self.steps.set(self.steps.get() + 1);
        thoroughly(|| self.place.deepen(*depth, self.until)).is_ok()
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
