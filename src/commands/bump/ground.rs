//! What a bump is landed on: a branch that git pushes to, or one that GitHub commits on.

use super::Bump;
use crate::cli::Via;
use crate::error::{Exit, Failure, Result};
use crate::forge::github::GitHubBranch;
use crate::git::{Checkout, GitRemoteBranch, LandingTarget};
use crate::landing::{Backoff, RemoteBranch};
use crate::output::Report;

pub(super) enum Ground {
    Git(Box<GitRemoteBranch>),
    Api(Box<GitHubBranch>),
}

impl Ground {
    /// The branch as git sees it. Reading is by git either way.
    pub fn git(&self) -> &GitRemoteBranch {
        match self {
            Ground::Git(place) => place,
            Ground::Api(place) => place.git(),
        }
    }

    pub fn place(&mut self) -> &mut dyn RemoteBranch {
        match self {
            Ground::Git(place) => &mut **place,
            Ground::Api(place) => &mut **place,
        }
    }

    /// Takes the remote's secrets out of all that is told: servers may repeat what they were sent.
    pub fn keep_secrets(&self, done: Result<()>, report: &mut Report) -> Result<()> {
        let scrub = |text: &mut String| *text = self.git().scrub(text);
        let told = [&mut report.warnings, &mut report.notices, &mut report.details];
        told.into_iter().flatten().for_each(scrub);
        done.map_err(|failure| failure.map_texts(|text| self.git().scrub(text)))
    }

    /// Says whether GitHub verified the commit, where it was GitHub that made it.
    pub fn note_verification(&self, commit: &str, backoff: &Backoff<'_>, report: &mut Report) {
        let Ground::Api(place) = self else { return };
        match place.verification(commit, backoff.deadline()) {
            Some(told) if told.verified => {
                report.details.push("GitHub signed the commit: verified".to_owned())
            }
            Some(told) => report.warnings.push(format!(
                "GitHub made the commit, but does not show it as verified ({}); does this server sign?",
                told.state
            )),
            None => report.warnings.push("whether GitHub verified the commit could not be asked".to_owned()),
        }
    }
}

impl Bump<'_> {
    pub(super) fn ground(&self, checkout: &Checkout, target: LandingTarget) -> Result<Ground> {
        let landing = &self.settings.delivery.landing;
        let page = target.push.page();
        let place = GitRemoteBranch::new(checkout, target, &landing.tokens)?;
        // a look needs no token
        if landing.via == Via::Git || self.settings.delivery.dry_run {
            return Ok(Ground::Git(Box::new(place)));
        }
        let run = &self.settings.place.run;
        let apis = page.and_then(|page| run.apis(&self.settings.place.environment, &page));
        let apis = apis.ok_or_else(|| {
            Failure::usage("--via api needs a remote on GitHub, over http or https")
                .hinted("name the remote with --remote, or land with --via git")
        })?;
        let token = place.api_token().ok_or_else(|| no_token(&place))?;
        Ok(Ground::Api(Box::new(GitHubBranch::new(place, &apis.graphql, &token)?)))
    }
}

/// There is nobody to ask the API as.
pub(super) fn no_token(place: &GitRemoteBranch) -> Failure {
    let lines = std::iter::once("there is no token for GitHub's API".to_owned()).chain(place.withheld());
    Failure::new(Exit::Refused, lines.collect::<Vec<_>>().join("\n"))
        .hinted("set TAGBUMP_TOKEN, or GITHUB_TOKEN with contents: write (and pull-requests: write for --pr)")
}
