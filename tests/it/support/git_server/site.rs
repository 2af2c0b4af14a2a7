//! Decides what a request gets: a challenge, a queued fault, or the backend's answer.

use super::cgi::Backend;
use super::faults::{Fault, Faults, On, kind_of};
use super::http::{Request, Response, is_authorization};
use super::lock;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

pub type Hook = Box<dyn FnOnce() + Send>;

/// Answers the requests that are not for git.
pub type Api = Box<dyn Fn(&Request) -> Option<Reply> + Send + Sync>;

pub struct Site {
    backend: Backend,
    /// The one user, and the Authorization header that proves it.
    user: Option<(String, String)>,
    pub faults: Faults,
    /// The calls to make before a request is served, one each.
    pub hooks: Mutex<VecDeque<(On, Hook)>>,
    api: Option<Api>,
}

pub enum Reply {
    Whole(Response),
    /// This many bytes of the body, then the end of the connection.
    Cut(Response, usize),
    Close,
    Hang,
}

impl Site {
    pub fn new(root: &Path, credentials: Option<(String, String)>, api: Option<Api>) -> Self {
        let with_header = |(user, password): (String, String)| {
            let token = BASE64_STANDARD.encode(format!("{user}:{password}"));
            (user, format!("Basic {token}"))
        };
        Self {
            backend: Backend::new(root),
            user: credentials.map(with_header),
            faults: Faults::default(),
            hooks: Mutex::default(),
            api,
        }
    }

    pub fn reply(&self, request: &Request) -> Reply {
        if let Some(reply) = self.api.as_ref().and_then(|api| api(request)) {
            return reply;
        }
        if !self.admits(request) {
            return Reply::Whole(answer(401, "WWW-Authenticate", "Basic realm=\"git\""));
        }
        let run = || self.run_backend(request);
        match self.faults.take(request) {
            None => Reply::Whole(run()),
            Some(Fault::CloseBefore) => Reply::Close,
            Some(Fault::CloseAfter) => {
                run();
                Reply::Close
            }
            Some(Fault::CutReply(limit)) => Reply::Cut(run(), limit),
            Some(Fault::Status { code, headers }) => Reply::Whole(Response::empty(code, headers)),
            Some(Fault::StatusAfter { code, headers }) => {
                run();
                Reply::Whole(Response::empty(code, headers))
            }
            Some(Fault::Redirect { location, code }) => Reply::Whole(answer(code, "Location", &location)),
            Some(Fault::Hang) => Reply::Hang,
        }
    }

    /// Whether the request has an Authorization header, and each one it has is the right one.
    fn admits(&self, request: &Request) -> bool {
        let Some((_, right)) = &self.user else {
            return true;
        };
        let mut given = (request.headers.iter()).filter(|header| is_authorization(header)).peekable();
        given.peek().is_some() && given.all(|(_, value)| value == right)
    }

    fn run_backend(&self, request: &Request) -> Response {
        let kind = kind_of(request);
        let hook = {
            let mut hooks = lock(&self.hooks);
            let index = hooks.iter().position(|(on, _)| Some(*on) == kind);
            index.and_then(|index| hooks.remove(index))
        };
        if let Some((_, hook)) = hook {
            hook();
        }
        let user = self.user.as_ref().map(|(name, _)| name.as_str());
        self.backend.run(request, user)
    }
}

fn answer(status: u16, name: &str, value: &str) -> Response {
    Response::empty(status, vec![(name.to_owned(), value.to_owned())])
}
