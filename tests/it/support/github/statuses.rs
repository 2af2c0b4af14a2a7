//! Statuses and check runs of commits, as GitHub shows them: the newest of each context, the newest run of each name in each suite.

use serde_json::{Value, json};

use super::shapes::World;

/// Everything was posted then, so that a list changes only with what is in it.
const POSTED_AT: &str = "2026-01-01T00:00:00Z";

/// A status, or a check run, that someone posted.
#[derive(Clone, Debug)]
pub struct Posted {
    pub commit: String,
    pub context: String,
    /// Of a status, its state; of a check run, its status.
    pub state: String,
    /// Of a check run that is completed.
    pub conclusion: Option<String>,
    pub is_check_run: bool,
    pub url: Option<String>,
}

/// The newest of each context, each with its number, oldest first.
fn newest<'a>(posted: &'a [Posted], commit: &str, are_check_runs: bool) -> Vec<(usize, &'a Posted)> {
    let of_commit =
        |(_, status): &(usize, &Posted)| status.commit == commit && status.is_check_run == are_check_runs;
    let all: Vec<(usize, &Posted)> = posted.iter().enumerate().filter(of_commit).collect();
    let is_newest = |(number, status): &(usize, &'a Posted)| {
        !all.iter().any(|(later, other)| later > number && other.context == status.context)
    };
    all.iter().copied().filter(is_newest).collect()
}

impl World<'_> {
    pub fn combined_status(&self, posted: &[Posted], commit: &str, page: usize, size: usize) -> Value {
        let statuses = newest(posted, commit, false);
        let shown = statuses.iter().skip((page - 1) * size).take(size);
        let url = format!("{}/commits/{commit}", self.repo_url());
        json!({
            "state": "pending",
            "sha": commit,
            "total_count": statuses.len(),
            "statuses": shown.map(|(number, status)| self.status(*number, status)).collect::<Vec<_>>(),
            "repository": self.repository(),
            "commit_url": url,
            "url": format!("{url}/status"),
        })
    }

    pub fn check_runs(&self, posted: &[Posted], commit: &str, page: usize, size: usize) -> Value {
        let runs = newest(posted, commit, true);
        let shown = runs.iter().skip((page - 1) * size).take(size);
        json!({
            "total_count": runs.len(),
            "check_runs": shown.map(|(number, run)| self.check_run(*number, run)).collect::<Vec<_>>(),
        })
    }

    fn status(&self, number: usize, status: &Posted) -> Value {
        json!({
            "url": format!("{}/statuses/{}", self.repo_url(), status.commit),
            "avatar_url": null,
            "id": number + 1,
            "node_id": format!("SC_{number}"),
            "state": status.state,
            "description": null,
            "target_url": status.url,
            "context": status.context,
            "created_at": POSTED_AT,
            "updated_at": POSTED_AT,
        })
    }

    fn check_run(&self, number: usize, run: &Posted) -> Value {
        let url = format!("{}/check-runs/{}", self.repo_url(), number + 1);
        json!({
            "id": number + 1,
            "node_id": format!("CR_{number}"),
            "head_sha": run.commit,
            "external_id": "",
            "url": url,
            "html_url": run.url,
            "details_url": run.url,
            "status": run.state,
            "conclusion": run.conclusion,
            "started_at": POSTED_AT,
            "completed_at": null,
            "name": run.context,
            "check_suite": {"id": 1},
            "output": {"title": null, "summary": null, "text": null, "annotations_count": 0, "annotations_url": format!("{url}/annotations")},
            "app": null,
            "pull_requests": [],
        })
    }
}
