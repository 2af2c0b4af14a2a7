//! octocrab's way to the server: the HTTP client that the rest of tagbump uses too.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::BodyExt;
use octocrab::OctoBody;
use tower_service::Service;

use crate::forge::api_answer::MAX_ANSWER;
use crate::http::{self, Agent, Request, Response};
use crate::mutex::lock;

type WireError = Box<dyn std::error::Error + Send + Sync>;

/// Performs requests on the thread that asks, each until a time at the most.
#[derive(Clone)]
pub(super) struct Wire {
    agent: Agent,
    deadline: Arc<Mutex<Instant>>,
}

impl Wire {
    pub fn new(agent: Agent) -> Self {
        Wire { agent, deadline: Arc::new(Mutex::new(Instant::now())) }
    }

    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// From now on requests end at this time, here and in all clones.
    pub fn give_up_at(&self, deadline: Instant) {
        *lock(&self.deadline) = deadline;
    }

    async fn perform(self, request: Request<OctoBody>) -> Result<Response<OctoBody>, WireError> {
        let deadline = *lock(&self.deadline);
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        // the client sets it if there is a body
        parts.headers.remove(http::header::CONTENT_LENGTH);
        // one byte more than is accepted, so that a longer answer is noticed
        let longest = MAX_ANSWER as u64 + 1;
        let answer = http::exchange(&self.agent, Request::from_parts(parts, body), deadline, longest)?;
        Ok(answer.map(OctoBody::from))
    }
}

impl Service<Request<OctoBody>> for Wire {
    type Response = Response<OctoBody>;
    type Error = WireError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, WireError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        Box::pin(self.clone().perform(request))
    }
}
