//! When to try again: full jitter, within a budget.
//!
//! Waiting a random time between nothing and a doubling bound spreads the losers of a race better than any
//! fixed or nearly fixed wait ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). The bounds go
//! with the time that a try takes: where that is long, as in a crowd, there are fewer turns to be had.
//! `cargo run --release --example race` shows what comes of it.

use std::time::{Duration, Instant};

use super::FetchError;
use crate::error::{Exit, Failure, Result};

/// The first bound, or what the last try took. One landing keeps a server busy for some tens of milliseconds.
const BASE: Duration = Duration::from_millis(200);
/// The bound stops growing here, or at so many times what the last try took.
const CAP: Duration = Duration::from_secs(2);
const CAP_IN_TRIES: u32 = 4;
/// A try that took longer has waited for an answer that did not come: no measure for the next one.
const LONG_TRY: Duration = Duration::from_secs(2);

/// Time, and a way to let it pass. Tests have one that does not wait.
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

    /// From now on there is so much time, whatever is spent already.
    pub fn extend(&mut self, time: Duration) {
        self.deadline = self.clock.now() + time;
    }

    /// Lets the time until the next try pass; not less than the server asked for. `false`, at once, where
    /// the budget does not last until then.
    pub fn wait(&mut self, at_least: Option<Duration>) -> bool {
        let took = self.clock.now().saturating_duration_since(self.since).min(LONG_TRY);
        let bound = took.max(BASE).saturating_mul(1 << self.tries.min(16));
        let bound = bound.min(CAP.max(took * CAP_IN_TRIES));
        self.tries += 1;
        let left = self.deadline.saturating_duration_since(self.clock.now());
        let time = bound.mul_f64(self.random.f64()).saturating_add(at_least.unwrap_or_default());
        if time >= left {
            return false;
        }
        self.clock.sleep(time);
        self.since = self.clock.now();
        true
    }

    /// Repeats `op` until it succeeds, fails for good, or the budget is spent; `hint` says what to do then.
    ///
    /// # Errors
    /// The permanent error of `op`, and exit 4 if the budget is spent.
    pub fn retry<T>(
        &mut self,
        hint: &str,
        mut op: impl FnMut(&mut Self) -> Result<T, FetchError>,
    ) -> Result<T> {
        loop {
            let (what, retry_after) = match op(self) {
                Ok(done) => return Ok(done),
                Err(error) => error.transient()?,
            };
            if !self.wait(retry_after) {
                return Err(Failure::new(Exit::NotLanded, what).hinted(hint));
            }
        }
    }
}
