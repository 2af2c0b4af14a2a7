//! The statuses and check runs of a commit.
//!
//! Source: GitHub's "Get the combined status for a specific reference", which has the newest status of each context, and "List check runs
//! for a Git reference", which has the newest of each name for each app that ran it. Both come in pages.

use std::time::Instant;

use serde_json::Value;

use super::client::{FreshAnswer, GitHub};
use super::compare::is_repository;
use super::error::GitHubError;
use crate::forge::ForgeError;
use crate::forge::status::{AnswerCache, CommitStatus, MAX_PAGES, StatusState, newest_of_each, text};
use crate::landing::FetchError;
use crate::visible::inline;

/// The newest status of each context, and the newest check run of each name.
///
/// # Errors
/// Transient errors, and refusals.
pub fn statuses(
    hub: &GitHub,
    deadline: Instant,
    repository: &str,
    commit: &str,
    cache: &mut AnswerCache,
) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
    if !is_repository(repository) {
        let what = format!("{} is not a GitHub repository", inline(repository));
        return Err(FetchError::Permanent(GitHubError::Unexpected { what }.into()));
    }
    let mut pages = Pages { hub, deadline, cache };
    let route = format!("/repos/{repository}/commits/{commit}");
    let mut found = pages.all(&format!("{route}/status?"), "statuses", status)?;
    found.extend(pages.all(&format!("{route}/check-runs?filter=latest&"), "check_runs", check_run)?);
    Ok(newest_of_each(found))
}

struct Pages<'a> {
    hub: &'a GitHub,
    deadline: Instant,
    cache: &'a mut AnswerCache,
}

impl Pages<'_> {
    fn all(
        &mut self,
        route: &str,
        key: &str,
        read: fn(&Value) -> Option<CommitStatus>,
    ) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
        let (mut found, mut seen) = (Vec::new(), 0);
        for page in 1..=MAX_PAGES {
            let data = self.page(&format!("{route}per_page=100&page={page}"))?;
            let listed = data[key].as_array().map(Vec::as_slice).unwrap_or_default();
            seen += listed.len() as u64;
            found.extend(listed.iter().filter_map(read));
            if listed.is_empty() || data["total_count"].as_u64().is_none_or(|total| seen >= total) {
                break;
            }
        }
        Ok(found)
    }

    /// A page, if it has changed; else as it was.
    fn page(&mut self, route: &str) -> Result<Value, FetchError<ForgeError>> {
        match self.hub.if_changed(self.deadline, route, self.cache.etag(route))? {
            FreshAnswer::Changed { data, etag } => {
                self.cache.keep(route, etag, &data);
                Ok(data)
            }
            FreshAnswer::Unchanged => Ok(self.cache.data(route).cloned().unwrap_or_default()),
        }
    }
}

fn status(status: &Value) -> Option<CommitStatus> {
    Some(CommitStatus {
        context: text(&status["context"])?,
        is_check_run: false,
        state: match status["state"].as_str()? {
            "success" => StatusState::Success,
            "failure" | "error" => StatusState::Failure,
            _ => StatusState::Pending,
        },
        id: status["id"].as_u64()?,
        url: text(&status["target_url"]),
        pipeline: None,
    })
}

fn check_run(run: &Value) -> Option<CommitStatus> {
    Some(CommitStatus {
        context: text(&run["name"])?,
        is_check_run: true,
        state: match (run["status"].as_str()?, run["conclusion"].as_str()) {
            ("completed", Some("success")) => StatusState::Success,
            ("completed", Some("neutral" | "skipped")) => StatusState::Neutral,
            (
                "completed",
                Some("failure" | "cancelled" | "timed_out" | "action_required" | "startup_failure"),
            ) => StatusState::Failure,
            // a stale run never ended
            _ => StatusState::Pending,
        },
        id: run["id"].as_u64()?,
        url: text(&run["details_url"]).or_else(|| text(&run["html_url"])),
        pipeline: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_of_statuses_and_check_runs_are_the_same_four() {
        for (state, expected) in [
            ("success", StatusState::Success),
            ("failure", StatusState::Failure),
            ("error", StatusState::Failure),
            ("pending", StatusState::Pending),
            ("new", StatusState::Pending),
        ] {
            let read = status(&json!({"context": "a", "state": state, "id": 1, "target_url": null}));
            assert_eq!(read.map(|status| status.state), Some(expected), "{state}");
        }
        for (status, conclusion, expected) in [
            ("completed", json!("success"), StatusState::Success),
            ("completed", json!("skipped"), StatusState::Neutral),
            ("completed", json!("neutral"), StatusState::Neutral),
            ("completed", json!("timed_out"), StatusState::Failure),
            ("completed", json!("stale"), StatusState::Pending),
            ("in_progress", json!(null), StatusState::Pending),
            ("queued", json!("success"), StatusState::Pending),
        ] {
            let run = json!({"name": "a", "status": status, "conclusion": conclusion, "id": 1});
            assert_eq!(check_run(&run).map(|run| run.state), Some(expected), "{run}");
        }
    }

    #[test]
    fn answer_of_another_shape_has_no_status() {
        for answer in
            [json!(null), json!([]), json!({"context": "a"}), json!({"name": "", "status": 1, "id": -1})]
        {
            assert_eq!((status(&answer), check_run(&answer)), (None, None), "{answer}");
        }
    }
}
