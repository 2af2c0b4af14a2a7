//! The files that a decision is made on, and the commits before them.

use std::time::{Duration, Instant};

use super::context::{DecisionContext, same_repository};
use super::error::DecisionError;
use crate::git::{Checkout, RemoteUrl};
use crate::history::git::CommitWalk;
use crate::history::{CommitStore, NamedBranch};
use crate::landing::TipSnapshot;
use crate::object_id::CommitId;
use crate::plan::{Cancellation, FileSource};

/// Files, and the source of their history.
#[derive(Clone, Copy)]
pub enum DecisionBase<'a> {
    /// The files of `HEAD`, or of the working tree on top of it.
    Head(&'a dyn FileSource),
    /// A remote branch.
    Tip(TipSnapshot<'a>),
}

impl<'a> DecisionBase<'a> {
    pub fn files(&self) -> &'a dyn FileSource {
        match self {
            DecisionBase::Head(files) => *files,
            DecisionBase::Tip(tip) => tip.files,
        }
    }

    /// The same, with more time to decide.
    #[must_use]
    pub(super) fn postponed(self, time: Duration) -> Self {
        match self {
            DecisionBase::Head(files) => DecisionBase::Head(files),
            DecisionBase::Tip(tip) => DecisionBase::Tip(TipSnapshot { deadline: tip.deadline + time, ..tip }),
        }
    }

    /// Whether the checkout's own commits go below the bump, on which CI hasn't run.
    pub fn carries(&self) -> bool {
        matches!(self, DecisionBase::Tip(snapshot) if snapshot.tip.carries)
    }

    /// The remote branch, if it is one.
    pub fn tip(&self) -> Option<TipSnapshot<'a>> {
        match self {
            DecisionBase::Head(_) => None,
            DecisionBase::Tip(tip) => Some(*tip),
        }
    }

    /// A plan that is made too late to be landed isn't needed.
    pub(super) fn cancellation(&self) -> Cancellation {
        match self {
            DecisionBase::Head(_) => Cancellation::default(),
            DecisionBase::Tip(tip) => {
                let deadline = tip.deadline;
                Cancellation::when(move || Instant::now() >= deadline)
            }
        }
    }
}

/// The commits up to one, with that one.
pub(super) type CommitsBefore<'a> = (Box<dyn CommitStore + 'a>, CommitId);

/// The files of a branch, and the tip that they belong to; without one they belong to `HEAD`.
#[derive(Clone, Copy)]
pub(super) struct BranchFiles<'a> {
    pub files: &'a dyn FileSource,
    pub tip: Option<(TipSnapshot<'a>, CommitId)>,
}

impl<'a> BranchFiles<'a> {
    /// For a pull request's branch that exists, these are the files of its base: the branch may have the change already.
    pub fn new(base: DecisionBase<'a>) -> Self {
        let DecisionBase::Tip(snapshot) = base else {
            return BranchFiles { files: base.files(), tip: None };
        };
        let base_branch = snapshot.other_branch.filter(|_| is_on_pr_branch(&snapshot));
        let (tip, files) = base_branch.unwrap_or((snapshot.tip, snapshot.files));
        BranchFiles { files, tip: Some((snapshot, tip.commit)) }
    }

    /// The commit that the files are of, or on top of; `None` without a repository.
    pub fn commit(&self, context: &DecisionContext<'_>) -> Option<CommitId> {
        self.tip.map_or_else(|| context.checkout?.head(), |(_, commit)| Some(commit))
    }

    /// The commits before them; `None` without a repository, or before the first commit.
    pub fn commits<'c>(
        &self,
        context: &'c DecisionContext<'a>,
    ) -> Result<Option<CommitsBefore<'c>>, DecisionError>
    where
        'a: 'c,
    {
        if let Some((snapshot, tip)) = self.tip {
            return Ok(Some((snapshot.history.past(snapshot.deadline), tip)));
        }
        let Some(checkout) = context.checkout.filter(|checkout| checkout.head().is_some()) else {
            return Ok(None);
        };
        let (commits, head) = CommitWalk::of_head(checkout)?;
        Ok(Some((Box::new(commits), head)))
    }

    /// The branch that the commits are on.
    pub fn branch(&self, context: &DecisionContext<'_>) -> NamedBranch {
        let remote = context.settings.delivery.landing.remote.clone();
        let url = context.checkout.and_then(|checkout| Some(checkout.remote(&remote).ok()?.0));
        let built = || {
            let pipeline = context.settings.run_context.ci.pipeline()?;
            let own = url.as_ref().and_then(RemoteUrl::repository);
            let is_own = same_repository(pipeline.repository.as_deref(), own.as_deref());
            pipeline.branch.clone().filter(|_| is_own)
        };
        let branch = match self.tip {
            Some((snapshot, _)) => snapshot.history.branch().map(str::to_owned),
            None => context.checkout.and_then(Checkout::branch).or_else(built),
        };
        NamedBranch { branch, remote, url: url.map(|url| url.to_string()) }
    }

    /// The files of an earlier commit; `None` without a repository.
    pub fn at<'c>(
        &self,
        context: &'c DecisionContext<'a>,
        commit: CommitId,
    ) -> Option<Box<dyn FileSource + 'c>>
    where
        'a: 'c,
    {
        match self.tip {
            Some((snapshot, _)) => Some(snapshot.history.files_at(commit)),
            None => Some(Box::new(context.checkout?.head_files().ok()?.at(commit))),
        }
    }
}

/// Whether the bump goes on top of a pull request's branch that exists.
pub(super) fn is_on_pr_branch(tip: &TipSnapshot<'_>) -> bool {
    tip.tip.published == Some(tip.tip.commit)
}
