//! An imitation of GitLab's API over a bare repository, for questions about commits: as in GitLab's documentation of its "Repositories",
//! "Commits" and "Projects" API. Lists come a few at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use git2::{Oid, Repository};
use serde_json::{Value, json};

use super::git_server::{Api, Headers, Reply, Request, Response};
use tagbump::mutex::lock;

/// The one token that is right.
pub const TOKEN: &str = "glpat-F4keT0kenF0rTests";

#[derive(Default)]
struct State {
    calls: Vec<String>,
    /// The status of every answer, if it isn't to be the right one.
    status: Option<u16>,
    /// Commit, and what the list shows of a status of it.
    posted: Vec<(String, Value)>,
}

/// What the imitation was asked, and how it answers.
#[derive(Clone, Default)]
pub struct GitLabApi(Arc<Mutex<State>>);

impl GitLabApi {
    /// Answers for the project at `path`, whose repository is the bare one.
    pub fn serve(&self, path: &str, bare: &Path) -> Api {
        let (api, project, bare) = (self.clone(), path.replace('/', "%2F"), bare.to_owned());
        Box::new(move |request| api.answer(request, &project, &bare))
    }

    /// The routes that were asked for, with their queries.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// A job of a pipeline, or someone else, posts a status.
    pub fn post(&self, commit: &str, name: &str, status: &str, pipeline: u64) {
        let mut state = self.lock();
        let id = state.posted.len() + 1;
        let shown = json!({
            "id": id, "sha": commit, "name": name, "status": status, "target_url": null, "pipeline_id": pipeline,
        });
        state.posted.push((commit.to_owned(), shown));
    }

    pub fn answers(&self, status: u16) {
        self.lock().status = Some(status);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    fn answer(&self, request: &Request, project: &str, bare: &PathBuf) -> Option<Reply> {
        let path = request.path.strip_prefix("/api/v4")?;
        let mut state = self.lock();
        state.calls.push(format!("{path}?{}", request.query));
        let is_known = request.header("authorization") == Some(&format!("Bearer {TOKEN}"));
        let (status, body) = match (state.status, path.strip_prefix(&format!("/projects/{project}"))) {
            (Some(status), _) => (status, json!({"message": format!("{status} as asked for")})),
            _ if !is_known => (401, json!({"message": "401 Unauthorized"})),
            (None, None) => (404, json!({"message": "404 Project Not Found"})),
            (None, Some(route)) => match route.strip_prefix("/repository/commits/") {
                Some(rest) => return Some(listed(&state.posted, rest, request)),
                None => answered(route, request, bare),
            },
        };
        Some(reply(status, &body, Vec::new()))
    }
}

/// How many statuses the server lists at once, whatever it is asked for.
const PER_PAGE: usize = 3;

fn reply(status: u16, body: &Value, more: Headers) -> Reply {
    let headers = vec![
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("X-Gitlab-Meta".to_owned(), "{}".to_owned()),
    ];
    let headers = [headers, more].concat();
    Reply::Whole(Response { status, headers, body: body.to_string().into_bytes() })
}

/// The newest status of each name, in pages.
fn listed(posted: &[(String, Value)], rest: &str, request: &Request) -> Reply {
    let commit = rest.strip_suffix("/statuses").unwrap_or_default();
    let all: Vec<&Value> = posted.iter().filter(|(of, _)| of == commit).map(|(_, shown)| shown).collect();
    let is_newest = |nth: usize| !all[nth + 1..].iter().any(|later| later["name"] == all[nth]["name"]);
    let newest: Vec<&Value> = (0..all.len()).filter(|nth| is_newest(*nth)).map(|nth| all[nth]).collect();
    let pairs = url::form_urlencoded::parse(request.query.as_bytes());
    let page = pairs.filter(|(name, _)| name == "page").find_map(|(_, text)| text.parse().ok()).unwrap_or(1);
    let shown: Vec<&&Value> = newest.iter().skip((page - 1) * PER_PAGE).take(PER_PAGE).collect();
    let next = if page * PER_PAGE < newest.len() { (page + 1).to_string() } else { String::new() };
    reply(200, &json!(shown), vec![("X-Next-Page".to_owned(), next)])
}

fn answered(route: &str, request: &Request, bare: &PathBuf) -> (u16, Value) {
    let repository = Repository::open(bare).unwrap();
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let values = |name: &str| -> Vec<Option<Oid>> {
        let named = pairs.iter().filter(|(key, _)| key == name);
        named.map(|(_, text)| repository.revparse_single(text).ok().map(|object| object.id())).collect()
    };
    let not_found = || (404, json!({"message": "404 Commit Not Found"}));
    match route {
        "" => (200, json!({"id": 1, "default_branch": "main"})),
        "/repository/merge_base" => match values("refs[]").as_slice() {
            [Some(one), Some(other)] => match repository.merge_base(*one, *other) {
                Ok(base) => (200, commit(&repository, base)),
                Err(_) => not_found(),
            },
            _ => not_found(),
        },
        "/repository/compare" => match (values("from").first(), values("to").first()) {
            (Some(Some(from)), Some(Some(to))) => {
                let mut walk = repository.revwalk().unwrap();
                walk.push(*to).and_then(|()| walk.hide(*from)).unwrap();
                let mut commits: Vec<Value> = walk.map(|id| commit(&repository, id.unwrap())).collect();
                commits.reverse();
                (200, json!({"commit": commit(&repository, *to), "commits": commits, "diffs": []}))
            }
            _ => not_found(),
        },
        _ => (404, json!({"error": "404 Not Found"})),
    }
}

fn commit(repository: &Repository, id: Oid) -> Value {
    let found = repository.find_commit(id).unwrap();
    let message = String::from_utf8_lossy(found.message_bytes()).into_owned();
    json!({"id": id.to_string(), "title": message.lines().next(), "message": message})
}
