//! Asks GitHub's GraphQL API, which reports errors with status 200.
//!
//! Source: GitHub's "Forming calls with GraphQL" and "Rate limits and query limits for the GraphQL API".

use std::time::Instant;

use serde_json::{Value, json};

use super::client::{ApiRequest, GitHub};
use super::error::GitHubError;
use crate::forge::ForgeError;
use crate::forge::api_answer::api_text;
use crate::git::without_user;
use crate::http::HttpSettings;
use crate::landing::FetchError;

/// The GraphQL API, with a token for it.
pub struct GraphQl {
    hub: GitHub,
    /// The path of the API's only address.
    route: String,
}

/// An answer: data, or the first error.
#[derive(Debug)]
pub enum GraphQlResponse {
    Data(Value),
    Error { kind: String, message: String },
}

impl GraphQl {
    /// # Errors
    /// If the address is not valid, or the machine has no root certificates.
    pub fn new(http: &HttpSettings, address: &str, token: &str) -> Result<Self, ForgeError> {
        let invalid = || GitHubError::BadGraphQlAddress { address: without_user(address) };
        let url = url::Url::parse(address).map_err(|_| invalid())?;
        if !url.has_host() {
            return Err(invalid().into());
        }
        let hub = GitHub::new(http, &url.origin().ascii_serialization(), token)?;
        Ok(GraphQl { hub, route: url.path().to_owned() })
    }

    /// Asks once; gives up at `deadline`.
    ///
    /// # Errors
    /// Transient errors, and refusals of the whole request.
    pub fn once(
        &self,
        deadline: Instant,
        query: &str,
        variables: &Value,
    ) -> Result<GraphQlResponse, FetchError<ForgeError>> {
        let body = json!({"query": query, "variables": variables});
        let answer = self.hub.once(deadline, &self.route, ApiRequest::Post(&body))?;
        Ok(GraphQlResponse::read(&answer))
    }
}

impl GraphQlResponse {
    /// The data of an answer, or its first error.
    pub fn read(answer: &Value) -> Self {
        let error = &answer["errors"][0];
        if error.is_null() && answer["data"].is_object() {
            return GraphQlResponse::Data(answer["data"].clone());
        }
        let text = |value: &Value| value.as_str().map(api_text);
        GraphQlResponse::Error {
            kind: text(&error["type"]).unwrap_or_default(),
            message: text(&error["message"]).unwrap_or_else(|| "the answer is not GraphQL".to_owned()),
        }
    }
}
