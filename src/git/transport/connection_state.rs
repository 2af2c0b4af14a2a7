//! What changes while tagbump talks to an HTTP server: the server's URL, after a redirect, and the credential.

use std::time::Duration;

use ureq::Agent;
use url::Url;

use crate::git::credentials::{Credential, Credentials, Secrets};
use crate::git::error::{GitError, GitSettingError};
use crate::http::HttpSettings;

pub(super) struct ConnectionState {
    /// For the server of `base`.
    pub agent: Agent,
    /// The repository's URL. A redirect of the first request changes it.
    pub base: Url,
    pub credentials: Credentials,
    pub credential: Option<Credential>,
    /// Whether the credential is the one in `.netrc`. If the server rejects it, helpers are asked.
    pub is_of_netrc: bool,
    /// All secrets ever known here: those that a redirect made us drop must not be shown either.
    pub secrets: Secrets,
    /// Why credentials that the user may have expected to be sent were withheld, and which settings have no effect.
    pub withheld: Vec<String>,
    /// Whether the server can leave out its progress.
    pub offers_no_progress: bool,
}

impl ConnectionState {
    /// # Errors
    /// Fails if git's HTTP settings or a configured header can't be used.
    pub fn new(base: Url, credentials: Credentials, settings: &HttpSettings) -> Result<Self, GitError> {
        let credential = credentials.at_hand()?;
        let mut secrets = credentials.secrets();
        secrets.extend(credential.as_ref());
        let mut withheld: Vec<String> = credentials.withheld().map(str::to_owned).into_iter().collect();
        withheld.extend(settings.ignored(&base));
        Ok(ConnectionState {
            agent: settings.agent(&base)?,
            base,
            credentials,
            credential,
            is_of_netrc: false,
            secrets,
            withheld,
            offers_no_progress: false,
        })
    }

    /// Finds another credential after the server asked for one: the one in `.netrc` if there is none yet, then that of
    /// git's credential helpers. Returns whether one was found.
    ///
    /// # Errors
    /// Fails if the URL can't be passed on to git.
    pub fn find_credential(&mut self, time: Duration) -> Result<bool, GitSettingError> {
        if self.credential.is_some() && !self.is_of_netrc {
            return Ok(false);
        }
        if self.credential.is_none() {
            let (found, withheld) = self.credentials.of_netrc();
            self.note_withheld(withheld);
            if found.is_some() {
                self.use_credential(found, true);
                return Ok(true);
            }
        }
        let (found, withheld) = self.credentials.ask_helper(time)?;
        self.note_withheld(withheld);
        let is_found = found.is_some();
        if is_found {
            self.use_credential(found, false);
        }
        Ok(is_found)
    }

    fn use_credential(&mut self, credential: Option<Credential>, is_of_netrc: bool) {
        self.secrets.extend(credential.as_ref());
        self.credential = credential;
        self.is_of_netrc = is_of_netrc;
    }

    fn note_withheld(&mut self, why: Option<String>) {
        let new = why.filter(|why| !self.withheld.contains(why));
        self.withheld.extend(new);
    }
}
