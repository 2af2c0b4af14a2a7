//! Which of two builds is newer. Order is by ancestry, never by time: a slow build of an old commit finishes late.

use std::collections::HashMap;

use super::context::{DecisionContext, forge_kind, same_repository};
use crate::forge::{self, ForgeSite};
use crate::landing::{BuildOrder, TipSnapshot};
use crate::tag::Source;
use crate::visible::inline;

/// Orders commits, and remembers the orders that are known.
pub(super) struct BuildOrders<'a, 'm> {
    context: &'a DecisionContext<'a>,
    tip: TipSnapshot<'a>,
    known: &'m mut HashMap<(String, String), BuildOrder>,
}

impl<'a, 'm> BuildOrders<'a, 'm> {
    pub fn new(
        context: &'a DecisionContext<'a>,
        tip: TipSnapshot<'a>,
        known: &'m mut HashMap<(String, String), BuildOrder>,
    ) -> Self {
        BuildOrders { context, tip, known }
    }

    /// The order of our commit and the one that `tag` was built from.
    pub fn order_of_tag(&mut self, ours: &Source, theirs: &Source, tag: &str) -> BuildOrder {
        let (one, other) = (ours.repository.as_deref(), theirs.repository.as_deref());
        if one.is_some() && other.is_some() && !same_repository(one, other) {
            return BuildOrder::Unknown(format!("{} was built from another repository", inline(tag)));
        }
        self.order(ours, theirs)
    }

    /// The order of two commits of one repository.
    pub fn order(&mut self, ours: &Source, theirs: &Source) -> BuildOrder {
        let pair = (ours.sha.clone(), theirs.sha.clone());
        if let Some(known) = self.known.get(&pair) {
            return known.clone();
        }
        let order = if self.is_of_this_repository(ours) {
            self.tip.history.order(&ours.sha, &theirs.sha, self.tip.deadline)
        } else {
            self.order_via_forge(ours, theirs)
        };
        if !matches!(order, BuildOrder::Unknown(_)) {
            self.known.insert(pair, order.clone());
        }
        order
    }

    /// Whether the built commit is in the repository that the bump is pushed to.
    fn is_of_this_repository(&self, ours: &Source) -> bool {
        let Some(repository) = ours.repository.as_deref() else { return true };
        let remote = &self.context.settings.delivery.landing.remote;
        let urls = self.context.checkout().ok().and_then(|checkout| checkout.remote(remote).ok());
        urls.is_some_and(|(_, push)| same_repository(Some(repository), push.repository().as_deref()))
    }

    /// Asks the forge, with each token that may be allowed to read the repository.
    fn order_via_forge(&self, ours: &Source, theirs: &Source) -> BuildOrder {
        let repository = ours.repository.as_deref().unwrap_or_default();
        let mut why = format!("no token to read {repository}");
        for (site, token) in self.sites_and_tokens(repository) {
            match self.ask(&site, &token, repository, ours, theirs) {
                Ok(order) => return order,
                Err(error) => why = error,
            }
        }
        BuildOrder::Unknown(why)
    }

    fn ask(
        &self,
        site: &ForgeSite,
        token: &str,
        repository: &str,
        ours: &Source,
        theirs: &Source,
    ) -> Result<BuildOrder, String> {
        let checkout = self.context.checkout().map_err(|error| error.to_string())?;
        let http = checkout.http().map_err(|error| error.to_string())?;
        let forge = site.connect(&http, token).map_err(|error| error.to_string())?;
        forge.order(self.tip.deadline, repository, &ours.sha, &theirs.sha)
    }

    /// The runner's API and token for the repository that it builds, then those of the remote's host.
    fn sites_and_tokens(&self, repository: &str) -> Vec<(ForgeSite, String)> {
        let place = &self.context.settings.place;
        let (run, environment) = (&place.run, &place.environment);
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
