//! Why nothing was landed, or why there is no message for it.

use crate::tag::VariableError;

/// Why nothing was landed. `B` is an error of the branch, `P` one of the proposal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LandingError<B, P> {
    /// The loop stopped, although another try might have worked. `problem` is the last one.
    #[error("not landed {}: {problem}", after_tries(*.tries))]
    GaveUp { tries: u32, problem: String, reason: GiveUpReason },
    /// The server rejected the push with this message, and the branch has not moved.
    #[error("the server rejected the push, for an unrecognised reason: {message}")]
    RejectedUnclear { message: String },
    #[error("the server failed to unpack the push: {message}")]
    UnpackFailed { message: String },
    /// Like the inner error, but the last commit may have landed: the branch couldn't be read after that, for this reason.
    #[error("{error}{}", outcome_unknown(.reason))]
    OutcomeUnknown { error: Box<Self>, reason: String },
    /// The branch can't be read, or takes no commit.
    #[error(transparent)]
    Branch(B),
    #[error(transparent)]
    Propose(P),
}

/// Why the landing loop gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUpReason {
    /// The budget is spent.
    TimedOut,
    /// The server can't be reached.
    Unreachable,
    /// The server's lock on the branch doesn't go away.
    LockStays,
}

/// What to add to an error if the last commit may have landed, and reading the branch failed for this reason.
pub fn outcome_unknown(reason: &str) -> String {
    format!(
        "; the outcome of the last try is unknown, because the branch couldn't be read after it: {reason}"
    )
}

fn after_tries(tries: u32) -> String {
    match tries {
        0 => "before anything was pushed".to_owned(),
        1 => "after 1 try".to_owned(),
        n => format!("after {n} tries"),
    }
}

/// Why a template makes no message. `option` is the setting that the template comes from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("template {template:?}: {error}")]
    Variable { option: &'static str, template: String, error: VariableError },
    #[error("the template gives an empty message")]
    Empty { option: &'static str },
}
