//! Adds to an error which credentials were withheld, and why: a user who has set one would not guess it.

use super::RemoteError;
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

fn explain(error: RemoteError, endpoint: &Endpoint) -> RemoteError {
    let withheld = endpoint.withheld();
    if withheld.is_empty() { error } else { RemoteError::Withheld { error: Box::new(error), withheld } }
}
