//! Asks GitHub's GraphQL API, which tells errors in an answer with status 200.
//!
//! Source: GitHub's "Forming calls with GraphQL" and "Rate limits and query limits for the GraphQL API".

use std::time::Instant;

use serde_json::{Value, json};

use super::client::{ApiRequest, GitHub};
use super::response::api_text;
use crate::error::{Failure, Result};
use crate::git::without_user;
use crate::http::HttpSettings;
use crate::landing::FetchError;

/// The GraphQL API, with a token for it.
pub struct GraphQl {
    hub: GitHub,
    /// Of the one address that there is.
    route: String,
}

/// What was answered: data, or the first error.
#[derive(Debug)]
pub enum GraphQlResponse {
    Data(Value),
    Error { kind: String, message: String },
}

impl GraphQl {
    /// # Errors
    /// An address that is none, or a machine without root certificates.
    pub fn new(http: &HttpSettings, address: &str, token: &str) -> Result<Self> {
        let fault = || {
            Failure::usage(format!("{}: is no address of a GraphQL API", without_user(address)))
                .hinted("check GITHUB_GRAPHQL_URL")
        };
        let url = url::Url::parse(address).map_err(|_| fault())?;
        if !url.has_host() {
            return Err(fault());
        }
        let hub = GitHub::new(http, &url.origin().ascii_serialization(), token)?;
        Ok(GraphQl { hub, route: url.path().to_owned() })
    }

    /// Asks once; gives up at `deadline`.
    ///
    /// # Errors
    /// Faults that may pass, and refusals of the whole request.
    pub fn once(
        &self,
        deadline: Instant,
        query: &str,
        variables: &Value,
    ) -> Result<GraphQlResponse, FetchError> {
        let body = json!({"query": query, "variables": variables});
        let answer = self.hub.once(deadline, &self.route, ApiRequest::Post(&body))?;
        Ok(GraphQlResponse::read(&answer))
    }
}

impl GraphQlResponse {
    /// The data of an answer; of one that has errors, the first of them.
    pub fn read(answer: &Value) -> Self {
        let error = &answer["errors"][0];
        if error.is_null() && answer["data"].is_object() {
            return GraphQlResponse::Data(answer["data"].clone());
        }
        let text = |value: &Value| value.as_str().map(api_text);
        GraphQlResponse::Error {
            kind: text(&error["type"]).unwrap_or_default(),
            message: text(&error["message"]).unwrap_or_else(|| "an answer that is none of its".to_owned()),
        }
    }
}
