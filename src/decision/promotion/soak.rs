//! Which version has run long enough in the environment before.
//!
//! The soak time starts when a version reaches the branch. Only first parents are followed, so a merge's date counts,
//! not the dates of the merged commits. Commit dates can be forged or wrong: an entry never counts as older than its
//! ancestors, and one dated much earlier than they are counts as just set.

use std::collections::{BTreeMap, HashSet};

use jiff::SignedDuration;

use super::origin::OriginWalk;
use super::reading::EnvironmentReader;
use super::{Candidate, shown};
use crate::decision::error::DecisionError;
use crate::decision::tag_and_digest::TagAndDigest;
use crate::history::{CommitStore, FirstParents, TagEntry};
use crate::image::same_tag;
use crate::landing::{claims, claims_of};
use crate::object_id::CommitId;
use crate::plan::RunningReference;
use crate::visible::inline;

/// How many earlier commits must not be newer than one.
const EARLIER: usize = 50;
/// By how much clocks may differ, in seconds.
const CLOCK_SKEW: i64 = 600;
/// How many changes of a place are looked at.
const MOST: usize = 100;
/// How many changes before a version tell whether it was replaced by an earlier one.
const BEFORE: usize = 5;

/// A version to promote.
#[derive(Clone, Debug)]
pub(super) struct SoakedVersion {
    pub version: TagAndDigest,
    /// When the environment got it, as far as it was looked for.
    pub since: Option<i64>,
}

/// The version to promote, or why there is none: the end of a sentence.
pub(super) type Choice = Result<SoakedVersion, String>;

/// A version, and the time for which a place had it.
#[derive(Clone, Debug)]
struct Standing {
    version: TagAndDigest,
    /// `None` if that isn't known.
    since: Option<i64>,
    until: Option<i64>,
    /// Tags that its commit rolled back.
    taken_away: Vec<String>,
}

/// Chooses the version of each candidate: the one that runs, or with a soak time the newest that ran that long in all places.
pub(super) fn choose(
    walk: &OriginWalk<'_>,
    reader: &EnvironmentReader<'_>,
    candidates: &[Candidate],
    soak: Option<u64>,
) -> Result<Vec<Choice>, DecisionError> {
    let Some(soak) = soak.and_then(|soak| i64::try_from(soak).ok()) else {
        let running = |candidate: &Candidate| candidate.running.version.clone();
        return Ok(candidates
            .iter()
            .map(|candidate| Ok(SoakedVersion { version: running(candidate), since: None }))
            .collect());
    };
    let now = walk.context.settings.run_context.now;
    let clock = SoakClock { soak, now };
    let from = reader.environment();
    let Some((commits, tip)) = walk.files.commits(walk.context)? else {
        let why = || format!("no history shows how long {from} has run it");
        return Ok(candidates.iter().map(|_| Err(why())).collect());
    };
    let branch = walk.files.branch(walk.context);
    let own = FirstParents { commits: &*commits, branch: &branch };
    let traces = traces(walk, reader, candidates, clock, (&own, tip))?;
    let time = shown_time(soak);
    let chosen = candidates.iter().zip(&traces).map(|(candidate, traces)| {
        let running = &candidate.running.version;
        let Some((version, since)) = clock.newest(traces) else {
            let shown = inline(&running.joined());
            return Err(format!("no tag has run in {from} for {time}; {shown} runs there now"));
        };
        let is_newer = |running: &RunningReference| came_later(traces, &shown(running), &version);
        if !candidate.now.is_empty() && candidate.now.iter().all(is_newer) {
            let shown = inline(&version.joined());
            return Err(format!("{from} got it after {shown}, the newest that has run there for {time}"));
        }
        // the version that runs may have a part that another place sets
        let is_running = traces.values().filter_map(|trace| trace.first()).any(|now| now.version == version);
        let version = if is_running { running.clone() } else { version };
        Ok(SoakedVersion { version, since: Some(since) })
    });
    Ok(chosen.collect())
}

/// A time in seconds: over two days in days and hours, otherwise in hours, minutes and seconds.
fn shown_time(seconds: i64) -> String {
    const DAY: i64 = 24 * 60 * 60;
    let (days, rest) = (seconds / DAY, SignedDuration::from_secs(seconds % DAY));
    match (days, rest.is_zero()) {
        (0 | 1, _) => format!("{:#}", SignedDuration::from_secs(seconds)),
        (_, true) => format!("{days}d"),
        (_, false) => format!("{days}d {rest:#}"),
    }
}

/// Whether a place got `newer` after `older`, and it wasn't rolled back.
fn came_later(traces: &Traces, newer: &TagAndDigest, older: &TagAndDigest) -> bool {
    let is =
        |standing: &Standing, version: &TagAndDigest| same_tag(&standing.version.joined(), &version.joined());
    traces.values().any(|trace| {
        let bad = rolled_back(trace);
        let later = trace.iter().enumerate().take_while(|(_, standing)| !is(standing, older));
        later.filter(|(nth, _)| !bad.contains(nth)).any(|(_, standing)| is(standing, newer))
    })
}

/// The versions of one candidate, newest first, by file.
type Traces = BTreeMap<String, Vec<Standing>>;

/// The versions of each candidate, as far back as they matter.
fn traces(
    walk: &OriginWalk<'_>,
    reader: &EnvironmentReader<'_>,
    candidates: &[Candidate],
    clock: SoakClock,
    (branch, tip): (&FirstParents<'_>, CommitId),
) -> Result<Vec<Traces>, DecisionError> {
    let files = |candidate: &Candidate| {
        candidate.running.places.iter().map(|place| (place.reference.file.clone(), Vec::new())).collect()
    };
    let mut traces: Vec<Traces> = candidates.iter().map(files).collect();
    walk.walk(branch, tip, reader, candidates, &mut |nth, entry| {
        let image = &candidates[nth].target.name;
        if let (Some(trace), Some(standing)) =
            (traces[nth].get_mut(&entry.file), standing(branch, entry, image))
        {
            trace.push(standing);
        }
        !traces.iter().flat_map(BTreeMap::values).all(|trace| clock.is_decided(trace))
    })?;
    Ok(traces)
}

fn standing(branch: &FirstParents<'_>, entry: &TagEntry, image: &str) -> Option<Standing> {
    let by = entry.written.as_ref()?;
    let version = TagAndDigest::of_entry(entry);
    let mut taken_away: Vec<String> =
        claims_of(entry, image).rolled_back.into_iter().map(|bad| bad.tag).collect();
    for message in branch.merged_messages(by.commit) {
        let claimed = claims(&message, image, &version.joined()).unwrap_or_default();
        taken_away.extend(claimed.rolled_back.into_iter().map(|bad| bad.tag));
    }
    let since = since(branch, by.commit, by.time);
    Some(Standing { version, since, until: entry.until, taken_away })
}

/// How long a version must have run, and the time.
#[derive(Clone, Copy)]
struct SoakClock {
    soak: i64,
    now: i64,
}

impl SoakClock {
    fn has_soaked(&self, Standing { since, until, .. }: &Standing) -> bool {
        let until = until.unwrap_or(self.now).min(self.now);
        since.is_some_and(|since| until.saturating_sub(since) >= self.soak)
    }

    /// Whether older changes of a place don't matter: what runs now has soaked, or an earlier version has, and what was there
    /// before that is known.
    fn is_decided(&self, trace: &[Standing]) -> bool {
        let bad = rolled_back(trace);
        let soaked = |nth: &usize| !bad.contains(nth) && self.has_soaked(&trace[*nth]);
        match (0..trace.len()).find(soaked) {
            None => trace.len() >= MOST,
            Some(0) => true,
            Some(nth) => trace.len() > nth + BEFORE,
        }
    }

    /// The newest version that ran long enough in every place, and since when.
    fn newest(&self, traces: &Traces) -> Option<(TagAndDigest, i64)> {
        let soaked: Vec<Vec<(TagAndDigest, i64)>> = traces.values().map(|trace| self.soaked(trace)).collect();
        let (first, others) = soaked.split_first()?;
        let is_everywhere = |version: &TagAndDigest| {
            let is_it = |(other, _): &(TagAndDigest, i64)| same_tag(&other.joined(), &version.joined());
            others.iter().all(|versions| versions.iter().any(is_it))
        };
        first.iter().find(|(version, _)| is_everywhere(version)).cloned()
    }

    /// The versions that ran long enough in one place, newest first.
    fn soaked(&self, trace: &[Standing]) -> Vec<(TagAndDigest, i64)> {
        let bad = rolled_back(trace);
        let good =
            trace.iter().enumerate().filter(|(nth, _)| !bad.contains(nth)).map(|(_, standing)| standing);
        let soaked = good.filter(|standing| self.has_soaked(standing));
        soaked.filter_map(|standing| Some((standing.version.clone(), standing.since?))).collect()
    }
}

/// The positions of versions that were rolled back: a commit says so, or put an earlier version in their place.
fn rolled_back(trace: &[Standing]) -> HashSet<usize> {
    let mut bad = HashSet::new();
    let mut taken_away: Vec<&String> = Vec::new();
    for (nth, standing) in trace.iter().enumerate() {
        taken_away.extend(&standing.taken_away);
        let version = standing.version.joined();
        if taken_away.iter().any(|tag| same_tag(tag, &version)) {
            bad.insert(nth);
        }
        let came_back =
            (nth + 1..trace.len()).rev().find(|older| same_tag(&trace[*older].version.joined(), &version));
        bad.extend(came_back.into_iter().flat_map(|older| nth + 1..older));
    }
    bad
}

/// When a commit was made; `None` if it is dated long before the commits that it builds on.
fn since(commits: &dyn CommitStore, commit: CommitId, time: i64) -> Option<i64> {
    let parent = |commit: CommitId| commits.links(commit).ok()??.parents.first().copied();
    let earlier = std::iter::successors(parent(commit), |commit| parent(*commit)).take(EARLIER);
    let times = earlier.map_while(|commit| Some(commits.links(commit).ok()??.time));
    let newest = times.max().unwrap_or(time);
    (newest <= time.saturating_add(CLOCK_SKEW)).then(|| newest.max(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fake::{FakeCommits, id};

    const HOUR: i64 = 3600;

    /// A version that was set `since` hours ago and replaced `until` hours ago, if it was.
    fn stood(tag: &str, since: i64, until: Option<i64>) -> Standing {
        Standing {
            version: TagAndDigest { tag: Some(tag.to_owned()), digest: None },
            since: Some(-since * HOUR),
            until: until.map(|until| -until * HOUR),
            taken_away: Vec::new(),
        }
    }

    /// The version that has soaked for 12 hours now.
    fn newest(traces: &[&[Standing]]) -> Option<String> {
        let clock = SoakClock { soak: 12 * HOUR, now: 0 };
        let traces =
            traces.iter().enumerate().map(|(nth, trace)| (nth.to_string(), trace.to_vec())).collect();
        clock.newest(&traces).and_then(|(version, _)| version.tag)
    }

    #[test]
    fn long_times_are_in_days() {
        let hours = |hours: i64| shown_time(hours * HOUR);
        assert_eq!([hours(36), hours(2376), hours(49)], ["36h", "99d", "2d 1h"]);
    }

    #[test]
    fn newest_version_that_ran_long_enough_is_taken() {
        let trace = [stood("v3", 1, None), stood("v2", 20, Some(1)), stood("v1", 90, Some(20))];
        assert_eq!(newest(&[&trace]).as_deref(), Some("v2"));
        assert_eq!(newest(&[&trace[..1]]), None);
        let current = [stood("v3", 12, None), stood("v2", 20, Some(12))];
        assert_eq!(newest(&[&current]).as_deref(), Some("v3"));
    }

    #[test]
    fn version_comes_later_unless_it_was_rolled_back() {
        let later = |trace: &[Standing], one: &str, other: &str| {
            let version = |tag: &str| TagAndDigest { tag: Some(tag.to_owned()), digest: None };
            came_later(&Traces::from([(String::new(), trace.to_vec())]), &version(one), &version(other))
        };
        let mut trace = [stood("v3", 1, None), stood("v2", 20, Some(1)), stood("v1", 90, Some(20))];
        assert!(later(&trace, "v3", "v2") && later(&trace, "v2", "v1"));
        assert!(!later(&trace, "v2", "v2") && !later(&trace, "v1", "v2") && !later(&trace, "v0", "v2"));
        trace[0].taken_away.push("v2".to_owned());
        assert!(!later(&trace, "v2", "v1"));
    }

    /// Clocks that are ahead don't make a version older.
    #[test]
    fn time_that_has_not_come_yet_does_not_count() {
        let trace = [stood("v2", -20, None), stood("v1", 1, Some(-20))];
        assert_eq!(newest(&[&trace]), None);
    }

    #[test]
    fn every_place_must_have_run_it() {
        let one = [stood("v2", 20, None), stood("v1", 90, Some(20))];
        let other = [stood("v2", 2, None), stood("v1", 90, Some(2))];
        assert_eq!(newest(&[&one, &other]).as_deref(), Some("v1"));
    }

    #[test]
    fn version_that_was_rolled_back_never_counts() {
        let mut claimed = [stood("v3", 1, None), stood("v2", 40, Some(1)), stood("v1", 90, Some(40))];
        claimed[0].taken_away.push("v2".to_owned());
        assert_eq!(newest(&[&claimed]).as_deref(), Some("v1"));
        // by hand: an earlier version came back
        let by_hand = [
            stood("v3", 1, None),
            stood("v1", 2, Some(1)),
            stood("v2", 40, Some(2)),
            stood("v1", 90, Some(40)),
        ];
        assert_eq!(newest(&[&by_hand]).as_deref(), Some("v1"));
        assert!(rolled_back(&by_hand).contains(&2));
    }

    #[test]
    fn commit_is_never_older_than_the_commits_before_it() {
        let fake = FakeCommits::default();
        fake.commit(1, &[], &[]);
        fake.commit(2, &[1], &[]);
        let time = fake.links(id(1)).unwrap().unwrap().time;
        let made = |seconds_before: i64| since(&fake, id(2), time - seconds_before);
        assert_eq!(made(CLOCK_SKEW), Some(time), "clocks differ");
        assert_eq!(made(CLOCK_SKEW + 1), None, "it is dated back");
        assert_eq!(made(-60), Some(time + 60));
    }
}
