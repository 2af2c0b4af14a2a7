//! Which of two commits of another repository is newer, and the commits between them.

use std::time::Instant;

use serde_json::Value;

use super::client::{Gitea, GiteaRequest};
use crate::history::{CommitRange, ListedCommit, MAX_LISTED};
use crate::landing::{BuildOrder, FetchError};

/// The order of two commits of a repository, `owner/name`. An error says why it is unknown.
///
/// Source: Gitea's `repo.CompareDiff`: `total_commits` counts the commits that the second has and the first lacks.
///
/// # Errors
/// If Gitea can't be reached, or doesn't know the commits.
pub fn order(
    gitea: &Gitea,
    deadline: Instant,
    repository: &str,
    ours: &str,
    theirs: &str,
) -> Result<BuildOrder, String> {
    if ours == theirs {
        return Ok(BuildOrder::Same);
    }
    let ask = GiteaComparison { gitea, deadline, repository };
    Ok(match (ask.lacks(ours, theirs)?, ask.lacks(theirs, ours)?) {
        (false, false) => BuildOrder::Same,
        (true, false) => BuildOrder::Before,
        (false, true) => BuildOrder::After,
        (true, true) => ask.diverged(ours, theirs)?,
    })
}

/// The commits of a repository, `owner/name`, that `new` has and `old` lacks.
///
/// Source: Gitea's `repo.CompareDiff`, which lists all of them, newest first.
///
/// # Errors
/// If Gitea can't be reached, or doesn't know the commits.
pub fn range(
    gitea: &Gitea,
    deadline: Instant,
    repository: &str,
    old: &str,
    new: &str,
) -> Result<CommitRange, String> {
    let compared = GiteaComparison { gitea, deadline, repository }.compared(old, new)?;
    let listed = compared["commits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let commits = listed.iter().take(MAX_LISTED).map(|commit| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        ListedCommit::new(&text(&commit["sha"]), &text(&commit["commit"]["message"]))
    });
    Ok(CommitRange { commits: commits.collect(), total: total(&compared)? })
}

fn total(compared: &Value) -> Result<usize, String> {
    let total = compared["total_commits"].as_u64().and_then(|total| usize::try_from(total).ok());
    total.ok_or_else(|| "Gitea's API didn't return a number of commits".to_owned())
}

struct GiteaComparison<'a> {
    gitea: &'a Gitea,
    deadline: Instant,
    repository: &'a str,
}

impl GiteaComparison<'_> {
    fn get(&self, route: &str) -> Result<Value, String> {
        let route = format!("/repos/{}{route}", self.repository);
        self.gitea.once(self.deadline, &route, GiteaRequest::Get).map_err(FetchError::into_message)
    }

    fn compared(&self, base: &str, other: &str) -> Result<Value, String> {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let (base, other) = (encode(base), encode(other));
        self.get(&format!("/compare/{base}...{other}?verification=false&files=false"))
    }

    /// Whether `other` has commits that `base` lacks.
    fn lacks(&self, base: &str, other: &str) -> Result<bool, String> {
        Ok(total(&self.compared(base, other)?)? > 0)
    }

    fn diverged(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        let repository = self.get("")?;
        let default =
            repository["default_branch"].as_str().ok_or("Gitea's API didn't return a default branch")?;
        Ok(BuildOrder::of_diverged(!self.lacks(default, ours)?, !self.lacks(default, theirs)?))
    }
}
