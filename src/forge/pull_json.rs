//! Reads and checks pull requests of an API, which GitHub and Gitea describe alike: a pull request counts only if it is between the
//! branches that were asked for, and the link that is shown is on the remote's own host, or made here.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{PullRequest, PullRequestSpec};
use crate::git::answers::short_server_text;

/// How much of a name or a message is shown.
const TEXT_BYTES: usize = 4 * 1024;

/// Why an answer is not the pull request that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullAnswerError {
    #[error("the forge's API didn't return a pull request: {reason}")]
    NotAPullRequest { reason: String },
    /// The answer is about other branches than the request.
    #[error("the forge's API answered with another pull request: {number}, from {head} to {base}")]
    OtherPullRequest { number: u64, head: String, base: String },
}

/// A pull request of the API, with the fields that are used.
#[derive(Debug, Deserialize)]
pub struct PullRequestJson {
    pub number: u64,
    html_url: Option<String>,
    state: Option<String>,
    pub title: String,
    pub body: Option<String>,
    #[serde(default)]
    pub labels: Vec<Label>,
    head: Branch,
    base: Branch,
}

#[derive(Debug, Deserialize)]
pub struct Label {
    pub name: String,
}

#[derive(Debug, Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
    /// None if a fork was deleted.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
}

impl PullRequestJson {
    /// # Errors
    /// If it is not a pull request.
    pub fn read(value: Value) -> Result<Self, PullAnswerError> {
        let pull: PullRequestJson = serde_json::from_value(value).map_err(|e| no_pull(&e.to_string()))?;
        if pull.number == 0 { Err(no_pull("its number is 0")) } else { Ok(pull) }
    }

    /// The pull requests in a list.
    ///
    /// # Errors
    /// If it is not a list of pull requests.
    pub fn list(listed: Value) -> Result<Vec<Self>, PullAnswerError> {
        let Value::Array(items) = listed else { return Err(no_pull("not a list")) };
        items.into_iter().map(PullRequestJson::read).collect()
    }

    /// The first open pull request from one branch to another in a list: a server that does not know the filters of a
    /// request lists others too.
    ///
    /// # Errors
    /// If it is not a list of pull requests.
    pub fn find(listed: Value, head: &str, base: &str) -> Result<Option<Self>, PullAnswerError> {
        let pulls = PullRequestJson::list(listed)?;
        Ok(pulls.into_iter().find(|pull| pull.is_open() && pull.is_between(head, base)))
    }

    /// The pull request that an API made or changed for us.
    ///
    /// # Errors
    /// If the answer is anything else.
    pub fn made(value: Value, spec: &PullRequestSpec<'_>) -> Result<Self, PullAnswerError> {
        let pull = PullRequestJson::read(value)?;
        if pull.is_between(spec.head, spec.base) {
            return Ok(pull);
        }
        let (head, base) = (text(&pull.head.name), text(&pull.base.name));
        Err(PullAnswerError::OtherPullRequest { number: pull.number, head, base })
    }

    /// Whether it is from one branch to another of the same repository. A fork may have a branch of that name too.
    pub fn is_between(&self, head: &str, base: &str) -> bool {
        let id = |branch: &Branch| branch.repo.as_ref().map(|repo| repo.id);
        let is_of_one_repository = id(&self.head).is_some() && id(&self.head) == id(&self.base);
        is_of_one_repository && self.head.name == head && self.base.name == base
    }

    fn is_open(&self) -> bool {
        self.state.as_deref() == Some("open")
    }

    /// Whether it has this text. Forges change the line endings, and the spaces at the end.
    pub fn has_body(&self, body: &str) -> bool {
        let ours = self.body.as_deref().unwrap_or_default();
        ours.replace("\r\n", "\n").trim_end() == body.trim_end()
    }

    /// As it is shown; `page` is the repository's own, as the remote's URL gives it, and `folder` is where the host shows its pull requests.
    pub fn shown(&self, page: &str, folder: &str) -> PullRequest {
        let given = self.html_url.as_deref().and_then(|given| link_on_host_of(given, page));
        let url = given.unwrap_or_else(|| format!("{page}/{folder}/{}", self.number));
        PullRequest { number: self.number, url }
    }
}

fn no_pull(why: &str) -> PullAnswerError {
    PullAnswerError::NotAPullRequest { reason: text(why) }
}

/// Text from the API, for a message of one line.
fn text(text: &str) -> String {
    short_server_text(text.as_bytes(), TEXT_BYTES).replace('\n', " ")
}

/// A link in its normal form, if it is on the server of a page, plain enough to be put into Markdown, and as safe as the
/// page: over https, or over http if the page is on this machine.
pub fn link_on_host_of(link: &str, page: &str) -> Option<String> {
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

    /// A pull request within one repository.
    fn pull(number: &Value, head: &str, base: &str) -> Value {
        let side = |branch: &str| json!({"ref": branch, "repo": {"id": 1}});
        json!({"number": number, "state": "open", "title": "", "head": side(head), "base": side(base)})
    }

    fn shown(html_url: &str, page: &str) -> String {
        let mut pull = pull(&json!(7), "ours", "main");
        pull["html_url"] = json!(html_url);
        PullRequestJson::read(pull).unwrap().shown(page, "pull").url
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
            assert!(PullRequestJson::read(pull(&number, "ours", "main")).is_err(), "{number}");
        }
    }

    #[test]
    fn pull_request_of_other_branches_is_not_ours() {
        let of = |number: u64, head: &str, base: &str| pull(&json!(number), head, base);
        let listed = json!([of(1, "other", "main"), of(2, "ours", "dev"), of(3, "ours", "main")]);
        assert_eq!(PullRequestJson::find(listed, "ours", "main").unwrap().unwrap().number, 3);
        assert!(PullRequestJson::find(json!({"message": "x"}), "ours", "main").is_err());
        assert!(PullRequestJson::find(json!([]), "ours", "main").unwrap().is_none());
    }

    #[test]
    fn closed_pull_request_and_one_from_a_fork_are_not_ours() {
        let ours = pull(&json!(7), "ours", "main");
        for (pointer, value) in [
            ("/state", json!("closed")),
            ("/state", Value::Null),
            ("/head/repo", Value::Null),
            ("/head/repo/id", json!(2)),
            ("/base/repo", Value::Null),
        ] {
            let mut other = ours.clone();
            *other.pointer_mut(pointer).unwrap() = value.clone();
            let found = PullRequestJson::find(json!([other]), "ours", "main").unwrap();
            assert!(found.is_none(), "{pointer} is {value}");
        }
        assert!(PullRequestJson::find(json!([ours]), "ours", "main").unwrap().is_some());
    }

    #[test]
    fn answer_about_another_pull_request_is_an_error() {
        let spec = PullRequestSpec {
            repository: "acme/gitops",
            page: PAGE,
            head: "ours",
            base: "main",
            title: "",
            body: "",
            labels: &[],
            reviewers: &[],
            assignees: &[],
            draft: false,
        };
        let made = |head: &str, base: &str| PullRequestJson::made(pull(&json!(7), head, base), &spec);
        assert_eq!(made("ours", "main").unwrap().number, 7);
        let other = made("their\u{1b}s", "main").unwrap_err();
        assert!(matches!(&other, PullAnswerError::OtherPullRequest { number: 7, .. }), "{other:?}");
        assert!(!other.to_string().contains('\u{1b}'), "{other}");
        assert!(made("ours", "dev").is_err());
    }
}
