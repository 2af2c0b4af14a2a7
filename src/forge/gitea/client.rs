//! Sends requests to Gitea's API.

use std::time::{Duration, Instant};

use serde_json::Value;
use url::Url;

use super::error::GiteaError;
use super::response::{GiteaProblem, MAX_ANSWER, classify};
use crate::forge::ForgeError;
use crate::git::without_user;
use crate::http::{self, Agent, HeaderValue, HttpError, HttpSettings, Request, TlsProblem, header};
use crate::landing::{Backoff, FetchError};
use crate::visible::inline;

const USER_AGENT: &str = concat!("tagbump/", env!("CARGO_PKG_VERSION"));

/// An API of Gitea's or Forgejo's, with a token for it.
pub struct Gitea {
    agent: Agent,
    /// Ends without a slash, as in `https://HOST/api/v1`.
    base: String,
    authorization: Option<HeaderValue>,
}

/// A request's method and body.
#[derive(Clone, Copy, Debug)]
pub enum GiteaRequest<'a> {
    Get,
    Post(&'a Value),
    Patch(&'a Value),
}

impl GiteaRequest<'_> {
    fn parts(self) -> (&'static str, Vec<u8>) {
        match self {
            GiteaRequest::Get => ("GET", Vec::new()),
            GiteaRequest::Post(body) => ("POST", body.to_string().into_bytes()),
            GiteaRequest::Patch(body) => ("PATCH", body.to_string().into_bytes()),
        }
    }
}

impl Gitea {
    /// `http` is how to reach it. Without a token, requests carry no credentials.
    ///
    /// # Errors
    /// If the address or the token is not valid, or the machine has no root certificates.
    pub fn new(http: &HttpSettings, api: &str, token: Option<&str>) -> Result<Self, ForgeError> {
        let not_usable = |reason: String| GiteaError::NotUsable { address: without_user(api), reason };
        let url = Url::parse(api).map_err(|e| not_usable(e.to_string()))?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && http::is_loopback(&url));
        if !is_safe {
            return Err(GiteaError::NotHttps { address: without_user(api) }.into());
        }
        let authorization = token.map(authorization).transpose().map_err(not_usable)?;
        Ok(Gitea { agent: http.agent(&url)?, base: api.trim_end_matches('/').to_owned(), authorization })
    }

    /// Asks until there is an answer, or the budget is spent.
    ///
    /// # Errors
    /// If Gitea refuses, or the budget is spent.
    pub fn ask(
        &self,
        backoff: &mut Backoff<'_>,
        route: &str,
        ask: GiteaRequest<'_>,
    ) -> Result<Value, ForgeError> {
        backoff.retry(ForgeError::timed_out, |backoff| Ok(self.request(backoff.deadline(), route, ask)?))
    }

    /// Asks once; gives up at `deadline`.
    ///
    /// # Errors
    /// Transient errors, and refusals.
    pub fn once(
        &self,
        deadline: Instant,
        route: &str,
        ask: GiteaRequest<'_>,
    ) -> Result<Value, FetchError<ForgeError>> {
        Ok(self.request(deadline, route, ask)?)
    }

    /// Whether the server behind the address is Gitea or Forgejo: both tell everyone their version.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub fn is_gitea(&self, deadline: Instant) -> Result<bool, FetchError<ForgeError>> {
        match self.request(deadline, "/version", GiteaRequest::Get) {
            Ok(answer) => Ok(answer["version"].is_string()),
            Err(GiteaProblem::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// As [`Gitea::once`], with the reason of a refusal.
    pub(super) fn request(
        &self,
        deadline: Instant,
        route: &str,
        ask: GiteaRequest<'_>,
    ) -> Result<Value, GiteaProblem> {
        let transient = |what: String| GiteaProblem::Transient {
            what: format!("Gitea's API: {what}"),
            retry_after: None,
        };
        let (method, body) = ask.parts();
        let mut request = Request::builder().method(method).uri(format!("{}{route}", self.base));
        request = request.header(header::USER_AGENT, USER_AGENT).header(header::ACCEPT, "application/json");
        if let Some(value) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value.clone());
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|error| transient(error.to_string()))?;
        // one byte more than is accepted, so that a longer answer is noticed
        let answer =
            http::exchange(&self.agent, request, deadline, MAX_ANSWER as u64 + 1).map_err(|error| {
                if let Some(error) = http::refused_by_proxy(&error, &self.agent) {
                    return GiteaProblem::NotSent(error);
                }
                if let Some(problem) = TlsProblem::in_error(&error) {
                    return GiteaProblem::NotSent(HttpError::Tls {
                        server: "Gitea's API".to_owned(),
                        problem,
                    });
                }
                transient(if http::was_too_slow(&error) {
                    "no answer in time".to_owned()
                } else {
                    inline(&error.to_string())
                })
            })?;
        let retry_after =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        classify(answer.status().as_u16(), retry_after.map(Duration::from_secs), answer.body(), route)
    }
}

/// Gitea knows access tokens and those of its runner by this header.
fn authorization(token: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("token {token}"))
        .map_err(|_| "the token has characters that aren't allowed in an HTTP header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
