//! Has a pull request merged when the rules of its base are met.
//!
//! Source: GitHub's "Automatically merging a pull request", "Get rules for a branch", and `enablePullRequestAutoMerge`.

use serde_json::{Value, json};

use super::client::{ApiRequest, GitHub};
use super::error::GitHubError;
use super::graphql::{GraphQl, GraphQlResponse};
use super::known_messages::{KnownMessage, classify};
use crate::forge::api_answer::api_text;
use crate::forge::rest_client::url_encoded;
use crate::forge::{AutoMergeState, ForgeError, MergeMethod, PullRequestSpec, ScheduledMerge};
use crate::landing::{Backoff, FetchError};

const LOOK: &str = "query($owner: String!, $name: String!, $base: String!, $ref: String!, $number: Int!) { \
                    repository(owner: $owner, name: $name) { viewerDefaultMergeMethod mergeQueue(branch: $base) { id } \
                    ref(qualifiedName: $ref) { refUpdateRule { requiredApprovingReviewCount requiredStatusCheckContexts } } \
                    pullRequest(number: $number) { id headRefOid autoMergeRequest { mergeMethod } } } }";
const ENABLE: &str = "mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { clientMutationId } }";

/// GitHub's two APIs, for a pull request.
pub(super) struct Merging<'a> {
    pub hub: &'a GitHub,
    pub graphql: &'a GraphQl,
    pub spec: &'a PullRequestSpec<'a>,
    pub merge: ScheduledMerge,
}

impl Merging<'_> {
    /// Enables auto-merge for the commit that was pushed, or merges it if the rules are met already.
    ///
    /// # Errors
    /// If GitHub refuses, or the budget is spent.
    pub fn enable(&self, backoff: &mut Backoff<'_>) -> Result<AutoMergeState, ForgeError> {
        let seen = match self.look(backoff) {
            Ok(seen) => seen,
            Err(error) => return Ok(AutoMergeState::rules_unread(self.spec.base, &error)),
        };
        let repository = &seen["repository"];
        let has_rules = if has_classic_rules(repository) { Ok(true) } else { self.has_rules(backoff) };
        let has_rules = match has_rules {
            Ok(has_rules) => has_rules,
            Err(error) => return Ok(AutoMergeState::rules_unread(self.spec.base, &error)),
        };
        if !has_rules {
            let why = format!("{} requires neither a status check nor a review", self.spec.base);
            return Ok(AutoMergeState::NotEnabled { why });
        }
        let pull = &repository["pullRequest"];
        if pull["headRefOid"] != self.merge.head.to_string() {
            return Ok(AutoMergeState::NotEnabled {
                why: format!("{} has moved since the push", self.spec.head),
            });
        }
        let method = match self.merge.method {
            Some(method) => word(method),
            None => repository["viewerDefaultMergeMethod"].as_str().unwrap_or("MERGE"),
        };
        let mut input = json!({"pullRequestId": pull["id"], "expectedHeadOid": self.merge.head.to_string()});
        // a queue has its own method
        if repository["mergeQueue"].is_null() {
            input["mergeMethod"] = json!(method);
        }
        let (kind, message) = match self.ask(backoff, ENABLE, &json!({"input": input}))? {
            GraphQlResponse::Data(_) => {
                let is_new = is_new(repository, method);
                return Ok(AutoMergeState::Enabled { is_new, warning: None });
            }
            GraphQlResponse::Error { kind, message } => (kind, message),
        };
        match classify(&message) {
            Some(KnownMessage::ReadyToMerge) => self.merge_now(backoff, method),
            // enabled by an earlier run, and GitHub doesn't do it again
            _ if pull["autoMergeRequest"].is_object() => Ok(AutoMergeState::Enabled {
                is_new: false,
                warning: Some(format!(
                    "auto-merge was enabled before, and GitHub didn't pin it to the new commit: {message}"
                )),
            }),
            _ => Err(GitHubError::Unexpected { what: format!("{message} ({kind})") }.into()),
        }
    }

    fn ask(
        &self,
        backoff: &mut Backoff<'_>,
        query: &str,
        variables: &Value,
    ) -> Result<GraphQlResponse, ForgeError> {
        backoff
            .retry(ForgeError::timed_out, |backoff| self.graphql.once(backoff.deadline(), query, variables))
    }

    fn look(&self, backoff: &mut Backoff<'_>) -> Result<Value, ForgeError> {
        let (owner, name) = self.spec.repository.split_once('/').unwrap_or_default();
        let variables = json!({
            "owner": owner,
            "name": name,
            "base": self.spec.base,
            "ref": format!("refs/heads/{}", self.spec.base),
            "number": self.merge.number,
        });
        match self.ask(backoff, LOOK, &variables)? {
            GraphQlResponse::Data(data) => Ok(data),
            GraphQlResponse::Error { message, .. } => Err(GitHubError::Unexpected { what: message }.into()),
        }
    }

    /// Whether a ruleset makes the base wait for a check or a review.
    fn has_rules(&self, backoff: &mut Backoff<'_>) -> Result<bool, ForgeError> {
        let base = url_encoded(self.spec.base);
        let route = format!("/repos/{}/rules/branches/{}", self.spec.repository, base.replace('+', "%20"));
        Ok(rules_wait(&self.hub.ask(backoff, &route, ApiRequest::Get)?))
    }

    /// GitHub enables nothing if there is nothing left to wait for. The server's rules still apply to this merge.
    fn merge_now(&self, backoff: &mut Backoff<'_>, method: &str) -> Result<AutoMergeState, ForgeError> {
        let route = format!("/repos/{}/pulls/{}/merge", self.spec.repository, self.merge.number);
        let asked = json!({"sha": self.merge.head.to_string(), "merge_method": method.to_lowercase()});
        let merged =
            backoff.retry(ForgeError::timed_out, |backoff| -> Result<Value, FetchError<ForgeError>> {
                self.hub.once(backoff.deadline(), &route, ApiRequest::Put(&asked))
            })?;
        if merged["merged"] == true {
            return Ok(AutoMergeState::Enabled { is_new: true, warning: None });
        }
        let what = api_text(merged["message"].as_str().unwrap_or("no explanation"));
        Err(GitHubError::Unexpected { what }.into())
    }
}

fn word(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Squash => "SQUASH",
        MergeMethod::Merge => "MERGE",
        MergeMethod::Rebase => "REBASE",
    }
}

/// Whether auto-merge wasn't enabled with this method before. A queue has its own.
fn is_new(repository: &Value, method: &str) -> bool {
    let before = &repository["pullRequest"]["autoMergeRequest"];
    !before.is_object() || (repository["mergeQueue"].is_null() && before["mergeMethod"] != method)
}

/// Whether a classic protection of the base makes it wait, as far as someone sees it who doesn't administer the repository.
fn has_classic_rules(repository: &Value) -> bool {
    let rule = &repository["ref"]["refUpdateRule"];
    let checks = rule["requiredStatusCheckContexts"].as_array().is_some_and(|checks| !checks.is_empty());
    checks || rule["requiredApprovingReviewCount"].as_u64() > Some(0)
}

/// Whether one of a branch's rules waits for a check or a review.
fn rules_wait(rules: &Value) -> bool {
    let waits = |rule: &Value| {
        let parameters = &rule["parameters"];
        match rule["type"].as_str() {
            Some("required_status_checks") => {
                parameters["required_status_checks"].as_array().is_some_and(|checks| !checks.is_empty())
            }
            Some("pull_request") => parameters["required_approving_review_count"].as_u64() > Some(0),
            Some("workflows") => true,
            _ => false,
        }
    };
    rules.as_array().into_iter().flatten().any(waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_wait_for_checks_reviews_and_workflows_alone() {
        for (rule, expected) in [
            (
                json!({"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "ci"}]}}),
                true,
            ),
            (json!({"type": "required_status_checks", "parameters": {"required_status_checks": []}}), false),
            (json!({"type": "pull_request", "parameters": {"required_approving_review_count": 1}}), true),
            (json!({"type": "pull_request", "parameters": {"required_approving_review_count": 0}}), false),
            (json!({"type": "workflows"}), true),
            (json!({"type": "deletion"}), false),
        ] {
            assert_eq!(rules_wait(&json!([{"type": "non_fast_forward"}, rule])), expected, "{rule}");
        }
        assert!(!rules_wait(&json!({"message": "x"})));
    }

    #[test]
    fn classic_rules_wait_for_checks_and_reviews() {
        let of = |rule: Value| has_classic_rules(&json!({"ref": {"refUpdateRule": rule}}));
        assert!(of(json!({"requiredApprovingReviewCount": 1, "requiredStatusCheckContexts": []})));
        assert!(of(json!({"requiredApprovingReviewCount": null, "requiredStatusCheckContexts": ["ci"]})));
        assert!(!of(json!({"requiredApprovingReviewCount": 0, "requiredStatusCheckContexts": []})));
        assert!(!of(Value::Null));
    }
}
