//! A client of Gitea's API, for what people do.

use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

/// Gitea checks in the background whether a request can be merged; no test waits longer than this.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Client {
    api: String,
    authorization: String,
}

impl Client {
    pub fn new(server: &str, authorization: &str) -> Self {
        Client { api: format!("{server}/api/v1"), authorization: authorization.to_owned() }
    }

    pub fn basic(server: &str, user: &str, password: &str) -> Self {
        Client::new(server, &format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }

    /// Status and body.
    pub fn ask(&self, method: &str, route: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{route}", self.api))
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut answer = ureq::Agent::new_with_config(config).run(request.body(body)?)?;
        let text = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
    }

    #[track_caller]
    fn success(&self, method: &str, route: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, route, body).unwrap();
        assert!((200..300).contains(&status), "{method} {route}: {status} {answer}");
        answer
    }

    #[track_caller]
    pub fn get(&self, route: &str) -> Value {
        self.success("GET", route, &Value::Null)
    }

    #[track_caller]
    pub fn post(&self, route: &str, body: &Value) -> Value {
        self.success("POST", route, body)
    }

    #[track_caller]
    pub fn patch(&self, route: &str, body: &Value) -> Value {
        self.success("PATCH", route, body)
    }

    #[track_caller]
    pub fn put(&self, route: &str, body: &Value) -> Value {
        self.success("PUT", route, body)
    }

    /// Asks until the server listens.
    #[track_caller]
    pub fn until_it_answers(&self, route: &str) {
        until(|| match self.ask("GET", route, &Value::Null) {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }

    /// Asks until the server does it.
    #[track_caller]
    pub fn until_done(&self, method: &str, route: &str, body: &Value) {
        until(|| match self.ask(method, route, body).unwrap() {
            (status, _) if status < 300 => Ok(()),
            other => Err(format!("{method} {route}: {other:?}")),
        });
    }
}

/// Tries until it works.
#[track_caller]
pub fn until<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(why) => assert!(start.elapsed() < PATIENCE, "{why}"),
        }
        std::thread::yield_now();
    }
}
