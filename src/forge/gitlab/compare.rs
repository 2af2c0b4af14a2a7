//! Which of two commits of another repository is newer, and the commits between them.

use std::time::Instant;

use serde_json::Value;

use super::client::GitLab;
use crate::forge::rest_client::url_encoded;
use crate::history::{CommitRange, ListedCommit, MAX_LISTED};
use crate::landing::{BuildOrder, FetchError, OnDefaultBranch};

/// Asks about the commits of one project.
pub(super) struct GitLabComparison<'a> {
    pub gitlab: &'a GitLab,
    pub deadline: Instant,
    /// The project's path.
    pub repository: &'a str,
}

impl GitLabComparison<'_> {
    /// The order of two commits. An error says why it is unknown.
    ///
    /// Source: GitLab's "Repositories API", "Retrieve a merge base".
    ///
    /// # Errors
    /// If GitLab can't be reached, or doesn't know the commits.
    pub fn order(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        let base = self.merge_base(ours, theirs)?;
        Ok(match (base.starts_with(ours), base.starts_with(theirs)) {
            (true, true) => BuildOrder::Same,
            (true, false) => BuildOrder::Before,
            (false, true) => BuildOrder::After,
            (false, false) => self.diverged(ours, theirs)?,
        })
    }

    /// The commits that `new` has and `old` lacks.
    ///
    /// Source: GitLab's "Repositories API", "Compare branches, tags, or commits"; `Gitlab::Git::Commit.between` lists the oldest first.
    ///
    /// # Errors
    /// If GitLab can't be reached, or doesn't know the commits.
    pub fn range(&self, old: &str, new: &str) -> Result<CommitRange, String> {
        let compared =
            self.get(&format!("/repository/compare?from={}&to={}", url_encoded(old), url_encoded(new)))?;
        let listed = compared["commits"].as_array().ok_or("GitLab's API didn't return commits")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let commits = listed.iter().rev().take(MAX_LISTED);
        let commits = commits.map(|commit| ListedCommit::new(&text(&commit["id"]), &text(&commit["title"])));
        Ok(CommitRange { commits: commits.collect(), total: listed.len() })
    }

    fn get(&self, route: &str) -> Result<Value, String> {
        let page = self.gitlab.project(self.deadline, self.repository, route);
        page.map(|page| page.data).map_err(FetchError::into_message)
    }

    /// The last commit that two others have in common, in full.
    fn merge_base(&self, one: &str, other: &str) -> Result<String, String> {
        let (one, other) = (url_encoded(one), url_encoded(other));
        let base = self.get(&format!("/repository/merge_base?refs%5B%5D={one}&refs%5B%5D={other}"))?;
        let id = base["id"].as_str().filter(|id| !id.is_empty());
        Ok(id.ok_or("GitLab's API didn't return a commit")?.to_owned())
    }

    fn diverged(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        let project = self.get("")?;
        let default =
            project["default_branch"].as_str().ok_or("GitLab's API didn't return a default branch")?;
        let on_it = |commit: &str| self.merge_base(default, commit).map(|base| base.starts_with(commit));
        Ok(BuildOrder::of_diverged(OnDefaultBranch { ours: on_it(ours)?, theirs: on_it(theirs)? }))
    }
}
