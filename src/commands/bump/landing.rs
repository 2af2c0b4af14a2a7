//! `--push`: the bump on the remote branch, and the checkout brought up to it.

use std::sync::Arc;

use super::ground::Ground;
use super::wording::same_repository;
use super::{Bump, report_plan};
use crate::cli::IfOlder;
use crate::config::Config;
use crate::error::{Exit, Failure, Result, inline};
use crate::git::{self, Checkout, Identity, LandingTarget, SyncResult};
use crate::landing::{
    self, Backoff, CommitProposal, FetchError, Landing, NotLanded, Propose, SystemClock, TipSnapshot,
};
use crate::output::{Outcome, Report};
use crate::plan::Plan;

impl Bump<'_> {
    pub(super) fn land(&self, report: &mut Report) -> Result<()> {
        let clock = SystemClock;
        let checkout = self.checkout()?;
        let landing = &self.settings.delivery.landing;
        let (author, committer) = self.identities()?;
        let (fetch, push) = checkout.remote(&landing.remote)?;
        let origin = checkout.url_origin(&landing.remote);
        let branch = self.branch(checkout, &fetch)?;
        let mut backoff = Backoff::new(&clock, landing.timeout, fastrand::Rng::new());
        let base = self.settings.place.run.checked_out();
        let carry = if landing.carry { checkout.carried(base)? } else { None };
        self.carries.set(carry.is_some());
        let signer = self.signer(&committer)?.map(Arc::new);
        let committer_ = committer.clone();
        let target = LandingTarget {
            fetch,
            push,
            origin,
            branch,
            head: None,
            carry,
            author,
            committer: committer_,
            signer,
        };
        let mut ground = self.ground(checkout, target)?;
        report.warnings.extend(ground.git().withheld());
        if self.settings.delivery.dry_run {
            return self.dry_landing(&mut ground, &backoff, report);
        }
        let landed = land_on(&mut ground, &mut backoff, report, &mut |seen| self.propose(seen, &committer));
        report.branch = ground.git().branch().map(str::to_owned);
        let done =
            landed.and_then(|landed| self.tell_landing(checkout, &mut ground, &backoff, landed, report));
        ground.keep_secrets(done, report)
    }

    /// The bump on a tip; its configuration is the tip's.
    pub(super) fn propose(&self, seen: TipSnapshot<'_>, committer: &Identity) -> Result<CommitProposal> {
        let config = Config::load(seen.files)?;
        let plan = self.guarded(seen, &config)?;
        let message = if plan.is_empty() { String::new() } else { self.message(committer, &config, &plan)? };
        Ok(CommitProposal { plan, message })
    }

    /// What would be landed on the tip as it is now.
    pub(super) fn dry_landing(
        &self,
        ground: &mut Ground,
        backoff: &Backoff<'_>,
        report: &mut Report,
    ) -> Result<()> {
        let place = ground.place();
        let tip = place.tip(backoff.deadline()).map_err(|trouble| match trouble {
            FetchError::Permanent(failure) => failure,
            FetchError::Transient { what, .. } | FetchError::Unreachable { what } => {
                Failure::other(what).hinted("check the network and run again")
            }
        })?;
        let planned = landing::with_snapshot(place, &tip, backoff.deadline(), |seen| {
            self.guarded(seen, &Config::load(seen.files)?)
        })?;
        report.branch = ground.git().branch().map(str::to_owned);
        self.end(planned, Outcome::Planned, report)
    }

    /// Tells what became of a plan; with `--if-older fail` an error where it came too late.
    pub(super) fn end(&self, planned: Plan, done: Outcome, report: &mut Report) -> Result<()> {
        let outcome = self.outcome(&planned, done);
        self.ended(planned, outcome, report)
    }

    /// As [`Self::end`], where the outcome is known.
    pub(super) fn ended(&self, planned: Plan, outcome: Outcome, report: &mut Report) -> Result<()> {
        let late = planned.notices.clone();
        report_plan(report, planned, outcome);
        if outcome == Outcome::Superseded && self.settings.delivery.landing.if_older == IfOlder::Fail {
            return Err(Failure::new(Exit::NotLanded, format!("not landed: {}", late.join("; "))).hinted(
                "what is there is newer, or was put back on purpose; --if-older write puts this over it",
            ));
        }
        Ok(())
    }

    fn tell_landing(
        &self,
        checkout: &Checkout,
        ground: &mut Ground,
        backoff: &Backoff<'_>,
        landed: Landing,
        report: &mut Report,
    ) -> Result<()> {
        let Landing { plan, commit, .. } = landed;
        if !self.settings.delivery.landing.carry {
            self.note_own_commits(checkout, ground.git().branch(), report);
        }
        if let Some(commit) = &commit {
            let dirty = checkout.uncommitted(plan.edits.iter().map(|edit| edit.path.as_str()));
            report.warnings.extend(dirty.iter().map(|path| {
                format!("{}: has uncommitted changes here, which were not landed", inline(path))
            }));
            ground.note_verification(commit, backoff, report);
            self.sync(checkout, ground, backoff, commit, report);
        }
        report.commit_url = commit.as_deref().and_then(|commit| ground.git().commit_url(commit));
        report.commit = commit;
        // also where it is nothing but what was carried
        let outcome =
            if report.commit.is_some() { Outcome::Landed } else { self.outcome(&plan, Outcome::Landed) };
        self.ended(plan, outcome, report)
    }

    fn sync(
        &self,
        checkout: &Checkout,
        ground: &mut Ground,
        backoff: &Backoff<'_>,
        commit: &str,
        report: &mut Report,
    ) {
        let landing = &self.settings.delivery.landing;
        if !landing.sync || checkout.is_stand_in() {
            return;
        }
        if matches!(ground, Ground::Api(_)) {
            // a commit of GitHub's making has to be fetched first; where that fails, sync says so
            let _ = ground.place().tip(backoff.deadline());
        }
        match git::sync(checkout, ground.git(), &landing.remote, commit, backoff.deadline()) {
            SyncResult::FastForwarded => report.details.push("the checkout was fast-forwarded".to_owned()),
            SyncResult::Skipped(why) => {
                report.notices.push(format!("the checkout was left as it was: {why}"))
            }
        }
    }

    fn note_own_commits(&self, checkout: &Checkout, branch: Option<&str>, report: &mut Report) {
        let base = self.settings.place.run.checked_out();
        let own =
            branch.is_some_and(|b| checkout.has_own_commits(&self.settings.delivery.landing.remote, b, base));
        if own {
            report.notices.push("commits of the checkout that are not on the remote stay local".to_owned());
        }
    }

    /// The branch to land on; nothing for the remote's default one.
    pub(super) fn branch(&self, checkout: &Checkout, remote: &git::RemoteUrl) -> Result<Option<String>> {
        let run = &self.settings.place.run;
        if let Some(branch) = &self.settings.delivery.landing.branch {
            return Ok(Some(branch.clone()));
        }
        if run.has_no_branch_of_its_own() {
            let event = run.event_name();
            return Err(Failure::usage(format!("{event} events have no branch to land on"))
                .hinted("name the branch to land on with --branch"));
        }
        if let Some(branch) = checkout.branch() {
            return Ok(Some(branch));
        }
        let here = same_repository(run.repository.as_deref(), remote.slug().as_deref());
        Ok(run.branch().filter(|_| here && !checkout.is_stand_in()).map(str::to_owned))
    }
}

/// Lands, and tells how it went, also where it failed.
pub(super) fn land_on(
    ground: &mut Ground,
    backoff: &mut Backoff<'_>,
    report: &mut Report,
    propose: &mut Propose<'_>,
) -> Result<Landing> {
    let started = backoff.now();
    let landed = landing::land(ground.place(), backoff, propose);
    report.elapsed = Some(backoff.now() - started);
    report.branch = ground.git().branch().map(str::to_owned);
    report.details.extend(ground.git().credential_label().map(|label| format!("credential: {label}")));
    let (attempts, log) = match &landed {
        Ok(landing) => (landing.attempts, &landing.log),
        Err(failed) => (failed.attempts, &failed.log),
    };
    report.attempts = attempts;
    report.details.extend(log.iter().cloned());
    landed.map_err(|NotLanded { failure, .. }| failure)
}
