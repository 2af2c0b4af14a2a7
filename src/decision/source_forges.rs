//! The forges that may know about commits of another repository than the one that the bump is landed in.

use super::context::{DecisionContext, forge_kind, same_repository};
use crate::forge::{self, CommitReader, ForgeSite};

/// Asks the forges, with each token that may be allowed to read the repository.
pub(super) struct SourceForges<'a> {
    pub context: &'a DecisionContext<'a>,
}

impl SourceForges<'_> {
    /// The first answer about a repository, `owner/name`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask<T>(
        &self,
        repository: &str,
        question: impl Fn(&dyn CommitReader) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut why = format!("no token to read {repository}");
        for (site, token) in self.sites_and_tokens(repository) {
            match self.connect(&site, &token).and_then(|forge| question(&*forge)) {
                Ok(answer) => return Ok(answer),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn connect(&self, site: &ForgeSite, token: &str) -> Result<Box<dyn CommitReader>, String> {
        let checkout = self.context.checkout().map_err(|error| error.to_string())?;
        let http = checkout.http().map_err(|error| error.to_string())?;
        site.commits(&http, token).map_err(|error| error.to_string())
    }

    /// The runner's API and token for the repository that it builds, then those of the remote's host.
    fn sites_and_tokens(&self, repository: &str) -> Vec<(ForgeSite, String)> {
        let run_context = &self.context.settings.run_context;
        let (run, environment) = (&run_context.run, &run_context.environment);
        let token = |names: &[&str]| {
            names.iter().find_map(|name| environment.get(name)).map(|token| token.trim().to_owned())
        };
        let server = run.server(environment);
        let is_own = same_repository(Some(repository), run.repository.as_deref());
        let runners = is_own.then(|| forge::choose_server(run, environment, server, None)).flatten();
        let runners = runners.zip(token(&["GITHUB_TOKEN", "GH_TOKEN"]));
        let asked = forge_kind(self.context.settings.delivery.landing.forge);
        let page = self.page_for_own_token();
        let remotes = page.and_then(|page| forge::choose(run, environment, &page, asked));
        // a token is not for a server that may be anything
        let remotes = remotes.filter(|site| site.kind().is_some()).zip(token(&["TAGBUMP_TOKEN"]));
        runners.into_iter().chain(remotes).collect()
    }

    /// The page of the remote, if `TAGBUMP_TOKEN` may be sent to its host.
    fn page_for_own_token(&self) -> Option<String> {
        let name = &self.context.settings.delivery.landing.remote;
        let checkout = self.context.checkout().ok()?;
        let (_, push) = checkout.remote(name).ok()?;
        checkout.url_origin(name).objection(&push).is_none().then(|| push.page())?
    }
}
