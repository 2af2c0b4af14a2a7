//! Which of two commits of another repository is newer.

use std::time::Instant;

use serde_json::Value;

use super::client::{Gitea, GiteaRequest};
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
    let ask = Comparison { gitea, deadline, repository };
    Ok(match (ask.lacks(ours, theirs)?, ask.lacks(theirs, ours)?) {
        (false, false) => BuildOrder::Same,
        (true, false) => BuildOrder::Before,
        (false, true) => BuildOrder::After,
        (true, true) => ask.diverged(ours, theirs)?,
    })
}

struct Comparison<'a> {
    gitea: &'a Gitea,
    deadline: Instant,
    repository: &'a str,
}

impl Comparison<'_> {
    fn get(&self, route: &str) -> Result<Value, String> {
        let route = format!("/repos/{}{route}", self.repository);
        self.gitea.once(self.deadline, &route, GiteaRequest::Get).map_err(FetchError::into_message)
    }

    /// Whether `other` has commits that `base` lacks.
    fn lacks(&self, base: &str, other: &str) -> Result<bool, String> {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let compared = self.get(&format!(
            "/compare/{}...{}?verification=false&files=false",
            encode(base),
            encode(other)
        ))?;
        let count = compared["total_commits"].as_u64();
        Ok(count.ok_or("Gitea's API didn't return a number of commits")? > 0)
    }

    fn diverged(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        let repository = self.get("")?;
        let default =
            repository["default_branch"].as_str().ok_or("Gitea's API didn't return a default branch")?;
        Ok(match (!self.lacks(default, ours)?, !self.lacks(default, theirs)?) {
            (true, _) => BuildOrder::DivergedOurs,
            (false, true) => BuildOrder::DivergedTheirs,
            (false, false) => BuildOrder::Unknown("neither commit is on the default branch".to_owned()),
        })
    }
}
