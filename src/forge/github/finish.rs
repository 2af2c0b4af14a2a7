//! Labels, reviewers and assignees of a new pull request, one request each. What GitHub refuses is a warning: the pull request is open.

use serde_json::{Value, json};

use super::client::{ApiRequest, GitHub};
use super::error::{ApiRefusalReason, GitHubError};
use super::pulls::again;
use super::response::ApiError;
use crate::forge::api_answer::api_text;
use crate::forge::rest_client::url_encoded;
use crate::forge::{ForgeError, PullRequestSpec};
use crate::landing::Backoff;
use crate::visible::inline;

/// How often each is asked for, because GitHub may not know the new pull request yet.
const TRIES: usize = 4;

/// Sets all of them. Returns the warnings.
pub fn finish(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    number: u64,
) -> Vec<String> {
    let mut new = NewPull { hub, backoff, spec, number };
    let mut warnings = new.add_labels();
    warnings.extend(new.request_reviews());
    warnings.extend(new.assign());
    warnings
}

struct NewPull<'a, 'b> {
    hub: &'a GitHub,
    backoff: &'a mut Backoff<'b>,
    spec: &'a PullRequestSpec<'a>,
    number: u64,
}

impl NewPull<'_, '_> {
    fn post(&mut self, end: &str, asked: &Value) -> Result<Value, ForgeError> {
        let route = format!("/repos/{}{end}", self.spec.repository);
        let (hub, mut tries) = (self.hub, 0);
        self.backoff.retry(ForgeError::timed_out, |backoff| {
            tries += 1;
            match hub.request(backoff.deadline(), &route, ApiRequest::Post(asked)) {
                Ok(answer) => Ok(answer),
                Err(ApiError::Refused(refusal))
                    if refusal.reason == ApiRefusalReason::UnknownNode && tries < TRIES =>
                {
                    Err(again(&refusal))
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    fn add_labels(&mut self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut known = Vec::new();
        for label in self.spec.labels {
            match self.has_label(label) {
                Ok(true) => known.push(label),
                Ok(false) => warnings.push(format!(
                    "{}: has no label {}; create it first",
                    inline(self.spec.repository),
                    inline(label)
                )),
                Err(error) => {
                    warnings.push(format!("the pull request got no label {}: {error}", inline(label)))
                }
            }
        }
        if known.is_empty() {
            return warnings;
        }
        let end = format!("/issues/{}/labels", self.number);
        if let Err(error) = self.post(&end, &json!({"labels": known})) {
            warnings.push(format!(
                "the pull request got no labels: {error}; the token needs pull-requests: write"
            ));
        }
        warnings
    }

    /// GitHub creates the labels that it doesn't know.
    fn has_label(&mut self, label: &str) -> Result<bool, ForgeError> {
        let encoded = url_encoded(label);
        let route = format!("/repos/{}/labels/{}", self.spec.repository, encoded.replace('+', "%20"));
        match self.hub.ask(self.backoff, &route, ApiRequest::Get) {
            Ok(_) => Ok(true),
            Err(ForgeError::GitHub(GitHubError::Refused(refusal))) if refusal.status == 404 => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn request_reviews(&mut self) -> Vec<String> {
        let reviewers = self.spec.reviewers();
        let mut warnings = reviewers.warnings(self.spec.repository);
        if reviewers.is_empty() {
            return warnings;
        }
        let asked = json!({"reviewers": reviewers.people, "team_reviewers": reviewers.teams});
        let end = format!("/pulls/{}/requested_reviewers", self.number);
        let Err(error) = self.post(&end, &asked) else { return warnings };
        let names = inline(&[reviewers.people, reviewers.teams].concat().join(", "));
        warnings.push(format!(
            "no review was requested from {names}: {error}; reviewers must be collaborators, and a team needs a token that sees it: an App's with members: read, or one with read:org"
        ));
        warnings
    }

    /// GitHub skips people whom it can't assign.
    fn assign(&mut self) -> Option<String> {
        if self.spec.assignees.is_empty() {
            return None;
        }
        let end = format!("/issues/{}/assignees", self.number);
        let answer = self.post(&end, &json!({"assignees": self.spec.assignees}));
        let (left, why) = match &answer {
            Ok(issue) => (
                unassigned(issue, self.spec.assignees),
                "they can't be assigned in this repository".to_owned(),
            ),
            Err(error) => (self.spec.assignees.iter().collect(), error.to_string()),
        };
        let names: Vec<&str> = left.into_iter().map(String::as_str).collect();
        let text = || {
            format!(
                "the pull request was not assigned to {}: {why}; assignees must be collaborators",
                api_text(&names.join(", "))
            )
        };
        (!names.is_empty()).then(text)
    }
}

/// Those whom the answer doesn't name.
fn unassigned<'a>(issue: &Value, wanted: &'a [String]) -> Vec<&'a String> {
    let there: Vec<&str> = issue["assignees"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|person| person["login"].as_str())
        .collect();
    wanted.iter().filter(|name| !there.iter().any(|login| login.eq_ignore_ascii_case(name))).collect()
}
