//! `tagbump history`: lists which tags an image has had, since when, for how long, and who set them.

use std::rc::Rc;

use super::open_checkout;
use crate::build_info;
use crate::config::Config;
use crate::decision::lookup_request;
use crate::diagnostics::Error;
use crate::git::Checkout;
use crate::git::tree::CommitFiles;
use crate::history::git::CommitWalk;
use crate::history::{self, CommitId, CommitStore, Extent, FollowedReferences, TagEntry, WritingCommit};
use crate::landing::remote::RemoteHistory;
use crate::landing::{Backoff, SystemClock, rolled_back_by};
use crate::output::{HistoryEntry, HistoryOrigin, HistoryReport};
use crate::plan::{self, CurrentReference, Request};
use crate::settings::{DEFAULT_REMOTE, HistorySettings, RemoteSettings};
use crate::visible::inline;

/// The time budget for everything that is fetched from the server.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// Reads the history, newest first.
///
/// # Errors
/// If there is no repository, or nothing in it names the image; with `--fetch`, also if the server can't be reached or
/// refuses.
pub fn run(settings: &HistorySettings) -> Result<HistoryReport, Error> {
    let checkout = open_checkout(&settings.place)?;
    let story = HistoryCommand { settings, checkout: &checkout };
    match &settings.remote {
        Some(remote) => story.of_remote(remote),
        None => {
            let (past, head) = CommitWalk::of_head(&checkout)?;
            story.tell(&past, head, &checkout.head_files()?)
        }
    }
}

/// How often the place of a tag may move before the history ends.
const MOST_MOVES: usize = 10;

/// The places that set the tag before the first one that a history found.
struct EarlierPlaces {
    /// The commit that replaced them.
    before: Rc<WritingCommit>,
    commit: CommitId,
    places: Vec<CurrentReference>,
}

/// The places that won before the oldest entry's commit added its place.
fn earlier(
    commits: &dyn CommitStore,
    files: &CommitFiles<'_>,
    request: &Request,
    entries: &[HistoryEntry],
) -> Option<EarlierPlaces> {
    let before = entries.last()?.entry.written.clone()?;
    let commit = *commits.links(before.commit).ok()??.parents.first()?;
    let places = plan::matching_references(&files.at(commit), request).ok()?;
    Some(EarlierPlaces { before, commit, places })
}

struct HistoryCommand<'a> {
    settings: &'a HistorySettings,
    checkout: &'a Checkout,
}

impl HistoryCommand<'_> {
    fn of_remote(&self, remote: &RemoteSettings) -> Result<HistoryReport, Error> {
        let branch = remote.branch.clone().or_else(|| self.checkout.branch());
        let clock = SystemClock;
        let mut backoff = Backoff::new(&clock, TIMEOUT, fastrand::Rng::new());
        let there = RemoteHistory::fetch(
            self.checkout,
            &remote.name,
            branch.as_deref(),
            &remote.tokens,
            &mut backoff,
        )?;
        let (past, tip) = there.past();
        match self.tell(&past, tip, &there.files()) {
            Ok(report) => Ok(HistoryReport { origin: HistoryOrigin::Fetched(past.trouble()), ..report }),
            Err(error) => Err(error.map_texts(|text| there.scrub(text))),
        }
    }

    fn tell(
        &self,
        commits: &dyn CommitStore,
        tip: CommitId,
        source: &CommitFiles<'_>,
    ) -> Result<HistoryReport, Error> {
        let config = Config::load(source)?;
        let HistorySettings { image, selection, env, .. } = self.settings;
        let request = lookup_request(&config, std::slice::from_ref(image), selection, env.as_deref())?;
        let remote = self.settings.remote.as_ref().map_or(DEFAULT_REMOTE, |remote| remote.name.as_str());
        let request = Request { repository_url: self.checkout.repository_url(remote), ..request };
        let mut now = plan::matching_references(source, &request)?;
        let image = request.targets.first().map(|target| target.name.clone()).unwrap_or_default();
        let service = config.service(&self.settings.image);
        let template = service.and_then(|service| service.tag.clone()).or_else(|| config.tag.clone());
        let template = template.unwrap_or_else(|| self.settings.default_template.clone());
        let mut entries = Vec::new();
        let HistorySettings { limit, since, place, .. } = self.settings;
        let (mut start, mut end, mut notices) = (tip, None, Vec::new());
        let take = |mut entry: TagEntry, end: Option<i64>, entries: &mut Vec<HistoryEntry>| {
            entry.until = entry.until.or(end);
            let is_in_time = entry.written.as_ref().zip(*since).is_none_or(|(by, since)| by.time >= since);
            if is_in_time && limit.is_none_or(|limit| entries.len() < limit) {
                let source = build_info::source_of_entry(&entry, &image, &template, Some(self.checkout));
                let source = source.map(|source| source.to_string());
                let rolled_back = rolled_back_by(&entry, &image);
                entries.push(HistoryEntry { entry, source, rolled_back });
            }
            is_in_time && limit.is_none_or(|limit| entries.len() < limit)
        };
        let prefix = self.checkout.prefix();
        let reach = loop {
            let mut is_full = false;
            let references = FollowedReferences { request: &request, now: &now };
            let reach = history::walk_history(commits, start, references, prefix, &mut |entry| {
                let goes_on = take(entry, end, &mut entries);
                is_full = !goes_on;
                goes_on
            })?;
            let earlier = (notices.len() < MOST_MOVES && reach == Extent::Complete && !is_full)
                .then(|| earlier(commits, source, &request, &entries))
                .flatten();
            let Some(EarlierPlaces { before, commit, places }) = earlier else { break reach };
            let at = places.first().map(|first| format!("{}:{}", inline(&first.file), first.line));
            notices.push(format!("before {}, {} set the tag", before.commit.short(), at.unwrap_or_default()));
            (start, end, now) = (commit, Some(before.time), places);
        };
        let origin = HistoryOrigin::Here;
        Ok(HistoryReport { image, entries, reach, origin, now: place.now, notices })
    }
}
