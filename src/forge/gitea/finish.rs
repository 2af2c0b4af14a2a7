//! Labels, reviewers and assignees of a new pull request, one request each. What Gitea refuses is a warning: the pull request is open.
//! Labels have numbers.

use serde_json::{Value, json};

use super::client::{Gitea, GiteaRequest};
use crate::forge::{ForgeError, PullRequestSpec};
use crate::landing::Backoff;
use crate::visible::inline;

/// How many labels of a repository or an organisation are read at most.
const PAGES: usize = 20;
const PER_PAGE: usize = 50;

/// Sets all of them. Returns the warnings.
pub fn finish(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    number: u64,
) -> Vec<String> {
    let mut warnings = add_labels(gitea, backoff, spec, number);
    warnings.extend(request_reviews(gitea, backoff, spec, number));
    warnings.extend(assign(gitea, backoff, spec, number));
    warnings
}

fn request_reviews(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    number: u64,
) -> Vec<String> {
    let reviewers = spec.reviewers();
    let mut warnings = reviewers.warnings(spec.repository);
    if reviewers.is_empty() {
        return warnings;
    }
    let asked = json!({"reviewers": reviewers.people, "team_reviewers": reviewers.teams});
    let route = format!("/repos/{}/pulls/{number}/requested_reviewers", spec.repository);
    if let Err(error) = gitea.ask(backoff, &route, GiteaRequest::Post(&asked)) {
        let names = inline(&[reviewers.people, reviewers.teams].concat().join(", "));
        warnings.push(format!(
            "no review was requested from {names}: {error}; reviewers must be allowed to read the repository, and teams to use it"
        ));
    }
    warnings
}

fn assign(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    number: u64,
) -> Option<String> {
    if spec.assignees.is_empty() {
        return None;
    }
    let route = format!("/repos/{}/issues/{number}", spec.repository);
    let error =
        gitea.ask(backoff, &route, GiteaRequest::Patch(&json!({"assignees": spec.assignees}))).err()?;
    let names = inline(&spec.assignees.join(", "));
    Some(format!(
        "the pull request was not assigned to {names}: {error}; assignees must be collaborators, and the token needs the scope write:issue"
    ))
}

/// Returns a warning for labels that the pull request doesn't get.
fn add_labels(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    number: u64,
) -> Vec<String> {
    if spec.labels.is_empty() {
        return Vec::new();
    }
    match try_add(gitea, backoff, spec, number) {
        Ok(missing) => missing
            .iter()
            .map(|label| {
                format!("{}: has no label {}; create it first", inline(spec.repository), inline(label))
            })
            .collect(),
        Err(error) => {
            vec![format!("the pull request got no labels: {error}; the token needs the scope write:issue")]
        }
    }
}

/// Returns the names of labels that exist neither in the repository nor in its organisation.
fn try_add<'a>(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'a>,
    number: u64,
) -> Result<Vec<&'a String>, ForgeError> {
    let owner = spec.repository.split('/').next().unwrap_or_default();
    let mut known = list(gitea, backoff, &format!("/repos/{}/labels", spec.repository))?;
    if spec.labels.iter().any(|label| number_of(&known, label).is_none()) {
        // the owner is a person more often than an organisation
        known.extend(list(gitea, backoff, &format!("/orgs/{owner}/labels")).unwrap_or_default());
    }
    let (there, missing): (Vec<_>, Vec<_>) =
        spec.labels.iter().partition(|label| number_of(&known, label).is_some());
    let numbers: Vec<u64> = there.into_iter().filter_map(|label| number_of(&known, label)).collect();
    if !numbers.is_empty() {
        let route = format!("/repos/{}/issues/{number}/labels", spec.repository);
        gitea.ask(backoff, &route, GiteaRequest::Post(&json!({"labels": numbers})))?;
    }
    Ok(missing)
}

fn number_of(known: &[Value], name: &str) -> Option<u64> {
    let is = |label: &&Value| label["name"].as_str().is_some_and(|there| there.eq_ignore_ascii_case(name));
    known.iter().find(is)?["id"].as_u64()
}

fn list(gitea: &Gitea, backoff: &mut Backoff<'_>, route: &str) -> Result<Vec<Value>, ForgeError> {
    let mut all = Vec::new();
    for page in 1..=PAGES {
        let listed =
            gitea.ask(backoff, &format!("{route}?page={page}&limit={PER_PAGE}"), GiteaRequest::Get)?;
        let Value::Array(mut labels) = listed else { break };
        if labels.is_empty() {
            break;
        }
        all.append(&mut labels);
    }
    Ok(all)
}
