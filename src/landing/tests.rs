use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use super::landing_loop::FINAL_CHECK;
use super::*;
use crate::file_selection::Selection;
use crate::plan::{FileContent, FileEdit, FoundFiles, SourceError, VisitScope, Visitor};

const BUDGET: Duration = Duration::from_secs(120);

/// An error of the branch or of the proposal.
type TestError = &'static str;
type TestNotLanded = NotLanded<TestError, TestError>;

/// Time that passes only while a caller sleeps.
struct FakeClock {
    now: Cell<Instant>,
    slept: RefCell<Vec<Duration>>,
}

impl FakeClock {
    fn new() -> Self {
        FakeClock { now: Cell::new(Instant::now()), slept: RefCell::default() }
    }

    /// Something else takes this long.
    fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    fn slept(&self) -> Vec<Duration> {
        self.slept.borrow().clone()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn sleep(&self, time: Duration) {
        self.now.set(self.now.get() + time);
        self.slept.borrow_mut().push(time);
    }
}

/// What a push does to the branch, whatever the server says of it.
#[derive(Clone, Copy)]
enum PushEffect {
    Nothing,
    Lands,
    /// Somebody else's commit arrives instead.
    Loses,
    /// And somebody else's commit arrives on top.
    LandsUnder,
    /// Somebody else's commit arrives, with our bump.
    Bumps,
}
use PushEffect::{Bumps, Lands, LandsUnder, Loses, Nothing};

/// The nth commit of a [`FakeBranch`].
fn commit(nth: usize) -> CommitId {
    CommitId::parse(&format!("{nth:040x}")).unwrap()
}

/// A branch in memory: its commits, oldest first.
struct FakeBranch {
    branch: Vec<CommitId>,
    /// Where each of them is in it.
    positions: HashMap<CommitId, usize>,
    /// The names of all commits, whether they are on the branch or not. Ours start with `ours`.
    names: Vec<String>,
    pushes: VecDeque<(PushEffect, PublishOutcome<TestError>)>,
    /// What every push does once those are used up.
    then: (PushEffect, PublishOutcome<TestError>),
    /// Faults before the tip can be read again.
    faults: VecDeque<FetchError<TestError>>,
    /// And after the first push.
    faults_after_push: VecDeque<FetchError<TestError>>,
    /// The answer to every question within the budget after the first push.
    down_after_push: Option<FetchError<TestError>>,
    deadline: Instant,
    /// Until when each answer was waited for.
    awaited_until: Vec<Instant>,
    made: u32,
    pushed: u32,
    looks: u32,
}

fn place() -> FakeBranch {
    FakeBranch {
        branch: vec![commit(0)],
        positions: HashMap::from([(commit(0), 0)]),
        names: vec!["base".to_owned()],
        pushes: VecDeque::new(),
        then: (Lands, published()),
        faults: VecDeque::new(),
        faults_after_push: VecDeque::new(),
        down_after_push: None,
        deadline: Instant::now(),
        awaited_until: Vec::new(),
        made: 0,
        pushed: 0,
        looks: 0,
    }
}

impl FakeBranch {
    fn pushes(mut self, pushes: impl IntoIterator<Item = (PushEffect, PublishOutcome<TestError>)>) -> Self {
        self.pushes.extend(pushes);
        self
    }

    fn then(mut self, does: PushEffect, verdict: PublishOutcome<TestError>) -> Self {
        self.then = (does, verdict);
        self
    }

    fn faults(mut self, faults: impl IntoIterator<Item = FetchError<TestError>>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Makes a commit that is not on the branch yet.
    fn add(&mut self, name: String) -> CommitId {
        self.names.push(name);
        commit(self.names.len() - 1)
    }

    fn land(&mut self, id: CommitId) {
        self.positions.insert(id, self.branch.len());
        self.branch.push(id);
    }

    fn name(&self, id: CommitId) -> &str {
        &self.names[usize::from_str_radix(&id.to_string(), 16).unwrap()]
    }

    fn names_on_branch(&self) -> Vec<&str> {
        self.branch.iter().map(|id| self.name(*id)).collect()
    }

    fn ours(&self) -> usize {
        self.names_on_branch().iter().filter(|name| name.starts_with("ours")).count()
    }
}

impl TargetBranch for FakeBranch {
    type Error = TestError;

    fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError<TestError>> {
        self.looks += 1;
        self.awaited_until.push(deadline);
        let faults = if self.pushed > 0 { &mut self.faults_after_push } else { &mut self.faults };
        if let Some(error) = faults.pop_front() {
            return Err(error);
        }
        match &self.down_after_push {
            Some(down) if self.pushed > 0 && deadline <= self.deadline => Err(down.clone()),
            _ => Ok(Tip::of(*self.branch.last().unwrap())),
        }
    }

    fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>, TestError> {
        let at = self.positions[&tip.commit];
        Ok(Box::new(CommitList(self.names_on_branch()[..=at].join("\n"))))
    }

    fn history(&self) -> &dyn History {
        self
    }

    fn commit(&mut self, tip: &Tip, proposal: &dyn Proposal) -> Result<CommitId, TestError> {
        self.made += 1;
        let message = proposal.message();
        let name = format!("ours-{}-on-{}: {message}", self.made, self.name(tip.commit));
        Ok(self.add(name))
    }

    fn publish(&mut self, commit: CommitId, _: Instant) -> PublishOutcome<TestError> {
        self.pushed += 1;
        let (does, verdict) = self.pushes.pop_front().unwrap_or_else(|| self.then.clone());
        let rival = format!("rival-{}", self.pushed);
        match does {
            Nothing => {}
            Lands => self.land(commit),
            Loses => {
                let rival = self.add(rival);
                self.land(rival);
            }
            Bumps => {
                let rival = self.add(format!("{rival} bumped"));
                self.land(rival);
            }
            LandsUnder => {
                let rival = self.add(rival);
                self.land(commit);
                self.land(rival);
            }
        }
        match verdict {
            PublishOutcome::Published { .. } => PublishOutcome::Published { commit },
            other => other,
        }
    }

    fn find(&mut self, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, TestError> {
        let is_there = self.positions.get(&commit).is_some_and(|at| *at <= self.positions[&tip.commit]);
        Ok(is_there.then_some(commit))
    }
}

impl super::History for FakeBranch {
    fn may_lack_newer(&self, _: &str) -> bool {
        false
    }

    fn past(&self, _: Instant) -> Box<dyn crate::history::CommitStore + '_> {
        panic!("this test reads no past")
    }

    fn recent(&self, _: Instant, _: bool) -> Box<dyn crate::history::CommitStore + '_> {
        panic!("this test needs no history")
    }

    fn files_at(&self, _: CommitId) -> Box<dyn FileSource + '_> {
        panic!("this test reads no past")
    }

    fn range(&self, _old: &str, _new: &str) -> Option<crate::history::CommitRange> {
        None
    }

    fn order(&self, _: &str, _: &str, _: Instant) -> BuildOrder {
        BuildOrder::Unknown("nobody asks here".to_owned())
    }
}

/// One file, which lists the commits below the tip.
struct CommitList(String);

impl FileSource for CommitList {
    fn visit(&self, _: &Selection, _: VisitScope, _: Visitor<'_>) -> Result<FoundFiles, SourceError> {
        unreachable!("the bump below reads its file by name")
    }

    fn read(&self, _: &str, _: usize) -> Result<Option<FileContent>, SourceError> {
        Ok(Some(FileContent::Bytes(self.0.clone().into_bytes())))
    }
}

/// The bump is there as soon as one of our commits, or one that says `bumped`, is below the tip.
/// A plan and a message, and nothing besides.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PlainProposal {
    plan: Plan,
    message: String,
    waited: Duration,
}

impl Proposal for PlainProposal {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn message(&self) -> &str {
        &self.message
    }

    fn waited(&self) -> Duration {
        self.waited
    }
}

fn bump(seen: TipSnapshot<'_>) -> Result<PlainProposal, TestError> {
    let read = seen.files.read("k.yaml", usize::MAX).unwrap();
    let Some(FileContent::Bytes(commits)) = read else { panic!() };
    let commits = String::from_utf8(commits).unwrap();
    let is_there = |commit: &str| commit.starts_with("ours") || commit.contains("bumped");
    let edit = FileEdit { path: "k.yaml".to_owned(), before: b"v0".to_vec(), after: b"v1".to_vec() };
    let edits = if commits.lines().any(is_there) { Vec::new() } else { vec![edit] };
    Ok(PlainProposal {
        plan: Plan { edits, ..Plan::default() },
        message: "bump".to_owned(),
        waited: Duration::ZERO,
    })
}

fn land_on(place: &mut FakeBranch, clock: &FakeClock) -> Result<Landing<PlainProposal>, TestNotLanded> {
    let mut backoff = Backoff::new(clock, BUDGET, fastrand::Rng::with_seed(7));
    place.deadline = backoff.deadline();
    land(place, &mut backoff, &mut bump)
}

fn published() -> PublishOutcome<TestError> {
    PublishOutcome::Published { commit: commit(0) }
}

fn stale() -> PublishOutcome<TestError> {
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
fn lands(mut place: FakeBranch, attempts: u32) -> (Landing<PlainProposal>, String) {
    let clock = FakeClock::new();
    let landed = land_on(&mut place, &clock).unwrap();
    assert_eq!(place.ours(), 1, "{:?}", place.names_on_branch());
    assert_eq!(landed.attempts, attempts);
    assert!(place.branch.contains(&landed.commit.unwrap()), "{:?}", place.names_on_branch());
    assert!(!landed.proposal.plan.is_empty());
    let name = place.name(landed.commit.unwrap()).to_owned();
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
        LandingError::OutcomeUnknown(error) => ending(error),
        LandingError::Branch(_) => Branch,
        LandingError::Propose(_) => panic!("every proposal is made"),
    }
}

/// Not landed, with none of our commits on the branch. Also gives the message.
#[track_caller]
fn fails(mut place: FakeBranch, expected: Ending) -> (TestNotLanded, String, FakeBranch, FakeClock) {
    let clock = FakeClock::new();
    let failed = land_on(&mut place, &clock).unwrap_err();
    let message = failed.error.to_string();
    assert_eq!(ending(&failed.error), expected, "{message}");
    assert_eq!(failed.attempts, place.pushed);
    (failed, message, place, clock)
}

#[test]
fn the_first_try_lands_without_a_wait() {
    let clock = FakeClock::new();
    let mut place = place();
    let landed = land_on(&mut place, &clock).unwrap();
    assert_eq!((landed.attempts, place.ours(), place.looks), (1, 1, 1));
    assert!(clock.slept().is_empty());
}

#[test]
fn who_was_slower_plans_again_on_the_new_tip() {
    let (landed, name) = lands(place().pushes([(Loses, stale()), (Loses, stale())]), 3);
    assert_eq!(name, "ours-3-on-rival-2: bump");
    assert_eq!(landed.log.len(), 2);
}

#[test]
fn unknown_but_landed_is_landed_once() {
    for does in [Lands, LandsUnder] {
        let (_, name) = lands(place().pushes([(does, unknown(None))]), 1);
        assert_eq!(name, "ours-1-on-base: bump");
    }
}

#[test]
fn unknown_and_not_landed_is_tried_again() {
    lands(place().pushes([(Nothing, unknown(None)), (Loses, unknown(None))]), 3);
}

/// Ours lost the race, it seemed, and then turns out to be below the tip: a proxy had answered too early.
#[test]
fn an_earlier_commit_that_landed_counts_whatever_was_said_of_it() {
    lands(place().pushes([(Nothing, unknown(None)), (LandsUnder, stale())]), 2);
}

/// Somebody else bumped it while our push was lost: nothing is left to do.
#[test]
fn a_plan_that_is_empty_on_the_new_tip_is_no_commit() {
    let clock = FakeClock::new();
    let mut place = place().pushes([(Bumps, stale())]);
    let landed = land_on(&mut place, &clock).unwrap();
    assert_eq!((landed.commit, landed.attempts, place.made, place.ours()), (None, 1, 1, 0));
    assert!(landed.proposal.plan.is_empty());
}

#[test]
fn with_the_budget_spent_one_last_look_tells_that_it_landed() {
    lands(place().pushes([(Lands, unknown(Some(3600)))]), 1);
}

#[test]
fn with_the_budget_spent_one_last_look_tells_that_it_did_not() {
    let place = place().pushes([(Nothing, unknown(Some(3600)))]);
    let (_, message, place, clock) = fails(place, GaveUp(TimedOut));
    assert_eq!((place.looks, place.pushed), (2, 1));
    assert!(message.contains("connection lost"), "{message}");
    assert!(clock.slept().is_empty());
}

/// The push landed, its answer was lost, and then the server is down until the budget is spent.
#[test]
fn final_check_reaches_a_server_that_was_down_after_the_push() {
    for down in [passing(None), FetchError::Unreachable { what: "refused".to_owned() }] {
        let place = place().pushes([(Lands, unknown(None))]);
        lands(FakeBranch { down_after_push: Some(down), ..place }, 1);
    }
}

/// If the answer to the final check is lost too, it asks again.
#[test]
fn final_check_repeats_until_the_server_answers() {
    for (does, lands_once) in [(Lands, true), (Nothing, false)] {
        let faults =
            [passing(None), FetchError::Unreachable { what: "refused".to_owned() }, passing(Some(1))];
        let place = place().pushes([(does, unknown(Some(3600)))]);
        let place = FakeBranch { faults_after_push: faults.into(), ..place };
        if lands_once {
            lands(place, 1);
        } else {
            let (failed, message, place, _) = fails(place, GaveUp(TimedOut));
            assert_eq!((place.looks, place.pushed), (5, 1));
            assert!(!matches!(failed.error, LandingError::OutcomeUnknown(_)), "{message}");
            assert!(!message.contains("the outcome of the last try is unknown"), "{message}");
        }
    }
}

/// An answer that never comes leaves time to ask again.
#[test]
fn final_check_waits_for_no_answer_until_its_time_is_over() {
    let place = place().pushes([(Lands, unknown(Some(3600)))]);
    let mut place = FakeBranch { faults_after_push: [passing(None)].into(), ..place };
    let clock = FakeClock::new();
    assert!(land_on(&mut place, &clock).unwrap().commit.is_some());
    let [_, first, second] = place.awaited_until[..] else { panic!("{:?}", place.awaited_until) };
    let end = clock.now() - clock.slept().iter().sum::<Duration>() + FINAL_CHECK;
    assert!(first + FINAL_CHECK / 2 <= end, "{:?} before the end", end - first);
    assert!(first < second && second < end, "{:?} before the end", end - second);
}

/// A server that was down, and whose last answer the budget cut off: that it was down is what helps.
#[test]
fn try_that_the_budget_cuts_off_does_not_hide_the_try_before() {
    let clock = FakeClock::new();
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let mut faults = VecDeque::from(["refused", "refused", "no answer in time"]);
    let said = backoff.retry::<(), String>(
        |problem| problem,
        |backoff| {
            let what = faults.pop_front().unwrap().to_owned();
            if faults.is_empty() {
                clock.pass(backoff.left());
            }
            Err(FetchError::Transient { what, retry_after: None })
        },
    );
    assert_eq!(said.unwrap_err(), "no answer in time; the previous attempt: refused");
}

/// However long the answer took that never came.
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

/// Nobody answers: then it says that it does not know.
#[test]
fn final_check_ends_when_its_time_is_over() {
    let place = place().pushes([(Nothing, unknown(Some(3600)))]);
    let faults = (0..1000).map(|_| passing(None)).collect();
    let place = FakeBranch { faults_after_push: faults, ..place };
    let (failed, message, place, clock) = fails(place, GaveUp(TimedOut));
    assert!(matches!(failed.error, LandingError::OutcomeUnknown(_)), "{message}");
    assert!(message.contains("the outcome of the last try is unknown"), "{message}");
    assert!(clock.slept().iter().sum::<Duration>() < FINAL_CHECK);
    assert_eq!(place.pushed, 1);
}

#[test]
fn lock_that_stays_ends_landing_before_the_budget_is_spent() {
    let (_, message, place, clock) = fails(place().then(Nothing, locked()), GaveUp(LockStays));
    assert!((2..=20).contains(&place.pushed), "{}", place.pushed);
    assert!(clock.slept().iter().sum::<Duration>() < BUDGET / 2, "bounded by tries, not by time");
    assert!(message.contains("main.lock exists"), "{message}");
}

#[test]
fn a_lock_that_goes_away_is_waited_for() {
    lands(place().pushes([(Nothing, locked()), (Nothing, locked())]), 3);
}

#[test]
fn locks_while_others_land_are_no_end() {
    lands(place().pushes((0..30).map(|_| (Loses, locked()))), 31);
}

#[test]
fn a_no_while_the_tip_stands_still_is_a_no() {
    let (_, message, place, _) = fails(place().then(Nothing, rejected()), RejectedUnclear);
    assert_eq!((place.pushed, place.looks), (1, 2), "looked again, not pushed again");
    assert!(message.contains("no, says the server"));
}

#[test]
fn a_no_while_the_tip_moves_was_a_race() {
    lands(place().pushes([(Loses, rejected()), (Loses, rejected())]), 3);
    let moved_once = place().pushes([(Loses, rejected())]).then(Nothing, rejected());
    assert_eq!(fails(moved_once, RejectedUnclear).2.pushed, 2);
}

#[test]
fn what_the_server_could_not_take_in_is_sent_once_more() {
    let spoilt = || PublishOutcome::UnpackFailed { message: "no space left".to_owned() };
    lands(place().pushes([(Nothing, spoilt())]), 2);
    for does in [Nothing, Loses] {
        let (_, message, place, _) = fails(place().then(does, spoilt()), UnpackFailed);
        assert_eq!(place.pushed, 2);
        assert!(message.contains("no space left"), "{message}");
    }
}

#[test]
fn refused_is_one_try() {
    let refusal = "pre-receive hook declined";
    let (failed, _, place, clock) = fails(place().then(Nothing, PublishOutcome::Refused(refusal)), Branch);
    assert_eq!((failed.error, place.pushed, place.looks), (LandingError::Branch(refusal), 1, 1));
    assert!(clock.slept().is_empty());
}

#[test]
fn permanent_error_of_the_tip_is_reported_at_once() {
    let (failed, _, place, clock) = fails(place().faults([FetchError::Permanent("401")]), Branch);
    assert_eq!((failed.error, failed.attempts, place.looks), (LandingError::Branch("401"), 0, 1));
    assert!(clock.slept().is_empty());
}

#[test]
fn unreachable_server_is_tried_a_few_times() {
    let nobody = || FetchError::Unreachable { what: "connection refused".to_owned() };
    lands(place().faults([nobody(), nobody()]), 1);
    let place = place().faults((0..100).map(|_| nobody()));
    let (_, message, place, clock) = fails(place, GaveUp(Unreachable));
    assert!((2..=10).contains(&place.looks), "{}", place.looks);
    assert!(clock.slept().iter().sum::<Duration>() < BUDGET / 2);
    assert!(message.contains("connection refused"));
    assert!(message.contains("before anything was pushed"), "{message}");
}

#[test]
fn spent_budget_ends_landing_with_the_number_of_tries() {
    let clock = FakeClock::new();
    let (mut place, started) = (place().then(Loses, stale()), clock.now());
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let failed = land(&mut place, &mut backoff, &mut |seen: TipSnapshot<'_>| {
        clock.pass(Duration::from_millis(100));
        bump(seen)
    });
    let error = failed.unwrap_err().error;
    assert!(matches!(error, LandingError::GaveUp { reason: TimedOut, .. }), "{error}");
    assert!(place.pushed > 60, "it goes on to the end: {}", place.pushed);
    assert!(error.to_string().contains(&format!("after {} tries", place.pushed)));
    let passed = clock.now() - started;
    assert!(passed <= BUDGET + Duration::from_millis(100), "{passed:?}");
    assert!(passed > BUDGET - Duration::from_secs(3), "{passed:?}");
}

/// The server says that the branch moved, and shows the same tip: what it shows may be late.
#[test]
fn push_that_lost_while_the_tip_stays_backs_off() {
    let (_, _, place, clock) = fails(place().then(Nothing, stale()), GaveUp(TimedOut));
    assert!((60..300).contains(&place.pushed), "{}", place.pushed);
    assert_eq!(place.looks, 2 * place.pushed);
    assert!(clock.slept().iter().sum::<Duration>() > BUDGET - Duration::from_secs(3));
}

/// The branch is only looked at, until there is time for one more push.
#[test]
fn end_of_the_budget_is_used_for_one_more_push() {
    let clock = FakeClock::new();
    let mut place = place().then(Loses, stale());
    let push = Duration::from_secs(9);
    let mut last = clock.now();
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let failed = land(&mut place, &mut backoff, &mut |seen: TipSnapshot<'_>| {
        last = clock.now();
        clock.pass(push);
        bump(seen)
    });
    assert!(matches!(failed.unwrap_err().error, LandingError::GaveUp { reason: TimedOut, .. }));
    let (deadline, looks) = (backoff.deadline(), place.looks - place.pushed);
    assert!(last > deadline - push * 2 && last < deadline, "{:?} before the end", deadline - last);
    assert!(looks > 0, "some tips were left to others");
}

#[test]
fn what_the_server_asks_for_is_waited_at_least() {
    let asked = Duration::from_secs(7);
    let clock = FakeClock::new();
    let mut place = place().faults([passing(Some(7))]).pushes([(Nothing, unknown(Some(7)))]);
    assert_eq!(land_on(&mut place, &clock).unwrap().attempts, 2);
    let slept = clock.slept();
    assert_eq!(slept.len(), 2);
    assert!(slept.iter().all(|time| *time >= asked && *time < asked + Duration::from_secs(2)), "{slept:?}");
}

#[test]
fn a_server_that_asks_for_ages_ends_the_run_without_a_wait() {
    for seconds in [BUDGET.as_secs(), u64::MAX] {
        let (_, _, place, clock) = fails(place().faults([passing(Some(seconds))]), GaveUp(TimedOut));
        assert_eq!((place.looks, clock.slept().len()), (1, 0));
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
fn a_bump_that_is_there_already_makes_no_commit() {
    let clock = FakeClock::new();
    let mut place = place();
    let bumped = place.add("somebody bumped it".to_owned());
    place.land(bumped);
    let landed = land_on(&mut place, &clock).unwrap();
    assert_eq!((landed.commit, landed.attempts, place.made), (None, 0, 0));
}

#[test]
fn time_that_a_proposal_waited_is_not_counted() {
    let clock = FakeClock::new();
    let mut place = place().pushes([(Loses, stale()), (Lands, published())]);
    let mut backoff = Backoff::new(&clock, BUDGET, fastrand::Rng::with_seed(7));
    let deadline = backoff.deadline();
    let mut waits = [BUDGET * 2, Duration::ZERO].into_iter();
    let landed = land(&mut place, &mut backoff, &mut |seen: TipSnapshot<'_>| {
        let waited = waits.next().unwrap_or_default();
        clock.now.set(clock.now.get() + waited);
        Ok::<_, TestError>(PlainProposal { waited, ..bump(seen)? })
    });
    assert_eq!(landed.unwrap().attempts, 2);
    assert_eq!(backoff.deadline(), deadline + BUDGET * 2);
}
