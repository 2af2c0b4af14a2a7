//! The pull request of a branch: made once, kept up to date, closed when there is nothing left to propose.

use serde_json::json;

use super::client::{self, ApiRequest, GitHub};
use super::pull_answer::{PullRequest, PullRequestJson};
use crate::error::{Failure, Result};
use crate::landing::{Backoff, FetchError};

/// What a pull request shall be.
#[derive(Clone, Debug)]
pub struct PullRequestSpec<'a> {
    /// `owner/name`.
    pub repository: &'a str,
    /// The repository's page, as the remote's URL gives it.
    pub page: &'a str,
    /// The branch, in the same repository.
    pub head: &'a str,
    pub base: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub labels: &'a [String],
    pub draft: bool,
}

/// Whether the branch still holds what the pull request shall tell of: somebody may have been faster, and then
/// the words that are there are theirs.
pub type StillCurrent<'a> = dyn FnMut() -> bool + 'a;

/// Makes the pull request, or brings the open one up to date. A second time changes nothing.
///
/// # Errors
/// Exit 5 where GitHub refuses, exit 4 where the budget is spent.
pub fn propose(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
    still: &mut StillCurrent<'_>,
) -> Result<PullRequest> {
    let pull = match open(hub, backoff, wish)? {
        Some(pull) => update(hub, backoff, wish, pull, still)?,
        None => create(hub, backoff, wish, still)?,
    };
    label(hub, backoff, wish, &pull)?;
    Ok(pull.shown(wish.page))
}

/// Finds the open pull request of a branch.
///
/// # Errors
/// As [`propose`].
pub fn find(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
) -> Result<Option<PullRequest>> {
    Ok(open(hub, backoff, wish)?.map(|pull| pull.shown(wish.page)))
}

/// Closes the open pull request of a branch, if there is one.
///
/// # Errors
/// As [`propose`].
pub fn close(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
) -> Result<Option<PullRequest>> {
    let Some(pull) = open(hub, backoff, wish)? else { return Ok(None) };
    hub.ask(backoff, &route(wish, pull.number), ApiRequest::Patch(&json!({"state": "closed"})))?;
    Ok(Some(pull.shown(wish.page)))
}

fn pulls(wish: &PullRequestSpec<'_>) -> String {
    format!("/repos/{}/pulls", wish.repository)
}

fn route(wish: &PullRequestSpec<'_>, number: u64) -> String {
    format!("{}/{number}", pulls(wish))
}

/// The open pull request from the branch to the base. Of forks with a branch of that name it is none.
fn open(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
) -> Result<Option<PullRequestJson>> {
    let owner = wish.repository.split('/').next().unwrap_or_default();
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("state", "open")
        .append_pair("head", &format!("{owner}:{}", wish.head))
        .append_pair("base", wish.base)
        .finish();
    let listed = hub.ask(backoff, &format!("{}?{query}", pulls(wish)), ApiRequest::Get)?;
    PullRequestJson::find(listed, wish.head, wish.base)
}

fn create(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
    still: &mut StillCurrent<'_>,
) -> Result<PullRequestJson> {
    let PullRequestSpec { head, base, title, body, draft, .. } = wish;
    let asked = json!({"title": title, "head": head, "base": base, "body": body, "draft": draft});
    for nth in 1.. {
        match hub.once(backoff.deadline(), &pulls(wish), ApiRequest::Post(&asked)) {
            Ok(made) => return PullRequestJson::read(made),
            // somebody was faster, or the list is behind
            Err(FetchError::Permanent(failure)) if failure.message.contains("already exists") => {
                client::wait(backoff, &failure.message, None)?;
            }
            Err(FetchError::Permanent(failure)) if nth < CREATE_TRIES && is_behind(&failure) => {
                client::wait(backoff, &failure.message, None)?;
            }
            Err(FetchError::Permanent(failure)) => return Err(failure),
            Err(FetchError::Transient { what, retry_after }) => client::wait(backoff, &what, retry_after)?,
            Err(FetchError::Unreachable { what }) => client::wait(backoff, &what, None)?,
        }
        // the answer was lost, not always the request
        if let Some(made) = open(hub, backoff, wish)? {
            return update(hub, backoff, wish, made, still);
        }
    }
    Err(Failure::other("no pull request was made"))
}

/// How often a pull request is asked for while GitHub does not see what was just pushed.
const CREATE_TRIES: usize = 8;

/// Both branches are there, and differ: who says otherwise looks at what was before the push.
fn is_behind(failure: &Failure) -> bool {
    failure.message.ends_with("Validation Failed; invalid") || failure.message.contains("No commits between")
}

fn update(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
    pull: PullRequestJson,
    still: &mut StillCurrent<'_>,
) -> Result<PullRequestJson> {
    // GitHub gives bodies back with its own line ends
    let same = |old: &str, new: &str| old.replace("\r\n", "\n").trim_end() == new.trim_end();
    if pull.title == wish.title && same(pull.body.as_deref().unwrap_or_default(), wish.body) {
        return Ok(pull);
    }
    if !still() {
        return Ok(pull);
    }
    let changed = json!({"title": wish.title, "body": wish.body});
    PullRequestJson::read(hub.ask(backoff, &route(wish, pull.number), ApiRequest::Patch(&changed))?)
}

/// How often a new pull request is asked for its labels: at first GitHub may not know it yet.
const LABEL_TRIES: usize = 4;

fn label(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
    pull: &PullRequestJson,
) -> Result<()> {
    // to GitHub they are the same in any case
    let has = |label: &str| pull.labels.iter().any(|there| there.name.to_lowercase() == label.to_lowercase());
    let missing: Vec<_> = wish.labels.iter().filter(|label| !has(label)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let route = format!("/repos/{}/issues/{}/labels", wish.repository, pull.number);
    let asked = json!({"labels": missing});
    for nth in 1.. {
        match hub.ask(backoff, &route, ApiRequest::Post(&asked)) {
            Err(failure) if nth < LABEL_TRIES && failure.message.contains("Could not resolve to a node") => {
                client::wait(backoff, &failure.message, None)?;
            }
            other => return other.map(|_| ()),
        }
    }
    Ok(())
}
