//! The landing loop: reads the tip, makes a proposal, publishes it, and starts over until the outcome is known.

use std::time::Duration;

use super::{
    Backoff, FetchError, Landing, NotLanded, Proposal, Propose, PublishOutcome, TargetBranch, Tip,
    retry_hint, with_snapshot,
};
use crate::error::{Exit, Failure, Result};
use crate::hint::Hint;
use crate::object_id::CommitId;

/// Extra time beyond the budget, to find out how the last try ended.
pub(super) const FINAL_CHECK: Duration = Duration::from_secs(10);

/// How often a server that can't be reached is tried.
const UNREACHABLE_TRIES: u32 = 6;
/// How often a locked branch is tried while its tip stays the same.
const LOCKED_TRIES: u32 = 12;
/// How often a push is sent to a server that fails to unpack it.
const UNPACK_TRIES: u32 = 2;

/// Lands the proposal that `propose` makes for the tip.
///
/// # Errors
/// The errors of `propose`; exit 4 if the budget is spent; exit 5 if the server refuses.
pub fn land<P: Proposal>(
    place: &mut dyn TargetBranch,
    backoff: &mut Backoff<'_>,
    propose: &mut Propose<'_, P>,
) -> Result<Landing<P>, NotLanded> {
    let mut landing = LandingLoop::new(place, backoff);
    let ended = landing.run(propose).or_else(|failure| landing.final_check(failure));
    let (attempts, log) = (landing.attempts, landing.log);
    match ended {
        Ok((proposal, commit)) => Ok(Landing { proposal, commit, attempts, log }),
        Err(failure) => Err(NotLanded { failure, attempts, log }),
    }
}

/// The proposal that is on the branch, and the commit that brought it there if it was ours.
type LandedProposal<P> = (P, Option<CommitId>);

struct LandingLoop<'a, 'c, P> {
    place: &'a mut dyn TargetBranch,
    backoff: &'a mut Backoff<'c>,
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
    locked: bool,
    words: String,
}

impl<'a, 'c, P: Proposal> LandingLoop<'a, 'c, P> {
    fn new(place: &'a mut dyn TargetBranch, backoff: &'a mut Backoff<'c>) -> Self {
        LandingLoop {
            place,
            backoff,
            attempts: 0,
            made: Vec::new(),
            log: Vec::new(),
            unreachable: 0,
            unpack_failures: 0,
            outcome_unknown: false,
            stuck: None,
        }
    }

    fn run(&mut self, propose: &mut Propose<'_, P>) -> Result<LandedProposal<P>> {
        loop {
            let tip = self.tip()?;
            if let Some(landed) = self.landed_before(&tip)? {
                return Ok(landed);
            }
            self.check_stuck(&tip)?;
            let proposal = with_snapshot(self.place, &tip, self.backoff.deadline(), &mut *propose)?;
            let plan = proposal.plan();
            if plan.is_empty() && !tip.carries {
                return Ok((proposal, None));
            }
            let commit = match plan.is_empty() {
                true => tip.commit,
                false => self.place.commit(&tip, &plan.edits, proposal.message())?,
            };
            self.attempts += 1;
            let verdict = self.place.publish(commit, self.backoff.deadline());
            if let PublishOutcome::Published { commit } = verdict {
                return Ok((proposal, Some(commit)));
            }
            self.made.push((commit, proposal));
            self.after(&tip, verdict)?;
        }
    }

    /// Reads the tip, and retries if the server can't be reached.
    fn tip(&mut self) -> Result<Tip> {
        loop {
            let error = match self.place.tip(self.backoff.deadline()) {
                Ok(tip) => {
                    self.unreachable = 0;
                    return Ok(tip);
                }
                Err(error) => error,
            };
            self.unreachable += u32::from(matches!(error, FetchError::Unreachable { .. }));
            let (what, retry_after) = error.transient()?;
            // if a try may have landed, only the budget ends the asking
            if self.unreachable >= UNREACHABLE_TRIES && !self.outcome_unknown {
                return Err(self.not_landed(&what, "check the remote's URL and the network, then run again"));
            }
            self.wait(what, retry_after)?;
        }
    }

    /// One of our commits may have landed although its outcome was unknown.
    fn landed_before(&mut self, tip: &Tip) -> Result<Option<LandedProposal<P>>> {
        for nth in 0..self.made.len() {
            if let Some(commit) = self.place.find(tip, self.made[nth].0)? {
                let (_, proposal) = self.made.swap_remove(nth);
                return Ok(Some((proposal, Some(commit))));
            }
        }
        Ok(None)
    }

    /// A rejection without a known reason was a race if the tip has moved since, otherwise a refusal.
    fn check_stuck(&mut self, tip: &Tip) -> Result<()> {
        let Some(stuck) = &self.stuck else { return Ok(()) };
        if stuck.tip != *tip {
            self.stuck = None;
            return Ok(());
        }
        if !stuck.locked {
            return Err(refused(&stuck.words));
        }
        if stuck.times >= LOCKED_TRIES {
            let words = stuck.words.clone();
            return Err(
                self.not_landed(&words, "a lock was left behind on the server; remove it, then run again")
            );
        }
        Ok(())
    }

    /// Waits or gives up, depending on how a try ended.
    fn after(&mut self, tip: &Tip, verdict: PublishOutcome) -> Result<()> {
        match verdict {
            PublishOutcome::Published { .. } => {}
            PublishOutcome::NonFastForward { what } => {
                self.stuck = None;
                self.wait(what, None)?;
            }
            PublishOutcome::RefLocked { what } => {
                self.note_stuck(tip, true, &what);
                self.wait(what, None)?;
            }
            PublishOutcome::RejectedUnclear { words } => {
                self.note_stuck(tip, false, &words);
                self.wait(words, None)?;
            }
            PublishOutcome::Unknown { what, retry_after } => {
                self.outcome_unknown = true;
                self.wait(what, retry_after)?;
            }
            PublishOutcome::UnpackFailed { words } => {
                self.unpack_failures += 1;
                if self.unpack_failures >= UNPACK_TRIES {
                    return Err(unpack_failed(&words));
                }
                self.wait(words, None)?;
            }
            PublishOutcome::Refused(failure) => return Err(failure),
        }
        Ok(())
    }

    /// If the budget is spent and the outcome of a try is unknown, this asks beyond the budget, until there is an answer.
    fn final_check(&mut self, failure: Failure) -> Result<LandedProposal<P>> {
        if !self.outcome_unknown || failure.exit != Exit::NotLanded {
            return Err(failure);
        }
        self.backoff.extend(FINAL_CHECK);
        loop {
            let retry_after = match self.place.tip(self.backoff.deadline()) {
                Ok(tip) => return self.landed_before(&tip)?.ok_or(failure),
                Err(FetchError::Transient { retry_after, .. }) => retry_after,
                Err(FetchError::Unreachable { .. }) => None,
                // there will be no answer
                Err(FetchError::Permanent(_)) => Some(Duration::MAX),
            };
            if !self.backoff.wait(retry_after) {
                let message = format!("{}; the outcome of the last try is unknown", failure.message);
                return Err(Failure { message, ..failure });
            }
        }
    }

    fn note_stuck(&mut self, tip: &Tip, locked: bool, words: &str) {
        let times = self.stuck.as_ref().filter(|s| s.tip == *tip).map_or(0, |s| s.times) + 1;
        self.stuck = Some(StuckPush { tip: *tip, times, locked, words: words.to_owned() });
    }

    fn wait(&mut self, what: String, retry_after: Option<Duration>) -> Result<()> {
        self.log.push(format!("try {}: {what}", self.attempts));
        if self.backoff.wait(retry_after) {
            return Ok(());
        }
        Err(self.not_landed(&what, retry_hint()))
    }

    fn not_landed(&self, what: &str, hint: impl Into<Hint>) -> Failure {
        let tries = match self.attempts {
            0 => "before anything was pushed".to_owned(),
            1 => "after 1 try".to_owned(),
            n => format!("after {n} tries"),
        };
        Failure::new(Exit::NotLanded, format!("not landed {tries}: {what}")).hinted(hint)
    }
}

/// A rejection whose reason tagbump doesn't recognise.
fn refused(words: &str) -> Failure {
    Failure::new(Exit::Refused, format!("the server rejected the push, for an unrecognised reason: {words}"))
        .hinted("a rule of the branch or a hook is the likely cause; ask the repository's administrators")
}

fn unpack_failed(words: &str) -> Failure {
    Failure::new(Exit::Refused, format!("the server failed to unpack the push: {words}")).hinted(
        "its disk may be full, or the push may exceed its limits; ask the repository's administrators",
    )
}
