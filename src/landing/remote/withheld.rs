//! Adds to a refusal which credentials were withheld, and why: a user who has set one would not guess it.

use crate::error::{Exit, Failure};
use crate::git::transport::Endpoint;
use crate::landing::{FetchError, PublishOutcome};

/// A failed fetch; if the server refused it, with what was withheld.
pub fn explain_fetch(trouble: FetchError, endpoint: &Endpoint) -> FetchError {
    match trouble {
        FetchError::Permanent(failure) => FetchError::Permanent(explain(failure, endpoint)),
        other => other,
    }
}

/// A failed push; if the server refused it, with what was withheld.
pub fn explain_push(verdict: PublishOutcome, endpoint: &Endpoint) -> PublishOutcome {
    match verdict {
        PublishOutcome::Refused(failure) => PublishOutcome::Refused(explain(failure, endpoint)),
        other => other,
    }
}

fn explain(failure: Failure, endpoint: &Endpoint) -> Failure {
    if failure.exit != Exit::Refused {
        return failure;
    }
    let lines: Vec<_> = std::iter::once(failure.message).chain(endpoint.withheld()).collect();
    Failure { message: lines.join("\n"), ..failure }
}
