//! When to push next, while others push to the same branch.
//!
//! Only one of several pushes on the same tip can land, and no writer sees the pushes of others until one has landed. So each
//! writer estimates how many others wait, from what it sees, and pushes on a new tip with the chance that about three of all
//! writers do: if it was fewer, the branch would often stand still; if it was more, most pushes would be wasted. In between,
//! it only looks. This is the control of slotted ALOHA channels by feedback (R. L. Rivest, "Network control by Bayesian
//! broadcast", IEEE Transactions on Information Theory 33, 1987), with two differences: a push that loses shows that another
//! one has won, and a slot is as long as a push takes.
//!
//! Nothing here reads a clock or waits. `simulation` runs up to 128 of these against each other, which is also how the numbers below
//! were chosen.

use std::time::{Duration, Instant};

/// A lost push halves the chance.
const AFTER_LOSS: f64 = 0.5;
/// If no push landed in the time that one takes, fewer wait than it seemed.
const AFTER_IDLE_ROUND: f64 = 4.0;
/// Those who land don't wait any more. This is less than one for each of them, since the estimate starts too low.
const LANDED: f64 = 0.2;
/// A writer that has just lost knows exactly when the branch moved; any other writer's push would start later.
const IN_STEP: f64 = 1.8;
/// The smallest chance, as if this many waited for each push that is wanted.
const LEAST_CHANCE: f64 = 0.01;

/// After this many rounds without a commit, nobody else is pushing. One isn't enough: some pushes take longer than others.
const IDLE_ROUNDS: f64 = 1.1;
/// After how many rounds to look again, on average, and after one in which the branch stood still.
const LOOK_AFTER: f64 = 0.8;
const LOOK_AFTER_IDLE: f64 = 0.15;
/// The wait between two looks is this much longer or shorter, at random.
const JITTER: f64 = 0.1;

/// A round is what a try takes, from reading the tip to losing, but at least and at most this long.
const SHORTEST_ROUND: Duration = Duration::from_millis(50);
const LONGEST_ROUND: Duration = Duration::from_secs(60);
/// Commits may follow each other faster than pushes, if one push brings several. So a round is at most this many times shorter
/// than our last push took.
const FASTER_THAN_OURS: u32 = 16;

/// What to do with a tip that was just read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Push on it.
    Push,
    /// Leave it to others, and look again after this time.
    LookAfter(Duration),
    /// The last push lost although the branch didn't move, as far as the server shows: try again later.
    BackOff,
}

/// Estimates how many others push, from what the branch shows.
#[derive(Debug)]
pub struct Pacing {
    random: fastrand::Rng,
    /// The chance of a push on a new tip.
    chance: f64,
    /// How long our last push took.
    took: Option<Duration>,
    /// How long a push takes now, as far as the branch shows.
    round: Duration,
    state: PacingState,
    /// When the tip was read last.
    looked: Instant,
    /// When the branch was seen to move, or to have stood still.
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum PacingState {
    /// Push on any tip.
    Due,
    /// The last push was lost to others.
    Lost,
    /// The last push failed after this time. If the branch has moved since, it was lost.
    Failed(Duration),
    /// Only looks, since then.
    Watching,
}

impl Pacing {
    pub fn new(random: fastrand::Rng, now: Instant) -> Self {
        let (took, round) = (None, SHORTEST_ROUND);
        Pacing { random, chance: 1.0, took, round, state: PacingState::Due, looked: now, since: now }
    }

    /// A push lost to another one. `took` is the time since its tip was read.
    pub fn lost(&mut self, took: Duration) {
        let took = took.clamp(SHORTEST_ROUND, LONGEST_ROUND);
        self.took = Some(took);
        self.round = took;
        self.lower_chance();
    }

    /// Another push landed before anything was sent. This takes less time than a push.
    pub fn outdated(&mut self, took: Duration) {
        if self.took.is_none() {
            self.round = self.round.max(took.min(LONGEST_ROUND));
        }
        self.lower_chance();
    }

    /// A push failed, perhaps because of another one. The caller waits before it reads the tip.
    pub fn failed(&mut self, took: Duration) {
        self.state = PacingState::Failed(took);
    }

    /// The tip was read: so many commits came since it was read before.
    pub fn next(&mut self, now: Instant, commits: u32) -> Pace {
        let moved = commits > 0;
        self.note_speed(now, commits);
        if let (PacingState::Failed(took), true) = (self.state, moved) {
            self.lost(took);
            self.state = PacingState::Watching;
        }
        match (self.state, moved) {
            (PacingState::Due, _) | (PacingState::Failed(_), false) => self.push(),
            (PacingState::Lost, false) => {
                self.state = PacingState::Due;
                Pace::BackOff
            }
            (PacingState::Lost, true) => {
                self.note_move(now);
                self.push_or_look(self.chance * IN_STEP, LOOK_AFTER)
            }
            (PacingState::Watching | PacingState::Failed(_), true) => {
                self.note_move(now);
                self.push_or_look(self.chance, LOOK_AFTER)
            }
            (PacingState::Watching, false) => {
                let idle_at = self.since + self.round.mul_f64(IDLE_ROUNDS);
                if now < idle_at {
                    return Pace::LookAfter(idle_at - now);
                }
                self.since = now;
                self.chance = (self.chance * AFTER_IDLE_ROUND).min(1.0);
                self.push_or_look(self.chance, LOOK_AFTER_IDLE)
            }
        }
    }

    /// How long a try takes, as far as it is known.
    pub fn round(&self) -> Duration {
        self.round
    }

    fn lower_chance(&mut self) {
        self.chance = (self.chance * AFTER_LOSS).max(LEAST_CHANCE);
        self.state = PacingState::Lost;
    }

    /// Our own push may have been slow because all others pushed at the same time. If so, the branch moves faster than that.
    fn note_speed(&mut self, now: Instant, commits: u32) {
        let between = now.saturating_duration_since(self.looked);
        self.looked = now;
        // the first of them may have landed just after the last look
        if let (Some(took), 2..) = (self.took, commits) {
            let seen = (between / (commits - 1)).max(took / FASTER_THAN_OURS).max(SHORTEST_ROUND);
            self.round = self.round.min(seen);
        }
    }

    fn note_move(&mut self, now: Instant) {
        self.since = now;
        let waiting = 1.0 / self.chance;
        self.chance = 1.0 / (waiting - LANDED).max(1.0);
    }

    fn push_or_look(&mut self, chance: f64, rounds: f64) -> Pace {
        if self.random.f64() < chance {
            return self.push();
        }
        self.state = PacingState::Watching;
        let jitter = 1.0 + JITTER * (2.0 * self.random.f64() - 1.0);
        Pace::LookAfter(self.round.mul_f64(rounds * jitter))
    }

    fn push(&mut self) -> Pace {
        self.state = PacingState::Due;
        Pace::Push
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUSH: Duration = Duration::from_secs(1);

    /// Some writers that have lost so many pushes, and then have seen the branch move.
    fn losers(losses: u32) -> Vec<(Pacing, Pace)> {
        let lose = |seed| {
            let now = Instant::now();
            let mut pacing = Pacing::new(fastrand::Rng::with_seed(seed), now);
            assert_eq!(pacing.next(now, 0), Pace::Push);
            (0..losses).for_each(|_| pacing.lost(PUSH));
            let pace = pacing.next(now, 1);
            (pacing, pace)
        };
        (0..200).map(lose).collect()
    }

    fn pushing(losers: &[(Pacing, Pace)]) -> usize {
        losers.iter().filter(|(_, pace)| *pace == Pace::Push).count()
    }

    #[test]
    fn second_push_follows_at_once_and_later_ones_become_rarer() {
        let counts: Vec<_> = (1..=6).map(|losses| pushing(&losers(losses))).collect();
        assert_eq!(counts[0], 200);
        assert!(counts.is_sorted_by(|before, after| before > after), "{counts:?}");
        assert!(counts[5] > 0, "{counts:?}");
    }

    /// The waits of those who leave a tip to others follow the time that a push takes.
    #[test]
    fn branch_is_read_again_before_the_next_push_can_have_landed() {
        for (_, pace) in losers(8) {
            if let Pace::LookAfter(time) = pace {
                assert!(time > PUSH / 2 && time < PUSH, "{time:?}");
            }
        }
    }

    #[test]
    fn chance_grows_while_nobody_lands() {
        let mut writers = losers(8);
        let mut now = Instant::now();
        let mut counts = Vec::new();
        for _ in 0..4 {
            now += PUSH * 2;
            for (pacing, pace) in writers.iter_mut().filter(|(_, pace)| *pace != Pace::Push) {
                *pace = pacing.next(now, 0);
            }
            counts.push(pushing(&writers));
        }
        assert!(counts.is_sorted() && counts[0] < 100 && counts[3] == 200, "{counts:?}");
    }

    #[test]
    fn branch_that_moves_is_not_taken_for_idle() {
        for (mut pacing, pace) in losers(8).into_iter().filter(|(_, pace)| *pace != Pace::Push) {
            let Pace::LookAfter(time) = pace else { panic!("{pace:?}") };
            let chance = pacing.chance;
            let next = pacing.next(Instant::now() + time, 0);
            assert!(matches!(next, Pace::LookAfter(_)), "a push may be under way: {next:?}");
            assert!(pacing.chance <= chance);
        }
    }

    #[test]
    fn push_that_lost_while_the_tip_stays_is_not_repeated_at_once() {
        let now = Instant::now();
        let mut pacing = Pacing::new(fastrand::Rng::with_seed(1), now);
        pacing.next(now, 0);
        pacing.lost(PUSH);
        assert_eq!(pacing.next(now, 0), Pace::BackOff);
        assert_eq!(pacing.next(now, 0), Pace::Push);
    }

    /// The caller has waited for the lock already.
    #[test]
    fn push_that_failed_is_lost_only_if_the_branch_moved() {
        let now = Instant::now();
        let mut pacing = Pacing::new(fastrand::Rng::with_seed(1), now);
        pacing.failed(PUSH);
        assert_eq!((pacing.next(now, 0), pacing.chance), (Pace::Push, 1.0));
        pacing.failed(PUSH);
        pacing.next(now, 1);
        assert!(pacing.chance < 1.0);
    }

    /// A push that is refused before it is sent takes almost no time, and says nothing about one that is sent.
    #[test]
    fn early_refusal_does_not_shorten_the_round() {
        let mut pacing = Pacing::new(fastrand::Rng::with_seed(1), Instant::now());
        pacing.outdated(PUSH / 20);
        assert_eq!(pacing.round(), PUSH / 20);
        pacing.lost(PUSH);
        pacing.outdated(PUSH / 20);
        assert_eq!(pacing.round(), PUSH);
        pacing.lost(PUSH / 2);
        assert_eq!(pacing.round(), PUSH / 2);
    }

    /// The first push of a crowd may take much longer than those that follow.
    #[test]
    fn round_is_no_longer_than_the_branch_shows() {
        let now = Instant::now();
        let mut pacing = Pacing::new(fastrand::Rng::with_seed(1), now);
        pacing.lost(PUSH * 3);
        pacing.next(now + PUSH * 3, 1);
        assert_eq!(pacing.round(), PUSH * 3);
        pacing.next(now + PUSH * 6, 4);
        assert_eq!(pacing.round(), PUSH);
        // a merge brings many at once
        pacing.next(now + PUSH * 7, 50);
        assert_eq!(pacing.round(), PUSH * 3 / FASTER_THAN_OURS);
    }
}
