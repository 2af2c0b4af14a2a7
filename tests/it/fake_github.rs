//! Tests of the fake GitHub itself, with plain requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::support::git::git;
use crate::support::github::{EMAIL, Fault, GitHub, On, TOKEN};
use crate::support::repo::{FILE, World, commit, write};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

const REPO: &str = "/repos/acme/gitops";
const MUTATION: &str = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) {
    commit { oid url signature { isValid state } } ref { name target { oid } } } }";

struct Answer {
    status: u16,
    body: Value,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    /// A header's value, or an empty text.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first error in the body.
    fn error(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("no error in {}", self.body))
    }

    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// Sends a request with these tokens; the body is the response, as text if it isn't JSON.
fn try_request(
    method: &str,
    url: &str,
    body: Option<&Value>,
    tokens: &[&str],
) -> Result<Answer, ureq::Error> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for token in tokens {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let agent = ureq::Agent::new_with_config(config);
    let mut answer = match body {
        Some(body) => agent.run(request.body(body.to_string()).unwrap())?,
        None => agent.run(request.body(()).unwrap())?,
    };
    let text = answer.body_mut().read_to_string()?;
    let body = serde_json::from_str(&text).unwrap_or(json!(text));
    Ok(Answer { status: answer.status().as_u16(), body, headers: answer.headers().clone() })
}

/// The served repository, and the requests that tests send to it.
struct Hub {
    // dropped first, because it serves the folder
    github: GitHub,
    world: World,
}

impl Hub {
    fn new() -> Self {
        let world = World::new();
        Hub { github: GitHub::start(&world.bare), world }
    }

    /// With a branch `bump` that is one commit behind main.
    fn with_branch() -> Self {
        let hub = Hub::new();
        hub.branch("bump");
        hub
    }

    /// Another person's branch, with a commit of its own.
    fn branch(&self, name: &str) -> String {
        let repo = git2::Repository::open_bare(&self.world.bare).unwrap();
        let tip = repo.revparse_single("main").unwrap().peel_to_commit().unwrap();
        let mut tree = repo.treebuilder(Some(&tip.tree().unwrap())).unwrap();
        tree.insert(format!("{name}.txt"), repo.blob(b"new\n").unwrap(), 0o100_644).unwrap();
        let tree = repo.find_tree(tree.write().unwrap()).unwrap();
        let who = git2::Signature::now("Ada", "ada@example.com").unwrap();
        let reference = format!("refs/heads/{name}");
        repo.commit(Some(&reference), &who, &who, "new", &tree, &[&tip]).unwrap().to_string()
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.github.api_url());
        try_request(method, &url, body.as_ref(), &[TOKEN]).unwrap()
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", &format!("{REPO}{path}"), None)
    }

    fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", &format!("{REPO}{path}"), Some(body))
    }

    fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask("PATCH", &format!("{REPO}{path}"), Some(body))
    }

    fn graphql(&self, body: Value) -> Answer {
        try_request("POST", &self.github.graphql_url(), Some(&body), &[TOKEN]).unwrap()
    }

    /// `createCommitOnBranch` of one file.
    fn commit_on(&self, branch: &str, head: &str, path: &str, text: &str) -> Answer {
        let input = json!({
            "branch": {"repositoryNameWithOwner": "acme/gitops", "branchName": branch},
            "expectedHeadOid": head,
            "message": {"headline": "chore: update api", "body": "why\n\nTagbump-Source: a@b"},
            "fileChanges": {"additions": [{"path": path, "contents": BASE64_STANDARD.encode(text)}]},
        });
        self.graphql(json!({"query": MUTATION, "variables": {"input": input}}))
    }

    fn open_pull(&self) -> Answer {
        self.post("/pulls", json!({"title": "Bump", "head": "bump", "base": "main", "body": "text"}))
    }

    /// Expects that this rule was broken, and no other.
    #[track_caller]
    fn broke(&self, rule: &str) {
        let violations = self.github.take_violations();
        assert!(violations.len() == 1 && violations[0].contains(rule), "{rule} in {violations:?}");
    }
}

#[test]
fn pull_request_is_opened_found_changed_and_closed() {
    let hub = Hub::with_branch();
    let answer = hub.open_pull();
    assert_eq!(answer.header("location"), format!("{}{REPO}/pulls/1", hub.github.api_url()));
    let made = answer.is(201);
    assert_eq!((&made["number"], &made["state"], &made["draft"]), (&json!(1), &json!("open"), &json!(false)));
    assert_eq!(made["head"]["sha"], git(&hub.world.bare, &["rev-parse", "bump"]));
    assert_eq!(made["html_url"], format!("{}/acme/gitops/pull/1", hub.github.url()));
    let twice = hub.open_pull();
    assert_eq!(twice.error(), "A pull request already exists for acme:bump.");
    twice.is(422);

    let found = hub.get("/pulls?head=acme%3Abump&base=main&state=open").is(200);
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(hub.get("/pulls?head=acme:other").is(200), json!([]));
    assert_eq!(hub.get("/pulls?base=other").is(200), json!([]));

    let changed = hub.patch("/pulls/1", json!({"title": "Other", "body": "more"})).is(200);
    assert_eq!((&changed["title"], &changed["body"]), (&json!("Other"), &json!("more")));
    hub.patch("/pulls/1", json!({"state": "closed"})).is(200);
    assert_eq!(hub.get("/pulls?head=acme:bump").is(200), json!([]));
    assert_eq!(hub.get("/pulls?state=all").is(200)[0]["state"], "closed");
    assert!(!hub.github.pull(1).open && hub.github.pull(1).closed_at.is_some());
    assert_eq!(hub.github.count(On::CreatePull), 2);
    assert_eq!(hub.github.count(On::Pulls), 9);
}

#[test]
fn invalid_pull_request_is_refused() {
    let hub = Hub::with_branch();
    let pull = |head: &str, base: &str| json!({"title": "Bump", "head": head, "base": base});
    for (head, base, field) in
        [("nowhere", "main", "head"), ("bump", "nowhere", "base"), ("other:bump", "main", "head")]
    {
        let refused = hub.post("/pulls", pull(head, base)).is(422);
        assert_eq!(refused["message"], "Validation Failed");
        assert_eq!(
            refused["errors"][0],
            json!({"resource": "PullRequest", "field": field, "code": "invalid"})
        );
    }
    assert_eq!(hub.post("/pulls", pull("main", "bump")).error(), "No commits between bump and main");
    hub.patch("/pulls/1", json!({"title": "x"})).is(404);
    hub.get("/pulls/1").is(404);
    hub.ask("GET", "/repos/acme/other/pulls", None).is(404);
}

#[test]
fn undocumented_body_is_a_violation() {
    let hub = Hub::with_branch();
    let pull = json!({"title": "Bump", "head": "bump", "base": "main", "labels": ["a"]});
    hub.post("/pulls", pull).is(422);
    hub.broke("labels");
    hub.post("/pulls", json!({"title": "Bump", "head": "bump"})).is(422);
    hub.broke("base");
    hub.post("/issues/1/labels", json!({"labels": []})).is(422);
    hub.broke("labels");
    hub.get("/pulls?stat=open").is(422);
    hub.broke("stat");
    hub.get("/pulls?head=bump").is(200);
    hub.broke("no owner");
    hub.ask("GET", REPO, Some(json!({}))).is(422);
    hub.broke("no body");
    assert!(hub.github.pulls().is_empty());
}

#[test]
fn unknown_route_is_a_violation() {
    let hub = Hub::new();
    for (method, path) in
        [("GET", "/branchs"), ("PUT", "/pulls"), ("GET", "/pulls/1/"), ("GET", "/commits/main/statuses")]
    {
        hub.ask(method, &format!("{REPO}{path}"), None).is(404);
        hub.broke("no such route");
    }
}

#[test]
fn violation_fails_the_test_when_fake_is_dropped() {
    let hub = Hub::new();
    hub.get("/nothing").is(404);
    assert!(catch_unwind(AssertUnwindSafe(|| hub.github.verify())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(hub))).is_err());
}

#[test]
fn wrong_token_is_refused() {
    let hub = Hub::new();
    let url = format!("{}{REPO}", hub.github.api_url());
    let ask = |tokens: &[&str]| try_request("GET", &url, None, tokens).unwrap();
    assert_eq!(ask(&["ghs_wrong"]).is(401)["message"], "Bad credentials");
    ask(&[]).is(401);
    ask(&[TOKEN, TOKEN]).is(401);
    hub.broke("2 Authorization headers");
    assert_eq!(hub.github.count(On::Any), 0);
    assert_eq!(hub.github.calls().len(), 3);
    ask(&[TOKEN]).is(200);
}

#[test]
fn both_kinds_of_addresses_are_served() {
    let hub = Hub::new();
    for base in [hub.github.api_url(), hub.github.url()] {
        let told = try_request("GET", &format!("{base}{REPO}"), None, &[TOKEN]).unwrap().is(200);
        assert_eq!(told["url"], format!("{base}{REPO}"));
        assert_eq!(told["default_branch"], "main");
    }
    let query = json!({"query": "{ repository(owner: \"acme\", name: \"gitops\") { nameWithOwner } }"});
    for url in [hub.github.graphql_url(), format!("{}/graphql", hub.github.url())] {
        let told = try_request("POST", &url, Some(&query), &[TOKEN]).unwrap().is(200);
        assert_eq!(told, json!({"data": {"repository": {"nameWithOwner": "acme/gitops"}}}));
    }
    let limit = hub.ask("GET", "/rate_limit", None).is(200);
    assert_eq!(limit["resources"]["core"]["limit"], 5000);
}

#[test]
fn labels_are_added_once() {
    let hub = Hub::with_branch();
    hub.open_pull().is(201);
    hub.post("/issues/1/labels", json!({"labels": ["deploy", "bot"]})).is(200);
    let all = hub.post("/issues/1/labels", json!({"labels": ["Deploy", "new one"]})).is(200);
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(hub.github.labels(1), ["deploy", "bot", "new one"]);
    assert_eq!(hub.get("/issues/1/labels").is(200), all);
    assert_eq!(hub.get("/pulls/1").is(200)["labels"], all);
    assert_eq!(hub.get("/pulls").is(200)[0]["labels"], all);
    hub.post("/issues/2/labels", json!({"labels": ["x"]})).is(404);
}

#[test]
fn list_has_pages() {
    let hub = Hub::new();
    for number in 1..=3 {
        hub.branch(&format!("b{number}"));
        hub.github.open_pull(&format!("b{number}"), "main", "Bump");
    }
    let first = hub.get("/pulls?per_page=2");
    let next = format!("<{}{REPO}/pulls?per_page=2&page=2>; rel=\"next\"", hub.github.api_url());
    assert!(first.header("link").contains(&next), "{}", first.header("link"));
    assert_eq!(first.is(200)[0]["number"], 3);
    let second = hub.get("/pulls?per_page=2&page=2");
    assert!(second.header("link").contains("rel=\"first\"") && !second.header("link").contains("next"));
    assert_eq!(second.is(200).as_array().unwrap().len(), 1);
}

#[test]
fn commit_is_made_on_branch() {
    let hub = Hub::new();
    let tip = hub.world.tip();
    let told = hub.commit_on("main", &tip, FILE, "new: text\n").is(200);
    let made = &told["data"]["createCommitOnBranch"];
    assert_eq!(made["commit"]["oid"], hub.world.tip());
    assert_eq!(made["commit"]["signature"], json!({"isValid": true, "state": "VALID"}));
    assert_eq!(made["ref"], json!({"name": "main", "target": {"oid": hub.world.tip()}}));
    assert_eq!(hub.world.last("%P %ae %ce %cn"), format!("{tip} {EMAIL} noreply@github.com GitHub"));
    assert_eq!(hub.world.message(), "chore: update api\n\nwhy\n\nTagbump-Source: a@b");
    assert_eq!(hub.world.file(FILE), "new: text");
    assert_eq!(git(&hub.world.bare, &["diff", "--name-only", &tip, "main"]), FILE);
    assert!(hub.github.verified(&hub.world.tip()) && !hub.github.verified(&tip));
    git(&hub.world.bare, &["fsck", "--strict"]);
}

#[test]
fn commit_is_refused_when_head_is_stale() {
    let hub = Hub::new();
    let tip = hub.world.tip();
    hub.world.rival("x", "x\n");
    let told = hub.commit_on("main", &tip, FILE, "new\n").is(200);
    assert_eq!(told["data"], json!({"createCommitOnBranch": null}));
    let error = &told["errors"][0];
    let message = format!("Expected branch to point to \"{tip}\" but it did not.  Pull and try again.");
    assert_eq!((&error["type"], &error["message"]), (&json!("STALE_DATA"), &json!(message)));
    assert_eq!(error["path"], json!(["createCommitOnBranch"]));
    assert_eq!(error["locations"][0]["line"], 1);
    assert_eq!(hub.world.message(), "change x");
    assert_eq!(hub.commit_on("nowhere", &tip, FILE, "new\n").is(200)["errors"][0]["type"], "NOT_FOUND");
}

#[test]
fn commit_removes_files_and_drops_modes() {
    let hub = Hub::new();
    let folder = hub.world.full("w");
    write(&folder, "run.sh", "old\n");
    git(&folder, &["add", "--chmod=+x", "run.sh"]);
    git(&folder, &["commit", "--quiet", "--message", "script"]);
    git(&folder, &["push", "--quiet", hub.world.bare.to_str().unwrap(), "HEAD:main"]);
    let mut input = json!({
        "branch": {"repositoryNameWithOwner": "acme/gitops", "branchName": "main"},
        "expectedHeadOid": hub.world.tip(),
        "message": {"headline": "x"},
        "fileChanges": {"additions": [{"path": "run.sh", "contents": "bmV3Cg=="}], "deletions": [{"path": "README.md"}]},
    });
    let told = hub.graphql(json!({"query": MUTATION, "variables": {"input": input}})).is(200);
    assert!(told["errors"].is_null(), "{told}");
    let left = git(&hub.world.bare, &["ls-tree", "--format=%(objectmode) %(path)", "main"]);
    assert_eq!(left, "040000 k8s\n100644 run.sh");
    input["expectedHeadOid"] = json!(hub.world.tip());
    let again = hub.graphql(json!({"query": MUTATION, "variables": {"input": input}}));
    assert!(again.error().starts_with("A path was requested for deletion which does not exist"));
}

#[test]
fn signature_is_reported_unless_switched_off() {
    let hub = Hub::new();
    let query = "query($oid: GitObjectID!) { repository(owner: \"acme\", name: \"gitops\") { object(oid: $oid) {
        __typename ... on Commit { sig: signature { ...s } } } } } fragment s on GitSignature { isValid wasSignedByGitHub }";
    let ask = |oid: String| {
        hub.graphql(json!({"query": query, "variables": {"oid": oid}})).is(200)["data"]["repository"]["object"].take()
    };
    assert_eq!(ask(hub.world.tip()), json!({"__typename": "Commit", "sig": null}));
    hub.commit_on("main", &hub.world.tip(), "x", "x").is(200);
    assert_eq!(ask(hub.world.tip())["sig"], json!({"isValid": true, "wasSignedByGitHub": true}));
    let told = hub.get("/commits/main").is(200);
    assert_eq!(told["commit"]["verification"]["reason"], "valid");
    hub.github.signs(false);
    hub.commit_on("main", &hub.world.tip(), "y", "y").is(200);
    assert_eq!(ask(hub.world.tip())["sig"], Value::Null);
    let told = hub.get(&format!("/git/commits/{}", hub.world.tip())).is(200);
    assert_eq!(told["verification"]["verified"], false);
    assert_eq!(told["author"]["email"], EMAIL);
}

#[test]
fn document_that_breaks_schema_is_a_violation() {
    let hub = Hub::new();
    let bad = [
        (json!({"query": "{ viewer { login } }"}), "viewer"),
        (json!({"query": "{ repository(owner: \"acme\") { id } }"}), "name"),
        (json!({"query": "{ repository(owner: \"acme\", name: \"gitops\") { id }"}), "Parse error"),
        (json!({"query": MUTATION, "variables": {"input": {"message": {}}}}), "branch"),
        (json!({"query": MUTATION, "variables": {"input": null}}), "not be null"),
        (json!({"query": "{ __typename }", "variables": {"a": 1}}), "$a is not declared"),
        (json!({"query": "{ __typename }", "extensions": {}}), "extensions"),
    ];
    for (body, rule) in bad {
        let answer = hub.graphql(body);
        assert!(!answer.error().is_empty());
        hub.broke(rule);
    }
    for (key, value, rule) in [
        ("expectedHeadOid", json!("main"), "expectedHeadOid (Could not coerce"),
        ("author", json!({"name": "x"}), "author (Field is not defined)"),
        (
            "fileChanges",
            json!({"additions": [{"path": "x", "contents": "no base64"}]}),
            "fileChanges.additions.0.contents",
        ),
        ("message", json!({"headline": "a\nb"}), "a headline is one line"),
    ] {
        let mut input = json!({
            "branch": {"repositoryNameWithOwner": "acme/gitops", "branchName": "main"},
            "expectedHeadOid": hub.world.tip(),
            "message": {"headline": "x"},
        });
        input[key] = value;
        hub.graphql(json!({"query": MUTATION, "variables": {"input": input}})).is(200);
        hub.broke(rule);
    }
}

#[test]
fn references_are_created_moved_and_removed() {
    let hub = Hub::with_branch();
    let (tip, bump) = (hub.world.tip(), git(&hub.world.bare, &["rev-parse", "bump"]));
    let name = "refs/heads/tagbump/main/a#b%ü";
    hub.post("/git/refs", json!({"ref": name, "sha": tip})).is(201);
    assert_eq!(
        hub.post("/git/refs", json!({"ref": name, "sha": tip})).is(422)["message"],
        "Reference already exists"
    );
    hub.post("/git/refs", json!({"ref": "main", "sha": tip})).is(422);
    hub.post("/git/refs", json!({"ref": "refs/heads/a..b", "sha": tip})).is(422);
    assert_eq!(
        hub.post("/git/refs", json!({"ref": "refs/heads/x", "sha": "0".repeat(40)})).is(422)["message"],
        "Object does not exist"
    );

    let path = "heads/tagbump/main/a%23b%25%C3%BC";
    assert_eq!(hub.get(&format!("/git/ref/{path}")).is(200)["object"]["sha"], tip);
    hub.get("/git/ref/heads/tagbump").is(404);
    assert_eq!(hub.get("/git/matching-refs/heads/tagbump").is(200)[0]["ref"], name);
    hub.patch(&format!("/git/refs/{path}"), json!({"sha": bump, "force": false})).is(200);
    let refused = hub.patch(&format!("/git/refs/{path}"), json!({"sha": tip})).is(422);
    assert_eq!(refused["message"], "Update is not a fast forward");
    hub.patch(&format!("/git/refs/{path}"), json!({"sha": tip, "force": true})).is(200);
    hub.ask("DELETE", &format!("{REPO}/git/refs/{path}"), None).is(204);
    assert_eq!(
        hub.patch(&format!("/git/refs/{path}"), json!({"sha": tip})).is(422)["message"],
        "Reference does not exist"
    );
}

#[test]
fn commit_is_made_of_its_parts() {
    let hub = Hub::new();
    let tip = hub.world.tip();
    let entries = json!([{"path": "a/run.sh", "mode": "100755", "type": "blob", "content": "x\n"}, {"path": "README.md", "sha": null}]);
    let tree = hub.post("/git/trees", json!({"base_tree": tip, "tree": entries})).is(201);
    let mut wanted = json!({"message": "parts", "tree": tree["sha"], "parents": [tip]});
    let made = hub.post("/git/commits", wanted.clone()).is(201);
    assert_eq!(made["verification"]["verified"], true);
    assert_eq!(hub.world.tip(), tip, "nothing points at it yet");
    hub.patch("/git/refs/heads/main", json!({"sha": made["sha"]})).is(200);
    let left = git(&hub.world.bare, &["ls-tree", "-r", "--format=%(objectmode) %(path)", "main"]);
    assert_eq!(left, format!("100755 a/run.sh\n100644 {FILE}"));

    wanted["author"] = json!({"name": "Ada", "email": "ada@example.com", "date": "2024-05-06T07:08:09Z"});
    let made = hub.post("/git/commits", wanted.clone()).is(201);
    assert_eq!((&made["verification"]["verified"], &made["author"]), (&json!(false), &wanted["author"]));
    wanted["tree"] = json!("0".repeat(40));
    hub.post("/git/commits", wanted).is(422);
    let outside = json!([{"path": "../x", "mode": "100644", "type": "blob", "content": "x"}]);
    hub.post("/git/trees", json!({"tree": outside})).is(422);
}

#[test]
fn two_commits_are_compared() {
    let hub = Hub::with_branch();
    let status = |range: &str| hub.get(&format!("/compare/{range}")).is(200)["status"].take();
    assert_eq!(status("main...bump"), "ahead");
    assert_eq!(status("bump...main"), "behind");
    assert_eq!(status("main...acme:main"), "identical");
    hub.world.rival("x", "x\n");
    let told = hub.get("/compare/main...bump").is(200);
    assert_eq!(
        (&told["status"], &told["ahead_by"], &told["behind_by"]),
        (&json!("diverged"), &json!(1), &json!(1))
    );
    assert_eq!(told["files"][0]["filename"], "bump.txt");
    assert_eq!(told["commits"][0]["sha"], git(&hub.world.bare, &["rev-parse", "bump"]));
    hub.get("/compare/main...nowhere").is(404);
    hub.get("/commits/nowhere").is(422);
}

#[test]
fn git_and_the_api_share_their_state() {
    let hub = Hub::with_branch();
    hub.open_pull().is(201);
    let (path, github) = (hub.world.path(), &hub.github);
    git(path, &["clone", "--quiet", &github.git_url_with_token(), "c"]);
    let folder = path.join("c");
    git(&folder, &["checkout", "--quiet", "bump"]);
    let made = commit(&folder, "more.txt", "more\n");
    git(&folder, &["push", "--quiet"]);
    assert_eq!(hub.get("/pulls/1").is(200)["head"]["sha"], made);
    // as actions/checkout writes it: without .git
    git(&folder, &["remote", "set-url", "origin", github.git_url_with_token().trim_end_matches(".git")]);
    git(&folder, &["push", "--quiet", "origin", "bump:main"]);
    let told = hub.get("/pulls/1").is(200);
    assert_eq!((&told["state"], &told["merged"]), (&json!("closed"), &json!(true)));

    let other = hub.branch("other");
    hub.post("/pulls", json!({"title": "x", "head": "other", "base": "main"})).is(201);
    hub.patch("/git/refs/heads/other", json!({"sha": hub.world.tip(), "force": true})).is(200);
    let pull = github.pull(2);
    assert_eq!((pull.open, pull.merged, pull.head_sha), (false, false, other), "nothing left in it");
    assert!(crate::support::git::try_git(path, &["ls-remote", &github.git_url()]).status.code() != Some(0));
}

#[test]
fn faults_happen_when_they_are_ordered() {
    let hub = Hub::with_branch();
    hub.github.fault_at(On::ListPulls, 2, Fault::Status(502));
    hub.github.fault(On::CreatePull, Fault::AfterCommit(502));
    hub.github.fault(On::Labels, Fault::Unprocessable("Could not resolve to a node"));
    hub.github.fault(On::GetPull, Fault::Forbidden("Resource not accessible by integration"));
    hub.get("/pulls").is(200);
    assert!(hub.get("/pulls").is(502).as_str().unwrap().contains("Unicorn"));
    hub.open_pull().is(502);
    assert_eq!(hub.get("/pulls").is(200)[0]["number"], 1, "it was made anyway");
    assert_eq!(hub.post("/issues/1/labels", json!({"labels": ["a"]})).error(), "Could not resolve to a node");
    hub.post("/issues/1/labels", json!({"labels": ["a"]})).is(200);
    assert_eq!(hub.get("/pulls/1").is(403)["message"], "Resource not accessible by integration");
    assert!(hub.github.faults_left().is_empty());
    assert_eq!(hub.github.calls_of(On::CreatePull)[0].body["title"], "Bump");
    assert_eq!(hub.github.calls_of(On::CreatePull)[0].status, Some(502));
}

#[test]
fn connection_ends_before_or_after_the_work() {
    let hub = Hub::with_branch();
    let url = format!("{}{REPO}/pulls", hub.github.api_url());
    let body = json!({"title": "Bump", "head": "bump", "base": "main"});
    for (fault, pulls) in [(Fault::Close, 0), (Fault::Cut, 1)] {
        hub.github.fault(On::CreatePull, fault);
        assert!(try_request("POST", &url, Some(&body), &[TOKEN]).is_err());
        assert_eq!(hub.github.pulls().len(), pulls);
    }
}

#[test]
fn branch_moves_before_the_request() {
    let hub = Hub::with_branch();
    let tip = hub.world.tip();
    hub.github.fault(On::GraphQl, Fault::StaleHead);
    hub.graphql(json!({"query": "{ __typename }"})).is(200);
    let told = hub.commit_on("main", &tip, FILE, "new\n").is(200);
    assert_eq!(told["errors"][0]["type"], "STALE_DATA");
    assert_eq!(hub.world.last("%an %P"), format!("Rival {tip}"));
    let told = hub.commit_on("main", &hub.world.tip(), FILE, "new\n").is(200);
    assert!(told["errors"].is_null());

    hub.github.fault(On::UpdateRef, Fault::StaleHead);
    let made = git(&hub.world.bare, &["rev-parse", "main"]);
    let refused = hub.patch("/git/refs/heads/bump", json!({"sha": made, "force": false})).is(422);
    assert_eq!(refused["message"], "Update is not a fast forward");
}

#[test]
fn hook_runs_before_the_request() {
    let hub = Hub::new();
    let bare = hub.world.bare.clone();
    hub.github.before(On::CreateCommitOnBranch, move || drop(crate::support::repo::rival(&bare, "x", "x\n")));
    let told = hub.commit_on("main", &hub.world.tip(), FILE, "new\n").is(200);
    assert_eq!(told["errors"][0]["type"], "STALE_DATA");
}

#[test]
fn rate_limit_holds_until_it_is_over() {
    let hub = Hub::new();
    hub.github.fault(On::Repo, Fault::Secondary { retry_after: 1 });
    let limited = hub.get("");
    let started = Instant::now(); // after the limit began, however long the request took
    assert_eq!(limited.header("retry-after"), "1");
    assert!(limited.is(403)["message"].as_str().unwrap().contains("secondary rate limit"));
    hub.get("/pulls").is(403);
    hub.ask("GET", "/rate_limit", None).is(200);
    std::thread::sleep(Duration::from_secs(1).saturating_sub(started.elapsed()) + Duration::from_millis(20));
    hub.get("/pulls").is(200);

    hub.github.fault(On::GraphQl, Fault::Primary { reset: 60 });
    let limited = hub.graphql(json!({"query": "{ __typename }"}));
    assert_eq!(limited.header("x-ratelimit-remaining"), "0");
    assert_eq!(limited.is(200)["errors"][0]["type"], "RATE_LIMIT");
    let limited = hub.get("");
    assert!(limited.header("x-ratelimit-reset").parse::<u64>().unwrap() > 1_700_000_000);
    assert!(limited.is(403)["message"].as_str().unwrap().starts_with("API rate limit exceeded"));
}

#[test]
fn reads_lag_when_ordered() {
    let hub = Hub::new();
    let old = hub.world.tip();
    hub.github.fault(On::GetRef, Fault::LagReads(2));
    hub.github.fault(On::Pulls, Fault::LagReads(1));
    hub.github.fault(On::Labels, Fault::LagReads(1));
    hub.branch("bump");
    let new = hub.world.rival("x", "x\n");
    let seen = || hub.get("/git/ref/heads/main").is(200)["object"]["sha"].take();
    assert_eq!([seen(), seen(), seen()], [&*old, &old, &new]);
    assert_eq!(hub.open_pull().is(422)["errors"][0]["field"], "head");
    hub.open_pull().is(201);
    let labels = json!({"labels": ["a"]});
    let refused = hub.post("/issues/1/labels", labels.clone());
    assert!(refused.error().starts_with("Could not resolve to a node with the global id of 'PR_"));
    hub.post("/issues/1/labels", labels).is(200);
}
