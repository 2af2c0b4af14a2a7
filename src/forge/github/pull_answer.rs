//! Reads and checks pull requests of the API: the link that is shown is on the remote's own host, or made here.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::error::GitHubError;
use crate::forge::PullRequest;

/// A pull request of the API, with the fields that are used.
#[derive(Debug, Deserialize)]
pub struct PullRequestJson {
    pub number: u64,
    html_url: Option<String>,
    pub title: String,
    pub body: Option<String>,
    #[serde(default)]
    pub labels: Vec<Label>,
    head: Option<Branch>,
    base: Option<Branch>,
}

#[derive(Debug, Deserialize)]
pub struct Label {
    pub name: String,
}

#[derive(Debug, Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
}

impl PullRequestJson {
    /// # Errors
    /// If it is not a pull request.
    pub fn read(value: Value) -> Result<Self, GitHubError> {
        let pull: PullRequestJson = serde_json::from_value(value).map_err(|e| no_pull(&e.to_string()))?;
        if pull.number == 0 { Err(no_pull("its number is 0")) } else { Ok(pull) }
    }

    /// The first pull request from one branch to another in a list: a server that does not know the filters of a
    /// request lists others too.
    ///
    /// # Errors
    /// If it is not a list of pull requests.
    pub fn find(listed: Value, head: &str, base: &str) -> Result<Option<Self>, GitHubError> {
        let Value::Array(items) = listed else { return Err(no_pull("not a list")) };
        let pulls = items.into_iter().map(PullRequestJson::read).collect::<Result<Vec<_>, _>>()?;
        let is = |branch: &Option<Branch>, name: &str| branch.as_ref().is_none_or(|b| b.name == name);
        Ok(pulls.into_iter().find(|pull| is(&pull.head, head) && is(&pull.base, base)))
    }

    /// As it is shown; `page` is the repository's own, as the remote's URL gives it.
    pub fn shown(&self, page: &str) -> PullRequest {
        let given = self.html_url.as_deref().and_then(|given| link_on_host_of(given, page));
        let url = given.unwrap_or_else(|| format!("{page}/pull/{}", self.number));
        PullRequest { number: self.number, url }
    }
}

fn no_pull(why: &str) -> GitHubError {
    GitHubError::NotAPullRequest { reason: super::response::api_text(why) }
}

/// A link in its normal form, if it is on the server of a page, plain enough to be put into Markdown, and as safe as the
/// page: over https, or over http if the page is on this machine.
fn link_on_host_of(link: &str, page: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/%".contains(&b);
    let plain_or_bracket = |b: u8| plain(b) || b == b'[' || b == b']'; // around an IPv6 address
    let (url, page) = (Url::parse(link).ok()?, Url::parse(page).ok()?);
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && crate::http::is_loopback(&page));
    let is_plain = link.bytes().all(plain_or_bracket) && url.path().bytes().all(plain);
    (scheme && is_plain && url.origin() == page.origin()).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAGE: &str = "https://github.com/acme/gitops";

    fn shown(html_url: &str, page: &str) -> String {
        let pull = json!({"number": 7, "html_url": html_url, "title": ""});
        PullRequestJson::read(pull).unwrap().shown(page).url
    }

    #[test]
    fn pull_request_link_is_kept_on_the_remotes_host() {
        for (link, page) in [
            ("https://github.com/acme/gitops/pull/7", PAGE),
            ("https://github.com/acme/renamed/pull/7", PAGE),
            ("https://git.example:8443/a/b/pulls/7", "https://git.example:8443/a/b"),
            ("http://127.0.0.1:7/a/b/pull/7", "http://127.0.0.1:7/a/b"),
            ("http://[::1]:7/a/b/pull/7", "http://[::1]:7/a/b"),
        ] {
            assert_eq!(shown(link, page), link);
        }
        assert_eq!(shown("https://GitHub.com/a/b/pull/7", PAGE), "https://github.com/a/b/pull/7");
    }

    #[test]
    fn pull_request_link_is_built_when_the_answers_is_not_the_hosts() {
        for link in [
            "",
            "javascript:alert(1)",
            "https://evil.example/acme/gitops/pull/7",
            "https://github.com.evil.example/acme/gitops/pull/7",
            "https://github.com:8443/acme/gitops/pull/7",
            "https://github.com@evil.example/pull/7",
            "https://u:p@github.com/acme/gitops/pull/7",
            "http://github.com/acme/gitops/pull/7",
            "https://github.com/a/b/pull/7) [click](https://evil.example",
            "https://github.com/a/b/pull/7\n::error::x",
            "https://github.com/a/b\u{1b}[31m/pull/7",
            "https://github.com/login/oauth/authorize?client_id=evil",
            "https://github.com/a/b/pull/7#x",
            "//github.com/acme/gitops/pull/7",
            "https://github.com/a/b/pu[l/7",
        ] {
            assert_eq!(shown(link, PAGE), "https://github.com/acme/gitops/pull/7", "{link}");
        }
        assert_eq!(shown("http://h/a/b/pull/7", "http://h/a/b"), "http://h/a/b/pull/7");
    }

    #[test]
    fn pull_request_is_refused_without_a_positive_number() {
        for number in [json!(0), json!(-1), json!(1.5), json!("7"), json!(null), json!([])] {
            assert!(
                PullRequestJson::read(json!({"number": number, "html_url": "", "title": ""})).is_err(),
                "{number}"
            );
        }
    }

    #[test]
    fn pull_request_of_other_branches_is_not_ours() {
        let pull = |number: u64, head: &str, base: &str| {
            let (head, base) = (json!({"ref": head}), json!({"ref": base}));
            json!({"number": number, "title": "", "head": head, "base": base})
        };
        let listed = json!([pull(1, "other", "main"), pull(2, "ours", "dev"), pull(3, "ours", "main")]);
        assert_eq!(PullRequestJson::find(listed, "ours", "main").unwrap().unwrap().number, 3);
        assert!(PullRequestJson::find(json!({"message": "x"}), "ours", "main").is_err());
        assert!(PullRequestJson::find(json!([]), "ours", "main").unwrap().is_none());
    }
}
