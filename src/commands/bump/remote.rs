//! The remote branch of a bump, and the forge that hosts it.

use super::Bump;
use crate::cli::Via;
use crate::commands::remote_site;
use crate::diagnostics::{BumpError, Error};
use crate::forge::gitlab::{GitLabPush, MergeRequestSettings, is_about_merge_requests};
use crate::forge::{self, ConfirmedPublisher, ForgeBranch, ForgeError, ForgeSite};
use crate::git::{Checkout, RemoteUrl};
use crate::landing::Backoff;
use crate::landing::remote::{GitBranch, GitPush, LandingTarget, Publisher, Verification};
use crate::object_id::CommitId;
use crate::output::Report;
use crate::visible::inline;

impl Bump<'_> {
    /// The repository's page.
    pub(super) fn page_of(&self, push: &RemoteUrl) -> Option<String> {
        remote_site::page_of(push, self.settings.delivery.landing.forge)
    }

    /// The branch to land on, with `--via`'s way to publish commits.
    pub(super) fn remote_branch(
        &self,
        checkout: &Checkout,
        target: LandingTarget,
        site: Option<&ForgeSite>,
    ) -> Result<ForgeBranch, Error> {
        let landing = &self.settings.delivery.landing;
        // a dry run publishes nothing, so it needs no token
        let publishes = !self.settings.delivery.dry_run;
        let git = GitBranch::new(checkout, target, &landing.tokens)?;
        let publisher: Box<dyn Publisher<ForgeError>> = match landing.via {
            Via::Api if publishes => api_publisher(&git, site)?,
            _ if publishes && !git.has_pull_request() => Box::new(GitPush::asking_early()),
            _ => Box::new(GitPush::default()),
        };
        let publisher = match (site, git.has_pull_request()) {
            (Some(ForgeSite::GitLab { .. }), true) => self.gitlab_publisher(&git)?,
            (Some(site), true) => Box::new(ConfirmedPublisher::new(publisher, site.clone())),
            _ => publisher,
        };
        Ok(ForgeBranch::new(git, publisher))
    }
}

impl Bump<'_> {
    /// Pushes that make or update a merge request.
    fn gitlab_publisher(&self, git: &GitBranch) -> Result<Box<dyn Publisher<ForgeError>>, Error> {
        if let Some(option) = git.push_options().iter().find(|option| is_about_merge_requests(option)) {
            return Err(ForgeError::OptionInTheWay { option: inline(option) }.into());
        }
        let pull = &self.settings.delivery.pull;
        let settings = MergeRequestSettings {
            labels: pull.labels.clone(),
            assignees: pull.assignees.clone(),
            draft: pull.draft,
        };
        Ok(Box::new(GitLabPush::new(settings)))
    }
}

fn api_publisher(git: &GitBranch, site: Option<&ForgeSite>) -> Result<Box<dyn Publisher<ForgeError>>, Error> {
    let site = site.ok_or(BumpError::ApiWithoutForge)?;
    let token = forge::api_token(git, site)?;
    let repository = git.slug().ok_or(BumpError::NoRepositoryName)?;
    let publisher = site.publisher(git.http(), &token, &repository)?;
    Ok(publisher.ok_or(BumpError::ApiWithoutForge)?)
}

/// Removes the remote's secrets from everything that is reported: servers may repeat what they were sent.
pub(super) fn keep_secrets(
    git: &GitBranch,
    done: Result<(), Error>,
    report: &mut Report,
) -> Result<(), Error> {
    let scrub = |text: &mut String| *text = git.scrub(text);
    let reported = [&mut report.warnings, &mut report.notices, &mut report.details];
    reported.into_iter().flatten().for_each(scrub);
    done.map_err(|error| error.map_texts(|text| git.scrub(text)))
}

/// Reports whether the server verified the signature of a commit that it made.
pub(super) fn note_verification(
    remote: &ForgeBranch,
    commit: CommitId,
    backoff: &Backoff<'_>,
    report: &mut Report,
) {
    match remote.publisher().verification(commit, backoff.deadline()) {
        Verification::NotSignedByServer => {}
        Verification::Verified => report.details.push("GitHub signed the commit: verified".to_owned()),
        Verification::Unverified { state } => {
            report.warnings.push(format!("GitHub made the commit, but doesn't show it as verified ({state})"))
        }
        Verification::Unknown => {
            report.warnings.push("can't determine whether GitHub verified the commit".to_owned());
        }
    }
}
