//! Implements `--commit`: makes a commit on top of `HEAD`, and the same edit in the index and the working tree.

use std::time::Duration;

use super::Bump;
use super::overlay_file::OverlayFile;
use super::report::BumpReport;
use crate::decision::{DecisionBase, DecisionMemory, decide};
use crate::diagnostics::Error;
use crate::git::{self, CommitError, CommitRequest, GitError};
use crate::output::Outcome;
use crate::worktree::{FileChange, Worktree, WorktreeError};

/// How often to plan again if someone else makes a commit, or changes the index, in between. In each round, at least one run
/// succeeds, so this is enough for that many runs at once.
const TRIES: usize = 64;

/// How long to wait for another program's lock, and how often. git itself holds them for an instant.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSES: usize = 20;

impl Bump<'_> {
    pub(super) fn commit(&self, worktree: &Worktree, report: &mut BumpReport) -> Result<(), Error> {
        let (mut memory, mut tries, mut pauses) = (DecisionMemory::default(), 0, 0);
        loop {
            let done = self.commit_on_head(worktree, report, &mut memory);
            match done {
                Err(Error::Git(error)) if is_overtaken(&error) && tries < TRIES => tries += 1,
                Err(Error::Git(GitError::Commit(CommitError::Locked { .. }))) if pauses < PAUSES => {
                    pauses += 1;
                    std::thread::sleep(PAUSE);
                }
                done => return done,
            }
        }
    }

    fn commit_on_head(
        &self,
        worktree: &Worktree,
        report: &mut BumpReport,
        memory: &mut DecisionMemory,
    ) -> Result<(), Error> {
        let checkout = self.checkout()?;
        let files = checkout.head_files()?;
        let identities = (!self.settings.delivery.dry_run).then(|| self.identities());
        // an error matters only if there is something to commit
        let known = identities.as_ref().and_then(|identities| identities.as_ref().ok());
        let context = self.context(known.map(|(_, committer)| committer.clone()));
        let base = DecisionBase::Head(&files);
        let decision = report.decided(decide(&context, base, memory))?;
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
                head: files.commit(),
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

/// Whether someone else changed what the commit was made from.
fn is_overtaken(error: &GitError) -> bool {
    matches!(
        error,
        GitError::Commit(CommitError::BranchMoved | CommitError::IndexChanged)
            | GitError::Worktree(WorktreeError::Changed { change: FileChange::Edited, .. })
    )
}
