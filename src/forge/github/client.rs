//! Sends requests to GitHub's REST API. octocrab's own retries are off: a POST that got a 502 may have done its work.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use octocrab::service::middleware::auth_header::AuthHeaderLayer;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::error::GitHubError;
use super::response::{ApiError, ApiResponse, classify_response};
use super::wire::Wire;
use crate::forge::ForgeError;
use crate::forge::api_answer::{is_safe, sensitive};
use crate::git::without_user;
use crate::http::{self, HeaderMap, HeaderValue, HttpError, HttpSettings, TlsProblem, Uri, header};
use crate::landing::{Backoff, FetchError};
use crate::visible::inline;

/// An API with a token for it.
pub struct GitHub {
    crab: Octocrab,
    wire: Wire,
    runtime: Runtime,
}

/// A request's method and body.
#[derive(Clone, Copy, Debug)]
pub enum ApiRequest<'a> {
    Get,
    Post(&'a Value),
    Patch(&'a Value),
    Put(&'a Value),
    /// Asks only for an answer that is newer than the one with this ETag.
    GetIfChanged {
        etag: Option<&'a str>,
    },
}

/// An answer to a request for something newer.
#[derive(Debug)]
pub(super) enum FreshAnswer {
    Unchanged,
    Changed { data: Value, etag: Option<String> },
}

impl GitHub {
    /// `http` is how to reach it.
    ///
    /// # Errors
    /// If the address or the token is not valid, or the machine has no root certificates.
    pub fn new(http: &HttpSettings, api: &str, token: &str) -> Result<Self, ForgeError> {
        let not_usable = |reason: String| GitHubError::NotUsable { address: without_user(api), reason };
        GitHub::with(http, api, Some(sensitive(&format!("Bearer {token}")).map_err(not_usable)?))
    }

    /// Without a token.
    ///
    /// # Errors
    /// As [`GitHub::new`].
    pub fn anonymous(http: &HttpSettings, api: &str) -> Result<Self, ForgeError> {
        GitHub::with(http, api, None)
    }

    fn with(http: &HttpSettings, api: &str, bearer: Option<HeaderValue>) -> Result<Self, ForgeError> {
        let not_usable = |reason: String| GitHubError::NotUsable { address: without_user(api), reason };
        let url = Url::parse(api).map_err(|e| not_usable(e.to_string()))?;
        if !is_safe(&url) {
            return Err(GitHubError::NotHttps { address: without_user(api) }.into());
        }
        let base: Uri = api.parse().map_err(|_| not_usable("the address is not valid".to_owned()))?;
        let runtime = Builder::new_current_thread().build().map_err(|e| not_usable(e.to_string()))?;
        let wire = Wire::new(http.agent(&url)?);
        let crab = octocrab(&runtime, &wire, base, bearer);
        Ok(GitHub { crab, wire, runtime })
    }

    /// Asks until there is an answer, or the budget is spent.
    ///
    /// # Errors
    /// If GitHub refuses, or the budget is spent.
    pub fn ask(
        &self,
        backoff: &mut Backoff<'_>,
        route: &str,
        ask: ApiRequest<'_>,
    ) -> Result<Value, ForgeError> {
        backoff.retry(ForgeError::timed_out, |backoff| self.once(backoff.deadline(), route, ask))
    }

    /// Asks once; gives up at `deadline`.
    ///
    /// # Errors
    /// Transient errors, and refusals.
    pub fn once(
        &self,
        deadline: Instant,
        route: &str,
        ask: ApiRequest<'_>,
    ) -> Result<Value, FetchError<ForgeError>> {
        Ok(self.request(deadline, route, ask)?)
    }

    /// Whether the server behind the address is GitHub: it says so to everyone.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub fn is_github(&self, deadline: Instant) -> Result<bool, FetchError<ForgeError>> {
        let answer = self.answer(deadline, "/", ApiRequest::Get)?;
        answer.is_githubs().ok_or_else(|| FetchError::Transient {
            what: "the server is too busy to say whether it is GitHub".to_owned(),
            retry_after: None,
        })
    }

    /// As [`GitHub::once`], with the reason of a refusal.
    pub(super) fn request(
        &self,
        deadline: Instant,
        route: &str,
        ask: ApiRequest<'_>,
    ) -> Result<Value, ApiError> {
        classify_response(self.answer(deadline, route, ask)?, route)
    }

    /// Asks once for an answer that is newer than the one with this ETag. An answer that isn't doesn't count against the rate limit
    /// (GitHub's "Best practices for using the REST API", "Use conditional requests").
    ///
    /// # Errors
    /// Transient errors, and refusals.
    pub(super) fn if_changed(
        &self,
        deadline: Instant,
        route: &str,
        etag: Option<&str>,
    ) -> Result<FreshAnswer, ApiError> {
        let answer = self.answer(deadline, route, ApiRequest::GetIfChanged { etag })?;
        if answer.is_unchanged() && etag.is_some() {
            return Ok(FreshAnswer::Unchanged);
        }
        let etag = answer.etag();
        Ok(FreshAnswer::Changed { data: classify_response(answer, route)?, etag })
    }

    fn answer(&self, deadline: Instant, route: &str, ask: ApiRequest<'_>) -> Result<ApiResponse, ApiError> {
        self.wire.give_up_at(deadline);
        let asked = self.runtime.block_on(self.send(route, ask));
        asked.map_err(|error| {
            if let Some(error) = http::refused_by_proxy(&error, self.wire.agent()) {
                return ApiError::NotSent(error);
            }
            if let Some(problem) = TlsProblem::in_error(&error) {
                return ApiError::NotSent(HttpError::Tls { server: "GitHub's API".to_owned(), problem });
            }
            let what = if http::was_too_slow(&error) { "no answer in time" } else { &causes(&error) };
            ApiError::Transient { what: format!("GitHub's API: {what}"), retry_after: None }
        })
    }

    async fn send(&self, route: &str, ask: ApiRequest<'_>) -> octocrab::Result<ApiResponse> {
        let response = match ask {
            ApiRequest::Get => self.crab._get(route).await?,
            ApiRequest::Post(body) => self.crab._post(route, Some(body)).await?,
            ApiRequest::Patch(body) => self.crab._patch(route, Some(body)).await?,
            ApiRequest::Put(body) => self.crab._put(route, Some(body)).await?,
            ApiRequest::GetIfChanged { etag } => {
                let value = etag.and_then(|etag| HeaderValue::from_str(etag).ok());
                let headers = value.map(|value| HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]));
                self.crab._get_with_headers(route, headers).await?
            }
        };
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let seconds = |name: &str| header(name).and_then(|text| text.parse::<u64>().ok());
        let spent = header("x-ratelimit-remaining") == Some("0");
        let reset = seconds("x-ratelimit-reset").filter(|_| spent).map(until_then);
        let retry_after = seconds("retry-after").map(Duration::from_secs).or(reset);
        let status = response.status().as_u16();
        let etag = header("etag").map(str::to_owned);
        let text = self.crab.body_to_string(response).await?;
        Ok(ApiResponse::read(status, retry_after, &text).with_etag(etag))
    }
}

fn octocrab(runtime: &Runtime, wire: &Wire, base: Uri, bearer: Option<HeaderValue>) -> Octocrab {
    let _inside = runtime.enter();
    let name = (header::USER_AGENT, HeaderValue::from_static(http::USER_AGENT));
    let Ok(crab) = OctocrabBuilder::new_empty()
        .with_service(wire.clone())
        .with_layer(&ExtraHeadersLayer::new(Arc::new(vec![name])))
        .with_layer(&BaseUriLayer::new(base.clone()))
        .with_layer(&AuthHeaderLayer::new(bearer, base.clone(), base))
        .with_auth(AuthState::None)
        .build();
    crab
}

fn until_then(epoch: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    Duration::from_secs(epoch.saturating_sub(now))
}

/// The error with what caused it: octocrab's own text is only its kind.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    inline(&texts.join(": "))
}
