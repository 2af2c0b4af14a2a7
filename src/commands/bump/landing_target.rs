//! Where a push or a pull request lands, and who commits.

use std::sync::Arc;

use super::Bump;
use super::report::BumpReport;
use crate::ci::{Ci, Pipeline};
use crate::decision::same_repository;
use crate::diagnostics::{BumpError, Error};
use crate::forge::ForgeSite;
use crate::git::{Checkout, Identity, RemoteUrl, UrlOrigin};
use crate::landing::remote::LandingTarget;
use crate::landing::{Backoff, SystemClock};
use crate::object_id::CommitId;
use crate::visible::inline;

/// The remote to land on, and who commits there.
pub(super) struct LandingRemote {
    pub push: RemoteUrl,
    /// The forge that hosts it.
    pub site: Option<ForgeSite>,
    fetch: RemoteUrl,
    origin: UrlOrigin,
    author: Identity,
    committer: Identity,
}

impl Bump<'_> {
    pub(super) fn landing_remote(&self) -> Result<LandingRemote, Error> {
        let checkout = self.checkout()?;
        let name = &self.settings.delivery.landing.remote;
        let (author, committer) = self.identities()?;
        let (fetch, push) = checkout.remote(name)?;
        let (site, origin) = (self.forge_site(&push), checkout.url_origin(name));
        Ok(LandingRemote { push, site, fetch, origin, author, committer })
    }

    /// The branch to land on, without a pull request's own branch.
    pub(super) fn landing_target(
        &self,
        remote: LandingRemote,
        report: &mut BumpReport,
    ) -> Result<LandingTarget, Error> {
        let LandingRemote { fetch, push, origin, author, committer, .. } = remote;
        let checkout = self.checkout()?;
        let branch = self.branch(checkout, &fetch, report)?;
        let base = self.settings.place.ci.checked_out();
        let landing = &self.settings.delivery.landing;
        let carry = match landing.carry {
            true => checkout.carried(base, &landing.remote, branch.as_deref())?,
            false => None,
        };
        let signer = self.signer(&committer)?.map(Arc::new);
        Ok(LandingTarget { fetch, push, origin, branch, head: None, carry, author, committer, signer })
    }

    /// The time budget, which starts now.
    pub(super) fn backoff(&self) -> Backoff<'static> {
        Backoff::new(&SystemClock, self.settings.delivery.landing.timeout, fastrand::Rng::new())
    }

    /// The branch to land on. `None` is the remote's default branch; a notice says why it is that one.
    fn branch(
        &self,
        checkout: &Checkout,
        remote: &RemoteUrl,
        report: &mut BumpReport,
    ) -> Result<Option<String>, BumpError> {
        let ci = &self.settings.place.ci;
        if let Some(branch) = &self.settings.delivery.landing.branch {
            return Ok(Some(branch.clone()));
        }
        check_for_branch(ci)?;
        if let Some(branch) = checkout.branch() {
            return lasting(branch).map(Some);
        }
        if checkout.is_stand_in() {
            return Ok(None);
        }
        let (branch, why) = match ci {
            Ci::Known(pipeline) => self.branch_of_pipeline(pipeline, checkout, remote)?,
            Ci::Unknown => return Err(BumpError::UnknownCi),
            Ci::None | Ci::Several(_) => (None, String::new()),
        };
        if branch.is_none() {
            report.notices.push(format!("HEAD is detached{why}: the target is the remote's default branch"));
        }
        branch.map(lasting).transpose()
    }

    /// The branch of a pipeline whose `HEAD` is detached; or none, and why.
    fn branch_of_pipeline(
        &self,
        pipeline: &Pipeline,
        checkout: &Checkout,
        remote: &RemoteUrl,
    ) -> Result<(Option<String>, String), BumpError> {
        let system = pipeline.system;
        let name = &self.settings.delivery.landing.remote;
        let is_same = same_repository(pipeline.repository.as_deref(), remote.repository().as_deref());
        let has_commit = |commit: CommitId| checkout.resolve(&commit.to_string()).is_some();
        let is_built_here = match (pipeline.commit, &pipeline.repository, &pipeline.branch) {
            // a runner of GitHub always knows the repository's name
            (Some(commit), ..) if !system.is_actions() => is_same || has_commit(commit),
            (_, Some(_), _) => is_same,
            (_, None, Some(branch)) if checkout.is_head_on(name, branch) => true,
            (_, None, _) => return Err(BumpError::UnclearRepository { system }),
        };
        match (&pipeline.branch, &pipeline.git_tag) {
            _ if !is_built_here => Ok((None, format!(", and {system} builds another repository"))),
            (Some(branch), _) => Ok((Some(branch.clone()), String::new())),
            (None, Some(tag)) => Ok((None, format!(", and this is the build of tag {}", inline(tag)))),
            (None, None) => Err(BumpError::NoPipelineBranch { system }),
        }
    }
}

/// Refuses a branch of GitHub's merge queue, which is deleted with everything on it once the queue has merged. Source: GitHub's
/// "Managing a merge queue", which asks other CI systems to build these branches.
fn lasting(branch: String) -> Result<String, BumpError> {
    match branch.starts_with("gh-readonly-queue/") {
        true => Err(BumpError::MergeQueue { branch }),
        false => Ok(branch),
    }
}

/// Fails for a run that has no branch to land on, even if `HEAD` is on one.
fn check_for_branch(ci: &Ci) -> Result<(), BumpError> {
    match ci {
        Ci::Several(_) => Err(BumpError::SeveralSystems { markers: ci.rival_markers() }),
        Ci::Known(pipeline) => match &pipeline.request {
            Some(event) if pipeline.system.is_actions() => Err(BumpError::NoBranch { event: event.clone() }),
            Some(variable) => {
                Err(BumpError::RequestBuild { system: pipeline.system, variable: variable.clone() })
            }
            None => Ok(()),
        },
        Ci::None | Ci::Unknown => Ok(()),
    }
}
