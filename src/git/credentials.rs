//! Finds the credentials for a server, and decides which servers may see them.
//!
//! tagbump tries these in order: `TAGBUMP_TOKEN`, the URL, the header that actions/checkout left in git's
//! configuration, `GITHUB_TOKEN` or `GH_TOKEN`, `.netrc`, and git's credential helpers. It uses the first that it finds,
//! and never a second one, but like git it asks the helpers if the server rejects the one in `.netrc`.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::UrlOrigin;
use super::credential_helper::CredentialHelpers;
use super::error::GitSettingError;
use super::masking::masked;
use super::netrc;
use super::remote_url::RemoteUrl;
use crate::environment::Environment;
use crate::http::{HttpSettings, is_loopback};

/// The user name that GitHub and most other hosts accept with any token.
const TOKEN_USER: &str = "x-access-token";

/// The tokens in the environment.
#[derive(Clone, Default)]
pub struct Tokens {
    /// All tokens, used or not.
    all: Vec<String>,
    own: Option<String>,
    github: Option<(&'static str, String)>,
    github_server: Option<Url>,
    /// `TAGBUMP_TOKEN` is there, but empty.
    own_is_blank: bool,
}

impl Tokens {
    /// Reads the tokens from their variables; an empty variable counts as unset.
    pub fn read(environment: &Environment) -> Self {
        let token = |name| environment.get(name).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        let github = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find_map(|name| Some((name, token(name)?)));
        let server = environment.get("GITHUB_SERVER_URL").unwrap_or("https://github.com");
        let all = ["TAGBUMP_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"].into_iter().filter_map(token).collect();
        Tokens {
            all,
            own: token("TAGBUMP_TOKEN"),
            github,
            github_server: Url::parse(server).ok(),
            own_is_blank: environment.is_blank("TAGBUMP_TOKEN"),
        }
    }

    /// Masks every token in a text.
    pub fn scrub(&self, text: &str) -> String {
        let encoded = self.all.iter().map(|token| STANDARD.encode(format!("{TOKEN_USER}:{token}")));
        let secrets: Vec<String> = encoded.chain(self.all.iter().cloned()).collect();
        masked(text, secrets.iter().map(String::as_str))
    }
}

/// One way to authenticate.
#[derive(Clone)]
pub struct Credential {
    /// The value of the Authorization header.
    pub header: String,
    /// Where it comes from, for messages.
    pub label: String,
    secrets: Vec<String>,
}

impl Credential {
    /// Only the password or the token.
    pub fn token(&self) -> Option<String> {
        let (scheme, value) = self.header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Some(value.trim().to_owned());
        }
        let text = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
        Some(text.split_once(':')?.1.to_owned())
    }

    fn basic(user: &str, password: &str, label: &str) -> Self {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        Credential {
            header: format!("Basic {encoded}"),
            label: label.to_owned(),
            secrets: vec![password.to_owned(), encoded],
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.label)
    }
}

/// Secrets that must never appear in output.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Adds the secrets of a credential.
    pub fn extend(&mut self, credential: Option<&Credential>) {
        self.0.extend(credential.into_iter().flat_map(|c| c.secrets.iter().cloned()));
    }

    /// These texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Secrets(texts.into_iter().map(str::to_owned).collect())
    }

    /// Masks them in a text.
    pub fn scrub(&self, text: &str) -> String {
        masked(text, self.0.iter().map(String::as_str))
    }
}

/// All credentials that apply to one remote.
#[derive(Default)]
pub struct Credentials {
    tokens: Tokens,
    url: Option<Url>,
    user: Option<String>,
    password: Option<String>,
    headers: Vec<(String, String)>,
    /// The checkout's helpers.
    helpers: Option<CredentialHelpers>,
    /// Why `TAGBUMP_TOKEN` is not sent.
    withheld: Option<String>,
    /// Why credentials in git's configuration don't count.
    unread: Vec<String>,
}

impl Credentials {
    /// No credentials, for a server that we were redirected to.
    pub fn none() -> Self {
        Credentials::default()
    }

    /// Collects the credentials for a remote. `http` and `helpers` are the checkout's; `origin` says who chose the
    /// remote's URL.
    pub fn new(
        remote: &RemoteUrl,
        origin: &UrlOrigin,
        tokens: &Tokens,
        http: &HttpSettings,
        helpers: CredentialHelpers,
    ) -> Self {
        let RemoteUrl::Http { url, user, password } = remote else {
            return Credentials::none();
        };
        // an empty header discards those before it, as in git
        let http = http.clone().with_user(user.as_deref());
        let headers = http.values("extraheader", url);
        let headers = headers.rsplit(|header| header.is_empty()).next().unwrap_or_default();
        Credentials {
            tokens: tokens.clone(),
            url: Some(url.clone()),
            user: user.clone(),
            password: password.clone(),
            headers: headers.iter().filter_map(|header| split_header(header)).collect(),
            helpers: Some(helpers),
            withheld: origin.objection(remote).filter(|_| tokens.own.is_some() && may_carry_token(url)),
            unread: Vec::new(),
        }
    }

    /// With the reasons why credentials in git's configuration don't count.
    pub fn with_unread(self, unread: Vec<String>) -> Self {
        Credentials { unread, ..self }
    }

    /// Why `TAGBUMP_TOKEN` is not sent, if the reason is where the URL comes from.
    pub fn withheld(&self) -> Option<&str> {
        self.withheld.as_deref()
    }

    /// Why credentials of the environment and the configuration are not sent, for an error about a request without any.
    pub fn unsent(&self) -> Vec<String> {
        let Some(url) = &self.url else { return Vec::new() };
        let server = url.origin().ascii_serialization();
        let mut unsent = self.unread.clone();
        if self.tokens.own_is_blank {
            unsent.push("TAGBUMP_TOKEN is set, but empty".to_owned());
        }
        let github = self.tokens.github.as_ref().map(|(name, _)| *name);
        let tokens = self.tokens.own.as_ref().map(|_| "TAGBUMP_TOKEN").into_iter().chain(github);
        if !may_carry_token(url) {
            unsent.extend(
                tokens.map(|name| {
                    format!("{name} was not sent: {server} is not encrypted; use an https remote")
                }),
            );
            return unsent;
        }
        let other = self.tokens.github_server.as_ref().filter(|own| own.origin() != url.origin());
        unsent.extend(github.zip(other).map(|(name, own)| {
            let own = own.origin().ascii_serialization();
            format!("{name} was not sent: it is for {own}, not for {server}; set TAGBUMP_TOKEN for that host")
        }));
        unsent
    }

    /// The first credential that is available without asking a helper.
    ///
    /// # Errors
    /// Fails if a configured header can't be sent over HTTP.
    pub fn at_hand(&self) -> Result<Option<Credential>, GitSettingError> {
        let Some(url) = &self.url else { return Ok(None) };
        let may_carry_token = may_carry_token(url);
        let user = self.user.as_deref();
        let own = self.tokens.own.as_deref().filter(|_| may_carry_token && self.withheld.is_none());
        if let Some(token) = own {
            return Ok(Some(Credential::basic(user.unwrap_or(TOKEN_USER), token, "TAGBUMP_TOKEN")));
        }
        if let (Some(user), Some(password)) = (user, &self.password) {
            return Ok(Some(Credential::basic(user, password, "the remote's URL")));
        }
        if let Some((_, value)) = self.headers.iter().rfind(|(name, _)| is_authorization(name)) {
            return configured(value).map(Some);
        }
        let is_github = |server: &Url| server.origin() == url.origin();
        let github = self.tokens.github.as_ref().filter(|_| may_carry_token);
        let github = github.filter(|_| self.tokens.github_server.as_ref().is_some_and(is_github));
        Ok(github.map(|(name, token)| Credential::basic(TOKEN_USER, token, name)))
    }

    /// The configured headers other than `Authorization`.
    pub fn other_headers(&self) -> Vec<(String, String)> {
        self.headers.iter().filter(|(name, _)| !is_authorization(name)).cloned().collect()
    }

    /// Every secret known here, used or not.
    pub fn secrets(&self) -> Secrets {
        let headers = self.headers.iter().filter(|(name, _)| is_authorization(name));
        let mut secrets: Vec<_> = headers.flat_map(|(_, value)| header_secrets(value)).collect();
        secrets.extend(self.tokens.all.iter().cloned());
        secrets.extend(self.password.clone());
        // a token can be a parameter
        let query = self.url.iter().flat_map(Url::query_pairs);
        secrets.extend(query.map(|(_, value)| value.into_owned()));
        Secrets(secrets)
    }

    /// Looks for the server in `.netrc`. Returns the credential, and why one there is not used.
    pub fn of_netrc(&self) -> (Option<Credential>, Option<String>) {
        let (Some(url), Some(helpers)) = (&self.url, &self.helpers) else { return (None, None) };
        let host = url.host_str().unwrap_or_default();
        match netrc::find(host, self.user.as_deref(), helpers.environment()) {
            Ok(Some(entry)) if may_carry_token(url) => {
                (Some(Credential::basic(&entry.login, &entry.password, netrc::FILE)), None)
            }
            Ok(Some(_)) => {
                let why =
                    format!("the password in {} was not sent to {host}: http is not encrypted", netrc::FILE);
                (None, Some(why))
            }
            Ok(None) => (None, None),
            Err(why) => (None, Some(why)),
        }
    }

    /// Asks git's credential helpers, as git would. Returns the credential, and why a helper may not have found one.
    ///
    /// # Errors
    /// Fails if the URL can't be passed on to git.
    pub fn ask_helper(
        &self,
        time: Duration,
    ) -> Result<(Option<Credential>, Option<String>), GitSettingError> {
        let (Some(url), Some(helpers)) = (&self.url, &self.helpers) else { return Ok((None, None)) };
        let answer = helpers.ask(url, self.user.as_deref(), time)?;
        let found = answer
            .found
            .map(|(user, password)| Credential::basic(&user, &password, "git's credential helper"));
        Ok((found, answer.withheld))
    }
}

/// Whether no other machine can read the connection: it is encrypted, or never leaves this machine.
fn may_carry_token(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

fn split_header(header: &str) -> Option<(String, String)> {
    let (name, value) = header.split_once(':')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

/// The secrets in an `Authorization` header: its last word, and the password encoded in it.
fn header_secrets(value: &str) -> Vec<String> {
    let word = value.split(' ').next_back().unwrap_or(value);
    let decoded = STANDARD.decode(word).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let password = decoded.and_then(|text| Some(text.split_once(':')?.1.to_owned()));
    std::iter::once(word.to_owned()).chain(password).collect()
}

fn configured(value: &str) -> Result<Credential, GitSettingError> {
    if value.is_empty() || value.bytes().any(|b| !(0x20..0x7f).contains(&b)) {
        return Err(GitSettingError::Header);
    }
    Ok(Credential {
        header: value.to_owned(),
        label: "the header in git's configuration (http.extraheader)".to_owned(),
        secrets: header_secrets(value),
    })
}
