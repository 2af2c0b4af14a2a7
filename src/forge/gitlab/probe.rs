//! Whether a server is GitLab.

use std::time::Instant;

use crate::forge::rest_client::{RestClient, RestClientError, SendError};
use crate::forge::{ForgeError, ForgeKind};
use crate::http::HttpSettings;
use crate::landing::FetchError;

/// GitLab's API answers only those who have a token, but all of its answers have this header.
///
/// Source: GitLab's `lib/gitlab/middleware` and `lib/api/api.rb`, `X-Gitlab-Meta`.
const HEADER: &str = "x-gitlab-meta";

/// Asks the API at an address, without credentials, whether it is GitLab's.
///
/// # Errors
/// If there is no answer.
pub fn is_gitlab(http: &HttpSettings, api: &str, deadline: Instant) -> Result<bool, FetchError<ForgeError>> {
    let client = RestClient::new(http, ForgeKind::GitLab, api, None).map_err(|error| match error {
        RestClientError::Http(error) => FetchError::Permanent(error.into()),
        RestClientError::NotHttps { address } | RestClientError::NotUsable { address, .. } => {
            FetchError::Permanent(ForgeError::NoForge { page: address.clone(), apis: vec![address] })
        }
    })?;
    let answer = client.send(deadline, "GET", "/version", Vec::new(), 1).map_err(|error| match error {
        SendError::NotSent(error) => FetchError::Permanent(error.into()),
        SendError::NoAnswer { what } => FetchError::Transient { what, retry_after: None },
    })?;
    Ok(answer.headers().contains_key(HEADER))
}
