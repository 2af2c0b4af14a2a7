//! The commits before a tip: those that are available, and more of them in bounded steps if the history is shallow.
//!
//! A checkout of a single commit is usually enough: a fetch brings everything after it, so the commits that are missing came before.

use std::cell::Cell;
use std::time::Instant;

use super::commit_range::commit_range;
use super::git_branch::GitBranch;
use super::remote_history::deepen;
use crate::git::fetch::DEPTHS;
use crate::git::oid::{commit_id, oid};
use crate::git::workspace::Workspace;
use crate::history::git::CommitWalk;
use crate::history::{
    CommitId, CommitLinks, CommitMessage, CommitRange, CommitStore, HistoryError, ObjectId,
};
use crate::landing::{BuildOrder, History, OnDefaultBranch, SEARCHED_COMMITS};
use crate::plan::FileSource;

/// How many bytes of files are read at most to find the commit that set a tag.
const MAX_READ: usize = 256 << 20;

impl History for GitBranch {
    fn branch(&self) -> Option<&str> {
        GitBranch::branch(self)
    }

    fn may_lack_newer(&self, commit: &str) -> bool {
        let workspace = self.workspace();
        let is_after = |commit| is_after_all_cuts(workspace, commit);
        workspace.repo.is_shallow() && !self.resolve(commit).is_some_and(is_after)
    }

    fn past(&self, deadline: Instant) -> Box<dyn CommitStore + '_> {
        let branch = self.branch().unwrap_or_default();
        let deepen = deepen(self.fetcher(deadline), branch, self.fetched_tips());
        Box::new(CommitWalk::new(&self.workspace().repo, Some(deepen)))
    }

    fn recent(&self, deadline: Instant, deepens: bool) -> Box<dyn CommitStore + '_> {
        let past = CommitWalk::new(&self.workspace().repo, None);
        let now = Instant::now();
        // leaves time to land, however large the files are
        let looks_until = now + deadline.saturating_duration_since(now) / 2;
        let (steps, read) = (Cell::default(), Cell::default());
        Box::new(RecentCommits { past, branch: self, deadline, looks_until, deepens, steps, read })
    }

    fn files_at(&self, commit: CommitId) -> Box<dyn FileSource + '_> {
        self.files(commit)
    }

    fn range(&self, old: &str, new: &str) -> Option<CommitRange> {
        commit_range(self.workspace(), self.resolve(old)?, self.resolve(new)?)
    }

    fn has(&self, commit: &str) -> bool {
        self.resolve(commit).is_some()
    }

    fn order(&self, ours: &str, theirs: &str, deadline: Instant) -> BuildOrder {
        let order = self.order_at_hand(ours, theirs, deadline);
        let deeper = DEPTHS.iter().take_while(|_| self.workspace().repo.is_shallow());
        let order = order.or_else(|| {
            let mut deeper = deeper.map_while(|depth| self.deepen(*depth, deadline).ok());
            deeper.find_map(|()| self.order_at_hand(ours, theirs, deadline))
        });
        order.unwrap_or_else(|| BuildOrder::Unknown(self.what_is_lost(ours, theirs)))
    }
}

impl GitBranch {
    /// Why the history doesn't show the order of two commits.
    fn what_is_lost(&self, ours: &str, theirs: &str) -> String {
        let lost = [ours, theirs].into_iter().find(|sha| self.resolve(sha).is_none());
        match lost {
            Some(sha) if self.workspace().repo.is_shallow() => {
                format!("commit {sha} is not among {SEARCHED_COMMITS}")
            }
            Some(sha) => format!("commit {sha} is not in the history of this branch"),
            None => format!("the builds' common ancestor is not among {SEARCHED_COMMITS}"),
        }
    }

    fn resolve(&self, sha: &str) -> Option<CommitId> {
        Some(commit_id(self.workspace().repo.find_commit_by_prefix(sha).ok()?.id()))
    }

    /// `None` if the available history doesn't show the order.
    fn order_at_hand(&self, ours: &str, theirs: &str, deadline: Instant) -> Option<BuildOrder> {
        let repo = &self.workspace().repo;
        let ours = self.resolve(ours)?;
        let Some(theirs) = self.resolve(theirs) else {
            return self.comes_after_all(ours, deadline).then_some(BuildOrder::After);
        };
        if ours == theirs {
            return Some(BuildOrder::Same);
        }
        match repo.merge_base(oid(ours), oid(theirs)).map(commit_id) {
            Ok(base) if base == ours => Some(BuildOrder::Before),
            Ok(base) if base == theirs => Some(BuildOrder::After),
            // a commit that is cut off may join them
            _ if repo.is_shallow() => None,
            _ => Some(self.diverged(ours, theirs, deadline)),
        }
    }

    /// Whether all commits that are cut off come before ours. A commit that is on the branch, but not here, is one of them.
    fn comes_after_all(&self, ours: CommitId, deadline: Instant) -> bool {
        // sources are usually on the default branch, and may be only there
        is_after_all_cuts(self.workspace(), ours) && self.default_tip(deadline).is_some()
    }

    fn diverged(&self, ours: CommitId, theirs: CommitId, deadline: Instant) -> BuildOrder {
        let repo = &self.workspace().repo;
        let Some(tip) = self.default_tip(deadline) else {
            return BuildOrder::Unknown("neither commit comes before the other".to_owned());
        };
        let on_it =
            |commit| commit == tip || repo.graph_descendant_of(oid(tip), oid(commit)).unwrap_or(false);
        BuildOrder::of_diverged(OnDefaultBranch { ours: on_it(ours), theirs: on_it(theirs) })
    }

    /// The default branch's tip; fetched if it isn't here.
    fn default_tip(&self, deadline: Instant) -> Option<CommitId> {
        let (branch, tip) = self.default_branch()?;
        let depth = if self.workspace().repo.is_shallow() { DEPTHS[1] } else { 0 };
        if !self.workspace().has(tip) {
            let fetched = self.fetched_tips();
            self.fetcher(deadline).deepen(branch, &fetched, depth).ok()?;
        }
        self.workspace().has(tip).then_some(tip)
    }
}

/// The commits of a branch, within bounds of time, depth and size.
struct RecentCommits<'a> {
    past: CommitWalk<'a>,
    branch: &'a GitBranch,
    deadline: Instant,
    looks_until: Instant,
    deepens: bool,
    /// How many of the depths have been fetched.
    steps: Cell<usize>,
    /// How many bytes of files were read.
    read: Cell<usize>,
}

impl RecentCommits<'_> {
    fn is_over(&self) -> bool {
        self.read.get() > MAX_READ || Instant::now() >= self.looks_until
    }
}

impl CommitStore for RecentCommits<'_> {
    fn links(&self, commit: CommitId) -> Result<Option<CommitLinks>, HistoryError> {
        if self.is_over() { Ok(None) } else { self.past.links(commit) }
    }

    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, HistoryError> {
        self.past.file(tree, path)
    }

    fn read(&self, file: ObjectId) -> Result<Vec<u8>, HistoryError> {
        let bytes = self.past.read(file)?;
        self.read.set(self.read.get() + bytes.len());
        Ok(bytes)
    }

    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, HistoryError> {
        self.past.old_name(tree, older, path)
    }

    fn message(&self, commit: CommitId) -> Result<CommitMessage, HistoryError> {
        self.past.message(commit)
    }

    fn resolve(&self, sha: &str) -> Option<CommitId> {
        self.past.resolve(sha)
    }

    fn depth(&self) -> usize {
        self.steps.get()
    }

    fn deepen(&self) -> bool {
        let is_shallow = self.branch.workspace().repo.is_shallow();
        if !self.deepens || !is_shallow || self.is_over() {
            return false;
        }
        let Some(depth) = DEPTHS.get(self.steps.get()) else { return false };
        self.steps.set(self.steps.get() + 1);
        self.branch.deepen(*depth, self.deadline).is_ok()
    }
}

/// Whether everything that is cut off comes before a commit.
fn is_after_all_cuts(workspace: &Workspace, commit: CommitId) -> bool {
    let cut = workspace.shallow_commits();
    let is_below = |root| workspace.repo.graph_descendant_of(oid(commit), oid(root)).unwrap_or(false);
    !cut.is_empty() && cut.into_iter().all(|root| root == commit || is_below(root))
}
