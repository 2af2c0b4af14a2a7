//! Limits how much work one file may cause, and lets callers stop early.
//!
//! A file can be written so that reading it takes far longer than its size suggests, for example with merge
//! keys and aliases that lead to the same text over and over. So all work on a file is counted in steps, and a
//! file gets a fixed number of steps per byte: the cost can't grow faster than the size. Callers that have a
//! clock can also cancel the work; this module has none.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// Tells the parser when nobody needs the result any more. The default never cancels.
#[derive(Clone, Default)]
pub struct Cancellation(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Cancellation {
    /// Cancels as soon as `is_due` returns true. `is_due` is called often, so it should be cheap.
    pub fn when(is_due: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Cancellation(Some(Arc::new(is_due)))
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|is_due| is_due())
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Cancellation(when)" } else { "Cancellation(never)" })
    }
}

/// Why the work on a file ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAborted {
    #[error("has more than {0} values")]
    Values(WithCommas),
    #[error("takes more than {0} steps to read, far more than a file of its size should")]
    Steps(WithCommas),
    #[error("was not read to its end")]
    Cancelled,
}

/// A number, displayed with commas: `2,000,000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithCommas(pub u64);

impl fmt::Display for WithCommas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Real manifests need less than a tenth of this; see `real_manifests_stay_far_below_the_limit` in
/// `tests/it/steps.rs`.
const STEPS_PER_BYTE: u64 = 100;

/// The steps that even the smallest file may use.
const FREE_STEPS: u64 = 100_000;

/// The number of steps between two checks of the cancellation.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 16;

/// Counts the steps that one file may use, and has used. The default has no limit.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: u64,
    spent: Cell<u64>,
    next_look: Cell<u64>,
    stopped: Cell<Option<ParseAborted>>,
    cancellation: Cancellation,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            limit: u64::MAX,
            spent: Cell::default(),
            next_look: Cell::default(),
            stopped: Cell::default(),
            cancellation: Cancellation::default(),
        }
    }
}

impl Budget {
    /// The budget for a file of `bytes` bytes.
    pub fn for_file(bytes: usize, cancellation: Cancellation) -> Self {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Budget::of_steps(bytes.saturating_mul(STEPS_PER_BYTE).saturating_add(FREE_STEPS), cancellation)
    }

    /// A budget of so many steps.
    pub fn of_steps(limit: u64, cancellation: Cancellation) -> Self {
        Budget { limit, cancellation, ..Budget::default() }
    }

    /// Spends some steps. Once it returns `false`, it keeps doing so, and the work must end.
    #[inline(always)]
    pub fn spend(&self, steps: usize) -> bool {
        let spent = self.spent.get().saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        self.spent.set(spent);
        if spent >= self.next_look.get() {
            self.look(spent);
        }
        self.stopped.get().is_none()
    }

    #[cold]
    fn look(&self, spent: u64) {
        self.next_look.set(spent.saturating_add(STEPS_BETWEEN_LOOKS).min(self.limit.saturating_add(1)));
        if self.cancellation.is_cancelled() {
            self.stop(ParseAborted::Cancelled);
        } else if spent > self.limit {
            self.stop(ParseAborted::Steps(WithCommas(self.limit)));
        }
    }

    /// Adds the steps that another budget counted, and stops if that one did.
    pub fn charge(&self, part: &Budget) {
        self.spend(usize::try_from(part.spent()).unwrap_or(usize::MAX));
        if let Err(stopped) = part.check() {
            self.stop(stopped);
        }
    }

    /// Gives back all steps, for the same work once more. Work that ended early stays ended.
    pub fn renew(&self) {
        self.spent.set(0);
        self.next_look.set(0);
    }

    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Ends the work, if it has not ended already. The first reason is kept.
    pub fn stop(&self, why: ParseAborted) {
        if self.stopped.get().is_none() {
            self.stopped.set(Some(why));
        }
    }

    /// # Errors
    /// Why the work ended early; its result must then be thrown away.
    pub fn check(&self) -> Result<(), ParseAborted> {
        self.stopped.get().map_or(Ok(()), Err)
    }

    /// The steps spent so far.
    pub fn spent(&self) -> u64 {
        self.spent.get()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn spending_ends_at_the_limit_and_stays_ended() {
        let budget = Budget::for_file(0, Cancellation::default());
        assert!(budget.spend(FREE_STEPS as usize));
        assert_eq!(budget.check(), Ok(()));
        assert!(!budget.spend(1));
        assert!(!budget.spend(0));
        let stopped = budget.check().unwrap_err();
        assert_eq!(
            stopped.to_string(),
            "takes more than 100,000 steps to read, far more than a file of its size should"
        );
    }

    #[test]
    fn larger_files_get_more_steps() {
        let steps = STEPS_PER_BYTE as usize * 1000;
        assert!(Budget::for_file(1000, Cancellation::default()).spend(FREE_STEPS as usize + steps));
        assert!(!Budget::for_file(999, Cancellation::default()).spend(FREE_STEPS as usize + steps));
        assert!(Budget::for_file(usize::MAX, Cancellation::default()).spend(usize::MAX), "no overflow");
    }

    #[test]
    fn cancellation_is_noticed_within_some_steps() {
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let cancellation = Cancellation::when(move || counted.fetch_add(1, Ordering::Relaxed) >= 3);
        let budget = Budget::for_file(10_000_000, cancellation);
        let steps = (0..10_000_000).take_while(|_| budget.spend(1)).count() as u64;
        assert_eq!(budget.check(), Err(ParseAborted::Cancelled));
        assert!(steps <= 3 * STEPS_BETWEEN_LOOKS, "{steps}");
        assert_eq!(looks.load(Ordering::Relaxed), 4);
    }
}
