//! Which of two commits of another repository is newer, and the commits between them.

use std::time::Instant;

use serde_json::Value;

use super::client::{ApiRequest, GitHub};
use crate::forge::rest_client::url_encoded;
use crate::history::{CommitRange, ListedCommit, MAX_LISTED};
use crate::landing::{BuildOrder, FetchError, OnDefaultBranch};

/// Asks about the commits of one repository.
pub(super) struct GitHubComparison<'a> {
    hub: &'a GitHub,
    deadline: Instant,
    /// `owner/name`.
    repository: &'a str,
}

impl<'a> GitHubComparison<'a> {
    /// # Errors
    /// If GitHub has no repositories of such a name.
    pub fn new(hub: &'a GitHub, deadline: Instant, repository: &'a str) -> Result<Self, String> {
        if !is_repository(repository) {
            return Err(format!("{repository} is not a GitHub repository"));
        }
        Ok(GitHubComparison { hub, deadline, repository })
    }

    /// The order of two commits. An error says why it is unknown.
    ///
    /// Source: GitHub's "Compare two commits": `status` is how the second compares with the first.
    ///
    /// # Errors
    /// If GitHub can't be reached, or doesn't know the commits.
    pub fn order(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        Ok(match self.status(ours, theirs)?.as_str() {
            "identical" => BuildOrder::Same,
            "ahead" => BuildOrder::Before,
            "behind" => BuildOrder::After,
            // the only other status is "diverged"
            _ => self.diverged(ours, theirs)?,
        })
    }

    /// The commits that `new` has and `old` lacks.
    ///
    /// Source: GitHub's "Compare two commits", which lists them in pages, oldest first; the newest are on the last page.
    ///
    /// # Errors
    /// If GitHub can't be reached, or doesn't know the commits.
    pub fn range(&self, old: &str, new: &str) -> Result<CommitRange, String> {
        let page = |nth: usize| self.compared(old, new, &format!("per_page={MAX_LISTED}&page={nth}"));
        let first = page(1)?;
        let total = first["total_commits"].as_u64().and_then(|total| usize::try_from(total).ok());
        let total = total.ok_or("GitHub's API didn't return a number of commits")?;
        let last = total.div_ceil(MAX_LISTED).max(1);
        let mut commits = if last == 1 { listed(&first) } else { listed(&page(last)?) };
        if last > 1 && commits.len() < MAX_LISTED {
            commits.extend(listed(&if last == 2 { first } else { page(last - 1)? }));
        }
        commits.truncate(MAX_LISTED);
        Ok(CommitRange { commits, total })
    }

    fn get(&self, route: &str) -> Result<Value, String> {
        let route = format!("/repos/{}{route}", self.repository);
        self.hub.once(self.deadline, &route, ApiRequest::Get).map_err(FetchError::into_message)
    }

    /// How `other` compares with `base`.
    fn status(&self, base: &str, other: &str) -> Result<String, String> {
        compare_status(&self.compared(base, other, "per_page=1")?).map(str::to_owned)
    }

    fn compared(&self, base: &str, other: &str, query: &str) -> Result<Value, String> {
        self.get(&format!("/compare/{}...{}?{query}", url_encoded(base), url_encoded(other)))
    }

    fn diverged(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        let repository = self.get("")?;
        let default =
            repository["default_branch"].as_str().ok_or("GitHub's API didn't return a default branch")?;
        let on_it =
            |commit| self.status(commit, default).map(|status| status != "behind" && status != "diverged");
        Ok(BuildOrder::of_diverged(OnDefaultBranch { ours: on_it(ours)?, theirs: on_it(theirs)? }))
    }
}

/// The commits of a page, newest first.
fn listed(page: &Value) -> Vec<ListedCommit> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let commits = page["commits"].as_array().map(Vec::as_slice).unwrap_or_default().iter().rev();
    commits
        .map(|commit| ListedCommit::new(&text(&commit["sha"]), &text(&commit["commit"]["message"])))
        .collect()
}

/// How the second of two compared commits compares with the first: one of the four words that GitHub documents.
///
/// # Errors
/// If the answer is none of them.
pub fn compare_status(answer: &Value) -> Result<&str, String> {
    let known = ["ahead", "behind", "diverged", "identical"];
    let status = answer["status"].as_str().filter(|status| known.contains(status));
    status.ok_or_else(|| "GitHub's API returned an unknown status".to_owned())
}

/// `owner/name`, in characters that GitHub accepts in both.
pub(super) fn is_repository(text: &str) -> bool {
    let fits = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
    };
    text.split_once('/').is_some_and(|(owner, name)| fits(owner) && fits(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn compare_status_is_a_documented_word() {
        assert_eq!(compare_status(&json!({"status": "ahead"})), Ok("ahead"));
        for answer in [json!({"status": "newer"}), json!({"status": 1}), json!([]), json!(null)] {
            assert!(compare_status(&answer).is_err(), "{answer}");
        }
    }
}
