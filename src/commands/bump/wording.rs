//! Who commits and signs, and what the commit says of the built commit.

use super::Bump;
use crate::cli::Via;
use crate::config::Config;
use crate::error::{Failure, Result};
use crate::git::{Identity, Signer};
use crate::image::Tag;
use crate::landing::message::MessageParts;
use crate::plan::{Plan, UpdateTarget};
use crate::settings::Destination;
use crate::tag::Source;
use crate::template::Template;
use crate::{build_info, resolve_targets};

impl Bump<'_> {
    /// Author and committer: flags, environment, git's configuration, in Actions the bot.
    pub(super) fn identities(&self) -> Result<(Identity, Identity)> {
        let checkout = self.checkout()?;
        let environment = &self.settings.place.environment;
        let identity = |role: &str, variable: &str| -> Result<Option<Identity>> {
            let var = |what: &str| environment.get(&format!("GIT_{variable}_{what}")).map(str::to_owned);
            let (name, email) = checkout.identity(role)?;
            Ok(Identity::configured(var("NAME").or(name), var("EMAIL").or(email)))
        };
        // what GitHub commits, it commits as the token's owner, whoever git would be here
        let nobody = self.settings.place.run.active || self.settings.delivery.landing.via == Via::Api;
        let bot = nobody.then(|| {
            Identity::new("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
        });
        let given = self.settings.delivery.commit.author.clone();
        let committer = identity("committer", "COMMITTER")?.or(bot.clone()).or_else(|| given.clone());
        let author = match given {
            Some(given) => Some(given),
            None => identity("author", "AUTHOR")?.or(bot),
        };
        let (author, committer) = author.zip(committer).ok_or_else(|| {
            Failure::usage("git does not know who makes the commit").hinted(
                "git config user.name NAME and git config user.email EMAIL, or --author 'NAME <EMAIL>'",
            )
        })?;
        Ok((author.at(environment, "GIT_AUTHOR_DATE")?, committer.at(environment, "GIT_COMMITTER_DATE")?))
    }

    /// Who signs the commit; nobody where GitHub does, and in a dry run.
    pub(super) fn signer(&self, committer: &Identity) -> Result<Option<Signer>> {
        if self.settings.delivery.landing.via == Via::Api {
            return Ok(None);
        }
        let signer = self.checkout()?.signer(self.settings.delivery.commit.sign, committer)?;
        Ok(signer.filter(|_| !self.settings.delivery.dry_run))
    }

    pub(super) fn message(&self, committer: &Identity, config: &Config, plan: &Plan) -> Result<String> {
        self.words(resolve_targets::message(self.settings, config, plan), committer, config, plan)?
            .message(plan)
    }

    /// What a template makes for a pull request: a mark is for commits.
    pub(super) fn unmarked(
        &self,
        template: &Template,
        committer: &Identity,
        config: &Config,
        plan: &Plan,
    ) -> Result<String> {
        let words = self.words(Some(template), committer, config, plan)?;
        MessageParts { skip_ci: false, ..words }.message(plan)
    }

    fn words<'a>(
        &'a self,
        template: Option<&'a Template>,
        committer: &Identity,
        config: &Config,
        plan: &Plan,
    ) -> Result<MessageParts<'a>> {
        let backward = self.rollback_plan.borrow().clone();
        let source = match &backward {
            Some(backward) => backward.source.clone().map(|source| self.placed(source)).transpose()?,
            None => self.source(config, plan)?,
        };
        let commit = &self.settings.delivery.commit;
        Ok(MessageParts {
            template,
            facts: self.facts(),
            skip_ci: match commit.skip_ci {
                Some(asked) => asked,
                // CI has not seen what is carried
                None => !self.carries.get() && self.target_is_what_was_built(source.as_ref())?,
            },
            source: source.filter(|source| source.repository.is_some()).map(|source| source.to_string()),
            rolled_back: match backward {
                Some(backward) => backward.rolled_back,
                None => self.still_blocked.borrow().clone(),
            },
            signoff: commit.signoff.then(|| format!("{} <{}>", committer.name, committer.email)),
            prefix: self.checkout()?.prefix(),
        })
    }

    /// The commit that was built. Where nobody says in which repository: in the checkout's, if it is there.
    fn source(&self, config: &Config, plan: &Plan) -> Result<Option<Source>> {
        self.source_of(config, plan.targets.iter().find(|target| target.tag.is_some()))
    }

    /// The commit that a want's image was built from.
    pub(super) fn source_of(&self, config: &Config, tagged: Option<&UpdateTarget>) -> Result<Option<Source>> {
        let checkout = self.checkout()?;
        let tag = tagged.and_then(|target| target.tag.as_ref()).map(Tag::as_str);
        let service = tagged.and_then(|target| target.service.as_deref());
        let template = resolve_targets::tag_template(self.settings, config, service);
        let source = build_info::source(&self.settings.place, Some(checkout), tag, template);
        source.map(|source| self.placed(source)).transpose()
    }

    /// A commit that is here is of the repository here, where nobody says another.
    pub(super) fn placed(&self, mut source: Source) -> Result<Source> {
        let checkout = self.checkout()?;
        if source.repository.is_none() && checkout.resolve(&source.sha).is_some() {
            let remote = checkout.remote(&self.settings.delivery.landing.remote).ok();
            source.repository = remote.and_then(|(fetch, _)| fetch.slug());
        }
        Ok(source)
    }

    /// CI would build the same again. Where nobody says what was built, it was the checkout.
    fn target_is_what_was_built(&self, source: Option<&Source>) -> Result<bool> {
        let run = &self.settings.place.run;
        let built = source.and_then(|s| s.repository.as_deref()).or(run.repository.as_deref());
        let Some(built) = built else { return Ok(true) };
        let checkout = self.checkout()?;
        let remote = &self.settings.delivery.landing.remote;
        if self.settings.delivery.destination == Destination::LocalCommit && !checkout.has_remote(remote) {
            return Ok(true);
        }
        let (_, target) = checkout.remote(remote)?;
        Ok(same_repository(Some(built), target.slug().as_deref()))
    }
}

/// Hosts take `owner/name` in any case.
pub(super) fn same_repository(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
}
