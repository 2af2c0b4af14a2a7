//! Tags that were rolled back and stay blocked although another tag is set now.
//!
//! The fix of a tag that was rolled back was often made on an older commit, so the next late build is newer than the fix. The
//! commit message therefore repeats the rolled-back tag until a build is set that is newer than it.

use std::collections::HashSet;

use super::freshness::FreshnessCheck;
use super::target_sources::TargetSources;
use super::targets;
use crate::image::same_tag;
use crate::landing::{BuildOrder, ProvenCommit, RolledBack};
use crate::plan::{ChangedReference, Plan, TargetIndex, UpdateTarget};

/// How many a message repeats at most. If no order can be determined, they would become more with every bump.
const MAX_REPEATED: usize = 10;

impl FreshnessCheck<'_, '_> {
    /// The tags that a plan's changes keep blocked. `writers` are the commits that set the tags which are replaced.
    pub fn still_blocked(
        &mut self,
        plan: &Plan,
        writers: &[(ChangedReference, ProvenCommit)],
    ) -> Vec<(TargetIndex, RolledBack)> {
        let mut blocked = Vec::new();
        let changes: HashSet<&ChangedReference> = plan.changes.iter().collect();
        for (change, writer) in writers.iter().filter(|(change, _)| changes.contains(change)) {
            let Some(target) = change.target.of(&plan.targets) else { continue };
            for bad in writer.rolled_back.iter().filter(|bad| !same_tag(&bad.tag, &change.to)) {
                let note = (change.target, bad.clone());
                if blocked.len() < MAX_REPEATED
                    && self.is_still_blocked((change.target, target), plan, bad)
                    && !blocked.contains(&note)
                {
                    blocked.push(note);
                }
            }
        }
        blocked
    }

    fn is_still_blocked(
        &mut self,
        (index, target): (TargetIndex, &UpdateTarget),
        plan: &Plan,
        bad: &RolledBack,
    ) -> bool {
        let ours = self.sources.of(index, &plan.targets).ok().flatten();
        let TargetSources { context, config, .. } = self.sources;
        let template = targets::tag_template(context.settings, config, target.service.as_deref());
        let theirs = bad.source.clone().or_else(|| context.source_in_tag(&bad.tag, template));
        let Some((ours, theirs)) = ours.zip(theirs) else { return false };
        self.orders.order_of_tag(&ours, &theirs, &bad.tag) != BuildOrder::After
    }
}
