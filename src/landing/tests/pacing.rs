//! How long landing waits, and when it gives up.

use std::collections::VecDeque;

use super::super::landing_loop::FINAL_CHECK;
use super::*;

/// A server that was down, and whose last answer the budget cut off: that it was down is what helps.
#[test]
fn try_that_the_budget_cuts_off_does_not_hide_the_try_before() {
    let clock = FakeClock::new();
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let mut faults = VecDeque::from(["refused", "refused", "no answer in time"]);
    let retried = backoff.retry::<(), String>(
        |problem| problem,
        |backoff| {
            let what = faults.pop_front().unwrap().to_owned();
            if faults.is_empty() {
                clock.pass(backoff.left());
            }
            Err(FetchError::Transient { what, retry_after: None })
        },
    );
    assert_eq!(retried.unwrap_err(), "no answer in time; the previous attempt: refused");
}

/// Even if the time is half over because an answer never came.
#[test]
fn wait_before_asking_again_leaves_half_of_the_time() {
    for seed in 0..200 {
        let clock = FakeClock::new();
        let mut backoff = Backoff::new(&clock, FINAL_CHECK, fastrand::Rng::with_seed(seed));
        clock.sleep(FINAL_CHECK / 2);
        assert!(backoff.wait_shortly(None), "seed {seed}");
        assert!(backoff.deadline() - clock.now() >= FINAL_CHECK / 4, "seed {seed}");
    }
}

#[test]
fn spent_budget_ends_landing_with_the_number_of_tries() {
    let clock = FakeClock::new();
    let (mut branch, started) = (branch().then(Loses, moved()), clock.now());
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let failed = land(&mut branch, &mut backoff, &mut |seen: TipSnapshot<'_>| {
        clock.pass(Duration::from_millis(100));
        bump(seen)
    });
    let error = failed.unwrap_err().error;
    assert!(matches!(error, LandingError::GaveUp { reason: TimedOut, .. }), "{error}");
    assert!(branch.pushed > 60, "it goes on to the end: {}", branch.pushed);
    assert!(error.to_string().contains(&format!("after {} tries", branch.pushed)));
    let passed = clock.now() - started;
    assert!(passed <= BUDGET + Duration::from_millis(100), "{passed:?}");
    assert!(passed > BUDGET - Duration::from_secs(3), "{passed:?}");
}

/// The server says that the branch moved, and shows the same tip: what it shows may be late.
#[test]
fn push_that_lost_while_the_tip_stays_backs_off() {
    let (_, _, branch, clock) = fails(branch().then(Nothing, moved()), GaveUp(TimedOut));
    assert!((60..300).contains(&branch.pushed), "{}", branch.pushed);
    assert_eq!(branch.looks, 2 * branch.pushed);
    assert!(clock.slept().iter().sum::<Duration>() > BUDGET - Duration::from_secs(3));
}

/// The branch is only looked at, until there is time for one more push.
#[test]
fn end_of_the_budget_is_used_for_one_more_push() {
    let clock = FakeClock::new();
    let mut branch = branch().then(Loses, moved());
    let push = Duration::from_secs(9);
    let mut last = clock.now();
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let failed = land(&mut branch, &mut backoff, &mut |seen: TipSnapshot<'_>| {
        last = clock.now();
        clock.pass(push);
        bump(seen)
    });
    assert!(matches!(failed.unwrap_err().error, LandingError::GaveUp { reason: TimedOut, .. }));
    let (deadline, looks) = (backoff.deadline(), branch.looks - branch.pushed);
    assert!(last > deadline - push * 2 && last < deadline, "{:?} before the end", deadline - last);
    assert!(looks > 0, "some tips were left to others");
}

#[test]
fn landing_waits_at_least_as_long_as_server_asks() {
    let asked = Duration::from_secs(7);
    let clock = FakeClock::new();
    let mut branch = branch().faults([passing(Some(7))]).pushes([(Nothing, unknown(Some(7)))]);
    assert_eq!(land_on(&mut branch, &clock).unwrap().attempts, 2);
    let slept = clock.slept();
    assert_eq!(slept.len(), 2);
    assert!(slept.iter().all(|time| *time >= asked && *time < asked + Duration::from_secs(2)), "{slept:?}");
}

#[test]
fn landing_ends_without_wait_when_server_asks_for_more_than_the_budget() {
    for seconds in [BUDGET.as_secs(), u64::MAX] {
        let (_, _, branch, clock) = fails(branch().faults([passing(Some(seconds))]), GaveUp(TimedOut));
        assert_eq!((branch.looks, clock.slept().len()), (1, 0));
    }
}

#[test]
fn jitter_is_full_and_grows_to_the_cap() {
    let ms = Duration::from_millis;
    // what a try takes, the first bound, and the last
    for (took, first, cap) in [
        (ms(0), ms(200), ms(2000)),
        (ms(50), ms(200), ms(2000)),
        (ms(800), ms(800), ms(3200)),
        (ms(60_000), ms(2000), ms(8000)),
    ] {
        let mut longest = [Duration::ZERO; 20];
        let mut shortest = [Duration::MAX; 20];
        for seed in 0..200 {
            let clock = FakeClock::new();
            let mut backoff = Backoff::new(&clock, BUDGET * 20, fastrand::Rng::with_seed(seed));
            for _ in 0..20 {
                clock.now.set(clock.now.get() + took);
                assert!(backoff.wait(None));
            }
            for (nth, time) in clock.slept().into_iter().enumerate() {
                longest[nth] = longest[nth].max(time);
                shortest[nth] = shortest[nth].min(time);
            }
        }
        for nth in 0..20 {
            let bound = first.saturating_mul(1 << nth.min(10)).min(cap);
            let (long, short) = (longest[nth], shortest[nth]);
            assert!(long <= bound && long > bound.mul_f64(0.9), "wait {nth} of {bound:?}: {long:?}");
            assert!(short < bound.mul_f64(0.1), "wait {nth} may be short: {short:?}");
        }
    }
}

#[test]
fn time_that_a_proposal_waited_is_not_counted() {
    let clock = FakeClock::new();
    let mut branch = branch().pushes([(Loses, moved()), (Lands, published())]);
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let deadline = backoff.deadline();
    let mut waits = [BUDGET * 2, Duration::ZERO].into_iter();
    let landed = land(&mut branch, &mut backoff, &mut |seen: TipSnapshot<'_>| {
        let waited = waits.next().unwrap_or_default();
        clock.now.set(clock.now.get() + waited);
        Ok::<_, TestError>(PlainProposal { waited, ..bump(seen)? })
    });
    assert_eq!(landed.unwrap().attempts, 2);
    assert_eq!(backoff.deadline(), deadline + BUDGET * 2);
}

/// An answer that never comes leaves time to ask again.
#[test]
fn final_check_waits_for_no_answer_until_its_time_is_over() {
    let branch = branch().pushes([(Lands, unknown(Some(3600)))]);
    let mut branch = FakeBranch { faults_after_push: [passing(None)].into(), ..branch };
    let clock = FakeClock::new();
    assert!(land_on(&mut branch, &clock).unwrap().commit.is_some());
    let [_, first, second] = branch.awaited_until[..] else { panic!("{:?}", branch.awaited_until) };
    let end = clock.now() - clock.slept().iter().sum::<Duration>() + FINAL_CHECK;
    assert!(first + FINAL_CHECK / 2 <= end, "{:?} before the end", end - first);
    assert!(first < second && second < end, "{:?} before the end", end - second);
}

/// No answer at all: the error says that the outcome is unknown.
#[test]
fn final_check_ends_when_its_time_is_over() {
    let branch = branch().pushes([(Nothing, unknown(Some(3600)))]);
    let faults = (0..1000).map(|_| passing(None)).collect();
    let branch = FakeBranch { faults_after_push: faults, ..branch };
    let (failed, message, branch, clock) = fails(branch, GaveUp(TimedOut));
    assert!(matches!(failed.error, LandingError::OutcomeUnknown { .. }), "{message}");
    let reason = "; the outcome of the last try is unknown, because the branch couldn't be read after it: answered 503";
    assert!(message.ends_with(reason), "{message}");
    assert!(clock.slept().iter().sum::<Duration>() < FINAL_CHECK);
    assert_eq!(branch.pushed, 1);
}
