//! The statuses of a commit.
//!
//! Source: Gitea's `repo.GetCombinedCommitStatusByRef`, which has the newest status of each context, in pages; the header `X-Total-Count` has
//! their number, and a server may make its pages shorter than asked for.

use std::time::Instant;

use serde_json::Value;

use super::client::{Gitea, GiteaRequest};
use crate::forge::ForgeError;
use crate::forge::status::{CommitStatus, MAX_PAGES, StatusState, newest_of_each, text};
use crate::landing::FetchError;

/// The newest status of each context.
///
/// # Errors
/// Transient errors, and refusals.
pub fn statuses(
    gitea: &Gitea,
    deadline: Instant,
    repository: &str,
    commit: &str,
) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
    let mut found = Vec::new();
    for page in 1..=MAX_PAGES {
        let route = format!("/repos/{repository}/commits/{commit}/status?limit=50&page={page}");
        let answer = gitea.once(deadline, &route, GiteaRequest::Get)?;
        let listed = answer["statuses"].as_array().map(Vec::as_slice).unwrap_or_default();
        if listed.is_empty() {
            break;
        }
        found.extend(listed.iter().filter_map(status));
    }
    Ok(newest_of_each(found))
}

fn status(status: &Value) -> Option<CommitStatus> {
    Some(CommitStatus {
        context: text(&status["context"])?,
        is_check_run: false,
        state: match status["status"].as_str()? {
            "success" => StatusState::Success,
            "failure" | "error" => StatusState::Failure,
            "warning" | "skipped" => StatusState::Neutral,
            _ => StatusState::Pending,
        },
        id: status["id"].as_u64()?,
        url: text(&status["target_url"]),
        pipeline: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_are_those_of_every_forge() {
        for (state, expected) in [
            ("success", StatusState::Success),
            ("failure", StatusState::Failure),
            ("error", StatusState::Failure),
            ("warning", StatusState::Neutral),
            ("skipped", StatusState::Neutral),
            ("pending", StatusState::Pending),
        ] {
            let read = status(&json!({"context": "a", "status": state, "id": 1}));
            assert_eq!(read.map(|status| status.state), Some(expected), "{state}");
        }
        assert_eq!(status(&json!({"context": "a", "state": "success", "id": 1})), None);
    }
}
