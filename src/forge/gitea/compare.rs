//! Which of two commits of another repository is newer, and the commits between them.

use std::time::Instant;

use serde_json::Value;

use super::client::{Gitea, GiteaRequest};
use crate::forge::rest_client::url_encoded;
use crate::history::{CommitRange, ListedCommit, MAX_LISTED};
use crate::landing::{BuildOrder, FetchError, OnDefaultBranch};

/// Asks about the commits of one repository.
pub(super) struct GiteaComparison<'a> {
    pub gitea: &'a Gitea,
    pub deadline: Instant,
    /// `owner/name`.
    pub repository: &'a str,
}

impl GiteaComparison<'_> {
    /// The order of two commits. An error says why it is unknown.
    ///
    /// Source: Gitea's `repo.CompareDiff`: `total_commits` counts the commits that the second has and the first lacks.
    ///
    /// # Errors
    /// If Gitea can't be reached, or doesn't know the commits.
    pub fn order(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        if ours == theirs {
            return Ok(BuildOrder::Same);
        }
        Ok(match (self.lacks(ours, theirs)?, self.lacks(theirs, ours)?) {
            (false, false) => BuildOrder::Same,
            (true, false) => BuildOrder::Before,
            (false, true) => BuildOrder::After,
            (true, true) => self.diverged(ours, theirs)?,
        })
    }

    /// The commits that `new` has and `old` lacks.
    ///
    /// Source: Gitea's `repo.CompareDiff`, which lists all of them, newest first.
    ///
    /// # Errors
    /// If Gitea can't be reached, or doesn't know the commits.
    pub fn range(&self, old: &str, new: &str) -> Result<CommitRange, String> {
        let compared = self.compared(old, new)?;
        let listed = compared["commits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let commits = listed.iter().take(MAX_LISTED).map(|commit| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            ListedCommit::new(&text(&commit["sha"]), &text(&commit["commit"]["message"]))
        });
        Ok(CommitRange { commits: commits.collect(), total: total(&compared)? })
    }

    fn get(&self, route: &str) -> Result<Value, String> {
        let route = format!("/repos/{}{route}", self.repository);
        self.gitea.once(self.deadline, &route, GiteaRequest::Get).map_err(FetchError::into_message)
    }

    fn compared(&self, base: &str, other: &str) -> Result<Value, String> {
        let (base, other) = (url_encoded(base), url_encoded(other));
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
        let on_default =
            OnDefaultBranch { ours: !self.lacks(default, ours)?, theirs: !self.lacks(default, theirs)? };
        Ok(BuildOrder::of_diverged(on_default))
    }
}

fn total(compared: &Value) -> Result<usize, String> {
    let total = compared["total_commits"].as_u64().and_then(|total| usize::try_from(total).ok());
    total.ok_or_else(|| "Gitea's API didn't return a number of commits".to_owned())
}
