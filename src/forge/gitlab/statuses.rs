//! The statuses of a commit: the jobs of its pipelines, and those that others posted.
//!
//! Source: GitLab's "Commits API", "List commit statuses", which has the newest of each name, in pages; the header `X-Next-Page` has the next
//! one's number.

use std::time::Instant;

use serde_json::Value;

use super::client::GitLab;
use crate::forge::ForgeError;
use crate::forge::status::{CommitStatus, MAX_PAGES, StatusState, newest_of_each, text};
use crate::landing::FetchError;

/// The newest status of each name.
///
/// # Errors
/// Transient errors, and refusals.
pub fn statuses(
    gitlab: &GitLab,
    deadline: Instant,
    repository: &str,
    commit: &str,
) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
    let (mut found, mut page) = (Vec::new(), 1);
    for _ in 0..MAX_PAGES {
        let route = format!("/repository/commits/{commit}/statuses?per_page=100&page={page}");
        let answer = gitlab.project(deadline, repository, &route)?;
        found.extend(answer.data.as_array().into_iter().flatten().filter_map(status));
        match answer.next.filter(|next| *next > page) {
            Some(next) => page = next,
            None => break,
        }
    }
    Ok(newest_of_each(found))
}

fn status(status: &Value) -> Option<CommitStatus> {
    Some(CommitStatus {
        context: text(&status["name"])?,
        is_check_run: false,
        state: match status["status"].as_str()? {
            "success" => StatusState::Success,
            "failed" | "canceled" => StatusState::Failure,
            "skipped" | "manual" => StatusState::Neutral,
            _ => StatusState::Pending,
        },
        id: status["id"].as_u64()?,
        url: text(&status["target_url"]),
        pipeline: status["pipeline_id"].as_u64(),
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
            ("failed", StatusState::Failure),
            ("canceled", StatusState::Failure),
            ("skipped", StatusState::Neutral),
            ("manual", StatusState::Neutral),
            ("running", StatusState::Pending),
            ("waiting_for_resource", StatusState::Pending),
        ] {
            let read = status(&json!({"name": "a", "status": state, "id": 1, "pipeline_id": 7})).unwrap();
            assert_eq!((read.state, read.pipeline), (expected, Some(7)), "{state}");
        }
    }
}
