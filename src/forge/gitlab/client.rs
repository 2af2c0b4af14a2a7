//! Sends requests to GitLab's API.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::error::{GitLabError, GitLabRefusal};
use crate::forge::api_answer::{MAX_ANSWER, api_text};
use crate::forge::rest_client::url_encoded;
use crate::forge::rest_client::{RestClient, RestClientError, SendError};
use crate::forge::{ForgeError, ForgeKind};
use crate::http::HttpSettings;
use crate::landing::FetchError;

/// GitLab's API, with a token for it.
pub struct GitLab(RestClient);

/// The data of an answer, and the number of the next page, if there is one.
#[derive(Debug)]
pub struct GitLabPage {
    pub data: Value,
    pub next: Option<u64>,
}

impl GitLab {
    /// `http` is how to reach it; the address ends with `/api/v4`.
    ///
    /// # Errors
    /// If the address or the token is not valid, or the machine has no root certificates.
    pub fn new(http: &HttpSettings, api: &str, token: &str) -> Result<Self, ForgeError> {
        // personal, project and group access tokens all count in this header
        let authorization = format!("Bearer {token}");
        let client = RestClient::new(http, ForgeKind::GitLab, api, Some(&authorization));
        client.map(GitLab).map_err(|error| match error {
            RestClientError::NotHttps { address } => GitLabError::NotHttps { address }.into(),
            RestClientError::NotUsable { address, reason } => {
                GitLabError::NotUsable { address, reason }.into()
            }
            RestClientError::Http(error) => error.into(),
        })
    }

    /// Asks once about a project, whose path is `repository`; gives up at `deadline`.
    ///
    /// # Errors
    /// Transient errors, and refusals.
    pub fn project(
        &self,
        deadline: Instant,
        repository: &str,
        route: &str,
    ) -> Result<GitLabPage, FetchError<ForgeError>> {
        let project = url_encoded(repository);
        let route = format!("/projects/{project}{route}");
        // one byte more than is accepted, so that a longer answer is noticed
        let answer = self.0.send(deadline, "GET", &route, Vec::new(), MAX_ANSWER as u64 + 1);
        let answer = answer.map_err(|error| match error {
            SendError::NotSent(error) => FetchError::Permanent(error.into()),
            SendError::NoAnswer { what } => FetchError::Transient { what, retry_after: None },
        })?;
        let number = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.and_then(|text| text.parse::<u64>().ok())
        };
        let retry_after = number("retry-after").map(Duration::from_secs);
        let data = classify(answer.status().as_u16(), retry_after, answer.body(), &route)?;
        Ok(GitLabPage { data, next: number("x-next-page") })
    }
}

/// The data of a successful answer. A body that isn't JSON counts as null.
fn classify(
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
    route: &str,
) -> Result<Value, FetchError<ForgeError>> {
    if body.len() > MAX_ANSWER {
        let what = format!("GitLab's API sent more than {} MB", MAX_ANSWER / 1_000_000);
        return Err(FetchError::Transient { what, retry_after });
    }
    let data: Value = serde_json::from_slice(body).unwrap_or_default();
    if (200..300).contains(&status) {
        return Ok(data);
    }
    let message = [&data["message"], &data["error"]].into_iter().find_map(Value::as_str);
    let message = api_text(message.unwrap_or("no explanation"));
    if status == 429 || status >= 500 {
        let what = format!("GitLab's API answered {status}: {message}");
        return Err(FetchError::Transient { what, retry_after });
    }
    let refusal = GitLabRefusal { status, route: route.to_owned(), message };
    Err(FetchError::Permanent(GitLabError::Refused(refusal).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_are_transient_other_statuses_are_refusals() {
        let answer = |status, body: &str| classify(status, None, body.as_bytes(), "/projects/a%2Fb");
        for status in [429, 500, 502, 503] {
            assert!(matches!(answer(status, "{}"), Err(FetchError::Transient { .. })), "{status}");
        }
        for (status, body, message) in [
            (401, r#"{"message": "401 Unauthorized"}"#, "401 Unauthorized"),
            (403, r#"{"error": "insufficient_scope"}"#, "insufficient_scope"),
            (404, "<html>", "no explanation"),
            (302, "{}", "no explanation"),
        ] {
            let Err(FetchError::Permanent(error)) = answer(status, body) else { panic!("{status}") };
            assert_eq!(error.to_string(), format!("GitLab's API answered {status}: {message}"));
        }
        assert_eq!(answer(200, "[1]").unwrap(), serde_json::json!([1]));
    }

    #[test]
    fn answer_that_is_too_long_is_not_a_success() {
        let body = format!("\"{}\"", "x".repeat(MAX_ANSWER));
        let read = classify(200, None, body.as_bytes(), "/x");
        assert!(matches!(read, Err(FetchError::Transient { .. })), "{read:?}");
    }
}
