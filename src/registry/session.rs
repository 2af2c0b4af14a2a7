//! Requests to one repository of a registry, authenticated as the registry wants it.

use std::time::{Duration, Instant};

use url::Url;

use super::challenge::Challenge;
use super::credentials::RegistryCredential;
use super::token::{self, TokenRequest};
use super::{ImageRepository, RegistryCredentials, RegistryError};
use crate::http::{self, Agent, HeaderValue, HttpError, HttpSettings, Request, Response, TlsProblem, header};
use crate::landing::FetchError;
use crate::visible::inline;

/// Blobs are often kept elsewhere: the registry redirects to them.
const MAX_REDIRECTS: usize = 5;

/// A question to a repository.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    pub method: &'static str,
    /// Below the repository, such as `manifests/v1`.
    pub path: &'q str,
    pub accept: &'static str,
    /// How many bytes of the body are read at most.
    pub longest: u64,
}

/// An answer of the registry, or of the server that it redirected to.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    response: Response<Vec<u8>>,
    /// `None` if it was longer than asked for.
    pub is_cut: bool,
    is_registrys: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    pub fn body(&self) -> &[u8] {
        self.response.body()
    }

    /// How long the server asks us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    fn challenge(&self) -> Option<Challenge> {
        let values = self.response.headers().get_all(header::WWW_AUTHENTICATE);
        Challenge::choose(values.iter().filter_map(|value| value.to_str().ok()))
    }
}

/// A repository, and what authenticates us to its registry.
pub(super) struct RegistrySession<'a> {
    repository: &'a ImageRepository,
    http: &'a HttpSettings,
    credentials: &'a RegistryCredentials,
    /// Where the API is; on this machine it may turn out to be plain http.
    api: Url,
    agent: Agent,
    /// The credential, once it was looked for.
    credential: Option<Option<RegistryCredential>>,
    authorization: Option<HeaderValue>,
    /// What was sent or received, and must stay secret.
    secrets: Vec<String>,
}

impl<'a> RegistrySession<'a> {
    /// # Errors
    /// Fails if the settings for HTTP can't be used.
    pub fn new(
        repository: &'a ImageRepository,
        http: &'a HttpSettings,
        credentials: &'a RegistryCredentials,
    ) -> Result<Self, RegistryError> {
        let api = repository.api().clone();
        let agent = http.agent(&api)?;
        Ok(RegistrySession {
            repository,
            http,
            credentials,
            api,
            agent,
            credential: None,
            authorization: None,
            secrets: Vec::new(),
        })
    }

    pub fn into_secrets(self) -> Vec<String> {
        self.secrets
    }

    /// Where the credential comes from that was sent, if one was.
    pub fn credential_sent(&self) -> Option<&str> {
        self.credential.as_ref()?.as_ref().map(|credential| credential.label.as_str())
    }

    /// Asks once; if the registry wants authentication, once more with it.
    ///
    /// # Errors
    /// Transient errors, and what keeps us from authenticating. A refusal is an answer.
    pub fn ask(
        &mut self,
        question: Question<'_>,
        deadline: Instant,
    ) -> Result<Answer, FetchError<RegistryError>> {
        let answer = self.send(question, deadline)?;
        if answer.status != 401 || !answer.is_registrys {
            return Ok(answer);
        }
        match answer.challenge() {
            Some(challenge) if self.authenticate(&challenge, deadline)? => self.send(question, deadline),
            _ => Ok(answer),
        }
    }

    /// Sets the authorization that a challenge asks for. Returns whether there is one.
    fn authenticate(
        &mut self,
        challenge: &Challenge,
        deadline: Instant,
    ) -> Result<bool, FetchError<RegistryError>> {
        let credential = self.credential(deadline).map_err(FetchError::Permanent)?;
        let secret = credential.as_ref().map(|credential| &credential.secret);
        let authorization = match challenge {
            Challenge::Basic => secret.and_then(token::direct),
            Challenge::Bearer(bearer) => {
                let asked = TokenRequest { repository: self.repository, api: &self.api, bearer, secret };
                let label = credential.as_ref().map(|credential| credential.label.as_str());
                let fetched = token::fetch(&asked, label, self.http, deadline)?;
                self.secrets.extend(fetched.secrets);
                Some(fetched.authorization)
            }
        };
        self.authorization = authorization;
        Ok(self.authorization.is_some())
    }

    fn credential(&mut self, deadline: Instant) -> Result<Option<RegistryCredential>, RegistryError> {
        if self.credential.is_none() {
            let time = deadline.saturating_duration_since(Instant::now());
            let found = self.credentials.find(self.repository, time)?;
            self.secrets.extend(found.iter().flat_map(|credential| credential.secret.spellings()));
            self.credential = Some(found);
        }
        Ok(self.credential.clone().flatten())
    }

    /// Sends a request, and follows redirects: with the authorization to the registry itself, without it elsewhere.
    fn send(
        &mut self,
        question: Question<'_>,
        deadline: Instant,
    ) -> Result<Answer, FetchError<RegistryError>> {
        let mut url = self.url(question.path).map_err(FetchError::Permanent)?;
        for _ in 0..=MAX_REDIRECTS {
            let is_registrys = url.origin() == self.api.origin();
            let agent = match is_registrys {
                true => self.agent.clone(),
                // a client certificate is for the registry alone
                false => self
                    .http
                    .agent_without_certificate(&url)
                    .map_err(|error| FetchError::Permanent(error.into()))?,
            };
            let authorization = self.authorization.as_ref().filter(|_| is_registrys);
            let request = request(question, &url, authorization).map_err(FetchError::Permanent)?;
            let response = match http::exchange(&agent, request, deadline, question.longest + 1) {
                Ok(response) => response,
                Err(error) if self.may_speak_plain_http(&error) => {
                    self.use_plain_http()?;
                    return self.send(question, deadline);
                }
                Err(error) => return Err(failed(&error, &agent, self.repository.host())),
            };
            match self.redirect(&response, &url).map_err(FetchError::Permanent)? {
                Some(next) => url = next,
                None => {
                    let is_cut = response.body().len() as u64 > question.longest;
                    return Ok(Answer { status: response.status().as_u16(), response, is_cut, is_registrys });
                }
            }
        }
        Err(FetchError::Permanent(self.repository.not_a_registry("it redirects in a circle")))
    }

    fn url(&self, path: &str) -> Result<Url, RegistryError> {
        let url = self.api.join(&format!("{}/{path}", self.repository.path()));
        url.map_err(|_| RegistryError::NotAName { image: self.repository.path().to_owned() })
    }

    /// Where a response redirects to.
    fn redirect(&self, response: &Response<Vec<u8>>, url: &Url) -> Result<Option<Url>, RegistryError> {
        if !response.status().is_redirection() {
            return Ok(None);
        }
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let next = location.and_then(|location| url.join(location).ok());
        let next = next
            .ok_or_else(|| self.repository.not_a_registry("it redirects to something that is not a URL"))?;
        let is_safe = next.scheme() == "https" || next.origin() == self.api.origin();
        if is_safe {
            Ok(Some(next))
        } else {
            Err(self.repository.not_a_registry("it redirects to an address that is not https"))
        }
    }

    /// As docker does, talk plain http to a registry on this machine that speaks no TLS.
    fn may_speak_plain_http(&self, error: &http::Error) -> bool {
        self.repository.is_on_this_machine() && self.api.scheme() == "https" && http::speaks_no_tls(error)
    }

    fn use_plain_http(&mut self) -> Result<(), FetchError<RegistryError>> {
        let plain = self.api.as_str().replacen("https:", "http:", 1);
        let port = self.api.port_or_known_default();
        self.api = Url::parse(&plain)
            .map_err(|_| FetchError::Permanent(self.repository.not_a_registry("it has no address")))?;
        // 443 goes without saying in one URL only
        let _ = self.api.set_port(port);
        self.agent = self.http.agent(&self.api).map_err(|error| FetchError::Permanent(error.into()))?;
        Ok(())
    }
}

fn request(
    question: Question<'_>,
    url: &Url,
    authorization: Option<&HeaderValue>,
) -> Result<Request<Vec<u8>>, RegistryError> {
    let mut request = Request::builder()
        .method(question.method)
        .uri(url.as_str())
        .header(header::USER_AGENT, http::USER_AGENT)
        .header(header::ACCEPT, question.accept);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    request.body(Vec::new()).map_err(|_| RegistryError::NotARegistry {
        registry: url.host_str().unwrap_or_default().to_owned(),
        problem: "its address can't be used".to_owned(),
    })
}

/// Why a request got no answer. `server` is how messages call it.
pub(super) fn failed(error: &http::Error, agent: &Agent, server: &str) -> FetchError<RegistryError> {
    if let Some(error) = http::refused_by_proxy(error, agent) {
        return FetchError::Permanent(error.into());
    }
    if let Some(problem) = TlsProblem::in_error(error) {
        return FetchError::Permanent(HttpError::Tls { server: server.to_owned(), problem }.into());
    }
    let what = if http::was_too_slow(error) {
        "no answer in time".to_owned()
    } else {
        inline(&error.to_string()).to_string()
    };
    FetchError::Transient { what: format!("{server}: {what}"), retry_after: None }
}
