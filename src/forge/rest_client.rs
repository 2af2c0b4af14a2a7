//! Sends requests to a forge's REST API over tagbump's own HTTP client.

use std::time::Instant;

use url::Url;

use super::ForgeKind;
use super::api_answer::{is_safe, sensitive};
use crate::git::without_user;
use crate::http::{self, Agent, HeaderValue, HttpError, HttpSettings, Request, Response, TlsProblem, header};
use crate::visible::inline;

/// An API, with what authorises us there.
pub struct RestClient {
    agent: Agent,
    forge: ForgeKind,
    /// Ends without a slash, as in `https://HOST/api/v1`.
    base: String,
    authorization: Option<HeaderValue>,
}

/// Why an API can't be used.
#[derive(Debug)]
pub enum RestClientError {
    NotHttps { address: String },
    NotUsable { address: String, reason: String },
    Http(HttpError),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum SendError {
    /// The request didn't get to the server, and wouldn't the next time.
    NotSent(HttpError),
    NoAnswer {
        what: String,
    },
}

impl RestClient {
    /// `authorization` is the header's value; `None` sends no credentials.
    ///
    /// # Errors
    /// If the address or the header is not valid, or the machine has no root certificates.
    pub fn new(
        http: &HttpSettings,
        forge: ForgeKind,
        api: &str,
        authorization: Option<&str>,
    ) -> Result<Self, RestClientError> {
        let not_usable = |reason: String| RestClientError::NotUsable { address: without_user(api), reason };
        let url = Url::parse(api).map_err(|e| not_usable(e.to_string()))?;
        if !is_safe(&url) {
            return Err(RestClientError::NotHttps { address: without_user(api) });
        }
        let authorization = authorization.map(sensitive).transpose().map_err(not_usable)?;
        let agent = http.agent(&url).map_err(RestClientError::Http)?;
        Ok(RestClient { agent, forge, base: api.trim_end_matches('/').to_owned(), authorization })
    }

    /// Sends a request with a JSON body, or none if that is empty. Reads no more than `longest` bytes of the answer.
    ///
    /// # Errors
    /// If there is no answer before `deadline`.
    pub fn send(
        &self,
        deadline: Instant,
        method: &str,
        route: &str,
        body: Vec<u8>,
        longest: u64,
    ) -> Result<Response<Vec<u8>>, SendError> {
        let mut request = Request::builder().method(method).uri(format!("{}{route}", self.base));
        request =
            request.header(header::USER_AGENT, http::USER_AGENT).header(header::ACCEPT, "application/json");
        if let Some(value) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value.clone());
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|error| self.no_answer(&error.to_string()))?;
        http::exchange(&self.agent, request, deadline, longest).map_err(|error| self.problem(&error))
    }

    fn problem(&self, error: &http::Error) -> SendError {
        if let Some(error) = http::refused_by_proxy(error, &self.agent) {
            return SendError::NotSent(error);
        }
        if let Some(problem) = TlsProblem::in_error(error) {
            return SendError::NotSent(HttpError::Tls { server: format!("{}'s API", self.forge), problem });
        }
        match http::was_too_slow(error) {
            true => self.no_answer("no answer in time"),
            false => self.no_answer(&error.to_string()),
        }
    }

    fn no_answer(&self, what: &str) -> SendError {
        SendError::NoAnswer { what: inline(&format!("{}'s API: {what}", self.forge)) }
    }
}

/// A text as a part of a URL.
pub(super) fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
