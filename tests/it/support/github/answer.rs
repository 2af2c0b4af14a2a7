//! What goes back to the client, with the headers that GitHub sends.

use serde_json::{Value, json};

use crate::support::git_server::{Headers, Response};

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Value,
}

/// Both sides are answers; the right one is a refusal.
pub type Done = Result<Answer, Answer>;

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Answer { status, headers: Vec::new(), body }
    }

    pub fn ok(body: Value) -> Self {
        Answer::new(200, body)
    }

    /// 201 with the place of what was made.
    pub fn created(body: Value) -> Self {
        let place = body["url"].as_str().unwrap_or_default().to_owned();
        Answer::new(201, body).with("Location", place)
    }

    pub fn refused(status: u16, message: &str, docs: &str) -> Self {
        let body = json!({"message": message, "documentation_url": docs, "status": status.to_string()});
        Answer::new(status, body)
    }

    pub fn not_found(docs: &str) -> Self {
        Answer::refused(404, "Not Found", docs)
    }

    /// 422 "Validation Failed" with one error.
    pub fn invalid(error: Value, docs: &str) -> Self {
        let mut answer = Answer::refused(422, "Validation Failed", docs);
        answer.body["errors"] = json!([error]);
        answer
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// A failure of the machines, in whose way there may be no JSON.
    pub fn failure(status: u16) -> Self {
        if status < 500 {
            return Answer::refused(status, "Something is not right", "https://docs.github.com/rest");
        }
        let page = "<html><head><title>Unicorn! &middot; GitHub</title></head><body>Try again.</body></html>";
        Answer::new(status, json!(page)).with("Content-Type", "text/html; charset=utf-8")
    }

    /// As it goes over the line; `used` requests were counted so far.
    pub fn into_response(self, used: usize) -> Response {
        let mut headers = self.headers;
        let mut add = |name: &str, value: String| {
            if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                headers.push((name.to_owned(), value));
            }
        };
        add("Content-Type", "application/json; charset=utf-8".to_owned());
        add("X-GitHub-Media-Type", "github.v3; format=json".to_owned());
        add("X-GitHub-Request-Id", format!("FA4E:{used:04X}"));
        add("X-RateLimit-Limit", "5000".to_owned());
        add("X-RateLimit-Remaining", (5000 - used).to_string());
        add("X-RateLimit-Used", used.to_string());
        add("X-RateLimit-Reset", (super::epoch() + 3600).to_string());
        let body = match self.body {
            Value::Null => Vec::new(),
            Value::String(page) => page.into_bytes(),
            body => body.to_string().into_bytes(),
        };
        Response { status: self.status, headers, body }
    }
}
