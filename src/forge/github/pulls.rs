//! The pull request of a branch: opened once, kept up to date, and closed if it has nothing left to propose.

use std::time::Instant;

use serde_json::json;

use super::client::{ApiRequest, GitHub};
use super::error::{ApiRefusal, ApiRefusalReason};
use super::finish::finish;
use super::response::ApiError;
use crate::forge::pull_json::PullRequestJson;
use crate::forge::{ForgeError, ProposedPull, PullRequest, PullRequestSpec, StillCurrent};
use crate::landing::{Backoff, FetchError};

/// Opens the pull request, or updates the open one. A second time changes nothing.
///
/// # Errors
/// If GitHub refuses, or the budget is spent.
pub fn propose(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    is_current: &mut StillCurrent<'_>,
) -> Result<ProposedPull, ForgeError> {
    if let Some(pull) = open(hub, backoff, spec)? {
        let updated = update(hub, backoff, spec, &pull, is_current)?;
        let is_changed = updated.is_some();
        let pull = shown(&updated.unwrap_or(pull), spec);
        return Ok(ProposedPull { pull, is_changed, warnings: Vec::new() });
    }
    let pull = create(hub, backoff, spec, is_current)?;
    let warnings = finish(hub, backoff, spec, pull.number);
    Ok(ProposedPull { pull: shown(&pull, spec), is_changed: true, warnings })
}

/// Finds the open pull request of a branch.
///
/// # Errors
/// As [`propose`].
pub fn find(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
) -> Result<Option<PullRequest>, ForgeError> {
    Ok(open(hub, backoff, spec)?.map(|pull| shown(&pull, spec)))
}

/// Closes the open pull request of a branch, if there is one.
///
/// # Errors
/// As [`propose`].
pub fn close(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
) -> Result<Option<PullRequest>, ForgeError> {
    let Some(pull) = open(hub, backoff, spec)? else { return Ok(None) };
    hub.ask(backoff, &route(spec, pull.number), ApiRequest::Patch(&json!({"state": "closed"})))?;
    Ok(Some(shown(&pull, spec)))
}

fn shown(pull: &PullRequestJson, spec: &PullRequestSpec<'_>) -> PullRequest {
    pull.shown(spec.page, "pull")
}

fn pulls(spec: &PullRequestSpec<'_>) -> String {
    format!("/repos/{}/pulls", spec.repository)
}

fn route(spec: &PullRequestSpec<'_>, number: u64) -> String {
    format!("{}/{number}", pulls(spec))
}

/// The open pull request from the branch to the base. One from a fork's branch of the same name doesn't count.
fn open(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
) -> Result<Option<PullRequestJson>, ForgeError> {
    let route = list_route(spec.repository, spec.head, spec.base);
    let listed = hub.ask(backoff, &route, ApiRequest::Get)?;
    Ok(PullRequestJson::find(listed, spec.head, spec.base)?)
}

/// Lists the open pull requests from one branch to another.
fn list_route(repository: &str, head: &str, base: &str) -> String {
    let owner = repository.split('/').next().unwrap_or_default();
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("state", "open")
        .append_pair("head", &format!("{owner}:{head}"))
        .append_pair("base", base)
        .finish();
    format!("/repos/{repository}/pulls?{query}")
}

/// Checks that the token sees the repository's pull requests.
///
/// # Errors
/// If it doesn't, or if the server answers with anything but a list.
pub fn confirm(
    hub: &GitHub,
    deadline: Instant,
    repository: &str,
    head: &str,
    base: &str,
) -> Result<(), FetchError<ForgeError>> {
    let listed = hub.once(deadline, &list_route(repository, head, base), ApiRequest::Get)?;
    match PullRequestJson::find(listed, head, base) {
        Ok(_) => Ok(()),
        Err(error) => Err(FetchError::Permanent(error.into())),
    }
}

fn create(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    is_current: &mut StillCurrent<'_>,
) -> Result<PullRequestJson, ForgeError> {
    let PullRequestSpec { head, base, title, body, draft, .. } = spec;
    let asked = json!({"title": title, "head": head, "base": base, "body": body, "draft": draft});
    let mut tries = 0;
    backoff.retry(ForgeError::timed_out, |backoff| {
        if tries > 0 {
            // the answer may have been lost, not the request
            if let Some(made) = open(hub, backoff, spec)? {
                return Ok(update(hub, backoff, spec, &made, is_current)?.unwrap_or(made));
            }
        }
        tries += 1;
        let made = hub.request(backoff.deadline(), &pulls(spec), ApiRequest::Post(&asked));
        let made = made.map_err(|error| {
            transient_if(error, |reason| match reason {
                // another run created it, or GitHub's list is out of date
                ApiRefusalReason::AlreadyExists => true,
                // both branches exist, and differ: GitHub doesn't see the push yet
                ApiRefusalReason::NothingToPropose => tries < CREATE_TRIES,
                _ => false,
            })
        })?;
        Ok(PullRequestJson::made(made, spec).map_err(ForgeError::from)?)
    })
}

/// An error for the retry loop. A refusal is worth another try if its reason is one that goes away.
fn transient_if(error: ApiError, goes_away: impl Fn(ApiRefusalReason) -> bool) -> FetchError<ForgeError> {
    match error {
        ApiError::Refused(refusal) if goes_away(refusal.reason) => again(&refusal),
        error => error.into(),
    }
}

pub(super) fn again(refusal: &ApiRefusal) -> FetchError<ForgeError> {
    FetchError::Transient { what: refusal.to_string(), retry_after: None }
}

/// How often GitHub is asked for a pull request while it doesn't see the commit that was just pushed.
const CREATE_TRIES: usize = 8;

/// `None` if the pull request stays as it is.
fn update(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    pull: &PullRequestJson,
    is_current: &mut StillCurrent<'_>,
) -> Result<Option<PullRequestJson>, ForgeError> {
    if pull.title == spec.title && pull.has_body(spec.body) {
        return Ok(None);
    }
    if !is_current() {
        return Ok(None);
    }
    let changed = json!({"title": spec.title, "body": spec.body});
    let updated = hub.ask(backoff, &route(spec, pull.number), ApiRequest::Patch(&changed))?;
    Ok(Some(PullRequestJson::made(updated, spec)?))
}
