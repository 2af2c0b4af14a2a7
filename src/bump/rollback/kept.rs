//! What was rolled back stays away past a bump that is not newer than it: a fix of what came back most often is
//! not, as it was made on an older commit. The next late build would be newer than the fix.

use crate::bump::Bump;
use crate::bump::guard::is_same;
use crate::config::Config;
use crate::land::{Order, RolledBack, Seen, Written};
use crate::plan::{ChangedReference, Plan, Want};
use crate::tag::Source;
use crate::{facts, request};

/// How many a message tells at most. Where the order can't be told they would become ever more.
const KEPT: usize = 10;

impl Bump<'_> {
    /// Notes for the commit's message what a plan's changes keep away; `written` is who wrote what they replace.
    pub(in crate::bump) fn keep_away<'w>(
        &self,
        seen: Seen<'_>,
        config: &Config,
        plan: &Plan,
        written: impl Iterator<Item = (&'w ChangedReference, &'w Written)>,
    ) {
        let mut kept = Vec::new();
        for (change, written) in written.filter(|(change, _)| plan.changes.contains(change)) {
            let Some(want) = plan.wants.get(change.want) else { continue };
            for bad in written.rolled_back.iter().filter(|bad| !is_same(&bad.tag, &change.to)) {
                let note = (change.want, bad.clone());
                if kept.len() < KEPT && self.is_kept_away(seen, config, want, bad) && !kept.contains(&note) {
                    kept.push(note);
                }
            }
        }
        *self.kept_away.borrow_mut() = kept;
    }

    fn is_kept_away(&self, seen: Seen<'_>, config: &Config, want: &Want, bad: &RolledBack) -> bool {
        let ours = self.source_of(config, Some(want)).ok().flatten();
        let Some((ours, theirs)) = ours.zip(self.source_of_bad(config, want, bad)) else { return false };
        self.order_of(seen, &ours, &theirs, &bad.tag) != Order::After
    }

    fn source_of_bad(&self, config: &Config, want: &Want, bad: &RolledBack) -> Option<Source> {
        let template = request::tag_template(self.settings, config, want.service.as_deref());
        let tag = crate::image::split_tag(&bad.tag).0;
        let in_tag = || facts::commit_named(tag, template, self.checkout.as_ref());
        bad.source.clone().or_else(in_tag)
    }
}
