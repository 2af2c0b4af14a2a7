//! When to try again: full jitter, within a budget.
//!
//! A random wait between zero and a doubling bound spreads the losers of a race better than any fixed or nearly fixed wait
//! ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). The bounds grow with the time that a try takes: if tries take
//! long, as in a crowd, fewer of them fit. `cargo run --release --example race` shows the result.

use std::time::{Duration, Instant};

use super::FetchError;

/// The first bound, or what the last try took. One landing keeps a server busy for some tens of milliseconds.
const BASE: Duration = Duration::from_millis(200);
/// The bound stops growing here, or at this many times what the last try took.
const CAP: Duration = Duration::from_secs(2);
const CAP_IN_TRIES: u32 = 4;
/// A longer try waited for an answer that did not come, so it says nothing about the next one.
const LONG_TRY: Duration = Duration::from_secs(2);

/// A clock that can sleep. Tests have one that doesn't wait.
pub trait Clock {
    fn now(&self) -> Instant;
    fn sleep(&self, time: Duration);
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Says when to try again, until the budget is spent.
pub struct Backoff<'a> {
    clock: &'a dyn Clock,
    deadline: Instant,
    tries: u32,
    /// When the last wait was over.
    since: Instant,
    random: fastrand::Rng,
}

impl<'a> Backoff<'a> {
    pub fn new(clock: &'a dyn Clock, budget: Duration, random: fastrand::Rng) -> Self {
        let now = clock.now();
        Backoff { clock, deadline: now + budget, tries: 0, since: now, random }
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// When the budget is spent.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Sets the budget to this much time from now.
    pub fn extend(&mut self, time: Duration) {
        self.deadline = self.clock.now() + time;
    }

    /// Adds this much time to the budget.
    pub fn postpone(&mut self, time: Duration) {
        self.deadline += time;
    }

    /// Random numbers that differ from those of every other run.
    pub fn fork_random(&mut self) -> fastrand::Rng {
        self.random.fork()
    }

    /// How much of the budget is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(self.clock.now())
    }

    /// Waits this long. No failure is behind this, so the next wait after one doesn't grow.
    pub fn pause(&mut self, time: Duration) {
        self.clock.sleep(time);
        self.since = self.clock.now();
    }

    /// When half of the time that is left will have passed.
    pub fn half_time(&self) -> Instant {
        let now = self.clock.now();
        now + self.left() / 2
    }

    /// Waits until the next try, at least as long as the server asked for. Returns `false` at once if the budget ends before that.
    pub fn wait(&mut self, at_least: Option<Duration>) -> bool {
        self.wait_up_to(Duration::MAX, at_least)
    }

    /// As [`Backoff::wait`], but leaves most of the budget for the next try, unless the server asked for more. Returns `false` at
    /// once if too little of the budget is left for a try.
    pub fn wait_shortly(&mut self, at_least: Option<Duration>) -> bool {
        let left = self.left();
        left > BASE && self.wait_up_to(left / 8, at_least)
    }

    fn wait_up_to(&mut self, longest: Duration, at_least: Option<Duration>) -> bool {
        let took = self.clock.now().saturating_duration_since(self.since).min(LONG_TRY);
        let bound = took.max(BASE).saturating_mul(1 << self.tries.min(16));
        let bound = bound.min(CAP.max(took * CAP_IN_TRIES)).min(longest);
        self.tries += 1;
        let left = self.left();
        let time = bound.mul_f64(self.random.f64()).saturating_add(at_least.unwrap_or_default());
        if time >= left {
            return false;
        }
        self.pause(time);
        true
    }

    /// Repeats `op` until it succeeds, fails for good, or the budget is spent.
    ///
    /// # Errors
    /// The permanent error of `op`; if the budget is spent, `timed_out` of the last transient one.
    pub fn retry<T, E>(
        &mut self,
        timed_out: impl FnOnce(String) -> E,
        mut op: impl FnMut(&mut Self) -> Result<T, FetchError<E>>,
    ) -> Result<T, E> {
        let mut problem = String::new();
        loop {
            let (what, retry_after) = match op(self) {
                Ok(done) => return Ok(done),
                Err(error) => error.transient()?,
            };
            problem = self.problem(what, &problem);
            if !self.wait(retry_after) {
                return Err(timed_out(problem));
            }
        }
    }

    /// What to report of a failed attempt. If the budget ended while it waited for an answer, it shows less than the
    /// previous one.
    pub fn problem(&self, last: String, before: &str) -> String {
        let was_cut_off = self.left().is_zero();
        if was_cut_off && !before.is_empty() && before != last {
            return format!("{last}; the previous attempt: {before}");
        }
        last
    }
}
