//! Implements `--pr`: lands the bump on a separate branch and opens a pull request for it.
//!
//! A branch that holds only tagbump's commits is rebuilt on the base; on any other branch the bump goes on top. A pull request whose
//! change is already on the base is closed.

use super::Bump;
use super::auto_merge::OpenPull;
use super::push::land_on;
use super::remote::{keep_secrets, note_verification};
use super::report::BumpReport;
use crate::decision::{Decision, PrText};
use crate::diagnostics::{BumpError, Error};
use crate::forge::{
    self, Forge, ForgeBranch, ForgeError, ForgeKind, ForgeSite, ProposedPull, PullRequest, PullRequestSpec,
};
use crate::image::same_image;
use crate::landing::remote::GitBranch;
use crate::landing::{Backoff, Landing, TargetBranch as _};
use crate::object_id::CommitId;
use crate::output::{Outcome, PullRequestInfo, Report};
use crate::plan::{Plan, UpdateTarget};
use crate::settings::PullSettings;
use crate::visible::inline;

/// Where a pull request is made.
pub(super) struct PrLocation<'a> {
    pub site: &'a ForgeSite,
    /// The repository's page.
    pub page: &'a str,
    pub head: &'a str,
}

impl Bump<'_> {
    pub(super) fn open_pull_request(&self, report: &mut BumpReport) -> Result<(), Error> {
        let checkout = self.checkout()?;
        let remote = self.landing_remote()?;
        let site =
            remote.site.clone().ok_or_else(|| BumpError::NoForge { remote: remote.push.to_string() })?;
        if remote.push.slug().is_none() {
            return Err(BumpError::NoRepositoryName.into());
        }
        let page = self.page_of(&remote.push).unwrap_or_default();
        let mut backoff = self.backoff();
        let mut target = self.landing_target(remote, report)?;
        let context = self.context(Some(target.committer.clone()));
        let base = match &target.branch {
            Some(base) => base.clone(),
            None => self.default_branch(target.clone(), &mut backoff)?,
        };
        let head = self.head_branch(&base)?;
        (target.branch, target.head) = (Some(base), Some(head.clone()));
        let site = self.identified(site, &page, &mut backoff)?;
        let mut remote = self.remote_branch(checkout, target, Some(&site))?;
        report.warnings.extend(checkout.ignored_settings());
        report.warnings.extend(remote.git.withheld());
        if self.settings.delivery.dry_run {
            let done = self.rehearse_landing(&mut remote, &backoff, report);
            report.branch = Some(head);
            return keep_secrets(&remote.git, done, report);
        }
        let landed = land_on(&mut remote, &mut backoff, &context, report);
        report.branch = Some(head.clone());
        let location = PrLocation { site: &site, page: &page, head: &head };
        let done = landed.and_then(|landed| match site.kind() {
            Some(ForgeKind::GitLab) => self.report_merge_request(&remote, landed, &location, report),
            _ => self.propose(&mut remote, &mut backoff, landed, &location, report),
        });
        keep_secrets(&remote.git, done, report)
    }

    /// The forge, after asking an unknown server which one it is. A dry run asks nothing.
    fn identified(&self, site: ForgeSite, page: &str, backoff: &mut Backoff<'_>) -> Result<ForgeSite, Error> {
        if self.settings.delivery.dry_run {
            return Ok(site);
        }
        let http = self.checkout()?.http()?;
        let identified = backoff
            .retry(ForgeError::timed_out, |backoff| site.clone().identify(&http, page, backoff.deadline()));
        Ok(identified?)
    }

    fn pull_spec<'s>(
        &'s self,
        location: &PrLocation<'s>,
        text: &'s PrText,
        repository: &'s str,
        base: &'s str,
    ) -> PullRequestSpec<'s> {
        let PullSettings { labels, reviewers, assignees, draft, .. } = &self.settings.delivery.pull;
        PullRequestSpec {
            repository,
            base,
            page: location.page,
            head: location.head,
            title: &text.title,
            body: &text.body,
            labels,
            reviewers,
            assignees,
            draft: *draft,
        }
    }

    /// Opens, updates or closes the pull request of a branch as it is now.
    fn propose(
        &self,
        remote: &mut ForgeBranch,
        backoff: &mut Backoff<'_>,
        landed: Landing<Decision>,
        location: &PrLocation<'_>,
        report: &mut BumpReport,
    ) -> Result<(), Error> {
        let Landing { proposal: decision, commit, attempts, .. } = landed;
        warn_of_conflicts(&remote.git, commit, location, report);
        let repository = remote.git.slug().unwrap_or_default();
        let base = remote.git.branch().unwrap_or_default().to_owned();
        let spec = self.pull_spec(location, &decision.pull_request, &repository, &base);
        let git = &remote.git;
        let connect = || -> Result<Box<dyn Forge>, Error> {
            let token = forge::api_token(git, location.site)?;
            Ok(location.site.connect(git.http(), &token)?)
        };
        let outcome = match commit {
            Some(commit) => {
                let (forge, deadline) = (connect()?, backoff.deadline());
                let mut is_current =
                    || remote.tip(deadline).map_or(true, |tip| tip.published == Some(commit));
                let proposal = forge.propose(backoff, &spec, &mut is_current)?;
                let pull = proposal.pull.clone();
                report.is_repeated = attempts == 0 && !proposal.is_changed;
                note_proposal(proposal, report);
                let open = OpenPull { spec: &spec, pull: &pull, commit, git: &remote.git };
                self.merge_when_ready(&*forge, backoff, &open, report);
                note_verification(remote, commit, backoff, report);
                report.commit_url = Some(location.site.commit_url(location.page, commit));
                report.commit = Some(commit);
                Outcome::Proposed
            }
            None if decision.plan.leaves_any() || !git.has_head() => {
                report.outcome(&decision, Outcome::Proposed)
            }
            None if git.has_own_head() && proposes_others(git, &decision.plan) => {
                let head = location.head;
                report
                    .notices
                    .push(format!("{head} proposes other images too, so its pull request stays open"));
                Outcome::Already
            }
            None if git.has_own_head() => close(&*connect()?, backoff, &spec, report)?,
            None => keep_existing_pr(&*connect()?, backoff, &spec, report)?,
        };
        Ok(report.end(decision, outcome)?)
    }
}

/// Others may have changed the branch and its base in the same lines. A branch of tagbump's alone is rebuilt on the base.
pub(super) fn warn_of_conflicts(
    git: &GitBranch,
    commit: Option<CommitId>,
    location: &PrLocation<'_>,
    report: &mut BumpReport,
) {
    if git.has_own_head() || !git.has_head() {
        return;
    }
    let files = git.conflicts_with_base(commit);
    if files.is_empty() {
        return;
    }
    let (head, base) = (location.head, git.branch().unwrap_or_default());
    let files = inline(&files.join(", "));
    report.warnings.push(format!(
        "{head} has commits by others that conflict with {base} in {files}; merge {base} into {head}, or delete {head} and run again"
    ));
}

/// Whether the branch brings images that this bump doesn't name.
pub(super) fn proposes_others(git: &GitBranch, plan: &Plan) -> bool {
    let ours: Vec<&str> = plan.targets.iter().map(UpdateTarget::effective_name).collect();
    git.proposed_images().iter().any(|image| !ours.iter().any(|our| same_image(our, image)))
}

/// Closes the pull request: it has nothing left to propose.
fn close(
    forge: &dyn Forge,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    report: &mut Report,
) -> Result<Outcome, Error> {
    let closed = forge.close(backoff, spec)?;
    let note =
        |pull: &PullRequest| format!("{} was closed: its change is already on {}", pull.url, spec.base);
    report.notices.extend(closed.iter().map(note));
    report.pull_request = closed.map(pull_request_info);
    Ok(Outcome::Already)
}

/// Someone else's branch has the tag already. As long as its base lacks the tag, the pull request stays open.
fn keep_existing_pr(
    forge: &dyn Forge,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    report: &mut Report,
) -> Result<Outcome, Error> {
    let base_lacks_it = !spec.title.is_empty();
    match forge.find(backoff, spec)? {
        None if base_lacks_it => note_proposal(forge.propose(backoff, spec, &mut || true)?, report),
        found => report.pull_request = found.map(pull_request_info),
    }
    Ok(if base_lacks_it { Outcome::Proposed } else { Outcome::Already })
}

fn note_proposal(proposal: ProposedPull, report: &mut Report) {
    report.warnings.extend(proposal.warnings);
    report.pull_request = Some(pull_request_info(proposal.pull));
}

pub(super) fn pull_request_info(pull: PullRequest) -> PullRequestInfo {
    PullRequestInfo { number: pull.number, url: pull.url, auto_merge: false }
}
