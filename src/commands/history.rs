//! `tagbump history`: lists which tags an image has had, since when, for how long, and who set them.

use std::rc::Rc;

use super::open_checkout;
use crate::build_info;
use crate::config::Config;
use crate::decision::{DecisionError, lookup_request};
use crate::diagnostics::Error;
use crate::git::Checkout;
use crate::git::tree::CommitFiles;
use crate::history::git::CommitWalk;
use crate::history::{
    self, CommitId, CommitStore, Extent, FollowedReferences, HistoryStart, MAX_MOVES, TagEntry, WritingCommit,
};
use crate::holds::HoldsFile;
use crate::landing::remote::RemoteHistory;
use crate::landing::{Backoff, SystemClock, rolled_back_by};
use crate::output::{HistoryEntry, HistoryOrigin, HistoryReport};
use crate::plan::{self, CurrentReference, Request};
use crate::settings::{DEFAULT_REMOTE, HistorySettings, RemoteSettings};
use crate::template::Template;
use crate::visible::inline;

/// The time budget for everything that is fetched from the server.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// Reads the history, newest first.
///
/// # Errors
/// If there is no repository, or nothing in it names the image; with `--fetch`, also if the server can't be reached or
/// refuses.
pub fn run(settings: &HistorySettings) -> Result<HistoryReport, Error> {
    let checkout = open_checkout(&settings.run_context)?;
    let command = HistoryCommand { settings, checkout: &checkout };
    match &settings.remote {
        Some(remote) => command.history_of_remote(remote),
        None => {
            let (past, head) = CommitWalk::of_head(&checkout)?;
            command.history(&past, head, &checkout.head_files()?)
        }
    }
}

/// The places that set the tag before the first one that a history found.
struct EarlierPlaces {
    /// The commit that replaced them.
    before: Rc<WritingCommit>,
    commit: CommitId,
    places: Vec<CurrentReference>,
}

/// The places that won before the oldest entry's commit added its place.
fn earlier_places(
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
    fn history_of_remote(&self, remote: &RemoteSettings) -> Result<HistoryReport, Error> {
        let branch = remote.branch.clone().or_else(|| self.checkout.branch());
        let mut backoff = Backoff::new(&SystemClock, TIMEOUT, fastrand::Rng::new());
        let fetched = RemoteHistory::fetch(
            self.checkout,
            &remote.name,
            branch.as_deref(),
            &remote.tokens,
            &mut backoff,
        )?;
        let (past, tip) = fetched.past();
        match self.history(&past, tip, &fetched.files()) {
            Ok(report) => Ok(HistoryReport { origin: HistoryOrigin::Fetched(past.trouble()), ..report }),
            Err(error) => Err(error.map_texts(|text| fetched.scrub(text))),
        }
    }

    /// Follows the places of the tag back from `tip`, to where they were before whenever a commit has moved them.
    fn history(
        &self,
        commits: &dyn CommitStore,
        tip: CommitId,
        files: &CommitFiles<'_>,
    ) -> Result<HistoryReport, Error> {
        let config = Config::load(files)?;
        // a history needs no holds, but a file that can't be read must be repaired before anything else
        HoldsFile::load(files).map_err(DecisionError::from)?;
        let request = self.request(&config)?;
        let mut now = plan::matching_references(files, &request)?;
        let mut list = self.list(&config, &request);
        let (mut start, mut notices) = (tip, Vec::new());
        let prefix = self.checkout.prefix();
        let reach = loop {
            let references = FollowedReferences { request: &request, now: &now };
            let reach = history::walk_history(
                HistoryStart { commits, tip: start, prefix },
                references,
                &mut |entry| list.take(entry),
            )?
            .extent;
            let is_cut = reach != Extent::Complete || list.is_full || notices.len() >= MAX_MOVES;
            let earlier = if is_cut { None } else { earlier_places(commits, files, &request, &list.entries) };
            let Some(EarlierPlaces { before, commit, places }) = earlier else { break reach };
            let at = places.first().map(|first| format!("{}:{}", inline(&first.file), first.line));
            notices.push(format!("before {}, {} set the tag", before.commit.short(), at.unwrap_or_default()));
            list.end = Some(before.time);
            (start, now) = (commit, places);
        };
        let HistoryList { image, entries, .. } = list;
        let (origin, now) = (HistoryOrigin::Here, self.settings.run_context.now);
        Ok(HistoryReport { image, entries, reach, origin, now, notices })
    }

    fn request(&self, config: &Config) -> Result<Request, Error> {
        let HistorySettings { image, selection, env, .. } = self.settings;
        let request = lookup_request(config, std::slice::from_ref(image), selection, env.as_deref())?;
        let remote = self.settings.remote.as_ref().map_or(DEFAULT_REMOTE, |remote| remote.name.as_str());
        Ok(Request { repository_url: self.checkout.repository_url(remote), ..request })
    }

    fn list(&self, config: &Config, request: &Request) -> HistoryList<'_> {
        let service = config.service(&self.settings.image);
        let template = service.and_then(|service| service.tag.clone()).or_else(|| config.tag.clone());
        HistoryList {
            settings: self.settings,
            checkout: self.checkout,
            image: request.targets.first().map(|target| target.name.clone()).unwrap_or_default(),
            template: template.unwrap_or_else(|| self.settings.default_template.clone()),
            end: None,
            entries: Vec::new(),
            is_full: false,
        }
    }
}

/// The entries that are shown.
struct HistoryList<'a> {
    settings: &'a HistorySettings,
    checkout: &'a Checkout,
    image: String,
    /// Names the commit in a tag.
    template: Template,
    /// When the places of the entries that come next were replaced by others, in seconds since the epoch.
    end: Option<i64>,
    /// Newest first.
    entries: Vec<HistoryEntry>,
    /// Older entries aren't shown.
    is_full: bool,
}

impl HistoryList<'_> {
    /// Adds an entry, if it isn't too old. Returns whether there is room for an older one.
    fn take(&mut self, mut entry: TagEntry) -> bool {
        entry.until = entry.until.or(self.end);
        let HistorySettings { limit, since, .. } = self.settings;
        let is_recent = entry.written.as_ref().zip(*since).is_none_or(|(by, since)| by.time >= since);
        let has_room = |entries: &[HistoryEntry]| limit.is_none_or(|limit| entries.len() < limit);
        if is_recent && has_room(&self.entries) {
            let source =
                build_info::source_of_entry(&entry, &self.image, &self.template, Some(self.checkout));
            let source = source.map(|source| source.to_string());
            let rolled_back = rolled_back_by(&entry, &self.image);
            self.entries.push(HistoryEntry { entry, source, rolled_back });
        }
        let goes_on = is_recent && has_room(&self.entries);
        self.is_full = !goes_on;
        goes_on
    }
}
