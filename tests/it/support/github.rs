//! A GitHub for tests: REST and GraphQL over a bare repository that is served by git as well, so that what
//! one of them changes the others see.
//!
//! Every request is checked: there must be such a route, and query, body and GraphQL document must be what
//! GitHub's own descriptions allow, see `github/trim`. What is wrong fails the test, by `verify` or when the
//! `GitHub` is dropped. The fake's own answers are held against the same descriptions.
//!
//! It serves the API under `/api/v3` and `/api/graphql`, as a server of one's own does, and without these
//! prefixes, as api.github.com does.

#[path = "github/answer.rs"]
mod answer;
#[path = "github/api.rs"]
mod api;
#[path = "github/faults.rs"]
mod faults;
#[path = "github/graphql.rs"]
mod graphql;
#[path = "github/pulls.rs"]
mod pulls;
#[path = "github/rest.rs"]
mod rest;
#[path = "github/rules.rs"]
mod rules;
#[path = "github/shapes.rs"]
mod shapes;
#[path = "github/statuses.rs"]
mod statuses;
#[path = "github/store.rs"]
mod store;

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;

pub use faults::{Fault, On};
pub use pulls::Pull;

use super::git_server::GitServer;
use api::{Api, Limit};
use shapes::World;
use store::{Person, Store, person};
use tagbump::mutex::lock;

/// The one token that is right, for the API and as the password of git.
pub const TOKEN: &str = "ghs_F4keT0kenF0rTestsOnly0123456789abcdef";
/// The user that a token has with git.
pub const USER: &str = "x-access-token";
/// Who the token is for.
pub const LOGIN: &str = "github-actions[bot]";
pub const EMAIL: &str = "41898282+github-actions[bot]@users.noreply.github.com";

/// Who may review, teams too, and be assigned.
pub const COLLABORATORS: [&str; 3] = ["ann", "bob", "platform"];

/// Serves one repository until it is dropped.
pub struct GitHub {
    api: Arc<Api>,
    /// The server below; it logs every request, and makes git's faults.
    pub git: GitServer,
}

/// A request that came to the API.
#[derive(Clone, Debug)]
pub struct Call {
    /// None if it was turned away: no token, or a wrong one.
    pub operation: Option<On>,
    pub method: String,
    pub path: String,
    /// Null where there was none.
    pub body: Value,
    /// None if the connection was ended instead.
    pub status: Option<u16>,
}

impl GitHub {
    /// Serves a bare repository `…/OWNER/NAME.git` as `OWNER/NAME`.
    pub fn start(bare: &Path) -> Self {
        let part = |path: Option<&Path>| {
            path.and_then(Path::file_stem).and_then(|name| name.to_str()).map(str::to_owned)
        };
        let name = Name {
            owner: part(bare.parent()).expect("the owner's folder"),
            repo: part(Some(bare)).expect("the repository's folder"),
        };
        let root = bare.ancestors().nth(2).expect("a folder of owners");
        let api = Arc::new(Api::new(name, bare.to_owned()));
        let answer = {
            let api = api.clone();
            Box::new(move |request: &_| api.reply(request))
        };
        let git = GitServer::builder(root).basic_auth(USER, TOKEN).api(answer).start();
        GitHub { api, git }
    }

    /// What GITHUB_SERVER_URL is to be.
    pub fn url(&self) -> String {
        self.git.url("").trim_end_matches('/').to_owned()
    }

    /// What GITHUB_API_URL is to be.
    pub fn api_url(&self) -> String {
        self.git.url("api/v3")
    }

    /// What GITHUB_GRAPHQL_URL is to be.
    pub fn graphql_url(&self) -> String {
        self.git.url("api/graphql")
    }

    /// `OWNER/NAME`.
    pub fn repository(&self) -> String {
        self.api.name.to_string()
    }

    /// For git, without credentials.
    pub fn git_url(&self) -> String {
        self.git.url(&format!("{}.git", self.api.name))
    }

    /// For git, with the token in it.
    pub fn git_url_with_token(&self) -> String {
        self.git.url_with(USER, TOKEN, &format!("{}.git", self.api.name))
    }

    /// Tells a command what a runner would: server, API, repository and token.
    pub fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("GITHUB_SERVER_URL", self.url())
            .env("GITHUB_API_URL", self.api_url())
            .env("GITHUB_GRAPHQL_URL", self.graphql_url())
            .env("GITHUB_REPOSITORY", self.repository())
            .env("GITHUB_TOKEN", TOKEN)
    }

    /// Queues a fault for the next such request.
    pub fn fault(&self, on: On, fault: Fault) {
        self.fault_at(on, 1, fault);
    }

    /// Queues a fault for the `nth` such request from now, counted from 1.
    pub fn fault_at(&self, on: On, nth: usize, fault: Fault) {
        self.api.faults.push(on, nth, fault, self.api.snapshot());
    }

    /// The faults that no request came for.
    pub fn faults_left(&self) -> Vec<String> {
        self.api.faults.left()
    }

    /// Queues a call, made right before the next such request is carried out.
    pub fn before(&self, on: On, hook: impl FnOnce() + Send + 'static) {
        lock(&self.api.hooks).push_back((on, Box::new(hook)));
    }

    /// Whether commits made by the API are signed from now on (they are); a server of one's own may not do it.
    pub fn signs(&self, signs: bool) {
        lock(&self.api.state).signs = signs;
    }

    /// The rules of every branch from now on, by rulesets; none at first.
    pub fn rules(&self, rules: &[Value]) {
        lock(&self.api.state).rules = rules.to_vec();
    }

    /// How auto-merge goes from now on.
    pub fn merging(&self, change: impl FnOnce(&mut Merging)) {
        change(&mut lock(&self.api.state).merging);
    }

    /// Someone posts a status of a commit.
    pub fn post_status(&self, commit: &str, context: &str, state: &str) {
        self.post(commit, context, (state, None), false, None);
    }

    /// A check runs on a commit, and ends if it has a conclusion. Its details are at `url`.
    pub fn post_check(&self, commit: &str, name: &str, conclusion: Option<&str>, url: Option<&str>) {
        let status = if conclusion.is_some() { "completed" } else { "in_progress" };
        self.post(commit, name, (status, conclusion), true, url);
    }

    fn post(
        &self,
        commit: &str,
        context: &str,
        (state, conclusion): (&str, Option<&str>),
        is_check_run: bool,
        url: Option<&str>,
    ) {
        lock(&self.api.state).statuses.push(statuses::Posted {
            commit: commit.to_owned(),
            context: context.to_owned(),
            state: state.to_owned(),
            conclusion: conclusion.map(str::to_owned),
            is_check_run,
            url: url.map(str::to_owned),
        });
    }

    /// All pull requests, oldest first.
    pub fn pulls(&self) -> Vec<Pull> {
        self.api.pulls()
    }

    pub fn open_pulls(&self) -> Vec<Pull> {
        self.pulls().into_iter().filter(|pull| pull.open).collect()
    }

    /// A pull request by its number.
    #[track_caller]
    pub fn pull(&self, number: u64) -> Pull {
        let found = self.pulls().into_iter().find(|pull| pull.number == number);
        found.unwrap_or_else(|| panic!("there is no pull request {number}"))
    }

    /// The labels of a pull request.
    #[track_caller]
    pub fn labels(&self, number: u64) -> Vec<String> {
        self.pull(number).labels
    }

    /// Somebody opens a pull request by hand. Gives its number.
    pub fn open_pull(&self, head: &str, base: &str, title: &str) -> u64 {
        let refs = self.api.store(None).live_refs();
        let sha = |branch: &str| refs[&format!("refs/heads/{branch}")].to_string();
        let mut state = lock(&self.api.state);
        let number = state.pulls.len() as u64 + 1;
        state.pulls.push(Pull {
            number,
            title: title.to_owned(),
            body: None,
            open: true,
            merged: false,
            draft: false,
            head: head.to_owned(),
            base: base.to_owned(),
            head_sha: sha(head),
            base_sha: sha(base),
            labels: Vec::new(),
            reviewers: Vec::new(),
            assignees: Vec::new(),
            auto_merge: None,
            created_at: now(),
            updated_at: now(),
            closed_at: None,
        });
        number
    }

    /// Somebody closes a pull request by hand.
    pub fn close_pull(&self, number: u64) {
        lock(&self.api.state).pulls[number as usize - 1].close();
    }

    /// Whether GitHub would show the commit as verified.
    pub fn verified(&self, commit: &str) -> bool {
        let oid = git2::Oid::from_str(commit).expect("a commit's full name");
        self.api.store(None).verification(oid)["verified"] == true
    }

    /// All requests to the API, in the order they came.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.api.calls).clone()
    }

    /// The requests of a kind that were not turned away.
    pub fn calls_of(&self, on: On) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.operation.is_some_and(|operation| on.covers(operation)));
        calls
    }

    /// How many there were.
    pub fn count(&self, on: On) -> usize {
        self.calls_of(on).len()
    }

    pub fn violations(&self) -> Vec<String> {
        lock(&self.api.violations).clone()
    }

    /// Forgets the violations, and gives them, to a test that wants some.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.api.violations))
    }

    /// Panics if a request broke GitHub's rules.
    #[track_caller]
    pub fn verify(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "not what GitHub wants:\n{}", violations.join("\n"));
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.verify();
        }
    }
}

/// Owner and name of a repository.
struct Name {
    owner: String,
    repo: String,
}

impl Name {
    fn is(&self, asked: &str) -> bool {
        asked.eq_ignore_ascii_case(&self.to_string())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.owner, self.repo)
    }
}

/// What decides about merges.
#[derive(Debug, Default)]
pub struct Merging {
    /// A required review of a classic protection.
    pub classic_reviews: u64,
    /// Whether there is a merge queue.
    pub queue: bool,
    /// Why auto-merge can't be enabled, in GitHub's words.
    pub refusal: Option<&'static str>,
}

/// What is not in the repository.
struct State {
    /// The one with number 1 first, and no gaps.
    pulls: Vec<Pull>,
    /// The repository's labels.
    labels: Vec<String>,
    rules: Vec<Value>,
    statuses: Vec<statuses::Posted>,
    merging: Merging,
    signs: bool,
    limit: Option<Limit>,
}

/// What a request is carried out with.
struct Context<'a> {
    name: &'a Name,
    store: &'a Store,
    state: &'a mut State,
    /// The pull requests as they are to be seen.
    pulls: Vec<Pull>,
    api: String,
    html: String,
    /// How many requests there were so far.
    used: usize,
    complaints: Vec<String>,
}

impl Context<'_> {
    fn world(&self) -> World<'_> {
        World {
            name: self.name,
            store: self.store,
            labels: &self.state.labels,
            api: self.api.clone(),
            html: self.html.clone(),
        }
    }

    fn complain(&mut self, problem: String) {
        self.complaints.push(problem);
    }
}

/// The token's owner, as an author.
fn me() -> Person {
    person(LOGIN, EMAIL)
}

/// Seconds since 1970.
fn epoch() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).expect("a time after 1970")
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time of git as the API tells it.
fn date(time: git2::Time) -> String {
    let at = jiff::Timestamp::from_second(time.seconds()).expect("a time");
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
