//! The landing loop: reads the tip, makes a proposal, publishes it, and starts over until the outcome is known.

use std::time::Duration;

use super::pacing::{Pace, Pacing};
use super::{
    Backoff, FetchError, GiveUpReason, Landing, LandingError, NotLanded, Proposal, Propose, PublishOutcome,
    TargetBranch, Tip, with_snapshot,
};
use crate::object_id::CommitId;

/// Extra time beyond the budget, to find out how the last try ended.
pub(super) const FINAL_CHECK: Duration = Duration::from_secs(30);

/// How often a server that can't be reached is tried.
const UNREACHABLE_TRIES: u32 = 6;
/// How often a locked branch is tried while its tip stays the same.
const LOCKED_TRIES: u32 = 12;
/// How often a push is sent to a server that fails to unpack it.
const UNPACK_TRIES: u32 = 2;

/// Lands the proposal that `propose` makes for the tip.
///
/// # Errors
/// The errors of `propose` and of the branch, a push that the server rejects, and a budget that is spent.
pub fn land<B: TargetBranch, P: Proposal, E>(
    branch: &mut B,
    backoff: &mut Backoff<'_>,
    propose: &mut Propose<'_, P, E>,
) -> Result<Landing<P>, NotLanded<B::Error, E>> {
    let mut landing = LandingLoop::new(branch, backoff, propose);
    let ended = landing.run().or_else(|error| landing.final_check(error));
    let (attempts, log) = (landing.attempts, landing.log);
    match ended {
        Ok((proposal, commit)) => Ok(Landing { proposal, commit, attempts, log }),
        Err(error) => Err(NotLanded { error, attempts, log }),
    }
}

/// The proposal that is on the branch, and the commit that put it there if it was ours.
type LandedProposal<P> = (P, Option<CommitId>);

/// The result of a step of the loop.
type StepResult<T, B, E> = Result<T, LandingError<<B as TargetBranch>::Error, E>>;

struct LandingLoop<'a, 'c, B, P, E> {
    branch: &'a mut B,
    backoff: &'a mut Backoff<'c>,
    propose: &'a mut Propose<'a, P, E>,
    pacing: Pacing,
    /// The tip, as it was read last.
    seen: Option<Tip>,
    /// Why the last try failed.
    problem: String,
    /// Whether the last push was made because there was no time for a later one.
    was_last_chance: bool,
    attempts: u32,
    /// The commits that were tried, each with its proposal: one may be on the branch after all.
    made: Vec<(CommitId, P)>,
    log: Vec<String>,
    unreachable: u32,
    /// How often the server failed to unpack the push.
    unpack_failures: u32,
    /// Whether the outcome of a try is unknown.
    outcome_unknown: bool,
    /// The tip at which the server rejected a push, how often, and its message.
    stuck: Option<StuckPush>,
}

struct StuckPush {
    tip: Tip,
    times: u32,
    reason: StuckReason,
    message: String,
}

/// Why a push didn't move the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StuckReason {
    /// Someone else holds the branch's lock.
    Locked,
    /// The server rejected it without a known reason.
    Rejected,
}

impl<'a, 'c, B: TargetBranch, P: Proposal, E> LandingLoop<'a, 'c, B, P, E> {
    fn new(branch: &'a mut B, backoff: &'a mut Backoff<'c>, propose: &'a mut Propose<'a, P, E>) -> Self {
        let pacing = Pacing::new(backoff.fork_random(), backoff.now());
        LandingLoop {
            pacing,
            seen: None,
            problem: String::new(),
            was_last_chance: false,
            branch,
            backoff,
            propose,
            attempts: 0,
            made: Vec::new(),
            log: Vec::new(),
            unreachable: 0,
            unpack_failures: 0,
            outcome_unknown: false,
            stuck: None,
        }
    }

    fn run(&mut self) -> StepResult<LandedProposal<P>, B, E> {
        loop {
            let started = self.backoff.now();
            let tip = self.tip()?;
            let is_new = self.seen != Some(tip);
            let commits = self.note_tip(&tip);
            if is_new && let Some(landed) = self.landed_before(&tip)? {
                return Ok(landed);
            }
            self.check_stuck(&tip)?;
            if !self.is_time_to_push(commits)? {
                continue;
            }
            let proposal = with_snapshot(&*self.branch, &tip, self.backoff.deadline(), &mut *self.propose)?;
            self.backoff.postpone(proposal.waited());
            let plan = proposal.plan();
            if plan.is_empty() && !tip.carries {
                return Ok((proposal, None));
            }
            let commit = if plan.is_empty() {
                tip.commit
            } else {
                let made = self.branch.commit(&tip, &proposal);
                made.map_err(LandingError::Branch)?
            };
            if tip.published == Some(commit) {
                // an earlier run has done it
                return Ok((proposal, Some(commit)));
            }
            self.attempts += 1;
            let outcome = self.branch.publish(commit, self.backoff.deadline());
            if let PublishOutcome::Published { commit } = outcome {
                return Ok((proposal, Some(commit)));
            }
            let took = self.backoff.now().saturating_duration_since(started + proposal.waited());
            self.made.push((commit, proposal));
            self.after(&tip, outcome, took)?;
        }
    }

    /// Reads the tip, and retries if the server can't be reached.
    fn tip(&mut self) -> StepResult<Tip, B, E> {
        loop {
            let error = match self.branch.tip(self.backoff.deadline()) {
                Ok(tip) => {
                    self.unreachable = 0;
                    return Ok(tip);
                }
                Err(error) => error,
            };
            self.unreachable += u32::from(matches!(error, FetchError::Unreachable { .. }));
            let (what, retry_after) = error.transient().map_err(LandingError::Branch)?;
            // if a try may have landed, only the budget ends the asking
            if self.unreachable >= UNREACHABLE_TRIES && !self.outcome_unknown {
                return Err(self.gave_up(what, GiveUpReason::Unreachable));
            }
            self.wait(what, retry_after)?;
        }
    }

    /// One of our commits may have landed although its outcome was unknown.
    fn landed_before(&mut self, tip: &Tip) -> StepResult<Option<LandedProposal<P>>, B, E> {
        for nth in 0..self.made.len() {
            let found = self.branch.find(tip, self.made[nth].0).map_err(LandingError::Branch)?;
            if let Some(commit) = found {
                let (_, proposal) = self.made.swap_remove(nth);
                return Ok(Some((proposal, Some(commit))));
            }
        }
        Ok(None)
    }

    /// How many commits came since the tip was read before.
    fn note_tip(&mut self, tip: &Tip) -> u32 {
        let Some(seen) = self.seen.replace(*tip).filter(|seen| seen.published != tip.published) else {
            return 0;
        };
        let commits = seen
            .published
            .zip(tip.published)
            .and_then(|(old, new)| self.branch.history().range(&old.to_string(), &new.to_string()));
        // none of them is new if the branch was set back
        commits.map_or(1, |range| u32::try_from(range.total).unwrap_or(u32::MAX).max(1))
    }

    /// Whether to push on a tip with so many new commits. If not, this waits until it is time to read the branch again.
    fn is_time_to_push(&mut self, commits: u32) -> StepResult<bool, B, E> {
        if self.attempts > 0 && self.backoff.left().is_zero() {
            return Err(self.timed_out());
        }
        match self.pacing.next(self.backoff.now(), commits) {
            Pace::Push => Ok(true),
            Pace::LookAfter(time) => self.pause(time),
            Pace::BackOff if self.backoff.wait(None) => Ok(false),
            Pace::BackOff => Err(self.timed_out()),
        }
    }

    /// Waits until the next look, if that leaves time for a push. If not, it is time for the last one.
    fn pause(&mut self, time: Duration) -> StepResult<bool, B, E> {
        if time + self.pacing.round() < self.backoff.left() {
            self.backoff.pause(time);
            return Ok(false);
        }
        if self.was_last_chance {
            return Err(self.timed_out());
        }
        self.was_last_chance = true;
        Ok(true)
    }

    /// A rejection without a known reason was a race if the tip has moved since, otherwise a refusal.
    fn check_stuck(&mut self, tip: &Tip) -> StepResult<(), B, E> {
        let Some(stuck) = &self.stuck else { return Ok(()) };
        if stuck.tip != *tip {
            self.stuck = None;
            return Ok(());
        }
        let message = stuck.message.clone();
        if stuck.reason == StuckReason::Rejected {
            return Err(LandingError::RejectedUnclear { message });
        }
        if stuck.times >= LOCKED_TRIES {
            return Err(self.gave_up(message, GiveUpReason::LockStays));
        }
        Ok(())
    }

    /// Waits or gives up, depending on how a try ended.
    fn after(
        &mut self,
        tip: &Tip,
        outcome: PublishOutcome<B::Error>,
        took: Duration,
    ) -> StepResult<(), B, E> {
        match outcome {
            PublishOutcome::Published { .. } => {}
            PublishOutcome::Outdated { what } => {
                self.stuck = None;
                self.note(what);
                self.pacing.outdated(took);
            }
            PublishOutcome::NonFastForward { what } => {
                self.stuck = None;
                self.note(what);
                self.pacing.lost(took);
            }
            PublishOutcome::RefLocked { what } => {
                self.note_stuck(tip, StuckReason::Locked, &what);
                self.pacing.failed(took);
                self.wait(what, None)?;
            }
            PublishOutcome::RejectedUnclear { message } => {
                self.note_stuck(tip, StuckReason::Rejected, &message);
                self.pacing.failed(took);
                self.wait(message, None)?;
            }
            PublishOutcome::Unknown { what, retry_after } => {
                self.outcome_unknown = true;
                self.wait(what, retry_after)?;
            }
            PublishOutcome::UnpackFailed { message } => {
                self.unpack_failures += 1;
                if self.unpack_failures >= UNPACK_TRIES {
                    return Err(LandingError::UnpackFailed { message });
                }
                self.wait(message, None)?;
            }
            PublishOutcome::Refused(error) => return Err(LandingError::Branch(error)),
        }
        Ok(())
    }

    /// If the outcome of a try is unknown when the loop stops, this asks beyond the budget, until there is an answer. The
    /// server refused nothing then: the budget was spent, perhaps while the proposal was made. An answer that never comes takes
    /// half of the time that is left, so that there is time to ask again.
    fn final_check(&mut self, error: LandingError<B::Error, E>) -> StepResult<LandedProposal<P>, B, E> {
        let may_have_landed = matches!(error, LandingError::GaveUp { .. } | LandingError::Propose(_));
        if !self.outcome_unknown || !may_have_landed {
            return Err(error);
        }
        self.backoff.extend(FINAL_CHECK);
        loop {
            let (reason, retry_after) = match self.branch.tip(self.backoff.half_time()) {
                Ok(tip) => return self.landed_before(&tip)?.ok_or(error),
                // after a permanent error, there will be no answer
                Err(failed) => failed.transient().unwrap_or_else(|e| (e.to_string(), Some(Duration::MAX))),
            };
            if !self.backoff.wait_shortly(retry_after) {
                return Err(LandingError::OutcomeUnknown { error: Box::new(error), reason });
            }
        }
    }

    fn note_stuck(&mut self, tip: &Tip, reason: StuckReason, message: &str) {
        let times = self.stuck.as_ref().filter(|s| s.tip == *tip).map_or(0, |s| s.times) + 1;
        self.stuck = Some(StuckPush { tip: *tip, times, reason, message: message.to_owned() });
    }

    fn wait(&mut self, what: String, retry_after: Option<Duration>) -> StepResult<(), B, E> {
        self.note(what);
        if self.backoff.wait(retry_after) { Ok(()) } else { Err(self.timed_out()) }
    }

    fn note(&mut self, what: String) {
        self.log.push(format!("try {}: {what}", self.attempts));
        self.problem = self.backoff.problem(what, &self.problem);
    }

    fn timed_out(&self) -> LandingError<B::Error, E> {
        self.gave_up(self.problem.clone(), GiveUpReason::TimedOut)
    }

    fn gave_up(&self, problem: String, reason: GiveUpReason) -> LandingError<B::Error, E> {
        LandingError::GaveUp { tries: self.attempts, problem, reason }
    }
}
