//! Where a push or a pull request lands, and who commits.

use std::sync::Arc;

use super::Bump;
use crate::decision::same_repository;
use crate::diagnostics::{BumpError, Error};
use crate::forge::ForgeSite;
use crate::git::{Checkout, Identity, RemoteUrl, UrlOrigin};
use crate::landing::remote::LandingTarget;
use crate::landing::{Backoff, SystemClock};

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
    pub(super) fn landing_target(&self, remote: LandingRemote) -> Result<LandingTarget, Error> {
        let LandingRemote { fetch, push, origin, author, committer, .. } = remote;
        let checkout = self.checkout()?;
        let branch = self.branch(checkout, &fetch)?;
        let base = self.settings.place.run.checked_out();
        let carry = if self.settings.delivery.landing.carry { checkout.carried(base)? } else { None };
        let signer = self.signer(&committer)?.map(Arc::new);
        Ok(LandingTarget { fetch, push, origin, branch, head: None, carry, author, committer, signer })
    }

    /// The time budget, which starts now.
    pub(super) fn backoff(&self) -> Backoff<'static> {
        Backoff::new(&SystemClock, self.settings.delivery.landing.timeout, fastrand::Rng::new())
    }

    /// The branch to land on. `None` is the remote's default branch.
    fn branch(&self, checkout: &Checkout, remote: &RemoteUrl) -> Result<Option<String>, BumpError> {
        let run = &self.settings.place.run;
        if let Some(branch) = &self.settings.delivery.landing.branch {
            return Ok(Some(branch.clone()));
        }
        if run.has_no_branch_of_its_own() {
            return Err(BumpError::NoBranch { event: run.event_name().to_owned() });
        }
        if let Some(branch) = checkout.branch() {
            return Ok(Some(branch));
        }
        let is_here = same_repository(run.repository.as_deref(), remote.slug().as_deref());
        Ok(run.branch().filter(|_| is_here && !checkout.is_stand_in()).map(str::to_owned))
    }
}
