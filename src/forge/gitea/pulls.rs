//! The pull request of a branch: opened once, kept up to date, and closed if it has nothing left to propose.

use std::time::Instant;

use serde_json::json;

use super::client::{Gitea, GiteaRequest};
use super::error::{GiteaError, GiteaRefusal};
use super::finish::finish;
use super::response::GiteaProblem;
use crate::forge::pull_json::PullRequestJson;
use crate::forge::{ForgeError, ProposedPull, PullRequest, PullRequestSpec, StillCurrent};
use crate::landing::{Backoff, FetchError};

/// Opens the pull request, or updates the open one. A second time changes nothing.
///
/// # Errors
/// If Gitea refuses, or the budget is spent.
pub fn propose(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    is_current: &mut StillCurrent<'_>,
) -> Result<ProposedPull, ForgeError> {
    if let Some(pull) = open(gitea, backoff, spec)? {
        let updated = update(gitea, backoff, spec, &pull, is_current)?;
        let is_changed = updated.is_some();
        let pull = shown(&updated.unwrap_or(pull), spec);
        return Ok(ProposedPull { pull, is_changed, warnings: Vec::new() });
    }
    let pull = create(gitea, backoff, spec, is_current)?;
    let warnings = finish(gitea, backoff, spec, pull.number);
    Ok(ProposedPull { pull: shown(&pull, spec), is_changed: true, warnings })
}

/// Finds the open pull request of a branch.
///
/// # Errors
/// As [`propose`].
pub fn find(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
) -> Result<Option<PullRequest>, ForgeError> {
    Ok(open(gitea, backoff, spec)?.map(|pull| shown(&pull, spec)))
}

/// Closes the open pull request of a branch, if there is one.
///
/// # Errors
/// As [`propose`].
pub fn close(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
) -> Result<Option<PullRequest>, ForgeError> {
    let Some(pull) = open(gitea, backoff, spec)? else { return Ok(None) };
    gitea.ask(backoff, &route(spec, pull.number), GiteaRequest::Patch(&json!({"state": "closed"})))?;
    Ok(Some(shown(&pull, spec)))
}

fn shown(pull: &PullRequestJson, spec: &PullRequestSpec<'_>) -> PullRequest {
    pull.shown(spec.page, "pulls")
}

fn pulls(spec: &PullRequestSpec<'_>) -> String {
    format!("/repos/{}/pulls", spec.repository)
}

fn route(spec: &PullRequestSpec<'_>, number: u64) -> String {
    format!("{}/{number}", pulls(spec))
}

/// How many open pull requests are read at most.
const PAGES: usize = 100;
const PER_PAGE: usize = 50;

/// The open pull request from the branch to the base. Gitea can't be asked for it: its list can't be filtered by the branch, and a request
/// for `pulls/{base}/{head}` may find a closed one. Older servers can't filter by the base either. A server may list fewer pull requests at
/// once than it was asked for. If one is overlooked because the list changes meanwhile, Gitea refuses to make a second one.
fn open(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
) -> Result<Option<PullRequestJson>, ForgeError> {
    for page in 1..=PAGES {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("state", "open")
            .append_pair("base_branch", spec.base)
            .append_pair("limit", &PER_PAGE.to_string())
            .append_pair("page", &page.to_string())
            .finish();
        let listed = gitea.ask(backoff, &format!("{}?{query}", pulls(spec)), GiteaRequest::Get)?;
        if listed.as_array().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        if let Some(pull) = PullRequestJson::find(listed, spec.head, spec.base)? {
            return Ok(Some(pull));
        }
    }
    Err(GiteaError::TooManyPullRequests { read: PAGES * PER_PAGE }.into())
}

/// Checks that the token sees the repository's pull requests.
///
/// # Errors
/// If it doesn't, or if the server answers with anything but a list.
pub fn confirm(gitea: &Gitea, deadline: Instant, repository: &str) -> Result<(), FetchError<ForgeError>> {
    let route = format!("/repos/{repository}/pulls?state=open&limit=1");
    let listed = gitea.once(deadline, &route, GiteaRequest::Get)?;
    PullRequestJson::list(listed).map_err(|error| FetchError::Permanent(error.into()))?;
    Ok(())
}

/// A title that starts with one of these makes a draft; the first is the one that Gitea itself adds.
///
/// Source: Gitea's setting `WORK_IN_PROGRESS_PREFIXES`, with its default.
const DRAFT: [&str; 2] = ["WIP:", "[WIP]"];

fn title(spec: &PullRequestSpec<'_>) -> String {
    if spec.draft { format!("{} {}", DRAFT[0], spec.title) } else { spec.title.to_owned() }
}

/// What makes a draft of a title, and the rest of it.
fn draft_mark(title: &str) -> (&str, &str) {
    let is_mark = |mark: &&str| title.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark));
    let length = DRAFT.iter().find(|mark| is_mark(mark)).map_or(0, |mark| mark.len());
    let (mark, rest) = title.split_at(length);
    (mark, rest.trim_start())
}

fn create(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    is_current: &mut StillCurrent<'_>,
) -> Result<PullRequestJson, ForgeError> {
    let asked = json!({"title": title(spec), "head": spec.head, "base": spec.base, "body": spec.body});
    let mut tries = 0;
    backoff.retry(ForgeError::timed_out, |backoff| {
        if tries > 0 {
            // the answer may have been lost, not the request
            if let Some(made) = open(gitea, backoff, spec)? {
                return Ok(update(gitea, backoff, spec, &made, is_current)?.unwrap_or(made));
            }
        }
        tries += 1;
        match gitea.request(backoff.deadline(), &pulls(spec), GiteaRequest::Post(&asked)) {
            Ok(made) => Ok(PullRequestJson::made(made, spec).map_err(ForgeError::from)?),
            Err(GiteaProblem::Refused(refusal)) if goes_away(&refusal, tries) => {
                Err(FetchError::Transient { what: refusal.to_string(), retry_after: None })
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// How often Gitea is asked for a pull request while it doesn't see the branch that was just pushed.
const CREATE_TRIES: usize = 8;

/// Whether a refusal goes away: another run made the pull request (409), or Gitea doesn't know the branch yet (404).
fn goes_away(refusal: &GiteaRefusal, tries: usize) -> bool {
    refusal.status == 409 || (refusal.status == 404 && tries < CREATE_TRIES)
}

/// `None` if the pull request stays as it is.
fn update(
    gitea: &Gitea,
    backoff: &mut Backoff<'_>,
    spec: &PullRequestSpec<'_>,
    pull: &PullRequestJson,
    is_current: &mut StillCurrent<'_>,
) -> Result<Option<PullRequestJson>, ForgeError> {
    // a person may have made a draft of it, or a draft ready
    let (mark, title) = draft_mark(&pull.title);
    if [title, &pull.title].contains(&spec.title) && pull.has_body(spec.body) {
        return Ok(None);
    }
    if !is_current() {
        return Ok(None);
    }
    let is_marked = mark.is_empty() || !draft_mark(spec.title).0.is_empty();
    let title = if is_marked { spec.title.to_owned() } else { format!("{mark} {}", spec.title) };
    let changed = json!({"title": title, "body": spec.body});
    let updated = gitea.ask(backoff, &route(spec, pull.number), GiteaRequest::Patch(&changed))?;
    Ok(Some(PullRequestJson::made(updated, spec)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_mark_is_found_at_the_start_in_any_case() {
        for (title, expected) in [
            ("WIP: x", ("WIP:", "x")),
            ("wip:x", ("wip:", "x")),
            ("[WIP] x", ("[WIP]", "x")),
            ("x WIP: y", ("", "x WIP: y")),
            ("WI", ("", "WI")),
            ("\u{e4}\u{e4}\u{e4}", ("", "\u{e4}\u{e4}\u{e4}")),
        ] {
            assert_eq!(draft_mark(title), expected, "{title}");
        }
    }
}
