//! The story of `--commit`: a commit on top of `HEAD`, and the same edit in the index and the working tree.

use super::Bump;
use super::overlay_file::OverlayFile;
use super::report::BumpReport;
use crate::decision::{DecisionBase, DecisionMemory, decide};
use crate::diagnostics::Error;
use crate::git::{self, CommitRequest};
use crate::output::Outcome;
use crate::worktree::Worktree;

impl Bump<'_> {
    pub(super) fn commit(&self, worktree: &Worktree, report: &mut BumpReport) -> Result<(), Error> {
        let checkout = self.checkout()?;
        let files = checkout.head_files()?;
        let identities = (!self.settings.delivery.dry_run).then(|| self.identities());
        // an error matters only if there is something to commit
        let known = identities.as_ref().and_then(|identities| identities.as_ref().ok());
        let context = self.context(known.map(|(_, committer)| committer.clone()));
        let base = DecisionBase::Head(&files);
        let decision = report.decided(decide(&context, base, &mut DecisionMemory::default()))?;
        let outcome = report.outcome(&decision, Outcome::Committed);
        let replan =
            |path: &str, bytes: &[u8]| decision.plan_again(&OverlayFile { files: &files, path, bytes });
        if outcome == Outcome::Planned {
            git::rehearse(checkout, &decision.plan, worktree, &replan)?;
        }
        if let (Outcome::Committed, Some(identities)) = (outcome, identities) {
            let (author, committer) = identities?;
            let signer = self.signer(&committer)?;
            let request = CommitRequest {
                message: &decision.message,
                plan: &decision.plan,
                author: &author,
                committer: &committer,
                signer: signer.as_ref(),
                worktree,
                replan: &replan,
            };
            report.commit = Some(git::commit(checkout, &request)?);
            report.branch = checkout.branch();
        }
        Ok(report.end(decision, outcome)?)
    }
}
