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
use watch::{End, StatusSource, Watch};

/// The time budget for the first look at the branch.
const FIRST_LOOK: Duration = Duration::from_secs(120);

/// Waits, and reports how that ended. `progress` gets a line about each look.
pub fn run(settings: &WaitSettings, clock: &dyn Clock, progress: &mut dyn FnMut(&str)) -> Report {
    let mut report = Report::new(Vec::new());
    let done = wait(settings, clock, progress, &mut report);
    let audience = diagnostics::audience(&settings.place.environment);
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
    let checkout = open_checkout(&settings.place)?;
    report.warnings.extend(checkout.ignored_settings());
    let remote = first_look(settings, &checkout, clock, report)?;
    let secrets = remote.secrets();
    let mut scrubbed = |text: &str| progress(&secrets.scrub(text));
    let deadline = started + settings.timeout;
    let waited = watch(settings, &checkout, clock, deadline, remote, &mut scrubbed, report);
    let seconds = clock.now().saturating_duration_since(started).as_secs();
    if let Some(info) = &mut report.wait {
        info.seconds = seconds;
    }
    waited.map_err(|error| error.map_texts(|text| secrets.scrub(text)))
}

fn first_look(
    settings: &WaitSettings,
    checkout: &Checkout,
    clock: &dyn Clock,
    report: &mut Report,
) -> Result<RemoteHistory, Error> {
    let remote = &settings.remote;
    let (url, _) = checkout.remote(&remote.name)?;
    let named = remote.branch.as_deref();
    let choice = BranchChoice { place: &settings.place, named, remote: &remote.name, checkout };
    let branch = choice.branch(&url, &mut report.notices)?;
    let mut backoff = Backoff::new(clock, FIRST_LOOK.min(settings.timeout), fastrand::Rng::new());
    Ok(RemoteHistory::fetch(checkout, &remote.name, branch.as_deref(), &remote.tokens, &mut backoff)?)
}

fn watch(
    settings: &WaitSettings,
    checkout: &Checkout,
    clock: &dyn Clock,
    deadline: Instant,
    remote: RemoteHistory,
    progress: &mut dyn FnMut(&str),
    report: &mut Report,
) -> Result<(), Error> {
    report.branch = Some(remote.branch().to_owned());
    let awaited = Awaited::find(settings, &remote, checkout)?;
    report.images.clone_from(&awaited.images);
    report.commit = Some(awaited.commit);
    report.wait = Some(WaitInfo { commit: awaited.commit.to_string(), ..WaitInfo::default() });
    if !settings.urls.is_empty() && settings.contains.is_none() && awaited.words.is_empty() {
        return Err(WaitError::NothingToShow.into());
    }
    report.warnings.extend(shown_by_any(settings, &awaited));
    let forge = match settings.statuses.is_empty() {
        true => None,
        false => Some(connected(settings, &remote, deadline, report)?),
    };
    let own_run = OwnRun::read(&settings.place.environment);
    let judge = LookJudge::new(&settings.statuses, settings.urls.len(), &own_run);
    let watch = Watch::new(settings, clock, deadline, remote, forge, &awaited, judge);
    match watch.until_the_end(progress, report.wait.get_or_insert_default())? {
        End::Live => report.outcome = Outcome::Live,
        End::Superseded { now } => {
            report.outcome = Outcome::Superseded;
            let branch = report.branch.as_deref().unwrap_or_default();
            report.notices.push(format!("the tags on {branch} have changed since: {now}"));
        }
    }
    Ok(())
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

/// The forge that has the statuses.
fn connected(
    settings: &WaitSettings,
    remote: &RemoteHistory,
    deadline: Instant,
    report: &mut Report,
) -> Result<StatusSource, Error> {
    let url = remote.url();
    let no_forge = || WaitError::NoForge { remote: url.to_string() };
    let page = page_of(url, settings.forge).ok_or_else(no_forge)?;
    let site = forge_site(&settings.place, url, settings.forge).ok_or_else(no_forge)?;
    let site = site.identify(remote.http(), &page, deadline).map_err(|error| match error.transient() {
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
    let token = remote.api_token();
    let token = token.ok_or_else(|| WaitError::NoToken { forge: kind, withheld: remote.missing_token() })?;
    Ok(StatusSource { reader: site.commits(remote.http(), &token)?, kind, repository })
}
