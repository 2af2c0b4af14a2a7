//! Says of a refusal which credentials were withheld: whoever has set one would look for the fault elsewhere.

use super::transport::Endpoint;
use crate::error::{Exit, Failure};
use crate::land::{Trouble, Verdict};

/// A failed fetch, with what was withheld where the server refused us.
pub fn explain_fetch(trouble: Trouble, endpoint: &Endpoint) -> Trouble {
    match trouble {
        Trouble::Final(failure) => Trouble::Final(explain(failure, endpoint)),
        other => other,
    }
}

/// A failed push, in the same way.
pub fn explain_push(verdict: Verdict, endpoint: &Endpoint) -> Verdict {
    match verdict {
        Verdict::Refused(failure) => Verdict::Refused(explain(failure, endpoint)),
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
