//! The story of `tagbump history`: which tags an image has had, since when, for how long, and who brought them.

use crate::config::Config;
use crate::error::{Failure, Result};
use crate::facts;
use crate::git::{Checkout, RemotePast};
use crate::image::Part;
use crate::land::{Pace, SystemClock};
use crate::plan::{self, Request, Scope, Shelf, Want};
use crate::report::{Origin, Timeline, TimelineEntry};
use crate::settings::{HistorySettings, RemoteSettings, Root};
use crate::timeline::{self, Commits, Entry, Id};

/// How long a server may take, with all that is fetched.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// Reads the history, newest first.
///
/// # Errors
/// Exit 2 where there is no repository, exit 3 where nothing in it names the image; with `--fetch` exit 4 where
/// the server can't be reached, and 5 where it refuses.
pub fn run(settings: &HistorySettings) -> Result<Timeline> {
    let place = &settings.place;
    let checkout = match &place.root {
        Root::Url(url) => Checkout::of_url(url, &place.environment)?,
        Root::Folder(folder) => Checkout::open(folder, &place.environment)?.ok_or_else(|| {
            Failure::usage(format!("{}: is in no git repository", folder.display()))
                .hinted("name one with -C")
        })?,
    };
    let story = Story { settings, checkout: &checkout };
    match &settings.remote {
        Some(remote) => story.of_remote(remote),
        None => {
            let (past, head) = checkout.past()?;
            story.tell(&past, head, &checkout.head_files()?)
        }
    }
}

struct Story<'a> {
    settings: &'a HistorySettings,
    checkout: &'a Checkout,
}

impl Story<'_> {
    fn of_remote(&self, remote: &RemoteSettings) -> Result<Timeline> {
        let branch = remote.branch.clone().or_else(|| self.checkout.branch());
        let clock = SystemClock;
        let mut pace = Pace::new(&clock, TIMEOUT, fastrand::Rng::new());
        let there =
            RemotePast::fetch(self.checkout, &remote.name, branch.as_deref(), &remote.tokens, &mut pace)?;
        let (past, tip) = there.past();
        let told = self.tell(&past, tip, &there.files());
        let told = told.map(|told| Timeline { origin: Origin::Fetched(past.trouble()), ..told });
        told.map_err(|failure| Failure {
            message: there.scrub(&failure.message),
            hint: failure.hint.map(|hint| there.scrub(&hint)),
            ..failure
        })
    }

    fn tell(&self, commits: &dyn Commits, tip: Id, shelf: &dyn Shelf) -> Result<Timeline> {
        let config = Config::load(shelf)?;
        let request = self.request(&config)?;
        let now = plan::some_mentions(shelf, &request)?;
        let image = request.wants.first().map(|want| want.name.clone()).unwrap_or_default();
        let service = config.service(&self.settings.image);
        let template = service.and_then(|service| service.tag.clone()).or_else(|| config.tag.clone());
        let template = template.unwrap_or_else(|| self.settings.default_template.clone());
        let mut entries = Vec::new();
        let HistorySettings { limit, since, place, .. } = self.settings;
        let mut take = |entry: Entry| {
            let is_in_time = entry.written.as_ref().zip(*since).is_none_or(|(by, since)| by.time >= since);
            if is_in_time && limit.is_none_or(|limit| entries.len() < limit) {
                let source = facts::source_of_entry(&entry, &image, &template, Some(self.checkout));
                let source = source.map(|source| source.to_string());
                entries.push(TimelineEntry { entry, source });
            }
            is_in_time && limit.is_none_or(|limit| entries.len() < limit)
        };
        let reach = timeline::tell(commits, tip, (&request, &now), self.checkout.prefix(), &mut take)?;
        Ok(Timeline { image, entries, reach, origin: Origin::Here, now: place.now })
    }

    fn request(&self, config: &Config) -> Result<Request> {
        let HistorySettings { image, selection, .. } = self.settings;
        let service = config.service(image);
        let scope = match service {
            Some(service) => service.scope(selection)?,
            None => Scope::of_files(selection),
        };
        let want = Want {
            name: service.map_or(image, |service| &service.image).clone(),
            new_name: Part::Unsaid,
            tag: None,
            digest: Part::Unsaid,
            service: service.map(|_| image.clone()),
            scope,
        };
        let services = config.names().map(str::to_owned).collect();
        Ok(Request { wants: vec![want], all: true, services, ..Request::default() })
    }
}
