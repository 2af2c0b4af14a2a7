//! Has a pull request merged when the rules of its base are met.
//!
//! Source: Gitea's `MergePullRequest` and `ToBranch`, 1.26.

use serde_json::{Value, json};

use super::client::{Gitea, GiteaRequest};
use super::response::GiteaProblem;
use crate::forge::{AutoMergeState, ForgeError, MergeMethod, PullRequestSpec, ScheduledMerge};
use crate::landing::{Backoff, FetchError};
use crate::object_id::CommitId;

/// Gitea's words for a merge that is scheduled already, and for a pull request that it still checks for conflicts.
const SCHEDULED: &str = "already scheduled";
const CHECKING: &str = "try again later";
/// How often Gitea is asked while it checks.
const TRIES: usize = 12;

const NOT_PINNED: &str =
    "Gitea can't pin a scheduled merge to a commit: it merges what the branch has when the rules are met";

/// Schedules the merge; if the rules are met already, Gitea merges at once.
///
/// # Errors
/// If Gitea refuses, or the budget is spent.
pub fn enable(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    merge: ScheduledMerge,
) -> Result<AutoMergeState, ForgeError> {
    let repository = format!("/repos/{}", spec.repository);
    let route = format!("{repository}/branches/{}", encoded(spec.base));
    let base = match gitea.ask(backoff, &route, GiteaRequest::Get) {
        Ok(base) => base,
        Err(error) => return Ok(AutoMergeState::rules_unread(spec.base, &error)),
    };
    if !has_rules(&base) {
        let why = format!("{} requires neither a status check nor an approval", spec.base);
        return Ok(AutoMergeState::NotEnabled { why });
    }
    let pull = gitea.ask(backoff, &format!("{repository}/pulls/{}", merge.number), GiteaRequest::Get)?;
    let head = pull["head"]["sha"].as_str().and_then(CommitId::parse);
    if head != Some(merge.head) {
        return Ok(AutoMergeState::NotEnabled { why: format!("{} has moved since the push", spec.head) });
    }
    let way = match merge.method {
        Some(method) => word(method).to_owned(),
        None => default_way(&gitea.ask(backoff, &repository, GiteaRequest::Get)?),
    };
    // older releases know the first key by this spelling alone
    let asked =
        json!({"Do": way, "merge_when_checks_succeed": true, "head_commit_id": merge.head.to_string()});
    let is_new = schedule(gitea, backoff, &format!("{repository}/pulls/{}/merge", merge.number), &asked)?;
    Ok(AutoMergeState::Enabled { is_new, warning: Some(NOT_PINNED.to_owned()) })
}

/// Returns whether no earlier run had scheduled it.
fn schedule(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    route: &str,
    asked: &Value,
) -> Result<bool, ForgeError> {
    let mut tries = 0;
    backoff.retry(ForgeError::timed_out, |backoff| {
        tries += 1;
        match gitea.request(backoff.deadline(), route, GiteaRequest::Post(asked)) {
            Ok(_) => Ok(true),
            Err(GiteaProblem::Refused(refusal)) if refusal.message.contains(SCHEDULED) => Ok(false),
            Err(GiteaProblem::Refused(refusal)) if refusal.message.contains(CHECKING) && tries < TRIES => {
                Err(FetchError::Transient { what: refusal.to_string(), retry_after: None })
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// Whether a branch waits for a status or for a person.
fn has_rules(branch: &Value) -> bool {
    let is_protected = branch["protected"] == true;
    is_protected && (branch["enable_status_check"] == true || branch["required_approvals"].as_u64() > Some(0))
}

fn word(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Squash => "squash",
        MergeMethod::Merge => "merge",
        MergeMethod::Rebase => "rebase",
    }
}

fn default_way(repository: &Value) -> String {
    let known = ["merge", "rebase", "rebase-merge", "squash", "fast-forward-only"];
    let given = repository["default_merge_style"].as_str().filter(|way| known.contains(way));
    given.unwrap_or("merge").to_owned()
}

/// A branch's name as the end of a route: slashes stay.
fn encoded(branch: &str) -> String {
    let part = |part: &str| {
        percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    branch.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_has_rules_if_it_waits_for_a_status_or_a_person() {
        for (branch, expected) in [
            (json!({"protected": true, "enable_status_check": true, "required_approvals": 0}), true),
            (json!({"protected": true, "enable_status_check": false, "required_approvals": 1}), true),
            (json!({"protected": true, "enable_status_check": false, "required_approvals": 0}), false),
            (json!({"protected": false, "enable_status_check": true, "required_approvals": 1}), false),
            (json!({"protected": true}), false),
            (Value::Null, false),
        ] {
            assert_eq!(has_rules(&branch), expected, "{branch}");
        }
    }

    #[test]
    fn branch_is_encoded_between_its_slashes() {
        assert_eq!(encoded("release/1#2 x"), "release/1%232%20x");
    }
}
