//! Which of two builds is newer. Order is by ancestry, never by time: a slow build of an old commit finishes late.

use std::collections::HashMap;

use super::context::{DecisionContext, same_repository};
use super::source_forges::SourceForges;
use crate::landing::{BuildOrder, TipSnapshot};
use crate::tag::Source;
use crate::visible::inline;

/// Orders commits, and remembers the orders that are known.
pub(super) struct BuildOrders<'a, 'm> {
    context: &'a DecisionContext<'a>,
    tip: TipSnapshot<'a>,
    known: &'m mut HashMap<(String, String), BuildOrder>,
}

impl<'a, 'm> BuildOrders<'a, 'm> {
    pub fn new(
        context: &'a DecisionContext<'a>,
        tip: TipSnapshot<'a>,
        known: &'m mut HashMap<(String, String), BuildOrder>,
    ) -> Self {
        BuildOrders { context, tip, known }
    }

    /// The order of our commit and the one that `tag` was built from.
    pub fn order_of_tag(&mut self, ours: &Source, theirs: &Source, tag: &str) -> BuildOrder {
        let (one, other) = (ours.repository.as_deref(), theirs.repository.as_deref());
        let is_other = one.is_some() && other.is_some() && !same_repository(one, other);
        if is_other && !self.are_at_hand(ours, theirs) {
            return BuildOrder::Unknown(format!("{} was built from another repository", inline(tag)));
        }
        self.order(ours, theirs)
    }

    /// The order of two commits of one repository.
    pub fn order(&mut self, ours: &Source, theirs: &Source) -> BuildOrder {
        let pair = (ours.sha.clone(), theirs.sha.clone());
        if let Some(known) = self.known.get(&pair) {
            return known.clone();
        }
        let order = if self.is_of_this_repository(ours) || self.are_at_hand(ours, theirs) {
            self.tip.history.order(&ours.sha, &theirs.sha, self.tip.deadline)
        } else {
            self.order_via_forge(ours, theirs)
        };
        if !matches!(order, BuildOrder::Unknown(_)) {
            self.known.insert(pair, order.clone());
        }
        order
    }

    /// Whether the built commit is in the repository that the bump is pushed to.
    fn is_of_this_repository(&self, ours: &Source) -> bool {
        let Some(repository) = ours.repository.as_deref() else { return true };
        same_repository(Some(repository), self.context.target_repository().as_deref())
    }

    /// Whether both commits are here, so that ancestry decides. The names can differ: a repository was renamed, or the remote
    /// is a folder or a mirror.
    fn are_at_hand(&self, ours: &Source, theirs: &Source) -> bool {
        [ours, theirs].into_iter().all(|source| self.tip.history.has(&source.sha))
    }

    fn order_via_forge(&self, ours: &Source, theirs: &Source) -> BuildOrder {
        let repository = ours.repository.as_deref().unwrap_or_default();
        let deadline = self.tip.deadline;
        let forges = SourceForges { context: self.context };
        let order = forges.ask(repository, |forge| forge.order(deadline, repository, &ours.sha, &theirs.sha));
        order.unwrap_or_else(BuildOrder::Unknown)
    }
}
