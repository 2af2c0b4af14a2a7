//! How many commits lie between what an environment runs and what a promotion sets.

use super::change_origins::OriginSearch;
use super::context::same_repository;
use crate::output::{ChangeOrigin, CommitCount};
use crate::plan::{Plan, TargetIndex};
use crate::tag::Source;

impl OriginSearch<'_> {
    /// The commits between the old and the new source of a target: those that were compared, else those of the repository
    /// that the bump is landed in, if they are here.
    pub fn commits_between(
        &self,
        plan: &Plan,
        origins: &[ChangeOrigin],
        target: TargetIndex,
    ) -> Option<CommitCount> {
        let nth = plan.changes.iter().position(|change| change.target == target)?;
        let comparison = origins.get(nth).and_then(|origin| origin.comparison.as_deref());
        if let Some((range, comparison)) =
            comparison.and_then(|comparison| Some((comparison.range.as_ref()?, comparison)))
        {
            return Some(CommitCount { total: range.total, goes_back: comparison.goes_back });
        }
        let change = plan.changes.get(nth)?;
        let writer = self.writers.iter().find(|(other, _)| other == change).map(|(_, writer)| writer);
        let (old, new) = (self.old_source(plan, change, writer)?, self.new_source(plan, target)?);
        let history = self.tip?.history;
        if !self.is_of_target(&old) || !self.is_of_target(&new) {
            return None;
        }
        let count = |from: &Source, to: &Source, goes_back: bool| {
            let total = history.range(&from.sha, &to.sha)?.total;
            (total > 0).then_some(CommitCount { total, goes_back })
        };
        count(&old, &new, false).or_else(|| count(&new, &old, true))
    }

    fn is_of_target(&self, source: &Source) -> bool {
        let target = self.sources.context.target_repository();
        same_repository(source.repository.as_deref(), target.as_deref())
    }
}
