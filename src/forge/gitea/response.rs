//! Classifies answers of Gitea's API: data, a transient error, or a refusal. No I/O.

use std::time::Duration;

use serde_json::Value;

use super::error::{GiteaError, GiteaRefusal};
use crate::forge::ForgeError;
use crate::forge::api_answer::{MAX_ANSWER, api_text};
use crate::http::HttpError;
use crate::landing::FetchError;

/// Why a request got no data.
#[derive(Debug)]
pub enum GiteaProblem {
    /// The next try may work; the server may say when to retry.
    Transient { what: String, retry_after: Option<Duration> },
    /// Gitea refuses the request.
    Refused(GiteaRefusal),
    /// The request didn't get to Gitea, and wouldn't the next time.
    NotSent(HttpError),
}

impl From<GiteaProblem> for FetchError<ForgeError> {
    fn from(error: GiteaProblem) -> Self {
        match error {
            GiteaProblem::Transient { what, retry_after } => FetchError::Transient { what, retry_after },
            GiteaProblem::Refused(refusal) => FetchError::Permanent(GiteaError::Refused(refusal).into()),
            GiteaProblem::NotSent(error) => FetchError::Permanent(error.into()),
        }
    }
}

/// The data of a successful answer to a request for `route`. A body that isn't JSON counts as null.
///
/// # Errors
/// Transient errors, and refusals.
pub fn classify(
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
    route: &str,
) -> Result<Value, GiteaProblem> {
    if body.len() > MAX_ANSWER {
        let what = format!("Gitea's API sent more than {} MB", MAX_ANSWER / 1_000_000);
        return Err(GiteaProblem::Transient { what, retry_after });
    }
    let data: Value = serde_json::from_slice(body).unwrap_or_default();
    if (200..300).contains(&status) {
        return Ok(data);
    }
    let message = api_text(data["message"].as_str().unwrap_or("no explanation"));
    if status == 429 || status >= 500 {
        let what = format!("Gitea's API answered {status}: {message}");
        return Err(GiteaProblem::Transient { what, retry_after });
    }
    Err(GiteaProblem::Refused(GiteaRefusal { status, route: route.to_owned(), message }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_are_transient_other_statuses_are_refusals() {
        let answer = |status| classify(status, None, br#"{"message": "a\nb"}"#, "/repos/a/b/pulls");
        for status in [429, 500, 502, 503] {
            assert!(matches!(answer(status), Err(GiteaProblem::Transient { .. })), "{status}");
        }
        for status in [301, 401, 403, 404, 409, 422, 423] {
            let Err(GiteaProblem::Refused(refusal)) = answer(status) else { panic!("{status}") };
            assert_eq!(refusal.to_string(), format!("Gitea's API answered {status}: a b"));
            assert_eq!(refusal.route, "/repos/a/b/pulls");
        }
    }

    #[test]
    fn answer_that_is_too_long_is_not_a_success() {
        let body = format!("\"{}\"", "x".repeat(MAX_ANSWER));
        let read = classify(200, None, body.as_bytes(), "/x");
        let Err(GiteaProblem::Transient { what, .. }) = read else { panic!("{read:?}") };
        assert_eq!(what, "Gitea's API sent more than 10 MB");
    }

    #[test]
    fn body_that_is_not_json_is_null() {
        assert_eq!(classify(200, None, b"<html>", "/x").unwrap(), Value::Null);
        let Err(GiteaProblem::Refused(refusal)) = classify(404, None, b"<html>", "/x") else { panic!() };
        assert_eq!(refusal.message, "no explanation");
    }
}
