//! A forge's response is input: a link is shown only if it leads to the remote's own host.

use std::path::Path;

use crate::support::cli::{self, Run};
use crate::support::git_server::{Reply, Request, Response};
use crate::support::repo::{API, FILE, REPO, World, ended, failed, kustomization, run};
use serde_json::{Value, json};

const TOKEN: &str = "tok-0123456789abcdef";

/// A git server with an API that accepts every pull request and describes it as `pull` says.
fn forge(pull: Value) -> World {
    let api = move |request: &Request| {
        let path = request.path.strip_prefix("/api/v3/repos/acme/gitops")?;
        let body = match (request.method.as_str(), path) {
            ("GET", "") => json!({"full_name": "acme/gitops"}),
            ("GET", "/pulls") => json!([]),
            _ => pull.clone(),
        };
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let body = body.to_string().into_bytes();
        Some(Reply::Whole(Response { body, ..Response::empty(200, headers) }))
    };
    let files = [(FILE, &*kustomization(&[API.into()]))];
    World::with(|server| server.basic_auth("x-access-token", TOKEN).api(Box::new(api)), &files)
}

fn origin(world: &World) -> String {
    world.server.url("").trim_end_matches('/').to_owned()
}

/// Proposes a bump in a runner; returns the run, with the summary and the outputs that it wrote.
fn propose(world: &World, name: &str) -> (Run, String) {
    let folder = world.clone_of(&world.server.url(REPO), name, &["--depth", "1"]);
    let files = ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"].map(|file| (file, world.path().join(file)));
    let mut command = cli::command(&folder);
    command.args(["bump", &format!("{API}:v1"), "--pr", "--branch", "main", "-v", "--format", "json"]);
    command.env("TAGBUMP_TOKEN", TOKEN).env("GITHUB_SERVER_URL", origin(world));
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", &folder);
    let run = run(command.envs(files.iter().map(|(name, path)| (name, path))));
    let written: String = files.iter().map(|(_, path)| read(path)).collect();
    (run, written)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn described(html_url: &Value) -> Value {
    numbered(&json!(7), html_url)
}

fn numbered(number: &Value, html_url: &Value) -> Value {
    let side = |branch: &str| json!({"ref": branch, "repo": {"id": 1}});
    json!({
        "number": number,
        "html_url": html_url,
        "title": "x",
        "body": "",
        "labels": [],
        "head": side("tagbump/main/api"),
        "base": side("main"),
    })
}

#[test]
fn link_to_host_of_remote_is_shown() {
    let world = forge(described(&Value::Null));
    let told = ended(&propose(&world, "w").0, 0, "proposed");
    let link = format!("{}/acme/gitops/pull/7", origin(&world));
    assert_eq!(told["pull_request"], json!({"number": 7, "url": link, "auto_merge": false}));
}

#[test]
fn link_to_another_host_is_not_shown() {
    for link in [
        "https://evil.example/acme/gitops/pull/7",
        "http://127.0.0.1@evil.example/pull/7",
        "javascript:fetch('//evil.example')",
        "//evil.example/7",
        "x) [approve](https://evil.example",
        "https://evil.example/\u{1b}]8;;x\n::add-mask::evil.example",
    ] {
        let world = forge(described(&json!(link)));
        let (run, written) = propose(&world, "w");
        let told = ended(&run, 0, "proposed");
        let built = format!("{}/acme/gitops/pull/7", origin(&world));
        assert_eq!(told["pull_request"]["url"], built.as_str(), "{link}");
        assert!(written.contains(&format!("[#7]({built})")), "{written}");
        for shown in [&run.output(), &written] {
            assert!(!shown.contains("evil.example"), "{link}: {shown}");
        }
    }
}

#[test]
fn pull_request_without_a_positive_number_is_an_error() {
    for number in [json!(0), json!(-7), json!("7) [x](https://evil.example"), Value::Null] {
        let world = forge(numbered(&number, &json!("")));
        let said = failed(&propose(&world, "w").0, 1);
        assert!(said.contains("didn't return a pull request"), "{number}: {said}");
    }
}

#[test]
fn pull_request_of_other_branches_is_an_error() {
    for (side, other) in [("head", "tagbump/main/web"), ("base", "dev")] {
        let mut pull = described(&Value::Null);
        pull[side]["ref"] = json!(other);
        let said = failed(&propose(&forge(pull), "w").0, 1);
        assert!(said.contains("answered with another pull request") && said.contains(other), "{said}");
    }
}
