//! Classifies answers of GitHub's API: data, a transient error, or a refusal. No I/O.
//!
//! Statuses and limits: GitHub's "Best practices for using the REST API" and "Rate limits".

use std::time::Duration;

use serde_json::Value;

use super::error::{ApiRefusal, ApiRefusalReason, GitHubError};
use super::known_messages::{KnownMessage, classify};
use crate::forge::ForgeError;
use crate::forge::api_answer::{MAX_ANSWER, api_text};
use crate::http::HttpError;
use crate::landing::FetchError;

/// An answer as it came.
#[derive(Debug)]
pub struct ApiResponse {
    status: u16,
    retry_after: Option<Duration>,
    /// `None` if it was too long.
    body: Option<Value>,
    etag: Option<String>,
}

impl ApiResponse {
    /// A body that isn't JSON counts as null.
    pub fn read(status: u16, retry_after: Option<Duration>, body: &str) -> Self {
        let fits = body.len() <= MAX_ANSWER;
        let body = fits.then(|| serde_json::from_str(body).unwrap_or_default());
        ApiResponse { status, retry_after, body, etag: None }
    }

    /// The same with the ETag that came with it.
    pub(super) fn with_etag(self, etag: Option<String>) -> Self {
        ApiResponse { etag, ..self }
    }

    pub(super) fn etag(&self) -> Option<String> {
        self.etag.clone()
    }

    /// Whether the answer is still the one that the client has.
    pub(super) fn is_unchanged(&self) -> bool {
        self.status == 304
    }

    /// Whether this is an answer of GitHub's to a request for the API's root: a list of its routes, or to an anonymous client a refusal
    /// that points to GitHub's documentation. `None` if the server is busy.
    pub fn is_githubs(&self) -> Option<bool> {
        let Some(body) = &self.body else { return Some(false) };
        let docs = body["documentation_url"].as_str().unwrap_or_default();
        let names_docs = ["https://docs.github.com/", "https://developer.github.com/"];
        if names_docs.iter().any(|start| docs.starts_with(start)) || body["current_user_url"].is_string() {
            return Some(true);
        }
        (self.status != 429 && self.status < 500).then_some(false)
    }
}

/// Why a request got no data.
#[derive(Debug)]
pub enum ApiError {
    /// The next try may work; GitHub may say when to retry.
    Transient { what: String, retry_after: Option<Duration> },
    /// GitHub refuses the request.
    Refused(ApiRefusal),
    /// The request didn't get to GitHub, and wouldn't the next time.
    NotSent(HttpError),
}

/// The data of a successful answer to a request for `route`.
///
/// # Errors
/// Transient errors, and refusals.
pub fn classify_response(answer: ApiResponse, route: &str) -> Result<Value, ApiError> {
    let ApiResponse { status, retry_after, body, .. } = answer;
    // the request may have done its work
    let Some(body) = body else {
        let what = format!("GitHub's API sent more than {} MB", MAX_ANSWER / 1_000_000);
        return Err(ApiError::Transient { what, retry_after });
    };
    if (200..300).contains(&status) {
        // GraphQL reports its limits with status 200
        let error = &body["errors"][0];
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        let limited = text("type").starts_with("RATE_LIMIT") || is_limit(text("message"));
        let what =
            || format!("GitHub's API: {}", api_text(error["message"].as_str().unwrap_or("rate limit")));
        return if limited { Err(ApiError::Transient { what: what(), retry_after }) } else { Ok(body) };
    }
    let message = message(&body);
    let limited = status == 429 || (status == 403 && (retry_after.is_some() || is_limit(&message)));
    if limited || status >= 500 {
        let what = format!("GitHub's API answered {status}: {message}");
        return Err(ApiError::Transient { what, retry_after });
    }
    let reason = reason(&body, &message);
    Err(ApiError::Refused(ApiRefusal { reason, status, route: route.to_owned(), message }))
}

fn reason(body: &Value, message: &str) -> ApiRefusalReason {
    match classify(message) {
        Some(KnownMessage::AlreadyExists) => ApiRefusalReason::AlreadyExists,
        Some(KnownMessage::NoCommitsBetween) => ApiRefusalReason::NothingToPropose,
        _ if is_invalid(body) => ApiRefusalReason::NothingToPropose,
        Some(KnownMessage::UnknownNode) => ApiRefusalReason::UnknownNode,
        Some(KnownMessage::MayNotCreatePulls) => ApiRefusalReason::MayNotCreatePulls,
        Some(KnownMessage::BranchMoved | KnownMessage::RateLimit | KnownMessage::ReadyToMerge) | None => {
            ApiRefusalReason::Other
        }
    }
}

/// The answer for a field whose value GitHub doesn't know, such as a head branch that is too new.
fn is_invalid(body: &Value) -> bool {
    let is_validation = body["message"] == "Validation Failed";
    let details = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    is_validation && matches!(details, [only] if only["code"] == "invalid" && !only["message"].is_string())
}

impl From<ApiError> for FetchError<ForgeError> {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Transient { what, retry_after } => FetchError::Transient { what, retry_after },
            ApiError::Refused(refusal) => FetchError::Permanent(GitHubError::Refused(refusal).into()),
            ApiError::NotSent(error) => FetchError::Permanent(error.into()),
        }
    }
}

fn is_limit(message: &str) -> bool {
    classify(message) == Some(KnownMessage::RateLimit)
}

/// GitHub's message, with the details.
fn message(body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or("no explanation");
    let details = body["errors"].as_array().into_iter().flatten();
    let details =
        details.filter_map(|e| e["message"].as_str().or_else(|| e["code"].as_str()).or_else(|| e.as_str()));
    api_text(&std::iter::once(message).chain(details).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, retry_after: Option<u64>, message: &str) -> Result<Value, ApiError> {
        let retry_after = retry_after.map(Duration::from_secs);
        let body = json!({"message": message}).to_string();
        classify_response(ApiResponse::read(status, retry_after, &body), "/repos/a/b/pulls")
    }

    fn refused(result: Result<Value, ApiError>) -> ApiRefusal {
        match result.map_err(FetchError::from) {
            Err(FetchError::Permanent(ForgeError::GitHub(GitHubError::Refused(refusal)))) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn server_errors_and_limits_are_transient_other_statuses_are_refusals() {
        let is_transient = |result| matches!(result, Err(ApiError::Transient { .. }));
        assert!(is_transient(answer(502, None, "")));
        assert!(is_transient(answer(429, None, "")));
        assert!(is_transient(answer(403, Some(60), "You have exceeded a secondary rate limit")));
        for code in [401, 403, 404, 422] {
            let ApiRefusal { status, route, reason, .. } = refused(answer(code, None, "no"));
            assert_eq!((status, &*route, reason), (code, "/repos/a/b/pulls", ApiRefusalReason::Other));
        }
    }

    #[test]
    fn reasons_are_known_from_message_and_details() {
        let reason_of =
            |body: Value| match classify_response(ApiResponse::read(422, None, &body.to_string()), "/x") {
                Err(ApiError::Refused(refusal)) => refusal.reason,
                other => panic!("{other:?}"),
            };
        let failed = |detail: Value| reason_of(json!({"message": "Validation Failed", "errors": [detail]}));
        let exists = json!({"code": "custom", "message": "A pull request already exists for a:b."});
        assert_eq!(failed(exists), ApiRefusalReason::AlreadyExists);
        let same = json!({"code": "custom", "message": "No commits between main and b"});
        assert_eq!(failed(same), ApiRefusalReason::NothingToPropose);
        assert_eq!(failed(json!({"field": "head", "code": "invalid"})), ApiRefusalReason::NothingToPropose);
        assert_eq!(failed(json!({"field": "title", "code": "missing_field"})), ApiRefusalReason::Other);
        assert_eq!(reason_of(json!({"message": "invalid"})), ApiRefusalReason::Other);
        let node = json!({"message": "Could not resolve to a node with the global id of 'x'."});
        assert_eq!(reason_of(node), ApiRefusalReason::UnknownNode);
    }

    #[test]
    fn answer_that_is_too_long_is_not_a_success() {
        let body = format!("\"{}\"", "x".repeat(MAX_ANSWER));
        let read = classify_response(ApiResponse::read(200, None, &body), "/x");
        let Err(ApiError::Transient { what, .. }) = read else { panic!("{read:?}") };
        assert_eq!(what, "GitHub's API sent more than 10 MB");
        let refusal =
            classify_response(ApiResponse::read(404, None, "{\"message\": \"a\\u001b\\nb\"}"), "/x");
        assert_eq!(refused(refusal).to_string(), "GitHub's API answered 404: a\\u{1b} b");
    }

    #[test]
    fn details_are_part_of_the_message() {
        let body = json!({"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}, "x"]});
        assert_eq!(message(&body), "Validation Failed; A pull request already exists; x");
    }
}
