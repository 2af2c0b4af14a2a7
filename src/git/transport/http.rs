//! git's smart HTTP, protocol version 0, over rustls.
//!
//! Source: git's `Documentation/gitprotocol-http.txt`. Every answer is read to its end, so that one connection serves
//! a whole landing.

use std::io::Read;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, BodyReader, RequestBuilder};
use url::Url;

use super::connection_state::ConnectionState;
use super::{TransportError, redirect_target};
use crate::git::credentials::{Credential, Credentials};
use crate::git::error::{GitError, ServerError};
use crate::git::remote_url::shown_url;
use crate::http::{self, HttpError, HttpSettings, TlsProblem};
use crate::mutex::lock;

/// Servers recognise git by this user agent.
const NAME: &str = concat!("git/2 (tagbump ", env!("CARGO_PKG_VERSION"), ")");
/// git follows 20 redirects; a few are enough in practice.
const MAX_REDIRECTS: usize = 5;
/// How long a credential helper may take when tagbump only needs a token, outside of a transfer.
const HELPER_TIME: Duration = Duration::from_secs(30);
/// How much of an answer is read to keep the connection.
const MAX_REST: u64 = 256 * 1024;

/// A server that is reached over HTTP.
pub struct HttpServer {
    settings: HttpSettings,
    user_agent: String,
    state: Mutex<ConnectionState>,
}

impl HttpServer {
    /// Makes a server for the repository at `base`. It doesn't connect yet.
    ///
    /// # Errors
    /// Fails if git's HTTP settings or a configured header can't be used.
    pub fn new(base: Url, credentials: Credentials, settings: HttpSettings) -> Result<Self, GitError> {
        let user_agent = settings.user_agent(&base)?.unwrap_or(NAME).to_owned();
        let state = Mutex::new(ConnectionState::new(base, credentials, &settings)?);
        Ok(HttpServer { settings, user_agent, state })
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, ConnectionState> {
        lock(&self.state)
    }

    fn agent(&self) -> Agent {
        self.state().agent.clone()
    }

    /// The proxy that reads our requests, if there is one: for https it only opens tunnels.
    pub(super) fn forwarding_proxy(&self) -> Option<String> {
        let state = self.state();
        http::proxy_of(&state.agent).filter(|_| state.base.scheme() == "http")
    }

    /// The kind of credential in use, for messages.
    pub fn credential_label(&self) -> Option<String> {
        self.state().credential.as_ref().map(|c| c.label.clone())
    }

    /// The token in use. Without a credential, looks into `.netrc` and asks git's credential helpers first.
    pub fn token(&self) -> Option<String> {
        if self.credential_label().is_none() {
            // if asking fails, there is no token
            let _ = self.find_credential(HELPER_TIME);
        }
        self.state().credential.as_ref().and_then(Credential::token)
    }

    /// Why credentials that the user may have expected to be sent were withheld.
    pub fn withheld(&self) -> Vec<String> {
        self.state().withheld.clone()
    }

    /// Why there is no credential, as far as it is known; nothing if there is one.
    pub fn unsent(&self) -> Vec<String> {
        let state = self.state();
        if state.credential.is_some() { Vec::new() } else { state.unsent.clone() }
    }

    /// Masks every secret known here in a text.
    pub fn scrub(&self, text: &str) -> String {
        self.state().secrets.scrub(text)
    }

    fn list_url(&self, service: &str) -> Result<Url, TransportError> {
        self.url(&format!("info/refs?service=git-{service}"))
    }

    /// The list of references of a service. All redirects and credentials together have until `deadline`.
    pub(super) fn discover(
        &self,
        service: &str,
        deadline: Instant,
    ) -> Result<Response<Body>, TransportError> {
        let mut url = self.list_url(service)?;
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.get(&url, time_until(deadline))?;
            if answer.status() == StatusCode::UNAUTHORIZED && self.find_credential(time_until(deadline))? {
                finish(&mut answer.into_body().into_reader());
                continue;
            }
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(next) = redirect_target(&url, answer.status().as_u16(), location) else {
                return Ok(answer);
            };
            finish(&mut answer.into_body().into_reader());
            self.follow(&url, next?)?;
            url = self.list_url(service)?;
        }
        Err(ServerError::TooManyRedirects { url: shown_url(&url) }.into())
    }

    /// Asks once for the list of references of a service, at the URL and with the credential that are known by now.
    pub(super) fn discover_once(
        &self,
        service: &str,
        deadline: Instant,
    ) -> Result<Response<Body>, TransportError> {
        self.get(&self.list_url(service)?, time_until(deadline))
    }

    fn url(&self, path: &str) -> Result<Url, TransportError> {
        let base = self.state().base.clone();
        let text = format!("{}/{path}", base.as_str().trim_end_matches('/'));
        Url::parse(&text)
            .map_err(|e| ServerError::BadUrl { url: shown_url(&base), reason: e.to_string() }.into())
    }

    /// Sends all further requests where the first one was redirected to. The credential stays behind if the scheme
    /// changes, from http to https.
    fn follow(&self, from: &Url, base: Url) -> Result<(), TransportError> {
        if !self.settings.follows_redirects(from) {
            return Err(ServerError::RedirectsOff { url: shown_url(&base) }.into());
        }
        let mut state = self.state();
        if base.origin() != state.base.origin() {
            if let Some(credential) = state.credential.take() {
                let (label, shown) = (credential.label, shown_url(&base));
                state.unsent.push(format!(
                    "{label} was not sent to {shown}, which only a redirect named; \
                     if the repository has moved: git remote set-url origin {shown}"
                ));
            }
            state.is_of_netrc = false;
            state.credentials = Credentials::none();
            state.agent = self.settings.agent(&base).map_err(|e| TransportError::Final(e.into()))?;
        }
        state.base = base;
        Ok(())
    }

    /// Finds another credential after the server asked for one. Returns whether one was found.
    pub(super) fn find_credential(&self, time: Duration) -> Result<bool, TransportError> {
        self.state().find_credential(time).map_err(|e| TransportError::Final(e.into()))
    }

    /// The credential and the other configured headers.
    fn headers(&self) -> Vec<(String, String)> {
        let state = self.state();
        let mut headers = state.credentials.other_headers().to_vec();
        if let Some(credential) = &state.credential {
            headers.push((AUTHORIZATION.as_str().to_owned(), credential.header.clone()));
        }
        headers
    }

    fn get(&self, url: &Url, time: Duration) -> Result<Response<Body>, TransportError> {
        let agent = self.agent();
        let request = agent.get(url.as_str()).header("Pragma", "no-cache").header(ACCEPT, "*/*");
        self.prepared(request, time).call().map_err(|e| match e {
            ureq::Error::LargeResponseHeader(_, most) => too_many_headers(url, most),
            e => self.error(&e, &agent),
        })
    }

    pub(super) fn post(
        &self,
        service: &str,
        body: &[u8],
        time: Duration,
    ) -> Result<Response<Body>, TransportError> {
        let url = self.url(&format!("git-{service}"))?;
        let agent = self.agent();
        let request = agent
            .post(url.as_str())
            .header(CONTENT_TYPE, format!("application/x-git-{service}-request"))
            .header(ACCEPT, format!("application/x-git-{service}-result"));
        self.prepared(request, time).send(body).map_err(|e| self.error(&e, &agent))
    }

    fn error(&self, error: &ureq::Error, agent: &Agent) -> TransportError {
        match TlsProblem::in_error(error) {
            Some(problem) => {
                let server = shown_url(&self.state().base);
                TransportError::Final(ServerError::Http(HttpError::Tls { server, problem }))
            }
            None => transport_error(error, agent),
        }
    }

    /// Adds our headers and the time limits.
    fn prepared<B>(&self, request: RequestBuilder<B>, time: Duration) -> RequestBuilder<B> {
        let with = |request: RequestBuilder<B>, (name, value)| request.header::<String, String>(name, value);
        let (whole, stall) = http::patience(time);
        let request = request.header(USER_AGENT, &self.user_agent);
        let config = self.headers().into_iter().fold(request, with).config();
        config.timeout_global(whole).timeout_recv_response(stall).timeout_per_read(stall).build()
    }
}

fn time_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Reads the rest of an answer, so that the connection can be reused.
pub(super) fn finish(reader: &mut BodyReader<'_>) {
    let _ = std::io::copy(&mut reader.take(MAX_REST), &mut std::io::sink());
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let wait = date.timestamp().as_second() - now.as_second();
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

fn transport_error(error: &ureq::Error, agent: &Agent) -> TransportError {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, NotFound, TimedOut};
    let on_the_way = |why: &str| {
        let proxy = http::proxy_of(agent).map(|proxy| format!(" (through the proxy {proxy})"));
        TransportError::Unreachable(format!("{why}{}", proxy.unwrap_or_default()))
    };
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            on_the_way("no connection in time")
        }
        ureq::Error::Timeout(_) => TransportError::TimedOut,
        ureq::Error::HostNotFound => on_the_way("unknown host"),
        ureq::Error::ConnectionFailed => on_the_way(&error.to_string()),
        ureq::Error::ConnectProxyFailed(why) => match http::refused_by_proxy(error, agent) {
            Some(error) => TransportError::Final(error.into()),
            None => on_the_way(why),
        },
        ureq::Error::Io(e) => match e.kind() {
            ConnectionRefused | HostUnreachable | NetworkUnreachable | NotFound => on_the_way(&e.to_string()),
            TimedOut => TransportError::TimedOut,
            _ => TransportError::Broken(e.to_string()),
        },
        other => TransportError::Broken(other.to_string()),
    }
}

/// A final error: nothing was sent yet, and the server would send the same headers again.
fn too_many_headers(url: &Url, most: usize) -> TransportError {
    ServerError::TooManyHeaders { url: shown_url(url), kib: most / 1024 }.into()
}
