//! Asks GitHub's REST API, and tells faults that pass from refusals.
//!
//! Statuses and limits: GitHub's "Best practices for using the REST API" and "Rate limits". octocrab's own
//! retries are left out: a POST that got a 502 may have done its work.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use octocrab::service::middleware::auth_header::AuthHeaderLayer;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::wire::{MAX_ANSWER, Wire};
use crate::error::{Exit, Failure, Result, inline};
use crate::http::{self, HeaderValue, Settings, Uri, header};
use crate::land::{Pace, Trouble};

/// GitHub turns away who has no name.
const USER_AGENT: &str = concat!("tagbump/", env!("CARGO_PKG_VERSION"));

/// An API with a token for it.
pub struct GitHub {
    crab: Octocrab,
    wire: Wire,
    runtime: Runtime,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    Get,
    Post(&'a Value),
    Patch(&'a Value),
}

struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: Value,
}

impl GitHub {
    /// `http` says how to get there.
    ///
    /// # Errors
    /// An address that is none, or a machine without root certificates.
    pub fn new(http: &Settings, api: &str, token: &str) -> Result<Self> {
        let fault = |why: String| {
            Failure::other(format!("{api}: GitHub's API can't be asked: {why}"))
                .hinted("check GITHUB_API_URL, and that the token is one line")
        };
        let url = Url::parse(api).map_err(|e| fault(e.to_string()))?;
        // a token goes over https only, or stays on this machine
        let safe = url.scheme() == "https" || (url.scheme() == "http" && http::is_loopback(&url));
        if !safe {
            return Err(fault("its scheme is not https".to_owned()));
        }
        let base: Uri = api.parse().map_err(|_| fault("it is no address".to_owned()))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| fault("the token has characters that no header can carry".to_owned()))?;
        bearer.set_sensitive(true);
        let name = (header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let runtime = Builder::new_current_thread().build().map_err(|e| fault(e.to_string()))?;
        let _inside = runtime.enter();
        let wire = Wire::new(http.agent(&url)?);
        let built = OctocrabBuilder::new_empty()
            .with_service(wire.clone())
            .with_layer(&ExtraHeadersLayer::new(Arc::new(vec![name])))
            .with_layer(&BaseUriLayer::new(base.clone()))
            .with_layer(&AuthHeaderLayer::new(Some(bearer), base.clone(), base))
            .with_auth(AuthState::None)
            .build();
        let crab = built.map_err(|e| fault(e.to_string()))?;
        Ok(GitHub { crab, wire, runtime })
    }

    /// Asks until there is an answer, or the budget is spent.
    ///
    /// # Errors
    /// Exit 5 where GitHub refuses, exit 4 where the budget is spent.
    pub fn ask(&self, pace: &mut Pace<'_>, route: &str, ask: Ask<'_>) -> Result<Value> {
        loop {
            match self.once(pace.deadline(), route, ask) {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing { what, retry_after }) => wait(pace, &what, retry_after)?,
                Err(Trouble::Unreachable { what }) => wait(pace, &what, None)?,
            }
        }
    }

    /// Asks once; gives up at `until`.
    ///
    /// # Errors
    /// Faults that may pass, and refusals.
    pub fn once(&self, until: Instant, route: &str, ask: Ask<'_>) -> Result<Value, Trouble> {
        self.wire.give_up_at(until);
        let asked = self.runtime.block_on(self.send(route, ask));
        let answer = asked.map_err(|error| {
            if let Some(failure) = http::refused_by_proxy(&error, self.wire.agent()) {
                return Trouble::Final(failure);
            }
            let what = if http::was_too_slow(&error) { "no answer in time" } else { &causes(&error) };
            Trouble::Passing { what: format!("GitHub's API: {what}"), retry_after: None }
        })?;
        understood(answer, route)
    }

    async fn send(&self, route: &str, ask: Ask<'_>) -> octocrab::Result<Answer> {
        let response = match ask {
            Ask::Get => self.crab._get(route).await?,
            Ask::Post(body) => self.crab._post(route, Some(body)).await?,
            Ask::Patch(body) => self.crab._patch(route, Some(body)).await?,
        };
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let seconds = |name: &str| header(name).and_then(|text| text.parse::<u64>().ok());
        let spent = header("x-ratelimit-remaining") == Some("0");
        let reset = seconds("x-ratelimit-reset").filter(|_| spent).map(until_then);
        let retry_after = seconds("retry-after").map(Duration::from_secs).or(reset);
        let status = response.status().as_u16();
        let text = self.crab.body_to_string(response).await?;
        let body = if text.len() > MAX_ANSWER {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_default()
        };
        Ok(Answer { status, retry_after, body })
    }
}

fn until_then(epoch: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    Duration::from_secs(epoch.saturating_sub(now))
}

pub(super) fn wait(pace: &mut Pace<'_>, what: &str, retry_after: Option<Duration>) -> Result<()> {
    if pace.wait(retry_after) {
        return Ok(());
    }
    Err(Failure::new(Exit::NotLanded, what).hinted("run again, or give it longer with --timeout"))
}

/// The error with what caused it: octocrab's own text is only its kind.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    inline(&texts.join(": "))
}

fn understood(answer: Answer, route: &str) -> Result<Value, Trouble> {
    let Answer { status, retry_after, body } = answer;
    if (200..300).contains(&status) {
        // GraphQL tells its limits in a good answer
        let error = &body["errors"][0];
        let limited = ["type", "message"].iter().any(|key| is_limit(error[key].as_str().unwrap_or_default()));
        let what = || format!("GitHub's API: {}", inline(error["message"].as_str().unwrap_or("rate limit")));
        return if limited { Err(Trouble::Passing { what: what(), retry_after }) } else { Ok(body) };
    }
    let said = words(&body);
    let what = format!("GitHub's API answered {status}: {said}");
    let limited = status == 429 || (status == 403 && (retry_after.is_some() || is_limit(&said)));
    if limited || status >= 500 {
        return Err(Trouble::Passing { what, retry_after });
    }
    let hint = match status {
        401 => "the token is wrong or has ended; give another one in TAGBUMP_TOKEN".to_owned(),
        403 if said.contains("not permitted to create") => {
            "let Actions create pull requests: Settings, Actions, General, Workflow permissions".to_owned()
        }
        403 => "the token may not do this: give the job permissions contents: write and pull-requests: write"
            .to_owned(),
        404 => {
            format!("the token sees no {route}; check the remote, and the token's repositories and rights")
        }
        _ => "see what GitHub says; most likely a setting of the repository stands in the way".to_owned(),
    };
    Err(Trouble::Final(Failure::new(Exit::Refused, what).hinted(hint)))
}

/// GitHub's words, and GraphQL's types, for a spent limit.
fn is_limit(text: &str) -> bool {
    text.starts_with("RATE_LIMIT") || text.contains("rate limit")
}

/// What GitHub says, with the details.
fn words(body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or("no explanation");
    let details = body["errors"].as_array().into_iter().flatten();
    let details =
        details.filter_map(|e| e["message"].as_str().or_else(|| e["code"].as_str()).or_else(|| e.as_str()));
    inline(&std::iter::once(message).chain(details).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, retry_after: Option<u64>, message: &str) -> Result<Value, Trouble> {
        let retry_after = retry_after.map(Duration::from_secs);
        understood(Answer { status, retry_after, body: json!({"message": message}) }, "/repos/a/b/pulls")
    }

    #[test]
    fn what_passes_and_what_does_not() {
        let passes = |result| matches!(result, Err(Trouble::Passing { .. }));
        assert!(passes(answer(502, None, "")));
        assert!(passes(answer(429, None, "")));
        assert!(passes(answer(403, Some(60), "You have exceeded a secondary rate limit")));
        for (status, hint) in [
            (401, "TAGBUMP_TOKEN"),
            (403, "pull-requests: write"),
            (404, "/repos/a/b/pulls"),
            (422, "setting"),
        ] {
            let Err(Trouble::Final(failure)) = answer(status, None, "no") else { panic!("{status}") };
            assert_eq!(failure.exit, Exit::Refused);
            assert!(failure.hint.unwrap().contains(hint), "{status}");
        }
    }

    #[test]
    fn details_are_told() {
        let body = json!({"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}, "x"]});
        assert_eq!(words(&body), "Validation Failed; A pull request already exists; x");
    }
}
