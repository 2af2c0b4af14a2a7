//! Sends requests to Gitea's API.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::error::GiteaError;
use super::response::{GiteaProblem, classify};
use crate::forge::api_answer::MAX_ANSWER;
use crate::forge::rest_client::{RestClient, RestClientError, SendError};
use crate::forge::{ForgeError, ForgeKind};
use crate::http::HttpSettings;
use crate::landing::{Backoff, FetchError};

/// An API of Gitea's or Forgejo's, with a token for it.
pub struct Gitea(RestClient);

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
    /// `http` is how to reach it; the address ends with `/api/v1`. Without a token, requests carry no credentials.
    ///
    /// # Errors
    /// If the address or the token is not valid, or the machine has no root certificates.
    pub fn new(http: &HttpSettings, api: &str, token: Option<&str>) -> Result<Self, ForgeError> {
        // Gitea knows access tokens and those of its runner by this scheme
        let authorization = token.map(|token| format!("token {token}"));
        let client = RestClient::new(http, ForgeKind::Gitea, api, authorization.as_deref());
        client.map(Gitea).map_err(|error| match error {
            RestClientError::NotHttps { address } => GiteaError::NotHttps { address }.into(),
            RestClientError::NotUsable { address, reason } => {
                GiteaError::NotUsable { address, reason }.into()
            }
            RestClientError::Http(error) => error.into(),
        })
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
        let (method, body) = ask.parts();
        // one byte more than is accepted, so that a longer answer is noticed
        let answer = self.0.send(deadline, method, route, body, MAX_ANSWER as u64 + 1);
        let answer = answer.map_err(|error| match error {
            SendError::NotSent(error) => GiteaProblem::NotSent(error),
            SendError::NoAnswer { what } => GiteaProblem::Transient { what, retry_after: None },
        })?;
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        classify(answer.status().as_u16(), retry_after, answer.body(), route)
    }
}
