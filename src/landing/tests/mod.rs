//! The landing loop, on a branch in memory.

mod fake;
mod pacing;

use super::*;
use fake::PushEffect::{Bumps, Lands, LandsUnder, Loses, Nothing};
use fake::{FakeBranch, FakeClock, PlainProposal, branch, bump, commit};

const BUDGET: Duration = Duration::from_secs(120);

/// An error of the branch or of the proposal.
type TestError = &'static str;
type TestNotLanded = NotLanded<TestError, TestError>;

fn land_on(branch: &mut FakeBranch, clock: &FakeClock) -> Result<Landing<PlainProposal>, TestNotLanded> {
    let mut backoff = Backoff::new(clock, BUDGET, fastrand::Rng::with_seed(7));
    branch.deadline = backoff.deadline();
    land(branch, &mut backoff, &mut bump)
}

fn published() -> PublishOutcome<TestError> {
    PublishOutcome::Published { commit: commit(0) }
}

fn moved() -> PublishOutcome<TestError> {
    PublishOutcome::NonFastForward { what: "the branch moved".to_owned() }
}

fn locked() -> PublishOutcome<TestError> {
    PublishOutcome::RefLocked { what: "main.lock exists".to_owned() }
}

fn rejected() -> PublishOutcome<TestError> {
    PublishOutcome::RejectedUnclear { message: "no, says the server".to_owned() }
}

fn unknown(retry_after: Option<u64>) -> PublishOutcome<TestError> {
    PublishOutcome::Unknown {
        what: "connection lost".to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

fn passing(retry_after: Option<u64>) -> FetchError<TestError> {
    FetchError::Transient {
        what: "answered 503".to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

/// Landed with one of our commits, after this many tries. Also gives the commit's name.
#[track_caller]
fn lands(mut branch: FakeBranch, attempts: u32) -> (Landing<PlainProposal>, String) {
    let clock = FakeClock::new();
    let landed = land_on(&mut branch, &clock).unwrap();
    assert_eq!(branch.ours(), 1, "{:?}", branch.names_on_branch());
    assert_eq!(landed.attempts, attempts);
    assert!(branch.commits.contains(&landed.commit.unwrap()), "{:?}", branch.names_on_branch());
    assert!(!landed.proposal.plan.is_empty());
    let name = branch.name(landed.commit.unwrap()).to_owned();
    (landed, name)
}

/// How landing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    GaveUp(GiveUpReason),
    RejectedUnclear,
    UnpackFailed,
    Branch,
}
use Ending::{Branch, GaveUp, RejectedUnclear, UnpackFailed};
use GiveUpReason::{LockStays, TimedOut, Unreachable};

fn ending(error: &LandingError<TestError, TestError>) -> Ending {
    match error {
        LandingError::GaveUp { reason, .. } => GaveUp(*reason),
        LandingError::RejectedUnclear { .. } => RejectedUnclear,
        LandingError::UnpackFailed { .. } => UnpackFailed,
        LandingError::OutcomeUnknown { error, .. } => ending(error),
        LandingError::Branch(_) => Branch,
        LandingError::Propose(_) => panic!("every proposal is made"),
    }
}

/// Not landed, with none of our commits on the branch. Also gives the message.
#[track_caller]
fn fails(mut branch: FakeBranch, expected: Ending) -> (TestNotLanded, String, FakeBranch, FakeClock) {
    let clock = FakeClock::new();
    let failed = land_on(&mut branch, &clock).unwrap_err();
    let message = failed.error.to_string();
    assert_eq!(ending(&failed.error), expected, "{message}");
    assert_eq!(failed.attempts, branch.pushed);
    (failed, message, branch, clock)
}

#[test]
fn first_try_lands_without_wait() {
    let clock = FakeClock::new();
    let mut branch = branch();
    let landed = land_on(&mut branch, &clock).unwrap();
    assert_eq!((landed.attempts, branch.ours(), branch.looks), (1, 1, 1));
    assert!(clock.slept().is_empty());
}

#[test]
fn landing_plans_again_when_another_push_was_first() {
    let (landed, name) = lands(branch().pushes([(Loses, moved()), (Loses, moved())]), 3);
    assert_eq!(name, "ours-3-on-rival-2: bump");
    assert_eq!(landed.log.len(), 2);
}

#[test]
fn push_that_landed_counts_although_its_answer_was_lost() {
    for does in [Lands, LandsUnder] {
        let (_, name) = lands(branch().pushes([(does, unknown(None))]), 1);
        assert_eq!(name, "ours-1-on-base: bump");
    }
}

#[test]
fn push_is_retried_when_answer_was_lost_and_nothing_landed() {
    lands(branch().pushes([(Nothing, unknown(None)), (Loses, unknown(None))]), 3);
}

/// The push seemed to have lost the race, and then turns out to be below the tip: a proxy had answered too early.
#[test]
fn earlier_commit_counts_when_it_landed_after_all() {
    lands(branch().pushes([(Nothing, unknown(None)), (LandsUnder, moved())]), 2);
}

/// Someone else set the tag while our push lost the race: nothing is left to do.
#[test]
fn no_commit_is_made_when_new_tip_has_the_bump() {
    let clock = FakeClock::new();
    let mut branch = branch().pushes([(Bumps, moved())]);
    let landed = land_on(&mut branch, &clock).unwrap();
    assert_eq!((landed.commit, landed.attempts, branch.made, branch.ours()), (None, 1, 1, 0));
    assert!(landed.proposal.plan.is_empty());
}

#[test]
fn final_check_finds_commit_when_time_is_up() {
    lands(branch().pushes([(Lands, unknown(Some(3600)))]), 1);
}

#[test]
fn final_check_reports_failure_when_nothing_landed() {
    let branch = branch().pushes([(Nothing, unknown(Some(3600)))]);
    let (_, message, branch, clock) = fails(branch, GaveUp(TimedOut));
    assert_eq!((branch.looks, branch.pushed), (2, 1));
    assert!(message.contains("connection lost"), "{message}");
    assert!(clock.slept().is_empty());
}

/// The push landed, its answer was lost, and then the server is down until the budget is spent.
#[test]
fn final_check_reaches_a_server_that_was_down_after_the_push() {
    for down in [passing(None), FetchError::Unreachable { what: "refused".to_owned() }] {
        let branch = branch().pushes([(Lands, unknown(None))]);
        lands(FakeBranch { down_after_push: Some(down), ..branch }, 1);
    }
}

/// If the answer to the final check is lost too, it asks again.
#[test]
fn final_check_repeats_until_the_server_answers() {
    for (does, lands_once) in [(Lands, true), (Nothing, false)] {
        let faults =
            [passing(None), FetchError::Unreachable { what: "refused".to_owned() }, passing(Some(1))];
        let branch = branch().pushes([(does, unknown(Some(3600)))]);
        let branch = FakeBranch { faults_after_push: faults.into(), ..branch };
        if lands_once {
            lands(branch, 1);
        } else {
            let (failed, message, branch, _) = fails(branch, GaveUp(TimedOut));
            assert_eq!((branch.looks, branch.pushed), (5, 1));
            assert!(!matches!(failed.error, LandingError::OutcomeUnknown { .. }), "{message}");
            assert!(!message.contains("the outcome of the last try is unknown"), "{message}");
        }
    }
}

#[test]
fn lock_that_stays_ends_landing_before_the_budget_is_spent() {
    let (_, message, branch, clock) = fails(branch().then(Nothing, locked()), GaveUp(LockStays));
    assert!((2..=20).contains(&branch.pushed), "{}", branch.pushed);
    assert!(clock.slept().iter().sum::<Duration>() < BUDGET / 2, "bounded by tries, not by time");
    assert!(message.contains("main.lock exists"), "{message}");
}

#[test]
fn push_lands_when_lock_goes_away() {
    lands(branch().pushes([(Nothing, locked()), (Nothing, locked())]), 3);
}

#[test]
fn landing_goes_on_when_others_land_past_the_lock() {
    lands(branch().pushes((0..30).map(|_| (Loses, locked()))), 31);
}

#[test]
fn unclear_rejection_is_final_when_tip_stays() {
    let (_, message, branch, _) = fails(branch().then(Nothing, rejected()), RejectedUnclear);
    assert_eq!((branch.pushed, branch.looks), (1, 2), "looked again, not pushed again");
    assert!(message.contains("no, says the server"));
}

#[test]
fn unclear_rejection_is_retried_when_tip_moved() {
    lands(branch().pushes([(Loses, rejected()), (Loses, rejected())]), 3);
    let moved_once = branch().pushes([(Loses, rejected())]).then(Nothing, rejected());
    assert_eq!(fails(moved_once, RejectedUnclear).2.pushed, 2);
}

#[test]
fn push_is_retried_once_when_server_failed_to_unpack() {
    let failed_to_unpack = || PublishOutcome::UnpackFailed { message: "no space left".to_owned() };
    lands(branch().pushes([(Nothing, failed_to_unpack())]), 2);
    for does in [Nothing, Loses] {
        let (_, message, branch, _) = fails(branch().then(does, failed_to_unpack()), UnpackFailed);
        assert_eq!(branch.pushed, 2);
        assert!(message.contains("no space left"), "{message}");
    }
}

#[test]
fn refusal_ends_landing_at_first_try() {
    let refusal = "pre-receive hook declined";
    let (failed, _, branch, clock) = fails(branch().then(Nothing, PublishOutcome::Refused(refusal)), Branch);
    assert_eq!((failed.error, branch.pushed, branch.looks), (LandingError::Branch(refusal), 1, 1));
    assert!(clock.slept().is_empty());
}

#[test]
fn permanent_error_of_the_tip_is_reported_at_once() {
    let (failed, _, branch, clock) = fails(branch().faults([FetchError::Permanent("401")]), Branch);
    assert_eq!((failed.error, failed.attempts, branch.looks), (LandingError::Branch("401"), 0, 1));
    assert!(clock.slept().is_empty());
}

#[test]
fn unreachable_server_is_tried_a_few_times() {
    let unreachable = || FetchError::Unreachable { what: "connection refused".to_owned() };
    lands(branch().faults([unreachable(), unreachable()]), 1);
    let branch = branch().faults((0..100).map(|_| unreachable()));
    let (_, message, branch, clock) = fails(branch, GaveUp(Unreachable));
    assert!((2..=10).contains(&branch.looks), "{}", branch.looks);
    assert!(clock.slept().iter().sum::<Duration>() < BUDGET / 2);
    assert!(message.contains("connection refused"));
    assert!(message.contains("before anything was pushed"), "{message}");
}

#[test]
fn no_commit_is_made_when_tip_has_the_bump() {
    let clock = FakeClock::new();
    let mut branch = branch();
    let bumped = branch.add("someone bumped it".to_owned());
    branch.land(bumped);
    let landed = land_on(&mut branch, &clock).unwrap();
    assert_eq!((landed.commit, landed.attempts, branch.made), (None, 0, 0));
}
