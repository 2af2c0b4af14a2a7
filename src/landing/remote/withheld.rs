//! Adds to an error which credentials were withheld, and why: a user who has set one would not guess it.

use super::{HttpRefusal, RemoteError};
use crate::git::transport::Endpoint;
use crate::landing::{FetchError, PublishOutcome};

/// A failed fetch, with what was withheld.
pub fn explain_fetch(error: FetchError<RemoteError>, endpoint: &Endpoint) -> FetchError<RemoteError> {
    error.map(|error| explain(error, endpoint))
}

/// A failed push, with what was withheld.
pub fn explain_push(
    outcome: PublishOutcome<RemoteError>,
    endpoint: &Endpoint,
) -> PublishOutcome<RemoteError> {
    outcome.map(|error| explain(error, endpoint))
}

/// Why there is no token for the host's API, as far as it is known.
pub fn missing_token(endpoint: &Endpoint) -> Vec<String> {
    let mut reasons = endpoint.withheld();
    reasons.extend(endpoint.unsent());
    reasons
}

fn explain(error: RemoteError, endpoint: &Endpoint) -> RemoteError {
    let mut withheld = endpoint.withheld();
    if matches!(error, RemoteError::Http(_)) {
        withheld.extend(endpoint.unsent());
    }
    if withheld.is_empty() {
        return error;
    }
    let error = match error {
        RemoteError::Http(refusal) => RemoteError::Http(HttpRefusal { has_withheld: true, ..refusal }),
        error => error,
    };
    RemoteError::Withheld { error: Box::new(error), withheld }
}
