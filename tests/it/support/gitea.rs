//! An imitation of Gitea's pull requests over a bare repository, for faults and for what a real server only does now and then;
//! `forge_server` has the real one. It answers as Gitea 1.26 does in what tagbump uses, traps included: lists of pull requests can't be
//! filtered by their branch, come a few at a time, and labels have numbers.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::cli;
use super::git::git;
use super::git_server::{Reply, Request, Response};
use super::repo::{self, API, FILE, REPO, World, kustomization};
use tagbump::mutex::lock;

/// The one token that is right, for the API and as the password of git.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
/// How many pull requests the server lists at once, whatever it is asked for.
const PER_PAGE: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    pub head: String,
    pub base: String,
    pub title: String,
    pub body: String,
    pub open: bool,
    /// Of the head's repository; 1 is ours.
    pub repository: u64,
    pub labels: Vec<u64>,
}

/// A fault for the next request of a kind.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Carries it out, and loses the answer.
    LostAnswer,
    Status(u16, &'static str),
    /// Answers with the first pull request, whichever was asked for.
    FirstPull,
}

#[derive(Default)]
struct State {
    pulls: Vec<Pull>,
    /// Method, the end of the path, and the fault.
    faults: Vec<(&'static str, &'static str, Fault)>,
    /// Whether everyone must log in, even to see the version.
    hides_version: bool,
    calls: Vec<(String, String)>,
    tokens: Vec<Option<String>>,
}

/// The repository `acme/gitops` on an imitated Gitea.
pub struct Gitea {
    pub world: World,
    state: Arc<Mutex<State>>,
}

impl Gitea {
    /// With these images, all at v0.
    pub fn new(images: &[&str]) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let api = {
            let state = state.clone();
            move |request: &Request| answer(&mut lock(&state), request)
        };
        let images: Vec<String> = images.iter().map(|image| (*image).to_owned()).collect();
        let files = [(FILE, &*kustomization(&images))];
        let build = |server: super::git_server::Builder| {
            server.basic_auth("x-access-token", TOKEN).api(Box::new(api))
        };
        Gitea { world: World::with(build, &files), state }
    }

    pub fn url(&self) -> String {
        self.world.server.url("").trim_end_matches('/').to_owned()
    }

    /// `tagbump bump IMAGE --pr` in a new checkout, as a job of Gitea Actions runs it.
    pub fn command(&self, name: &str, image: &str, more: &[&str]) -> Command {
        let mut command = self.local_command(name, image, more);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_SERVER_URL", self.url())
            .env("GITHUB_API_URL", format!("{}/api/v1", self.url()))
            .env("GITHUB_REPOSITORY", "acme/other")
            .env("GITHUB_REF_NAME", "main")
            .env("GITHUB_REF_TYPE", "branch")
            .env("GITHUB_TOKEN", TOKEN)
            .env_remove("TAGBUMP_TOKEN");
        command
    }

    /// The same without a runner.
    pub fn local_command(&self, name: &str, image: &str, more: &[&str]) -> Command {
        let folder = self.checkout(name);
        let mut command = cli::command(&folder);
        command.args(["bump", image, "--pr", "--format", "json"]).args(more).env("TAGBUMP_TOKEN", TOKEN);
        command
    }

    fn checkout(&self, name: &str) -> PathBuf {
        self.world.clone_of(&self.world.server.url(REPO), name, &["--depth", "1"])
    }

    /// Proposes a tag of the api image. Gives the JSON.
    #[track_caller]
    pub fn propose(&self, name: &str, tag: &str, more: &[&str]) -> Value {
        let image = format!("{API}:{tag}");
        repo::ended(&repo::run(&mut self.command(name, &image, more)), 0, "proposed")
    }

    pub fn pulls(&self) -> Vec<Pull> {
        lock(&self.state).pulls.clone()
    }

    /// A person opens a pull request, or changes one.
    pub fn change(&self, change: impl FnOnce(&mut Vec<Pull>)) {
        change(&mut lock(&self.state).pulls);
    }

    pub fn fault(&self, method: &'static str, end: &'static str, fault: Fault) {
        lock(&self.state).faults.push((method, end, fault));
    }

    /// Answers no one who isn't logged in.
    pub fn hide_version(&self) {
        lock(&self.state).hides_version = true;
    }

    /// The requests that change something, without their server.
    pub fn writes(&self) -> Vec<String> {
        let calls = lock(&self.state).calls.clone();
        let writes = calls.into_iter().filter(|(method, _)| method != "GET");
        writes.map(|(method, path)| format!("{method} {path}")).collect()
    }

    /// The Authorization headers that requests for a path came with.
    pub fn tokens(&self, path: &str) -> Vec<Option<String>> {
        let state = lock(&self.state);
        let calls = state.calls.iter().zip(&state.tokens);
        calls.filter(|((_, asked), _)| asked == path).map(|(_, token)| token.clone()).collect()
    }

    pub fn branches(&self) -> Vec<String> {
        let listed = git(&self.world.bare, &["for-each-ref", "--format=%(refname:lstrip=2)"]);
        listed.lines().map(str::to_owned).collect()
    }
}

/// An open pull request to main.
pub fn pull(head: &str, repository: u64) -> Pull {
    let (head, base) = (head.to_owned(), "main".to_owned());
    let (title, body) = (String::new(), String::new());
    Pull { head, base, title, body, open: true, repository, labels: Vec::new() }
}

fn answer(state: &mut State, request: &Request) -> Option<Reply> {
    let path = request.path.strip_prefix("/api/")?;
    let token = request.header("authorization").map(str::to_owned);
    state.calls.push((request.method.clone(), path.to_owned()));
    state.tokens.push(token.clone());
    let Some(path) = path.strip_prefix("v1") else { return Some(reply(404, &json!({"error": "Not Found"}))) };
    let due = |(method, end, _): &&mut (&str, &str, Fault)| *method == request.method && path.ends_with(*end);
    let fault = state.faults.iter_mut().find(due).map(|(method, _, fault)| {
        *method = ""; // used up
        *fault
    });
    let is_known = token.as_deref() == Some(&format!("token {TOKEN}"));
    let (status, body) = match fault {
        Some(Fault::Status(status, message)) => (status, json!({"message": message})),
        Some(Fault::FirstPull) => (201, shown(0, &state.pulls[0])),
        _ if path == "/version" && !state.hides_version => (200, json!({"version": "1.26.0"})),
        _ if !is_known => (403, json!({"message": "Only signed in user is allowed to call APIs."})),
        _ => route(state, request, path),
    };
    if matches!(fault, Some(Fault::LostAnswer)) {
        return Some(Reply::Close);
    }
    Some(reply(status, &body))
}

fn reply(status: u16, body: &Value) -> Reply {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    Reply::Whole(Response { status, headers, body: body.to_string().into_bytes() })
}

fn route(state: &mut State, request: &Request, path: &str) -> (u16, Value) {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let query = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(request.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let path = path.strip_prefix("/repos/acme/gitops").unwrap_or("/elsewhere");
    match (request.method.as_str(), path.split('/').skip(1).collect::<Vec<_>>().as_slice()) {
        ("GET", ["pulls"]) => {
            let is_listed = |pull: &Pull| query("state").is_none_or(|state| (state == "open") == pull.open);
            let listed = state.pulls.iter().enumerate().rev().filter(|(_, pull)| is_listed(pull));
            let page: usize = query("page").map_or(1, |page| page.parse().unwrap());
            let listed = listed.skip((page - 1) * PER_PAGE).take(PER_PAGE);
            (200, listed.map(|(number, pull)| shown(number, pull)).collect())
        }
        ("POST", ["pulls"]) => create(state, &body),
        ("PATCH", ["pulls", number]) => {
            let number = number.parse::<usize>().unwrap() - 1;
            let pull = &mut state.pulls[number];
            let text = |name: &str| body[name].as_str().map(str::to_owned);
            pull.title = text("title").unwrap_or(pull.title.clone());
            pull.body = text("body").unwrap_or(pull.body.clone());
            pull.open = text("state").map_or(pull.open, |state| state == "open");
            (201, shown(number, pull))
        }
        ("GET", ["labels"]) if query("page").as_deref() == Some("1") => {
            (200, json!([{"id": 3, "name": "bump"}, {"id": 4, "name": "deploy"}]))
        }
        ("GET", ["labels"]) => (200, json!([])),
        ("POST", ["issues", number, "labels"]) => {
            let number = number.parse::<usize>().unwrap() - 1;
            let added = body["labels"].as_array().unwrap().iter().map(|label| label.as_u64().unwrap());
            state.pulls[number].labels.extend(added);
            (200, json!([]))
        }
        _ => (404, json!({"message": "The target couldn't be found.", "errors": []})),
    }
}

fn create(state: &mut State, body: &Value) -> (u16, Value) {
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let (head, base) = (text("head"), text("base"));
    let is_there = |pull: &Pull| pull.open && pull.head == head && pull.base == base && pull.repository == 1;
    if state.pulls.iter().any(is_there) {
        return (409, json!({"message": "pull request already exists for these targets"}));
    }
    let pull = Pull { title: text("title"), body: text("body"), base, ..pull(&head, 1) };
    state.pulls.push(pull);
    let number = state.pulls.len() - 1;
    (201, shown(number, &state.pulls[number]))
}

fn shown(number: usize, pull: &Pull) -> Value {
    let side =
        |branch: &str, repository: u64| json!({"label": branch, "ref": branch, "repo": {"id": repository}});
    json!({
        "id": 100 + number,
        "number": number + 1,
        "state": if pull.open { "open" } else { "closed" },
        "title": pull.title,
        "body": pull.body,
        "labels": [],
        "head": side(&pull.head, pull.repository),
        "base": side(&pull.base, 1),
        // as with a ROOT_URL that isn't the address that clients use
        "html_url": format!("http://localhost:3000/acme/gitops/pulls/{}", number + 1),
    })
}
