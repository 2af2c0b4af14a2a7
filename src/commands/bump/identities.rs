//! Who commits, and who signs.

use super::Bump;
use crate::cli::Via;
use crate::diagnostics::{BumpError, Error};
use crate::git::{GitError, Identity, Signer};

impl Bump<'_> {
    /// Author and committer: from flags, the environment, or git's configuration; in Actions, the bot.
    pub(super) fn identities(&self) -> Result<(Identity, Identity), Error> {
        let checkout = self.checkout()?;
        let environment = &self.settings.run_context.environment;
        let identity = |role: &str, variable: &str| -> Result<Option<Identity>, GitError> {
            let var = |what: &str| environment.get(&format!("GIT_{variable}_{what}")).map(str::to_owned);
            let (name, email) = checkout.identity(role)?;
            Ok(Identity::configured(var("NAME").or(name), var("EMAIL").or(email)))
        };
        // GitHub commits as the token's owner, whatever git's configuration is here
        let needs_no_name =
            self.settings.run_context.run.active || self.settings.delivery.landing.via == Via::Api;
        let bot = needs_no_name.then(|| {
            Identity::new("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
        });
        let given = self.settings.delivery.commit.author.clone();
        let committer = identity("committer", "COMMITTER")?.or(bot.clone()).or_else(|| given.clone());
        let author = match given {
            Some(given) => Some(given),
            None => identity("author", "AUTHOR")?.or(bot),
        };
        let missing = |who| BumpError::NoAuthor { who, unread: checkout.unread_identity() };
        let author = author.ok_or_else(|| missing("commit author"))?;
        let committer = committer.ok_or_else(|| missing("committer"))?;
        Ok((author.at(environment, "GIT_AUTHOR_DATE")?, committer.at(environment, "GIT_COMMITTER_DATE")?))
    }

    /// The signer of the commit. `None` in a dry run, and if GitHub signs the commit.
    pub(super) fn signer(&self, committer: &Identity) -> Result<Option<Signer>, Error> {
        if self.settings.delivery.landing.via == Via::Api {
            return Ok(None);
        }
        let signer = self.checkout()?.signer(self.settings.delivery.commit.sign, committer)?;
        Ok(signer.filter(|_| !self.settings.delivery.dry_run))
    }
}
