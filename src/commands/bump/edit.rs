//! Implements a bump without `--commit`, `--push` or `--pr`: edits the files of the working tree.

use super::Bump;
use super::report::BumpReport;
use crate::decision::{DecisionBase, DecisionMemory, decide};
use crate::diagnostics::Error;
use crate::output::Outcome;
use crate::worktree::Worktree;

impl Bump<'_> {
    pub(super) fn edit(&self, worktree: &Worktree, report: &mut BumpReport) -> Result<(), Error> {
        let files = match &self.checkout {
            Some(checkout) => checkout.inside(worktree.clone()),
            None => worktree.clone(),
        };
        let base = DecisionBase::Head(&files);
        let decision = report.decided(decide(&self.context(None), base, &mut DecisionMemory::default()))?;
        let outcome = report.outcome(&decision, Outcome::Edited);
        if outcome == Outcome::Edited {
            worktree.replace(&decision.plan.edits)?;
            if self.settings.operation.is_rollback() {
                let risk = "without a commit, a late build can set the rolled-back tag again";
                report.notices.push(risk.to_owned());
            }
        }
        Ok(report.end(decision, outcome)?)
    }
}
