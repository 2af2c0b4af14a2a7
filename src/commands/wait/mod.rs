//! `tagbump wait`: waits until a landed change is live.
//!
//! It polls three things: the branch, whether it still has the tags; the forge, for the statuses of the commit and of
//! the next ones; and pages. `awaited` is what is waited for, `page` asks a page and `page_text` reads it, `judge` says
//! what a look means, and `own_run` which statuses are this run's own.

mod awaited;
mod judge;
mod own_run;
mod page;
mod page_text;
mod watch;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::branch_choice::BranchChoice;
use super::open_checkout;
use super::remote_site::{forge_site, page_of};
use crate::diagnostics::{self, Error, WaitError};
use crate::forge::{ForgeError, ForgeKind, ForgeSite};
use crate::git::Checkout;
use crate::landing::remote::RemoteHistory;
use crate::landing::{Backoff, Clock};
use crate::output::{Outcome, Report, WaitInfo};
use crate::settings::WaitSettings;
use awaited::Awaited;
use judge::LookJudge;
use own_run::OwnRun;
use watch::{End, StatusSource, Watch, WatchMemory};

/// The time budget for the first look at the branch.
const FIRST_LOOK: Duration = Duration::from_secs(120);

/// Waits, and reports how that ended. `progress` gets a line about each look.
pub fn run(settings: &WaitSettings, clock: &dyn Clock, progress: &mut dyn FnMut(&str)) -> Report {
    let mut report = Report::new(Vec::new());
    let done = wait(settings, clock, progress, &mut report);
    let audience = diagnostics::audience(&settings.run_context.environment);
    match done {
        Ok(()) => report,
        Err(error) => report.failed(diagnostics::diagnose(error, audience)),
    }
}

fn wait(
    settings: &WaitSettings,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(&str),
    report: &mut Report,
) -> Result<(), Error> {
    let started = clock.now();
    let checkout = open_checkout(&settings.run_context)?;
    report.warnings.extend(checkout.ignored_settings());
    let wait = WaitRun { settings, clock, checkout: &checkout, deadline: started + settings.timeout };
    let remote = wait.first_look(report)?;
    let secrets = remote.secrets();
    let waited = wait.watch(remote, &mut |text| progress(&secrets.scrub(text)), report);
    let seconds = clock.now().saturating_duration_since(started).as_secs();
    if let Some(info) = &mut report.wait {
        info.seconds = seconds;
    }
    waited.map_err(|error| error.map_texts(|text| secrets.scrub(text)))
}

/// What stays the same while a run waits.
struct WaitRun<'a> {
    settings: &'a WaitSettings,
    clock: &'a dyn Clock,
    checkout: &'a Checkout,
    deadline: Instant,
}

impl WaitRun<'_> {
    /// Fetches the branch.
    fn first_look(&self, report: &mut Report) -> Result<RemoteHistory, Error> {
        let WaitRun { settings, checkout, .. } = *self;
        let remote = &settings.remote;
        let (url, _) = checkout.remote(&remote.name)?;
        let named = remote.branch.as_deref();
        let choice =
            BranchChoice { run_context: &settings.run_context, named, remote: &remote.name, checkout };
        let branch = choice.branch(&url, &mut report.notices)?;
        let time = FIRST_LOOK.min(settings.timeout);
        let mut backoff = Backoff::new(self.clock, time, fastrand::Rng::new());
        Ok(RemoteHistory::fetch(checkout, &remote.name, branch.as_deref(), &remote.tokens, &mut backoff)?)
    }

    /// Finds what is awaited, and watches until it is live.
    fn watch(
        &self,
        remote: RemoteHistory,
        progress: &mut dyn FnMut(&str),
        report: &mut Report,
    ) -> Result<(), Error> {
        let WaitRun { settings, clock, checkout, deadline } = *self;
        report.branch = Some(remote.branch().to_owned());
        let awaited = Awaited::find(settings, &remote, checkout)?;
        report.images.clone_from(&awaited.images);
        report.commit = Some(awaited.commit);
        report.wait = Some(WaitInfo { commit: awaited.commit.to_string(), ..WaitInfo::default() });
        if !settings.urls.is_empty() && settings.contains.is_none() && awaited.words.is_empty() {
            return Err(WaitError::NothingToShow.into());
        }
        report.warnings.extend(shown_by_any(settings, &awaited));
        let statuses = match settings.statuses.is_empty() {
            true => None,
            false => Some(self.status_source(&remote, report)?),
        };
        let own_run = OwnRun::read(&settings.run_context.environment);
        let judge = LookJudge::new(&settings.statuses, settings.urls.len(), &own_run);
        let (awaited, memory) = (&awaited, WatchMemory::default());
        let watch = Watch { settings, clock, deadline, remote, statuses, awaited, judge, memory };
        match watch.run(progress, report.wait.get_or_insert_default())? {
            End::Live => report.outcome = Outcome::Live,
            End::Superseded { now } => {
                report.outcome = Outcome::Superseded;
                let branch = report.branch.as_deref().unwrap_or_default();
                report.notices.push(format!("the tags on {branch} have changed since: {now}"));
            }
        }
        Ok(())
    }

    /// Connects to the forge that has the statuses.
    fn status_source(&self, remote: &RemoteHistory, report: &mut Report) -> Result<StatusSource, Error> {
        let (url, named) = (remote.url(), self.settings.forge);
        let no_forge = || WaitError::NoForge { remote: url.to_string() };
        let page = page_of(url, named).ok_or_else(no_forge)?;
        let site = forge_site(&self.settings.run_context, url, named).ok_or_else(no_forge)?;
        let site = site.identify(remote.http(), &page, self.deadline);
        let site = site.map_err(|error| match error.transient() {
            Ok((problem, _)) => Error::from(ForgeError::TimedOut { problem }),
            Err(ForgeError::NoForge { .. }) => no_forge().into(),
            Err(error) => error.into(),
        })?;
        let repository = match site {
            ForgeSite::GitLab { .. } => url.repository(),
            _ => url.slug(),
        };
        let repository = repository.ok_or_else(no_forge)?;
        report.commit_url = report.commit.map(|commit| site.commit_url(&page, commit));
        let kind = site.kind().unwrap_or(ForgeKind::GitHub);
        let no_token = || WaitError::NoToken { forge: kind, withheld: remote.missing_token() };
        let token = remote.api_token().ok_or_else(no_token)?;
        Ok(StatusSource { reader: site.commits(remote.http(), &token)?, kind, repository })
    }
}

/// A warning if pages alone decide, and each shows one of several images.
fn shown_by_any(settings: &WaitSettings, awaited: &Awaited) -> Option<String> {
    let pages_decide =
        !settings.urls.is_empty() && settings.contains.is_none() && settings.statuses.is_empty();
    let tags: BTreeSet<_> = awaited.images.iter().map(|image| (&image.tag, &image.digest)).collect();
    (pages_decide && tags.len() > 1).then(|| {
        "a page counts as soon as it shows the tag of one of these images; wait for each image by itself, with its own page"
            .to_owned()
    })
}
