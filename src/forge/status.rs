//! What a forge knows about a commit: its statuses and check runs, in one form for all forges.

use std::collections::HashMap;

use serde_json::Value;

/// The state of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusState {
    /// Not finished yet.
    Pending,
    Success,
    Failure,
    /// Neither success nor failure: a check that was skipped, or that is neutral.
    Neutral,
}

impl StatusState {
    /// The word for it in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            StatusState::Pending => "pending",
            StatusState::Success => "success",
            StatusState::Failure => "failure",
            StatusState::Neutral => "neutral",
        }
    }
}

/// A status of a commit, or a check run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// The context of a status, the name of a check run.
    pub context: String,
    /// A check run and a status of one name are two things.
    pub is_check_run: bool,
    pub state: StatusState,
    /// Grows with every status that the forge takes.
    pub id: u64,
    /// The page with the details. Whoever posts the status chooses it.
    pub url: Option<String>,
    /// On GitLab, the pipeline that it belongs to.
    pub pipeline: Option<u64>,
}

/// The newest status of each context.
pub fn newest_of_each(statuses: Vec<CommitStatus>) -> Vec<CommitStatus> {
    let mut positions: HashMap<(bool, String), usize> = HashMap::new();
    let mut newest: Vec<CommitStatus> = Vec::new();
    for status in statuses {
        let at = *positions.entry((status.is_check_run, status.context.clone())).or_insert(newest.len());
        match newest.get_mut(at) {
            None => newest.push(status),
            Some(known) if known.id < status.id => *known = status,
            Some(_) => {}
        }
    }
    newest
}

/// Answers of a forge by their routes, each with the ETag that tells whether it still holds. A request for one that does is free.
#[derive(Debug, Default)]
pub struct AnswerCache(HashMap<String, CachedAnswer>);

#[derive(Debug)]
struct CachedAnswer {
    etag: String,
    data: Value,
}

impl AnswerCache {
    pub(super) fn etag(&self, route: &str) -> Option<&str> {
        self.0.get(route).map(|answer| answer.etag.as_str())
    }

    pub(super) fn data(&self, route: &str) -> Option<&Value> {
        self.0.get(route).map(|answer| &answer.data)
    }

    pub(super) fn keep(&mut self, route: &str, etag: Option<String>, data: &Value) {
        match etag {
            Some(etag) => {
                self.0.insert(route.to_owned(), CachedAnswer { etag, data: data.clone() });
            }
            None => {
                self.0.remove(route);
            }
        }
    }
}

/// How many pages of a list are read.
pub(super) const MAX_PAGES: u64 = 50;

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(context: &str, is_check_run: bool, id: u64) -> CommitStatus {
        let state = StatusState::Success;
        CommitStatus { context: context.to_owned(), is_check_run, state, id, url: None, pipeline: None }
    }

    #[test]
    fn newest_status_of_each_context_counts() {
        let found = newest_of_each(vec![
            status("a", false, 3),
            status("a", false, 9),
            status("b", false, 1),
            status("a", true, 2),
            status("a", false, 4),
        ]);
        assert_eq!(found, [status("a", false, 9), status("b", false, 1), status("a", true, 2)]);
    }
}
