//! Reads what GitLab prints after a push: the address of the merge request, or why it made none. No other file knows GitLab's words.

use crate::forge::PullRequest;
use crate::forge::pull_json::link_on_host_of;

/// Before the address of a merge request that is there, and of the page that would make one.
const VIEW: &str = "View merge request for ";
const CREATE: &str = "To create a merge request for ";
/// Before why the options had no effect; the options themselves come in between, in quotes.
const ERROR: &str = "Error encountered with push options";

/// What GitLab says about the merge request of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushAnswer {
    Link(PullRequest),
    /// GitLab made none, with its reason if it gave one.
    NotMade {
        why: String,
    },
    /// The server printed no address, as a project may be set up, or one that isn't of this repository.
    Silent,
}

/// Finds the merge request of a branch in a server's text; `page` is the repository's own.
pub fn merge_request(text: &str, branch: &str, page: &str) -> PushAnswer {
    if let Some(why) = refusal(text) {
        return PushAnswer::NotMade { why };
    }
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let is_for = |start: &str| line.strip_prefix(start).is_some_and(|rest| is_branch(rest, branch));
        if is_for(VIEW) {
            let link = lines.find(|line| !line.is_empty()).unwrap_or_default();
            return numbered(link, page).map_or(PushAnswer::Silent, PushAnswer::Link);
        }
        if is_for(CREATE) {
            let why = "it didn't recognise the push options".to_owned();
            return PushAnswer::NotMade { why };
        }
    }
    PushAnswer::Silent
}

fn is_branch(rest: &str, branch: &str) -> bool {
    rest.strip_prefix(branch).is_some_and(|end| end.starts_with([':', ',']))
}

/// A link to one of the repository's own merge requests.
fn numbered(link: &str, page: &str) -> Option<PullRequest> {
    let url = link_on_host_of(link, page)?;
    let path = url.strip_prefix(page)?;
    let number = path.strip_prefix("/-/merge_requests/").or_else(|| path.strip_prefix("/merge_requests/"))?;
    let is_number = number.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse().ok().filter(|number| is_number && *number > 0)?;
    Some(PullRequest { number, url })
}

/// Why the options had no effect. GitLab frames this text, and breaks its lines where it likes.
fn refusal(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| !word.bytes().all(|b| b == b'=')).collect();
    let text = words.join(" ");
    let (_, rest) = text.split_once(ERROR)?;
    let end = [VIEW, CREATE].iter().filter_map(|start| rest.find(start)).min().unwrap_or(rest.len());
    let refusal = &rest[..end];
    let why = refusal.rsplit_once("': ").map_or(refusal, |(_, why)| why);
    Some(why.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://gitlab.example/acme/deploy/gitops";
    const HEAD: &str = "tagbump/main/api";

    fn read(text: &str) -> PushAnswer {
        merge_request(text, HEAD, PAGE)
    }

    #[test]
    fn merge_request_of_the_branch_is_found() {
        let text = "\nA banner\n\nView merge request for tagbump/main/web:\n  https://gitlab.example/acme/deploy/gitops/-/merge_requests/8\n\
                    \nView merge request for tagbump/main/api:\n  https://gitlab.example/acme/deploy/gitops/-/merge_requests/7\n\n";
        let url = format!("{PAGE}/-/merge_requests/7");
        assert_eq!(read(text), PushAnswer::Link(PullRequest { number: 7, url }));
    }

    #[test]
    fn link_that_is_not_the_repositorys_is_not_shown() {
        for link in [
            "",
            "https://evil.example/acme/deploy/gitops/-/merge_requests/7",
            "https://gitlab.example/acme/deploy/other/-/merge_requests/7",
            "https://gitlab.example/acme/deploy/gitops-2/-/merge_requests/7",
            "https://gitlab.example/acme/deploy/gitops/-/merge_requests/0",
            "https://gitlab.example/acme/deploy/gitops/-/merge_requests/7x",
            "https://gitlab.example/acme/deploy/gitops/-/merge_requests/+7",
            "https://gitlab.example/acme/deploy/gitops/-/merge_requests/../7",
            "https://gitlab.example/acme/deploy/gitops/-/merge_requests/99999999999999999999999",
        ] {
            assert_eq!(
                read(&format!("View merge request for {HEAD}:\n  {link}")),
                PushAnswer::Silent,
                "{link}"
            );
        }
        assert_eq!(read("remote: fine"), PushAnswer::Silent);
    }

    #[test]
    fn reason_is_given_when_there_is_none() {
        let framed = "\n====================\n\n  WARNINGS:\nError encountered with push options\n   'merge_request.create' 'merge_request.title=it's: a':\n\
                        Target branch acme/deploy/gitops:nope\n  does not exist\n\n====================\n\n\
                      To create a merge request for tagbump/main/api, visit:\n  https://gitlab.example/x";
        let why = "Target branch acme/deploy/gitops:nope does not exist".to_owned();
        assert_eq!(read(framed), PushAnswer::NotMade { why });
        let visit = format!("To create a merge request for {HEAD}, visit:\n  {PAGE}/-/merge_requests/new");
        assert!(matches!(read(&visit), PushAnswer::NotMade { .. }));
    }
}
