//! Judges whether a change is live, from what the forge and the pages say. Pure: time comes in with each look.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::own_run::OwnRun;
use crate::forge::{CommitStatus, StatusState};
use crate::object_id::CommitId;
use crate::output::WaitStatus;
use crate::settings::StatusPattern;

/// How long a failure must stand. Controllers try again, and report success then.
const STANDS: Duration = Duration::from_secs(30);
/// How often in a row a page must show the change. The old and the new version answer in turns while one replaces the other.
pub(super) const IN_A_ROW: u32 = 3;

/// A commit that has the change, with its statuses.
#[derive(Clone, Debug)]
pub(super) struct SeenCommit {
    pub commit: CommitId,
    pub statuses: Vec<CommitStatus>,
}

/// What was found at one time.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub now: Instant,
    /// The awaited commit, and those of the next ones that still have its tags, oldest first.
    pub commits: Vec<SeenCommit>,
    /// Whether each page showed the change.
    pub pages: Vec<bool>,
}

/// What a look means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LookVerdict {
    Live {
        statuses: Vec<WaitStatus>,
    },
    /// These statuses failed, and for long enough.
    Failed {
        statuses: Vec<WaitStatus>,
    },
    Waiting {
        statuses: Vec<WaitStatus>,
        progress: Progress,
    },
}

/// How far a change has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The patterns that no status matches yet.
    pub unmatched: Vec<String>,
    pub pending: usize,
    pub failed: usize,
    pub succeeded: usize,
    /// How often in a row each page has shown the change.
    pub pages: Vec<u32>,
}

/// Judges look after look.
pub(super) struct LookJudge<'a> {
    patterns: &'a [StatusPattern],
    own_run: &'a OwnRun,
    /// How often in a row each page has shown the change.
    pages: Vec<u32>,
    /// What fails at the moment, and since when.
    failing: Option<(BTreeSet<(CommitId, String)>, Instant)>,
}

impl<'a> LookJudge<'a> {
    pub fn new(patterns: &'a [StatusPattern], pages: usize, own_run: &'a OwnRun) -> Self {
        LookJudge { patterns, own_run, pages: vec![0; pages], failing: None }
    }

    pub fn judge(&mut self, look: &Look) -> LookVerdict {
        for (count, shows_it) in self.pages.iter_mut().zip(&look.pages) {
            *count = if *shows_it { *count + 1 } else { 0 };
        }
        let pages_show_it = self.pages.iter().all(|count| *count >= IN_A_ROW);
        let succeeded = look.commits.iter().rev().find(|seen| self.succeeded(seen));
        if let Some(seen) = succeeded.filter(|_| pages_show_it) {
            return LookVerdict::Live { statuses: self.shown(seen) };
        }
        // an older commit may have failed, and the next one tries again
        let newest = look.commits.iter().rev().find(|seen| self.matching(seen).next().is_some());
        let failed: BTreeSet<_> =
            newest.filter(|_| succeeded.is_none()).into_iter().flat_map(|seen| self.failed(seen)).collect();
        if self.stands(failed, look.now) {
            let shown = newest.map(|seen| self.shown(seen)).unwrap_or_default();
            let statuses = shown.into_iter().filter(|status| status.state == StatusState::Failure.as_str());
            return LookVerdict::Failed { statuses: statuses.collect() };
        }
        let shown = succeeded.or(newest);
        LookVerdict::Waiting {
            statuses: shown.map(|seen| self.shown(seen)).unwrap_or_default(),
            progress: self.progress(shown),
        }
    }

    fn matching<'s>(&'s self, seen: &'s SeenCommit) -> impl Iterator<Item = &'s CommitStatus> {
        seen.statuses.iter().filter(|status| {
            !self.own_run.posted(status)
                && self.patterns.iter().any(|pattern| pattern.matches(&status.context))
        })
    }

    /// Whether each pattern has a success, and nothing that matches is anything else.
    fn succeeded(&self, seen: &SeenCommit) -> bool {
        let is_done =
            |status: &CommitStatus| matches!(status.state, StatusState::Success | StatusState::Neutral);
        self.matching(seen).all(is_done) && self.unmatched(Some(seen)).is_empty()
    }

    /// The patterns without a status that says something.
    fn unmatched(&self, seen: Option<&SeenCommit>) -> Vec<String> {
        let says = |pattern: &StatusPattern| {
            seen.is_some_and(|seen| {
                self.matching(seen)
                    .any(|status| status.state != StatusState::Neutral && pattern.matches(&status.context))
            })
        };
        self.patterns.iter().filter(|pattern| !says(pattern)).map(ToString::to_string).collect()
    }

    fn failed(&self, seen: &SeenCommit) -> Vec<(CommitId, String)> {
        let failed = self.matching(seen).filter(|status| status.state == StatusState::Failure);
        failed.map(|status| (seen.commit, status.context.clone())).collect()
    }

    /// Whether one of the failures was there at every look for long enough.
    fn stands(&mut self, failed: BTreeSet<(CommitId, String)>, now: Instant) -> bool {
        let (still, since) = match self.failing.take() {
            Some((before, since)) => {
                let still: BTreeSet<_> = failed.intersection(&before).cloned().collect();
                if still.is_empty() { (failed, now) } else { (still, since) }
            }
            None => (failed, now),
        };
        if still.is_empty() {
            return false;
        }
        let stands = now.saturating_duration_since(since) >= STANDS;
        self.failing = Some((still, since));
        stands
    }

    fn shown(&self, seen: &SeenCommit) -> Vec<WaitStatus> {
        let mut shown: Vec<WaitStatus> = self
            .matching(seen)
            .map(|status| WaitStatus {
                name: status.context.clone(),
                state: status.state.as_str(),
                commit: seen.commit.to_string(),
            })
            .collect();
        shown.sort();
        shown
    }

    fn progress(&self, seen: Option<&SeenCommit>) -> Progress {
        let count = |state: StatusState| {
            seen.map_or(0, |seen| self.matching(seen).filter(|status| status.state == state).count())
        };
        Progress {
            unmatched: self.unmatched(seen),
            pending: count(StatusState::Pending),
            failed: count(StatusState::Failure),
            succeeded: count(StatusState::Success),
            pages: self.pages.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> CommitId {
        CommitId::parse(&digit.to_string().repeat(40)).unwrap()
    }

    /// Statuses of a commit: `name=state`, in the order in which they came.
    fn seen(commit: char, statuses: &[&str]) -> SeenCommit {
        let status = |(nth, text): (usize, &&str)| {
            let (name, state) = text.split_once('=').unwrap();
            let state = match state {
                "ok" => StatusState::Success,
                "failed" => StatusState::Failure,
                "skipped" => StatusState::Neutral,
                _ => StatusState::Pending,
            };
            CommitStatus {
                context: name.to_owned(),
                is_check_run: false,
                state,
                id: nth as u64,
                url: None,
                pipeline: (name == "own").then_some(7),
            }
        };
        SeenCommit { commit: id(commit), statuses: statuses.iter().enumerate().map(status).collect() }
    }

    struct Waiter {
        patterns: Vec<StatusPattern>,
        own: OwnRun,
        start: Instant,
    }

    impl Waiter {
        fn new(patterns: &[&str]) -> Self {
            let patterns = patterns.iter().map(|text| StatusPattern::parse(text).unwrap()).collect();
            Waiter { patterns, own: OwnRun::of_pipeline(7), start: Instant::now() }
        }

        fn judge(&self, pages: usize) -> LookJudge<'_> {
            LookJudge::new(&self.patterns, pages, &self.own)
        }

        fn look(&self, seconds: u64, commits: &[SeenCommit]) -> Look {
            Look {
                now: self.start + Duration::from_secs(seconds),
                commits: commits.to_vec(),
                pages: Vec::new(),
            }
        }

        /// The verdict on a first look.
        fn at_once(&self, commits: &[SeenCommit]) -> LookVerdict {
            self.judge(0).judge(&self.look(0, commits))
        }
    }

    fn is_live(verdict: &LookVerdict) -> bool {
        matches!(verdict, LookVerdict::Live { .. })
    }

    fn is_waiting(verdict: &LookVerdict) -> bool {
        matches!(verdict, LookVerdict::Waiting { .. })
    }

    #[test]
    fn every_matching_status_must_have_succeeded() {
        let watch = Waiter::new(&["flux/*"]);
        assert!(is_live(&watch.at_once(&[seen('a', &["flux/a=ok", "flux/b=ok", "ci=failed"])])));
        for statuses in
            [&["flux/a=ok", "flux/b=running"][..], &["ci=ok"], &[], &["flux/a=ok", "flux/b=failed"]]
        {
            assert!(is_waiting(&watch.at_once(&[seen('a', statuses)])), "{statuses:?}");
        }
    }

    #[test]
    fn every_pattern_must_match_something() {
        let watch = Waiter::new(&["flux/*", "smoke"]);
        let LookVerdict::Waiting { progress, .. } = watch.at_once(&[seen('a', &["flux/a=ok"])]) else {
            panic!()
        };
        assert_eq!((progress.unmatched, progress.succeeded), (vec!["smoke".to_owned()], 1));
        assert!(is_live(&watch.at_once(&[seen('a', &["flux/a=ok", "smoke=ok"])])));
    }

    #[test]
    fn skipped_check_says_nothing() {
        let watch = Waiter::new(&["deploy*"]);
        assert!(is_waiting(&watch.at_once(&[seen('a', &["deploy=skipped"])])));
        assert!(is_live(&watch.at_once(&[seen('a', &["deploy=ok", "deploy-docs=skipped"])])));
    }

    #[test]
    fn own_checks_do_not_count() {
        let watch = Waiter::new(&["*"]);
        assert!(is_waiting(&watch.at_once(&[seen('a', &["own=running"])])));
        assert!(is_waiting(&watch.at_once(&[seen('a', &["own=ok"])])));
        assert!(is_live(&watch.at_once(&[seen('a', &["own=running", "flux=ok"])])));
    }

    #[test]
    fn success_of_a_later_commit_counts() {
        let watch = Waiter::new(&["flux"]);
        let verdict = watch.at_once(&[seen('a', &["flux=failed"]), seen('b', &[]), seen('c', &["flux=ok"])]);
        let LookVerdict::Live { statuses } = verdict else { panic!("{verdict:?}") };
        assert_eq!(
            statuses,
            [WaitStatus { name: "flux".to_owned(), state: "success", commit: "c".repeat(40) }]
        );
    }

    #[test]
    fn failure_counts_after_it_stood() {
        let watch = Waiter::new(&["flux"]);
        let mut judge = watch.judge(0);
        let failed = [seen('a', &["flux=failed"])];
        for seconds in [0, 10, 29] {
            assert!(is_waiting(&judge.judge(&watch.look(seconds, &failed))), "{seconds}");
        }
        let verdict = judge.judge(&watch.look(30, &failed));
        let LookVerdict::Failed { statuses } = verdict else { panic!("{verdict:?}") };
        assert_eq!((statuses.len(), statuses[0].state), (1, "failure"));
    }

    #[test]
    fn failure_that_is_retried_starts_over() {
        let watch = Waiter::new(&["flux"]);
        let mut judge = watch.judge(0);
        let looks =
            [(0, "failed"), (20, "failed"), (25, "running"), (30, "failed"), (50, "failed"), (59, "failed")];
        for (seconds, state) in looks {
            let commits = [seen('a', &[&format!("flux={state}")])];
            assert!(is_waiting(&judge.judge(&watch.look(seconds, &commits))), "{seconds}");
        }
        assert!(is_live(&judge.judge(&watch.look(60, &[seen('a', &["flux=ok"])]))));
    }

    /// Each failure by itself is new.
    #[test]
    fn different_failures_in_turn_do_not_add_up() {
        let watch = Waiter::new(&["*"]);
        let mut judge = watch.judge(0);
        for (seconds, statuses) in
            [(0, ["a=failed", "b=ok"]), (20, ["a=ok", "b=failed"]), (40, ["a=failed", "b=ok"])]
        {
            let verdict = judge.judge(&watch.look(seconds, &[seen('a', &statuses)]));
            assert!(!matches!(verdict, LookVerdict::Failed { .. }), "{seconds}");
        }
    }

    #[test]
    fn next_commit_that_is_pending_gives_a_failure_another_chance() {
        let watch = Waiter::new(&["flux"]);
        let mut judge = watch.judge(0);
        let commits = [seen('a', &["flux=failed"]), seen('b', &["flux=running"]), seen('c', &["other=ok"])];
        for seconds in [0, 30, 60] {
            assert!(is_waiting(&judge.judge(&watch.look(seconds, &commits))), "{seconds}");
        }
    }

    #[test]
    fn page_must_show_the_change_three_times_in_a_row() {
        let watch = Waiter::new(&[]);
        let mut judge = watch.judge(2);
        let looks = [[true, true], [true, true], [true, false], [true, true], [true, true]];
        for pages in looks {
            let look = Look { pages: pages.to_vec(), ..watch.look(0, &[seen('a', &[])]) };
            assert!(is_waiting(&judge.judge(&look)));
        }
        let look = Look { pages: vec![true, true], ..watch.look(0, &[seen('a', &[])]) };
        assert!(is_live(&judge.judge(&look)));
    }

    #[test]
    fn pages_and_statuses_must_both_show_it() {
        let watch = Waiter::new(&["flux"]);
        let mut judge = watch.judge(1);
        for (status, is_expected) in
            [("running", false), ("running", false), ("running", false), ("ok", true)]
        {
            let commits = [seen('a', &[&format!("flux={status}")])];
            let look = Look { pages: vec![true], ..watch.look(0, &commits) };
            assert_eq!(is_live(&judge.judge(&look)), is_expected);
        }
    }
}
