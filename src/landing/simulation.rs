//! Many writers on one branch, in time that doesn't pass: what [`Pacing`] makes of them.
//!
//! The server checks where the branch is at the end of a push, as git does after its hooks. Each writer reads the tip, plans,
//! and pushes, which takes three requests and then the time of the push. All numbers are random, and the same in every run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::pacing::{Pace, Pacing};

/// How long a request takes, and a plan.
const REQUEST: Duration = Duration::from_millis(30);
const PLAN: Duration = Duration::from_millis(50);
/// How long a process takes to start, and to fast-forward its checkout afterwards.
const PROCESS: Duration = Duration::from_millis(50);
/// The default of `--timeout`.
const BUDGET: Duration = Duration::from_secs(120);
const SEEDS: u64 = 6;

/// Says when to push.
trait Schedule {
    fn lost(&mut self, took: Duration, sent: bool);
    fn next(&mut self, now: Instant, commits: u32) -> Pace;
}

impl Schedule for Pacing {
    fn lost(&mut self, took: Duration, sent: bool) {
        if sent {
            Pacing::lost(self, took);
        } else {
            self.outdated(took);
        }
    }

    fn next(&mut self, now: Instant, commits: u32) -> Pace {
        Pacing::next(self, now, commits)
    }
}

/// Pushes again as soon as a push is lost.
struct AtOnce;

impl Schedule for AtOnce {
    fn lost(&mut self, _: Duration, _: bool) {}

    fn next(&mut self, _: Instant, _: u32) -> Pace {
        Pace::Push
    }
}

/// Waits a random time after each loss, up to a bound that doubles until it is four times what a try takes.
struct DoublingWait {
    random: fastrand::Rng,
    losses: u32,
    due: Option<Duration>,
}

impl Schedule for DoublingWait {
    fn lost(&mut self, took: Duration, _: bool) {
        let bound = took.max(Duration::from_millis(200)) * (1 << self.losses.min(2));
        self.losses += 1;
        self.due = Some(bound.mul_f64(self.random.f64()));
    }

    fn next(&mut self, _: Instant, _: u32) -> Pace {
        self.due.take().map_or(Pace::Push, Pace::LookAfter)
    }
}

/// A branch that this many writers push to.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    writers: u32,
    /// How long a push takes, and how much longer or shorter at random.
    push: Duration,
    varies: f64,
    /// They start within this many times what landing all of them takes; 0 is at once.
    spread: f64,
    /// Whether the server handles one push after the other.
    serial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WriterStep {
    Look,
    /// The server names the tip.
    TipRead,
    /// The server compares the branch with the tip before it takes the push.
    PushStarts,
    /// And again at the end.
    PushEnds,
}

struct SimulatedWriter {
    schedule: Box<dyn Schedule>,
    started: Instant,
    looked: Instant,
    tip: u32,
    tries: u32,
    requests: u32,
    /// How long it took to land.
    landed: Option<Duration>,
}

/// How it ended, as means over all writers.
#[derive(Debug, Default)]
struct Score {
    /// The time until all have landed, as a multiple of landing them one after the other.
    wall: f64,
    tries: f64,
    most_tries: f64,
    requests: f64,
    slowest: Duration,
}

struct Simulation {
    crowd: Crowd,
    random: fastrand::Rng,
    start: Instant,
    steps: BinaryHeap<Reverse<(Instant, usize, WriterStep)>>,
    writers: Vec<SimulatedWriter>,
    tip: u32,
    /// When a serial server has handled everything that it got.
    free_at: Instant,
}

impl Crowd {
    fn in_turn(&self) -> Duration {
        (PROCESS + REQUEST * 5 / 2 + PLAN + self.push) * self.writers
    }

    fn run(self, seed: u64, schedule: &dyn Fn(fastrand::Rng, Instant) -> Box<dyn Schedule>) -> Simulation {
        let (mut random, start) = (fastrand::Rng::with_seed(seed), Instant::now());
        let mut steps = BinaryHeap::new();
        let mut writers = Vec::new();
        for nth in 0..self.writers as usize {
            let spread = self.in_turn().mul_f64(self.spread).max(PROCESS);
            let started = start + spread.mul_f64(random.f64());
            steps.push(Reverse((started, nth, WriterStep::Look)));
            writers.push(SimulatedWriter {
                schedule: schedule(random.fork(), start),
                started,
                looked: started,
                tip: 0,
                tries: 0,
                requests: 0,
                landed: None,
            });
        }
        let mut simulation =
            Simulation { crowd: self, random, start, steps, writers, tip: 0, free_at: start };
        while let Some(Reverse((now, nth, step))) = simulation.steps.pop() {
            simulation.step(now, nth, step);
        }
        simulation
    }

    /// The mean of some runs.
    fn score(self, schedule: &dyn Fn(fastrand::Rng, Instant) -> Box<dyn Schedule>) -> Score {
        let mut mean = Score::default();
        for score in (0..SEEDS).map(|seed| self.run(seed, schedule).score()) {
            mean.wall += score.wall / SEEDS as f64;
            mean.tries += score.tries / SEEDS as f64;
            mean.most_tries += score.most_tries / SEEDS as f64;
            mean.requests += score.requests / SEEDS as f64;
            mean.slowest = mean.slowest.max(score.slowest);
        }
        mean
    }
}

impl Simulation {
    fn step(&mut self, now: Instant, nth: usize, step: WriterStep) {
        let writer = &mut self.writers[nth];
        let (after, next) = match step {
            WriterStep::Look => {
                writer.looked = now;
                writer.requests += 1;
                (REQUEST / 2, WriterStep::TipRead)
            }
            WriterStep::TipRead => {
                let commits = self.tip - writer.tip;
                let moved = commits > 0;
                writer.tip = self.tip;
                writer.requests += u32::from(moved);
                let answered = REQUEST / 2 + if moved { REQUEST } else { Duration::ZERO };
                match writer.schedule.next(now + answered, commits) {
                    Pace::Push => {
                        writer.tries += 1;
                        writer.requests += 1;
                        let plan = PLAN.mul_f64(0.8 + 0.4 * self.random.f64());
                        (answered + plan + REQUEST / 2, WriterStep::PushStarts)
                    }
                    Pace::LookAfter(time) => (answered + time, WriterStep::Look),
                    Pace::BackOff => panic!("a push that lost has seen the branch move"),
                }
            }
            WriterStep::PushStarts if writer.tip != self.tip => return self.lose(now, nth, false),
            WriterStep::PushStarts => {
                writer.requests += 1;
                let varied = 1.0 + self.crowd.varies * (2.0 * self.random.f64() - 1.0);
                let push = self.crowd.push.mul_f64(varied);
                let begins = if self.crowd.serial { self.free_at.max(now + REQUEST) } else { now + REQUEST };
                self.free_at = begins + push;
                (self.free_at - now, WriterStep::PushEnds)
            }
            WriterStep::PushEnds if writer.tip != self.tip => return self.lose(now, nth, true),
            WriterStep::PushEnds => {
                self.tip += 1;
                writer.landed = Some(now + REQUEST / 2 - writer.started);
                return;
            }
        };
        self.steps.push(Reverse((now + after, nth, next)));
    }

    fn lose(&mut self, now: Instant, nth: usize, sent: bool) {
        let (writer, answered) = (&mut self.writers[nth], now + REQUEST / 2);
        writer.schedule.lost(answered - writer.looked, sent);
        self.steps.push(Reverse((answered, nth, WriterStep::Look)));
    }

    fn score(&self) -> Score {
        let count = f64::from(self.crowd.writers);
        let mean = |of: &dyn Fn(&SimulatedWriter) -> u32| {
            f64::from(self.writers.iter().map(of).sum::<u32>()) / count
        };
        let ends = self.writers.iter().map(|writer| writer.started + writer.landed.unwrap_or(Duration::MAX));
        let wall = ends.max().map_or(Duration::MAX, |end| end - self.start);
        Score {
            wall: wall.as_secs_f64() / self.crowd.in_turn().as_secs_f64(),
            tries: mean(&|writer| writer.tries),
            most_tries: self.writers.iter().map(|writer| writer.tries).max().unwrap_or_default().into(),
            requests: mean(&|writer| writer.requests),
            slowest: self.writers.iter().filter_map(|writer| writer.landed).max().unwrap_or_default(),
        }
    }
}

fn pacing(random: fastrand::Rng, now: Instant) -> Box<dyn Schedule> {
    Box::new(Pacing::new(random, now))
}

/// What is expected of a schedule: a bound for the time until all have landed, by how many there are.
const WALLS: [(u32, f64); 7] =
    [(2, 1.15), (4, 1.45), (8, 1.45), (16, 1.4), (32, 1.3), (64, 1.2), (128, 1.15)];
/// The most tries, on average and for the writer that needs most, with up to 64 writers.
const MEAN_TRIES: f64 = 8.0;
const MOST_TRIES: f64 = 16.0;

/// Everything in which a schedule does worse than expected, among all crowds that can land in time.
fn shortcomings(schedule: &dyn Fn(fastrand::Rng, Instant) -> Box<dyn Schedule>) -> Vec<String> {
    let mut found = Vec::new();
    for (writers, wall) in WALLS {
        for (push, varies) in [(0, 0.0), (300, 0.3), (1000, 0.05), (3000, 0.2)] {
            let push = Duration::from_millis(push);
            let crowd = Crowd { writers, push, varies, spread: 0.0, serial: false };
            if crowd.in_turn() > BUDGET {
                continue;
            }
            let score = crowd.score(schedule);
            let too_many = score.tries > MEAN_TRIES || score.most_tries > MOST_TRIES;
            if score.wall > wall || too_many && writers <= 64 {
                found.push(format!("{crowd:?}: {score:?}"));
            }
        }
    }
    found
}

/// All writers start at once, and none of them knows that.
#[test]
fn crowds_land_in_little_more_time_than_in_turn_with_few_pushes() {
    let found = shortcomings(&pacing);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// That the simulation tells a good schedule from a bad one.
#[test]
fn simulation_finds_fault_with_bad_schedules() {
    let at_once = shortcomings(&|_, _| Box::new(AtOnce));
    assert!(at_once.iter().any(|crowd| crowd.contains("writers: 64")), "{at_once:?}");
    let doubling = shortcomings(&|random, _| Box::new(DoublingWait { random, losses: 0, due: None }));
    assert!(doubling.iter().any(|crowd| crowd.contains("writers: 64")), "{doubling:?}");
    assert!(doubling.iter().any(|crowd| crowd.contains("writers: 8,")), "{doubling:?}");
}

#[test]
fn lone_writer_pushes_once_and_looks_once() {
    for push in [0, 3000] {
        let crowd =
            Crowd { writers: 1, push: Duration::from_millis(push), varies: 0.3, spread: 0.0, serial: false };
        let score = crowd.score(&pacing);
        assert!((score.tries - 1.0).abs() + (score.requests - 3.0).abs() < 1e-9, "{score:?}");
    }
}

/// With a second for each push, 64 writers have landed long before the budget is spent.
#[test]
fn nobody_among_64_writers_runs_out_of_time() {
    for spread in [0.0, 0.5, 1.0] {
        let crowd = Crowd { writers: 64, push: Duration::from_secs(1), varies: 0.1, spread, serial: false };
        let score = crowd.score(&pacing);
        assert!(score.slowest < BUDGET.mul_f64(0.9), "{crowd:?}: {score:?}");
    }
}

/// They come a little faster than the branch can take their commits.
#[test]
fn writers_who_come_one_after_the_other_need_few_tries() {
    for (writers, spread) in [(8, 0.9), (32, 0.9), (64, 0.9), (64, 2.0)] {
        for push in [0, 1000, 3000] {
            let push = Duration::from_millis(push);
            let crowd = Crowd { writers, push, varies: 0.1, spread, serial: false };
            let score = crowd.score(&pacing);
            assert!(score.tries <= 6.0 && score.most_tries <= MOST_TRIES, "{crowd:?}: {score:?}");
            assert!(score.wall <= 1.5_f64.max(spread * 1.3), "{crowd:?}: {score:?}");
        }
    }
}

/// If the server handles one push after the other, each lost push delays all others.
#[test]
fn lost_pushes_stay_few_if_server_handles_one_after_the_other() {
    for (writers, push) in [(8, 50), (8, 1000), (32, 300), (64, 50)] {
        let push = Duration::from_millis(push);
        let crowd = Crowd { writers, push, varies: 0.1, spread: 0.0, serial: true };
        let (ours, doubling) = (
            crowd.score(&pacing),
            crowd.score(&|random, _| Box::new(DoublingWait { random, losses: 0, due: None })),
        );
        assert!(ours.tries <= MEAN_TRIES && ours.most_tries <= MOST_TRIES, "{crowd:?}: {ours:?}");
        assert!(
            ours.tries <= doubling.tries * 1.2 && ours.wall <= doubling.wall * 1.25,
            "{crowd:?}: {ours:?}, {doubling:?}"
        );
    }
}
