//! The files that a decision is made on, and the commits before them.

use std::time::{Duration, Instant};

use crate::landing::TipSnapshot;
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

/// Whether the bump goes on top of a pull request's branch that exists.
pub(super) fn is_on_pr_branch(tip: &TipSnapshot<'_>) -> bool {
    tip.tip.published == Some(tip.tip.commit)
}
