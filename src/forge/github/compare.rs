//! Which of two commits of another repository is newer.

use std::time::Instant;

use super::client::{ApiRequest, GitHub};
use crate::landing::{BuildOrder, FetchError};

/// The order of two commits of a repository, `owner/name`. An error says why it is unknown.
///
/// Source: GitHub's "Compare two commits": `status` is how the second compares with the first.
///
/// # Errors
/// If GitHub can't be reached, or doesn't know the commits.
pub fn order(
    hub: &GitHub,
    deadline: Instant,
    repository: &str,
    ours: &str,
    theirs: &str,
) -> Result<BuildOrder, String> {
    if !is_repository(repository) {
        return Err(format!("{repository} is not a GitHub repository"));
    }
    let ask = CompareQuery { hub, deadline, repository };
    Ok(match ask.status(ours, theirs)?.as_str() {
        "identical" => BuildOrder::Same,
        "ahead" => BuildOrder::Before,
        "behind" => BuildOrder::After,
        // the only other status is "diverged"
        _ => ask.diverged(ours, theirs)?,
    })
}

struct CompareQuery<'a> {
    hub: &'a GitHub,
    deadline: Instant,
    repository: &'a str,
}

impl CompareQuery<'_> {
    fn get(&self, route: &str) -> Result<serde_json::Value, String> {
        let route = format!("/repos/{}{route}", self.repository);
        self.hub.once(self.deadline, &route, ApiRequest::Get).map_err(FetchError::into_message)
    }

    /// How `other` compares with `base`.
    fn status(&self, base: &str, other: &str) -> Result<String, String> {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let compared = self.get(&format!("/compare/{}...{}?per_page=1", encode(base), encode(other)))?;
        compare_status(&compared).map(str::to_owned)
    }

    fn diverged(&self, ours: &str, theirs: &str) -> Result<BuildOrder, String> {
        let repository = self.get("")?;
        let default =
            repository["default_branch"].as_str().ok_or("GitHub's API didn't return a default branch")?;
        let on_it =
            |commit| self.status(commit, default).map(|status| status != "behind" && status != "diverged");
        Ok(match (on_it(ours)?, on_it(theirs)?) {
            (true, _) => BuildOrder::DivergedOurs,
            (false, true) => BuildOrder::DivergedTheirs,
            (false, false) => BuildOrder::Unknown("neither commit is on the default branch".to_owned()),
        })
    }
}

/// How the second of two compared commits compares with the first: one of the four words that GitHub documents.
///
/// # Errors
/// If the answer is none of them.
pub fn compare_status(answer: &serde_json::Value) -> Result<&str, String> {
    let known = ["ahead", "behind", "diverged", "identical"];
    let status = answer["status"].as_str().filter(|status| known.contains(status));
    status.ok_or_else(|| "GitHub's API returned an unknown status".to_owned())
}

/// `owner/name`, in characters that GitHub accepts in both.
fn is_repository(text: &str) -> bool {
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
