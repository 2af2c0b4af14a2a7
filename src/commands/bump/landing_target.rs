//! Where a push or a pull request lands, and who commits.

use std::sync::Arc;

use super::Bump;
use super::report::BumpReport;
use crate::commands::branch_choice::BranchChoice;
use crate::commands::remote_site::forge_site;
use crate::diagnostics::Error;
use crate::forge::ForgeSite;
use crate::git::{Identity, RemoteUrl, UrlOrigin};
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
        let (site, origin) = (
            forge_site(&self.settings.run_context, &push, self.settings.delivery.landing.forge),
            checkout.url_origin(name),
        );
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
        let landing = &self.settings.delivery.landing;
        let choice = BranchChoice {
            run_context: &self.settings.run_context,
            named: landing.branch.as_deref(),
            remote: &landing.remote,
            checkout,
        };
        let branch = choice.branch(&fetch, &mut report.notices)?;
        let base = self.settings.run_context.ci.checked_out();
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
}
