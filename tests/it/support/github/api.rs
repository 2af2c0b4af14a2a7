//! Takes a request apart, checks it, brings in the faults, and has it carried out.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::answer::Answer;
use super::faults::{Fault, Faults, On, Snapshot};
use super::pulls::{Pull, settle};
use super::store::{Refs, Store};
use super::{Call, Context, Name, State, TOKEN, epoch, graphql, lock, rest};
use crate::support::git_server::{Reply, Request, Response, is_authorization};

const DOCS: &str = "https://docs.github.com/rest";

pub type Hook = Box<dyn FnOnce() + Send>;

pub struct Api {
    pub name: Name,
    bare: PathBuf,
    pub faults: Faults,
    /// The calls to make before a request is carried out, one each.
    pub hooks: Mutex<VecDeque<(On, Hook)>>,
    pub calls: Mutex<Vec<Call>>,
    pub violations: Mutex<Vec<String>>,
    pub state: Mutex<State>,
}

/// A request that could be read.
enum Asked {
    Rest(rest::Asked),
    GraphQl(graphql::Asked),
    /// It was refused already, with this.
    Refused(On, Answer),
}

/// A rate limit that was hit.
#[derive(Clone, Copy)]
pub struct Limit {
    deadline: SystemTime,
    primary: bool,
}

/// Addresses as the client uses them.
struct Base {
    api: String,
    html: String,
}

/// An answer that the client has already is not sent again.
fn unchanged(request: &Request, reply: Reply) -> Reply {
    match reply {
        Reply::Whole(response) if response.status == 200 => {
            let etag = response.headers.iter().find(|(name, _)| name == "ETag").map(|(_, etag)| etag.clone());
            match etag.filter(|etag| request.header("If-None-Match") == Some(etag)) {
                Some(_) => Reply::Whole(Response { status: 304, body: Vec::new(), ..response }),
                None => Reply::Whole(response),
            }
        }
        reply => reply,
    }
}

impl Api {
    pub fn new(name: Name, bare: PathBuf) -> Self {
        let state = State {
            pulls: Vec::new(),
            labels: ["bump", "in prod, now"].map(str::to_owned).to_vec(),
            rules: Vec::new(),
            statuses: Vec::new(),
            merging: super::Merging::default(),
            signs: true,
            limit: None,
        };
        Api {
            name,
            bare,
            faults: Faults::default(),
            hooks: Mutex::default(),
            calls: Mutex::default(),
            violations: Mutex::default(),
            state: Mutex::new(state),
        }
    }

    pub fn store(&self, seen: Option<Refs>) -> Store {
        Store::open(&self.bare, seen)
    }

    pub fn complain(&self, what: &str, problem: &str) {
        lock(&self.violations).push(format!("{what}: {problem}"));
    }

    /// The pull requests as they are now.
    pub fn pulls(&self) -> Vec<Pull> {
        let store = self.store(None);
        let mut state = lock(&self.state);
        settle(&mut state.pulls, &store.live_refs(), &store);
        state.pulls.clone()
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot { refs: self.store(None).live_refs(), pulls: self.pulls() }
    }

    /// None if the request is for git.
    pub fn reply(&self, request: &Request) -> Option<Reply> {
        let git = ["/info/refs", "/git-upload-pack", "/git-receive-pack", "/HEAD"];
        if git.iter().any(|end| request.path.ends_with(end)) || request.path.contains("/objects/") {
            return None;
        }
        let number = self.note(request);
        let reply = unchanged(request, self.reply_to(request, number));
        if let Reply::Whole(response) | Reply::Cut(response, _) = &reply {
            lock(&self.calls)[number].status = Some(response.status);
        }
        Some(reply)
    }

    /// Logs a request; returns its place in the log.
    fn note(&self, request: &Request) -> usize {
        let text = String::from_utf8_lossy(&request.body);
        let mut calls = lock(&self.calls);
        calls.push(Call {
            operation: None,
            method: request.method.clone(),
            path: request.path.clone(),
            body: if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text).unwrap_or(json!(text))
            },
            status: None,
        });
        calls.len() - 1
    }

    fn reply_to(&self, request: &Request, number: usize) -> Reply {
        let whole = |answer: Answer| Reply::Whole(answer.into_response(number + 1));
        if let Some(refusal) = self.turned_away(request) {
            return whole(refusal);
        }
        let body = lock(&self.calls)[number].body.clone();
        let (asked, base) = self.read(request, &body);
        let operation = asked.operation();
        lock(&self.calls)[number].operation = Some(operation);
        if let Some(limit) = self.limit(operation) {
            return whole(limited(limit, operation));
        }
        self.run_hook(operation);
        let perform = |seen| self.perform(&asked, &base, number, seen);
        match self.faults.take(operation) {
            None => whole(perform(None)),
            Some((Fault::Status(code), _)) => whole(Answer::failure(code)),
            Some((Fault::AfterCommit(code), _)) => {
                perform(None);
                whole(Answer::failure(code))
            }
            Some((Fault::StaleHead, _)) => {
                if let Some(reference) = asked.reference() {
                    self.store(None).rival(&reference);
                }
                whole(perform(None))
            }
            Some((Fault::Secondary { retry_after }, _)) => {
                let deadline = SystemTime::now() + Duration::from_secs(retry_after);
                whole(limited(self.set_limit(deadline, false), operation))
            }
            Some((Fault::Primary { reset }, _)) => {
                let deadline = SystemTime::UNIX_EPOCH + Duration::from_secs(epoch() + reset);
                whole(limited(self.set_limit(deadline, true), operation))
            }
            Some((Fault::Unprocessable(message), _)) => whole(asked.unprocessable(message)),
            Some((Fault::Forbidden(message), _)) => whole(asked.forbidden(message)),
            Some((Fault::LagReads(_), then)) => whole(perform(Some(&*then))),
            Some((Fault::Cut, _)) => {
                let response = perform(None).into_response(number + 1);
                let half = response.body.len() / 2;
                Reply::Cut(response, half)
            }
            Some((Fault::Close, _)) => Reply::Close,
        }
    }

    /// The answer to a client that does not say who it is as it should.
    fn turned_away(&self, request: &Request) -> Option<Answer> {
        let what = format!("{} {}", request.method, request.path);
        if request.header("User-Agent").is_none_or(str::is_empty) {
            self.complain(&what, "no User-Agent");
            return Some(Answer::refused(403, "Request forbidden by administrative rules.", DOCS));
        }
        let version = request.header("X-GitHub-Api-Version").unwrap_or("2022-11-28");
        if !["2022-11-28", "2026-03-10"].contains(&version) {
            self.complain(&what, &format!("no version of the API: {version}"));
            return Some(Answer::refused(400, "Unsupported API version", DOCS));
        }
        let given: Vec<_> = request.headers.iter().filter(|header| is_authorization(header)).collect();
        if given.len() > 1 {
            self.complain(&what, &format!("{} Authorization headers", given.len()));
        }
        let right = |value: &str| {
            let (scheme, token) = value.split_once(' ').unwrap_or_default();
            ["bearer", "token"].contains(&scheme.to_ascii_lowercase().as_str()) && token == TOKEN
        };
        match given.as_slice() {
            [] => Some(Answer::refused(401, "Requires authentication", DOCS)),
            [(_, value)] if right(value) => None,
            _ => Some(Answer::refused(401, "Bad credentials", DOCS)),
        }
    }

    /// Finds out what is asked, and notes what is wrong with it.
    fn read(&self, request: &Request, body: &Value) -> (Asked, Base) {
        let origin = format!("http://{}", request.header("Host").unwrap_or("localhost"));
        let (api, path) = match request.path.strip_prefix("/api/v3") {
            Some(rest) => (format!("{origin}/api/v3"), rest),
            None => (origin.clone(), request.path.as_str()),
        };
        let base = Base { api, html: origin };
        let what = format!("{} {}", request.method, request.path);
        if request.method == "POST" && ["/api/graphql", "/graphql"].contains(&request.path.as_str()) {
            let asked = graphql::Asked::read(body).map_or_else(
                |problems| {
                    self.complain(&what, &format!("{}\n  in {body}", problems.join("; ")));
                    Asked::Refused(On::GraphQl, graphql::rejected(&problems))
                },
                Asked::GraphQl,
            );
            return (asked, base);
        }
        let Some((asked, problems)) = rest::Asked::read(&request.method, path, &request.query, body) else {
            self.complain(&what, "no such route");
            return (Asked::Refused(On::Any, Answer::not_found(DOCS)), base);
        };
        if problems.is_empty() {
            return (Asked::Rest(asked), base);
        }
        let problems = problems.join("; ");
        self.complain(&what, &format!("{problems}\n  in {body}, ?{}", request.query));
        let answer = asked.refused(422, &format!("Invalid request.\n\n{problems}"));
        (Asked::Refused(asked.operation, answer), base)
    }

    fn perform(&self, asked: &Asked, base: &Base, number: usize, seen: Option<&Snapshot>) -> Answer {
        let store = self.store(seen.map(|seen| seen.refs.clone()));
        let mut state = lock(&self.state);
        settle(&mut state.pulls, &store.live_refs(), &store);
        let mut context = Context {
            name: &self.name,
            store: &store,
            pulls: seen.map_or_else(|| state.pulls.clone(), |seen| seen.pulls.clone()),
            state: &mut state,
            api: base.api.clone(),
            html: base.html.clone(),
            used: number + 1,
            complaints: Vec::new(),
        };
        let answer = match asked {
            Asked::Rest(asked) => asked.perform(&mut context).unwrap_or_else(|refusal| refusal),
            Asked::GraphQl(asked) => asked.perform(&mut context),
            Asked::Refused(_, answer) => answer.clone(),
        };
        for problem in &context.complaints {
            self.complain(&format!("{:?}", asked.operation()), problem);
        }
        if let Asked::Rest(asked) = asked {
            for problem in asked.route.answer_problems(answer.status, &answer.body) {
                self.complain(&format!("the fake's own answer to {:?}", asked.operation), &problem);
            }
        }
        answer
    }

    fn run_hook(&self, operation: On) {
        let hook = {
            let mut hooks = lock(&self.hooks);
            let index = hooks.iter().position(|(on, _)| on.covers(operation));
            index.and_then(|index| hooks.remove(index))
        };
        if let Some((_, hook)) = hook {
            hook();
        }
    }

    fn set_limit(&self, deadline: SystemTime, primary: bool) -> Limit {
        *lock(&self.state).limit.insert(Limit { deadline, primary })
    }

    /// The rate limit that holds. Asking how it stands is always allowed.
    fn limit(&self, operation: On) -> Option<Limit> {
        let limit = lock(&self.state).limit?;
        (operation != On::RateLimit && limit.deadline > SystemTime::now()).then_some(limit)
    }
}

impl Asked {
    fn operation(&self) -> On {
        match self {
            Asked::Rest(asked) => asked.operation,
            Asked::GraphQl(asked) => asked.operation,
            Asked::Refused(operation, _) => *operation,
        }
    }

    /// The reference that the request is to change.
    fn reference(&self) -> Option<String> {
        match self {
            Asked::Rest(asked) => asked.reference(),
            Asked::GraphQl(asked) => asked.reference(),
            Asked::Refused(..) => None,
        }
    }

    fn unprocessable(&self, message: &str) -> Answer {
        match self {
            Asked::Rest(asked) => {
                let resource = match asked.operation {
                    operation if On::Pulls.covers(operation) => "PullRequest",
                    operation if On::Labels.covers(operation) => "Issue",
                    _ => "Reference",
                };
                asked.invalid(json!({"resource": resource, "code": "custom", "message": message}))
            }
            Asked::GraphQl(asked) => asked.refused("UNPROCESSABLE", message),
            Asked::Refused(_, answer) => answer.clone(),
        }
    }

    fn forbidden(&self, message: &str) -> Answer {
        match self {
            Asked::Rest(asked) => asked.refused(403, message),
            Asked::GraphQl(asked) => asked.refused("FORBIDDEN", message),
            Asked::Refused(_, answer) => answer.clone(),
        }
    }
}

fn limited(limit: Limit, operation: On) -> Answer {
    const ABOUT: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
    let left = limit.deadline.duration_since(SystemTime::now()).unwrap_or_default();
    if !limit.primary {
        let message =
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        let about = format!("{ABOUT}#about-secondary-rate-limits");
        return Answer::refused(403, message, &about).with("Retry-After", left.as_secs_f64().ceil());
    }
    let deadline = limit.deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let message = "API rate limit exceeded for installation ID 1.";
    let answer = if On::GraphQl.covers(operation) {
        let error = json!({"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": message});
        Answer::ok(json!({"errors": [error]}))
    } else {
        Answer::refused(403, message, ABOUT)
    };
    answer
        .with("X-RateLimit-Remaining", 0)
        .with("X-RateLimit-Used", 5000)
        .with("X-RateLimit-Reset", deadline.as_secs())
}
