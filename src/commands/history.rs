//! `tagbump history`: lists which tags an image has had, since when, for how long, and who set them.

use crate::build_info;
use crate::config::Config;
use crate::diagnostics::{CommandError, Error};
use crate::git::Checkout;
use crate::history::git::CommitWalk;
use crate::history::{self, CommitId, CommitStore, TagEntry};
use crate::image::Field;
use crate::landing::remote::RemoteHistory;
use crate::landing::{Backoff, SystemClock};
use crate::output::{HistoryEntry, HistoryOrigin, HistoryReport};
use crate::plan::{self, FileSource, Request, Scope, UpdateTarget};
use crate::settings::{HistorySettings, RemoteSettings, WorkLocation};

/// The time budget for everything that is fetched from the server.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// Reads the history, newest first.
///
/// # Errors
/// If there is no repository, or nothing in it names the image; with `--fetch`, also if the server can't be reached or
/// refuses.
pub fn run(settings: &HistorySettings) -> Result<HistoryReport, Error> {
    let place = &settings.place;
    let checkout = match &place.root {
        WorkLocation::Url(url) => Checkout::of_url(url, &place.environment)?,
        WorkLocation::Folder(folder) => Checkout::open(folder, &place.environment)?
            .ok_or_else(|| CommandError::NoRepository { folder: folder.display().to_string() })?,
    };
    let story = HistoryCommand { settings, checkout: &checkout };
    match &settings.remote {
        Some(remote) => story.of_remote(remote),
        None => {
            let (past, head) = CommitWalk::of_head(&checkout)?;
            story.tell(&past, head, &checkout.head_files()?)
        }
    }
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
        shelf: &dyn FileSource,
    ) -> Result<HistoryReport, Error> {
        let config = Config::load(shelf)?;
        let request = self.request(&config)?;
        let now = plan::some_mentions(shelf, &request)?;
        let image = request.targets.first().map(|target| target.name.clone()).unwrap_or_default();
        let service = config.service(&self.settings.image);
        let template = service.and_then(|service| service.tag.clone()).or_else(|| config.tag.clone());
        let template = template.unwrap_or_else(|| self.settings.default_template.clone());
        let mut entries = Vec::new();
        let HistorySettings { limit, since, place, .. } = self.settings;
        let mut take = |entry: TagEntry| {
            let is_in_time = entry.written.as_ref().zip(*since).is_none_or(|(by, since)| by.time >= since);
            if is_in_time && limit.is_none_or(|limit| entries.len() < limit) {
                let source = build_info::source_of_entry(&entry, &image, &template, Some(self.checkout));
                let source = source.map(|source| source.to_string());
                entries.push(HistoryEntry { entry, source });
            }
            is_in_time && limit.is_none_or(|limit| entries.len() < limit)
        };
        let reach = history::walk_history(commits, tip, (&request, &now), self.checkout.prefix(), &mut take)?;
        Ok(HistoryReport { image, entries, reach, origin: HistoryOrigin::Here, now: place.now })
    }

    fn request(&self, config: &Config) -> Result<Request, Error> {
        let HistorySettings { image, selection, .. } = self.settings;
        let service = config.service(image);
        let scope = match service {
            Some(service) => service.scope(selection)?,
            None => Scope::of_files(selection),
        };
        let target = UpdateTarget {
            name: service.map_or(image, |service| &service.image).clone(),
            new_name: Field::Unspecified,
            tag: None,
            digest: Field::Unspecified,
            service: service.map(|_| image.clone()),
            scope,
        };
        let services = config.names().map(str::to_owned).collect();
        Ok(Request { targets: vec![target], all: true, services, ..Request::default() })
    }
}
