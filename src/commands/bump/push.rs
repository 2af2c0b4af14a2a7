//! Implements `--push`: lands the bump on the remote branch and brings the checkout up to date with it.

use super::Bump;
use super::remote::{keep_secrets, note_verification};
use super::report::BumpReport;
use crate::decision::{Decision, DecisionBase, DecisionContext, DecisionMemory, decide};
use crate::diagnostics::{BumpError, Error};
use crate::forge::{ForgeBranch, ForgeSite};
use crate::git::{Checkout, SyncResult};
use crate::landing::{self, Backoff, Landing, NotLanded, TargetBranch as _};
use crate::object_id::CommitId;
use crate::output::Outcome;
use crate::visible::inline;

/// A bump that was landed, and from where.
struct LandedBump<'a> {
    landed: Landing<Decision>,
    checkout: &'a Checkout,
    site: Option<&'a ForgeSite>,
}

impl Bump<'_> {
    pub(super) fn push(&self, report: &mut BumpReport) -> Result<(), Error> {
        let checkout = self.checkout()?;
        let remote = self.landing_remote()?;
        let site = remote.site.clone();
        let mut backoff = self.backoff();
        let target = self.landing_target(remote, report)?;
        let context = self.context(Some(target.committer.clone()));
        let mut remote = self.remote_branch(checkout, target, site.as_ref())?;
        report.warnings.extend(checkout.ignored_settings());
        report.warnings.extend(remote.git.withheld());
        if self.settings.delivery.dry_run {
            let done = self.rehearse_landing(&mut remote, &backoff, report);
            return keep_secrets(&remote.git, done, report);
        }
        let landed = land_on(&mut remote, &mut backoff, &context, report);
        let done = landed.and_then(|landed| {
            let landed = LandedBump { landed, checkout, site: site.as_ref() };
            self.report_landing(landed, &mut remote, &backoff, report)
        });
        keep_secrets(&remote.git, done, report)
    }

    /// Decides what would be landed on the tip as it is now.
    pub(super) fn rehearse_landing(
        &self,
        remote: &mut ForgeBranch,
        backoff: &Backoff<'_>,
        report: &mut BumpReport,
    ) -> Result<(), Error> {
        let tip = remote.tip(backoff.deadline()).map_err(|error| match error.transient() {
            Ok((problem, _)) => BumpError::TipUnknown { problem }.into(),
            Err(error) => Error::from(error),
        })?;
        let (context, mut memory) = (self.context(None), DecisionMemory::default());
        let decision = landing::with_snapshot(remote, &tip, backoff.deadline(), |snapshot| {
            report.decided(decide(&context, DecisionBase::Tip(snapshot), &mut memory))
        })?;
        report.branch = remote.git.branch().map(str::to_owned);
        let outcome = report.outcome(&decision, Outcome::Planned);
        Ok(report.end(decision, outcome)?)
    }

    fn report_landing(
        &self,
        LandedBump { landed, checkout, site }: LandedBump<'_>,
        remote: &mut ForgeBranch,
        backoff: &Backoff<'_>,
        report: &mut BumpReport,
    ) -> Result<(), Error> {
        let Landing { proposal: decision, commit, .. } = landed;
        if !self.settings.delivery.landing.carry {
            self.note_own_commits(checkout, remote.git.branch(), report);
        }
        if let Some(commit) = commit {
            let dirty = checkout.uncommitted(decision.plan.edits.iter().map(|edit| edit.path.as_str()));
            report.warnings.extend(dirty.iter().map(|path| {
                format!("{}: has uncommitted changes in the checkout, which were not landed", inline(path))
            }));
            note_verification(remote, commit, backoff, report);
            self.sync(checkout, remote, backoff, commit, report);
        }
        let page = site.zip(remote.git.page());
        report.commit_url = page.zip(commit).map(|((site, page), commit)| site.commit_url(&page, commit));
        report.commit = commit;
        // even if it is only the checkout's own commits that were pushed
        let outcome = match report.commit.is_some() {
            true => Outcome::Landed,
            false => report.outcome(&decision, Outcome::Landed),
        };
        Ok(report.end(decision, outcome)?)
    }

    fn sync(
        &self,
        checkout: &Checkout,
        remote: &mut ForgeBranch,
        backoff: &Backoff<'_>,
        commit: CommitId,
        report: &mut BumpReport,
    ) {
        let landing = &self.settings.delivery.landing;
        if !landing.sync || checkout.is_stand_in() {
            return;
        }
        if remote.publisher().makes_own_commits() {
            // a commit that the server made must be fetched first; if that fails, sync reports it
            let _ = remote.tip(backoff.deadline());
        }
        match remote.git.sync(checkout, &landing.remote, commit, backoff.deadline()) {
            SyncResult::FastForwarded => report.details.push("the checkout was fast-forwarded".to_owned()),
            SyncResult::Skipped(why) => {
                report.notices.push(format!("the checkout was left unchanged: {why}"))
            }
        }
    }

    fn note_own_commits(&self, checkout: &Checkout, branch: Option<&str>, report: &mut BumpReport) {
        let base = self.settings.run_context.ci.checked_out();
        let remote = &self.settings.delivery.landing.remote;
        if branch.is_some_and(|branch| checkout.has_own_commits(remote, branch, base)) {
            report.notices.push("commits of the checkout that aren't on the remote stay local".to_owned());
        }
    }
}

/// Lands what is decided for each tip, and reports how that went, even if it failed.
pub(super) fn land_on(
    remote: &mut ForgeBranch,
    backoff: &mut Backoff<'_>,
    context: &DecisionContext<'_>,
    report: &mut BumpReport,
) -> Result<Landing<Decision>, Error> {
    let started = backoff.now();
    let mut memory = DecisionMemory::default();
    let landed = landing::land(remote, backoff, &mut |snapshot| {
        report.decided(decide(context, DecisionBase::Tip(snapshot), &mut memory))
    });
    report.elapsed = Some(backoff.now() - started);
    report.branch = remote.git.branch().map(str::to_owned);
    report.details.extend(remote.git.credential_label().map(|label| format!("credential: {label}")));
    let (attempts, log) = match &landed {
        Ok(landing) => (landing.attempts, &landing.log),
        Err(failed) => (failed.attempts, &failed.log),
    };
    report.attempts = attempts;
    report.details.extend(log.iter().cloned());
    landed.map_err(|NotLanded { error, .. }| error.into())
}
