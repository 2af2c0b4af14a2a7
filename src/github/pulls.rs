//! The pull request of a branch: made once, kept up to date, closed when there is nothing left to propose.

use serde_json::json;

use super::client::{self, Ask, GitHub};
use super::pull_answer::{Pull, PullRequest};
use crate::error::{Failure, Result};
use crate::land::{Pace, Trouble};

/// What a pull request shall be.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
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
pub type Still<'a> = dyn FnMut() -> bool + 'a;

/// Makes the pull request, or brings the open one up to date. A second time changes nothing.
///
/// # Errors
/// Exit 5 where GitHub refuses, exit 4 where the budget is spent.
pub fn propose(
    hub: &GitHub,
    pace: &mut Pace<'_>,
    wish: &Wish<'_>,
    still: &mut Still<'_>,
) -> Result<PullRequest> {
    let pull = match open(hub, pace, wish)? {
        Some(pull) => update(hub, pace, wish, pull, still)?,
        None => create(hub, pace, wish, still)?,
    };
    label(hub, pace, wish, &pull)?;
    Ok(pull.shown(wish.page))
}

/// Finds the open pull request of a branch.
///
/// # Errors
/// As [`propose`].
pub fn find(hub: &GitHub, pace: &mut Pace<'_>, wish: &Wish<'_>) -> Result<Option<PullRequest>> {
    Ok(open(hub, pace, wish)?.map(|pull| pull.shown(wish.page)))
}

/// Closes the open pull request of a branch, if there is one.
///
/// # Errors
/// As [`propose`].
pub fn close(hub: &GitHub, pace: &mut Pace<'_>, wish: &Wish<'_>) -> Result<Option<PullRequest>> {
    let Some(pull) = open(hub, pace, wish)? else { return Ok(None) };
    hub.ask(pace, &route(wish, pull.number), Ask::Patch(&json!({"state": "closed"})))?;
    Ok(Some(pull.shown(wish.page)))
}

fn pulls(wish: &Wish<'_>) -> String {
    format!("/repos/{}/pulls", wish.repository)
}

fn route(wish: &Wish<'_>, number: u64) -> String {
    format!("{}/{number}", pulls(wish))
}

/// The open pull request from the branch to the base. Of forks with a branch of that name it is none.
fn open(hub: &GitHub, pace: &mut Pace<'_>, wish: &Wish<'_>) -> Result<Option<Pull>> {
    let owner = wish.repository.split('/').next().unwrap_or_default();
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("state", "open")
        .append_pair("head", &format!("{owner}:{}", wish.head))
        .append_pair("base", wish.base)
        .finish();
    let listed = hub.ask(pace, &format!("{}?{query}", pulls(wish)), Ask::Get)?;
    Pull::find(listed, wish.head, wish.base)
}

fn create(hub: &GitHub, pace: &mut Pace<'_>, wish: &Wish<'_>, still: &mut Still<'_>) -> Result<Pull> {
    let Wish { head, base, title, body, draft, .. } = wish;
    let asked = json!({"title": title, "head": head, "base": base, "body": body, "draft": draft});
    for nth in 1.. {
        match hub.once(pace.deadline(), &pulls(wish), Ask::Post(&asked)) {
            Ok(made) => return Pull::read(made),
            // somebody was faster, or the list is behind
            Err(Trouble::Final(failure)) if failure.message.contains("already exists") => {
                client::wait(pace, &failure.message, None)?;
            }
            Err(Trouble::Final(failure)) if nth < CREATE_TRIES && is_behind(&failure) => {
                client::wait(pace, &failure.message, None)?;
            }
            Err(Trouble::Final(failure)) => return Err(failure),
            Err(Trouble::Passing { what, retry_after }) => client::wait(pace, &what, retry_after)?,
            Err(Trouble::Unreachable { what }) => client::wait(pace, &what, None)?,
        }
        // the answer was lost, not always the request
        if let Some(made) = open(hub, pace, wish)? {
            return update(hub, pace, wish, made, still);
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
    pace: &mut Pace<'_>,
    wish: &Wish<'_>,
    pull: Pull,
    still: &mut Still<'_>,
) -> Result<Pull> {
    // GitHub gives bodies back with its own line ends
    let same = |old: &str, new: &str| old.replace("\r\n", "\n").trim_end() == new.trim_end();
    if pull.title == wish.title && same(pull.body.as_deref().unwrap_or_default(), wish.body) {
        return Ok(pull);
    }
    if !still() {
        return Ok(pull);
    }
    let changed = json!({"title": wish.title, "body": wish.body});
    Pull::read(hub.ask(pace, &route(wish, pull.number), Ask::Patch(&changed))?)
}

/// How often a new pull request is asked for its labels: at first GitHub may not know it yet.
const LABEL_TRIES: usize = 4;

fn label(hub: &GitHub, pace: &mut Pace<'_>, wish: &Wish<'_>, pull: &Pull) -> Result<()> {
    // to GitHub they are the same in any case
    let has = |label: &str| pull.labels.iter().any(|there| there.name.to_lowercase() == label.to_lowercase());
    let missing: Vec<_> = wish.labels.iter().filter(|label| !has(label)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let route = format!("/repos/{}/issues/{}/labels", wish.repository, pull.number);
    let asked = json!({"labels": missing});
    for nth in 1.. {
        match hub.ask(pace, &route, Ask::Post(&asked)) {
            Err(failure) if nth < LABEL_TRIES && failure.message.contains("Could not resolve to a node") => {
                client::wait(pace, &failure.message, None)?;
            }
            other => return other.map(|_| ()),
        }
    }
    Ok(())
}
