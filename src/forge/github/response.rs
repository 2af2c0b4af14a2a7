//! What an answer of GitHub's API means: data, a fault that passes, or a refusal. No I/O.
//!
//! Statuses and limits: GitHub's "Best practices for using the REST API" and "Rate limits".

use std::time::Duration;

use serde_json::Value;

use super::wire::MAX_ANSWER;
use crate::error::{Exit, Failure};
use crate::git::answers::short_server_text;
use crate::landing::FetchError;

/// How much of a message of the API's is shown.
const MESSAGE_BYTES: usize = 4 * 1024;

/// An answer as it came.
#[derive(Debug)]
pub struct ApiResponse {
    status: u16,
    retry_after: Option<Duration>,
    /// Nothing where it was too long.
    body: Option<Value>,
}

impl ApiResponse {
    /// What is not JSON counts as null.
    pub fn read(status: u16, retry_after: Option<Duration>, body: &str) -> Self {
        let fits = body.len() <= MAX_ANSWER;
        let body = fits.then(|| serde_json::from_str(body).unwrap_or_default());
        ApiResponse { status, retry_after, body }
    }
}

/// The data of a good answer to a request for `route`.
///
/// # Errors
/// Faults that may pass, and refusals.
pub fn classify_response(answer: ApiResponse, route: &str) -> Result<Value, FetchError> {
    let ApiResponse { status, retry_after, body } = answer;
    // what was asked for may have been done
    let Some(body) = body else {
        let what = format!("GitHub's API sent more than {} MB", MAX_ANSWER / 1_000_000);
        return Err(FetchError::Transient { what, retry_after });
    };
    if (200..300).contains(&status) {
        // GraphQL tells its limits in a good answer
        let error = &body["errors"][0];
        let limited = ["type", "message"].iter().any(|key| is_limit(error[key].as_str().unwrap_or_default()));
        let what =
            || format!("GitHub's API: {}", api_text(error["message"].as_str().unwrap_or("rate limit")));
        return if limited { Err(FetchError::Transient { what: what(), retry_after }) } else { Ok(body) };
    }
    let said = words(&body);
    let what = format!("GitHub's API answered {status}: {said}");
    let limited = status == 429 || (status == 403 && (retry_after.is_some() || is_limit(&said)));
    if limited || status >= 500 {
        return Err(FetchError::Transient { what, retry_after });
    }
    let hint = match status {
        401 => "the token is wrong or has ended; give another one in TAGBUMP_TOKEN".to_owned(),
        403 if said.contains("not permitted to create") => {
            "let Actions create pull requests: Settings, Actions, General, Workflow permissions".to_owned()
        }
        403 => "the token may not do this: give the job permissions contents: write and pull-requests: write"
            .to_owned(),
        404 => {
            format!("the token sees no {route}; check the remote, and the token's repositories and rights")
        }
        _ => "see what GitHub says; most likely a setting of the repository stands in the way".to_owned(),
    };
    Err(FetchError::Permanent(Failure::new(Exit::Refused, what).hinted(hint)))
}

/// GitHub's words, and GraphQL's types, for a spent limit.
fn is_limit(text: &str) -> bool {
    text.starts_with("RATE_LIMIT") || text.contains("rate limit")
}

/// What GitHub says, with the details.
fn words(body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or("no explanation");
    let details = body["errors"].as_array().into_iter().flatten();
    let details =
        details.filter_map(|e| e["message"].as_str().or_else(|| e["code"].as_str()).or_else(|| e.as_str()));
    api_text(&std::iter::once(message).chain(details).collect::<Vec<_>>().join("; "))
}

/// Text from the API, for a message of one line.
pub fn api_text(text: &str) -> String {
    short_server_text(text.as_bytes(), MESSAGE_BYTES).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, retry_after: Option<u64>, message: &str) -> Result<Value, FetchError> {
        let retry_after = retry_after.map(Duration::from_secs);
        let body = json!({"message": message}).to_string();
        classify_response(ApiResponse::read(status, retry_after, &body), "/repos/a/b/pulls")
    }

    #[test]
    fn what_passes_and_what_does_not() {
        let passes = |result| matches!(result, Err(FetchError::Transient { .. }));
        assert!(passes(answer(502, None, "")));
        assert!(passes(answer(429, None, "")));
        assert!(passes(answer(403, Some(60), "You have exceeded a secondary rate limit")));
        for (status, hint) in [
            (401, "TAGBUMP_TOKEN"),
            (403, "pull-requests: write"),
            (404, "/repos/a/b/pulls"),
            (422, "setting"),
        ] {
            let Err(FetchError::Permanent(failure)) = answer(status, None, "no") else { panic!("{status}") };
            assert_eq!(failure.exit, Exit::Refused);
            assert!(failure.hint.unwrap().to_string().contains(hint), "{status}");
        }
    }

    #[test]
    fn answer_that_is_too_long_is_not_a_success() {
        let body = format!("\"{}\"", "x".repeat(MAX_ANSWER));
        let read = classify_response(ApiResponse::read(200, None, &body), "/x");
        let Err(FetchError::Transient { what, .. }) = read else { panic!("{read:?}") };
        assert_eq!(what, "GitHub's API sent more than 10 MB");
        let told = classify_response(ApiResponse::read(404, None, "{\"message\": \"a\\u001b\\nb\"}"), "/x");
        let Err(FetchError::Permanent(failure)) = told else { panic!("{told:?}") };
        assert_eq!(failure.message, "GitHub's API answered 404: a\\u{1b} b");
    }

    #[test]
    fn details_are_told() {
        let body = json!({"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}, "x"]});
        assert_eq!(words(&body), "Validation Failed; A pull request already exists; x");
    }
}
