//! What was rolled back stays away past a bump that is not newer than it: a fix of what came back most often is
//! not, as it was made on an older commit. The next late build would be newer than the fix.

use std::collections::HashSet;

use crate::commands::bump::Bump;
use crate::config::Config;
use crate::image::same_tag;
use crate::landing::{BuildOrder, ProvenCommit, RolledBack, TipSnapshot};
use crate::plan::{ChangedReference, Plan, UpdateTarget};
use crate::resolve_targets;

/// How many a message tells at most. Where the order can't be told they would become ever more.
const KEPT: usize = 10;

impl Bump<'_> {
    /// Notes for the commit's message what a plan's changes keep away; `written` is who wrote what they replace.
    pub(in crate::commands::bump) fn keep_away<'w>(
        &self,
        seen: TipSnapshot<'_>,
        config: &Config,
        plan: &Plan,
        written: impl Iterator<Item = (&'w ChangedReference, &'w ProvenCommit)>,
    ) {
        let mut kept = Vec::new();
        let changes: HashSet<&ChangedReference> = plan.changes.iter().collect();
        for (change, written) in written.filter(|(change, _)| changes.contains(change)) {
            let Some(target) = plan.targets.get(change.target) else { continue };
            for bad in written.rolled_back.iter().filter(|bad| !same_tag(&bad.tag, &change.to)) {
                let note = (change.target, bad.clone());
                if kept.len() < KEPT && self.is_kept_away(seen, config, target, bad) && !kept.contains(&note)
                {
                    kept.push(note);
                }
            }
        }
        *self.still_blocked.borrow_mut() = kept;
    }

    fn is_kept_away(
        &self,
        seen: TipSnapshot<'_>,
        config: &Config,
        target: &UpdateTarget,
        bad: &RolledBack,
    ) -> bool {
        let ours = self.source_of(config, Some(target)).ok().flatten();
        let template = resolve_targets::tag_template(self.settings, config, target.service.as_deref());
        let theirs = bad.source.clone().or_else(|| self.source_in(&bad.tag, template));
        let Some((ours, theirs)) = ours.zip(theirs) else { return false };
        self.order_of(seen, &ours, &theirs, &bad.tag) != BuildOrder::After
    }
}
