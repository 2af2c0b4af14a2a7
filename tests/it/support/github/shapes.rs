//! The objects of the REST API, with all that GitHub's description asks for.

use git2::Oid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::ops::Range;

use serde_json::{Map, Value, json};

use super::pulls::Pull;
use super::store::{Refs, Store};
use super::{Name, date};

/// What everything is made of: the repository, its branches, and the addresses to be told.
pub struct World<'a> {
    pub name: &'a Name,
    pub store: &'a Store,
    pub labels: &'a [String],
    /// `http://HOST/api/v3`, or without a path: as the request came.
    pub api: String,
    pub html: String,
}

/// What stands in a path of a URL as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'/').remove(b'_').remove(b'~');

const REPO_URLS: [(&str, &str); 38] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("svn_url", ""),
    ("url", ""),
];

const USER_URLS: [(&str, &str); 9] = [
    ("events_url", "/events{/privacy}"),
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("organizations_url", "/orgs"),
    ("received_events_url", "/received_events"),
    ("repos_url", "/repos"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
];

impl World<'_> {
    pub fn repo_url(&self) -> String {
        format!("{}/repos/{}", self.api, self.name)
    }

    fn html_url(&self) -> String {
        format!("{}/{}", self.html, self.name)
    }

    pub fn user(&self, login: &str, kind: &str) -> Value {
        let url = format!("{}/users/{}", self.api, encoded(login));
        let mut user = json!({
            "login": login,
            "id": 41_898_282,
            "node_id": "MDM6Qm90NDE4OTgyODI=",
            "avatar_url": format!("{}/avatars/u/41898282?v=4", self.html),
            "gravatar_id": "",
            "url": url,
            "html_url": format!("{}/{}", self.html, encoded(login)),
            "type": kind,
            "user_view_type": "public",
            "site_admin": false,
        });
        extend(&mut user, USER_URLS.map(|(name, end)| (name, json!(format!("{url}{end}")))));
        user
    }

    /// Who the token is for.
    fn me(&self) -> Value {
        self.user(super::LOGIN, "Bot")
    }

    fn owner(&self) -> Value {
        self.user(&self.name.owner, "Organization")
    }

    pub fn repository(&self) -> Value {
        let (url, html) = (self.repo_url(), self.html_url());
        let long_ago = "2020-01-01T00:00:00Z";
        let mut repository = json!({
            "id": 1_296_269,
            "node_id": "R_kgDOABPHjQ",
            "name": self.name.repo,
            "full_name": self.name.to_string(),
            "owner": self.owner(),
            "private": true,
            "visibility": "private",
            "html_url": html,
            "description": null,
            "fork": false,
            "clone_url": format!("{html}.git"),
            "git_url": format!("{}.git", html.replacen("http", "git", 1)),
            "ssh_url": format!("git@localhost:{}.git", self.name),
            "mirror_url": null,
            "default_branch": self.store.default_branch(),
            "homepage": null,
            "language": null,
            "license": null,
            "size": 108,
            "archived": false,
            "disabled": false,
            "created_at": long_ago,
            "updated_at": long_ago,
            "pushed_at": long_ago,
            "topics": [],
            "is_template": false,
            "web_commit_signoff_required": false,
            "permissions": {"admin": false, "maintain": false, "push": true, "triage": true, "pull": true},
        });
        extend(&mut repository, REPO_URLS.map(|(name, end)| (name, json!(format!("{url}{end}")))));
        let has = ["has_issues", "has_projects", "has_wiki", "has_downloads"].map(|name| (name, json!(true)));
        let lacks = ["has_pages", "has_discussions"].map(|name| (name, json!(false)));
        let counts = [
            "forks",
            "forks_count",
            "open_issues",
            "open_issues_count",
            "stargazers_count",
            "watchers",
            "watchers_count",
            "network_count",
            "subscribers_count",
        ]; // as many as nobody looks at
        extend(&mut repository, has.into_iter().chain(lacks));
        extend(&mut repository, counts.map(|name| (name, json!(0))));
        repository
    }

    pub fn label(&self, name: &str) -> Value {
        let number = self.labels.iter().position(|known| known == name).unwrap_or_default();
        json!({
            "id": 208_045_946 + number,
            "node_id": format!("LA_kwDO{number}"),
            "url": format!("{}/labels/{}", self.repo_url(), encoded(name)),
            "name": name,
            "color": "ededed",
            "default": false,
            "description": null,
        })
    }

    fn side(&self, branch: &str, sha: &str) -> Value {
        json!({
            "label": format!("{}:{branch}", self.name.owner),
            "ref": branch,
            "sha": sha,
            "user": self.owner(),
            "repo": self.repository(),
        })
    }

    /// A pull request as a list has it.
    pub fn pull_in_list(&self, pull: &Pull) -> Value {
        let html = format!("{}/pull/{}", self.html_url(), pull.number);
        let url = format!("{}/pulls/{}", self.repo_url(), pull.number);
        let issue = format!("{}/issues/{}", self.repo_url(), pull.number);
        let links = json!({
            "self": url,
            "html": html,
            "issue": issue,
            "comments": format!("{issue}/comments"),
            "review_comments": format!("{url}/comments"),
            "review_comment": format!("{}/pulls/comments{{/number}}", self.repo_url()),
            "commits": format!("{url}/commits"),
            "statuses": format!("{}/statuses/{}", self.repo_url(), pull.head_sha),
        });
        let with_href = links.as_object().expect("an object").iter();
        let with_href: Map<_, _> =
            with_href.map(|(name, url)| (name.clone(), json!({"href": url}))).collect();
        let mut told = json!({
            "url": url,
            "id": 2_000_000_000 + pull.number,
            "node_id": node_id(pull.number),
            "html_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "issue_url": issue,
            "number": pull.number,
            "state": if pull.open { "open" } else { "closed" },
            "locked": false,
            "title": pull.title,
            "user": self.me(),
            "body": pull.body,
            "labels": pull.labels.iter().map(|name| self.label(name)).collect::<Vec<_>>(),
            "draft": pull.draft,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
            "merged_at": pull.closed_at.as_ref().filter(|_| pull.merged),
            "merge_commit_sha": null,
            "assignee": null,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "milestone": null,
            "head": self.side(&pull.head, &pull.head_sha),
            "base": self.side(&pull.base, &pull.base_sha),
            "author_association": "CONTRIBUTOR",
            "auto_merge": null,
            "active_lock_reason": null,
            "_links": with_href,
        });
        let named = ["comments", "review_comments", "review_comment", "commits", "statuses"];
        extend(&mut told, named.map(|name| (format!("{name}_url"), links[name].clone())));
        told
    }

    /// A pull request as the issue that it is, too.
    pub fn issue(&self, pull: &Pull) -> Value {
        let mut told = self.pull_in_list(pull);
        let url = format!("{}/issues/{}", self.repo_url(), pull.number);
        let more = json!({
            "url": url,
            "repository_url": self.repo_url(),
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "comments": 0,
            "assignees": pull.assignees.iter().map(|name| self.user(name, "User")).collect::<Vec<_>>(),
        });
        extend(&mut told, more.as_object().expect("an object").clone());
        told
    }

    pub fn pull(&self, pull: &Pull) -> Value {
        let (base, head) = (oid(&pull.base_sha), oid(&pull.head_sha));
        let (ahead, _, meet) = self.store.relation(base, head);
        let files = self.store.files(meet, head);
        let mut told = self.pull_in_list(pull);
        let more = json!({
            "merged": pull.merged,
            "mergeable": null,
            "rebaseable": null,
            "mergeable_state": "unknown",
            "merged_by": if pull.merged { self.me() } else { Value::Null },
            "comments": 0,
            "review_comments": 0,
            "maintainer_can_modify": false,
            "commits": ahead,
            "additions": files.iter().map(|file| file.2).sum::<usize>(),
            "deletions": files.iter().map(|file| file.3).sum::<usize>(),
            "changed_files": files.len(),
        });
        extend(&mut told, more.as_object().expect("an object").clone());
        told
    }

    pub fn reference(&self, name: &str, to: Oid) -> Value {
        json!({
            "ref": name,
            "node_id": format!("REF_{name}"),
            "url": format!("{}/git/{}", self.repo_url(), encoded(name)),
            "object": {"sha": to.to_string(), "type": "commit", "url": self.git_commit_url(to)},
        })
    }

    pub fn references(&self, refs: &Refs, start: &str) -> Value {
        let matching = refs.iter().filter(|(name, _)| name.starts_with(start));
        matching.map(|(name, oid)| self.reference(name, *oid)).collect()
    }

    fn git_commit_url(&self, oid: Oid) -> String {
        format!("{}/git/commits/{oid}", self.repo_url())
    }

    pub fn tree(&self, oid: Oid) -> Value {
        let entry = |(path, mode, kind, oid): (String, i32, String, Oid)| {
            let url = format!("{}/git/{kind}s/{oid}", self.repo_url());
            json!({"path": path, "mode": format!("{mode:06o}"), "type": kind, "sha": oid.to_string(), "url": url})
        };
        let entries: Vec<_> = self.store.entries(oid).into_iter().map(entry).collect();
        json!({"sha": oid.to_string(), "url": self.tree_url(oid), "tree": entries, "truncated": false})
    }

    fn tree_url(&self, oid: Oid) -> String {
        format!("{}/git/trees/{oid}", self.repo_url())
    }

    /// A commit as git knows it.
    pub fn git_commit(&self, oid: Oid) -> Value {
        let commit = self.store.commit(oid);
        let parent = |parent: Oid| {
            json!({
                "sha": parent.to_string(),
                "url": self.git_commit_url(parent),
                "html_url": format!("{}/commit/{parent}", self.html_url()),
            })
        };
        json!({
            "sha": oid.to_string(),
            "node_id": format!("C_{oid}"),
            "url": self.git_commit_url(oid),
            "html_url": format!("{}/commit/{oid}", self.html_url()),
            "author": person(&commit.author()),
            "committer": person(&commit.committer()),
            "message": String::from_utf8_lossy(commit.message_bytes()),
            "tree": {"sha": commit.tree_id().to_string(), "url": self.tree_url(commit.tree_id())},
            "parents": commit.parent_ids().map(parent).collect::<Vec<_>>(),
            "verification": self.store.verification(oid),
        })
    }

    /// A commit as GitHub shows it: without its files.
    pub fn commit(&self, oid: Oid) -> Value {
        let git = self.git_commit(oid);
        let url = format!("{}/commits/{oid}", self.repo_url());
        let mut parents = git["parents"].clone();
        for parent in parents.as_array_mut().expect("a list") {
            parent["url"] =
                json!(format!("{}/commits/{}", self.repo_url(), parent["sha"].as_str().unwrap_or_default()));
        }
        let mine = git["author"]["email"] == super::EMAIL;
        json!({
            "sha": git["sha"],
            "node_id": git["node_id"],
            "url": url,
            "html_url": git["html_url"],
            "comments_url": format!("{url}/comments"),
            "commit": {
                "url": git["url"],
                "author": git["author"],
                "committer": git["committer"],
                "message": git["message"],
                "tree": git["tree"],
                "comment_count": 0,
                "verification": git["verification"],
            },
            "author": if mine { self.me() } else { Value::Null },
            "committer": null,
            "parents": parents,
        })
    }

    /// The files in which two commits differ.
    pub fn files(&self, from: Option<Oid>, to: Oid) -> Value {
        let file = |(path, status, more, less, object): (String, &str, usize, usize, Oid)| {
            let place = encoded(&path);
            json!({
                "sha": object.to_string(),
                "filename": path,
                "status": status,
                "additions": more,
                "deletions": less,
                "changes": more + less,
                "blob_url": format!("{}/blob/{to}/{place}", self.html_url()),
                "raw_url": format!("{}/raw/{to}/{place}", self.html_url()),
                "contents_url": format!("{}/contents/{place}?ref={to}", self.repo_url()),
            })
        };
        self.store.files(from, to).into_iter().map(file).collect()
    }

    /// None where the two have nothing in common.
    pub fn comparison(&self, base: Oid, head: Oid, shown: Range<usize>) -> Option<Value> {
        let (ahead, behind, meet) = self.store.relation(base, head);
        let meet = meet?;
        let status = match (ahead, behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            _ => "diverged",
        };
        let url = format!("{}/compare/{base}...{head}", self.repo_url());
        let html = format!("{}/compare/{base}...{head}", self.html_url());
        let commits = self.store.between(base, head);
        Some(json!({
            "url": url,
            "html_url": html,
            "permalink_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "base_commit": self.commit(base),
            "merge_base_commit": self.commit(meet),
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": commits.into_iter().skip(shown.start).take(shown.len()).map(|oid| self.commit(oid)).collect::<Vec<_>>(),
            "files": self.files(Some(meet), head),
        }))
    }
}

/// A pull request's name in GraphQL.
pub fn node_id(number: u64) -> String {
    format!("PR_kwDOABPHjc{number:04}")
}

fn person(of: &git2::Signature<'_>) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    json!({"name": text(of.name_bytes()), "email": text(of.email_bytes()), "date": date(of.when())})
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn oid(text: &str) -> Oid {
    Oid::from_str(text).expect("an object's name")
}

fn extend<K: Into<String>>(object: &mut Value, with: impl IntoIterator<Item = (K, Value)>) {
    let object = object.as_object_mut().expect("an object");
    object.extend(with.into_iter().map(|(name, value)| (name.into(), value)));
}
