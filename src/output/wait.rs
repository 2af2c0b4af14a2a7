//! What `wait` reports.

use serde::Serialize;

/// A status that was waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct WaitStatus {
    /// The context of a status, or the name of a check run.
    pub name: String,
    /// `pending`, `success`, `failure` or `neutral`.
    pub state: &'static str,
    /// The commit that has it: the awaited one, or one of the next ones.
    pub commit: String,
}

/// How waiting went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaitInfo {
    /// The commit that was waited for.
    pub commit: String,
    /// As they were at the last look.
    pub statuses: Vec<WaitStatus>,
    pub seconds: u64,
}
