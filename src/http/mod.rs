//! How tagbump talks HTTP, to git servers and to APIs alike: one client, with the same roots of trust, the same
//! proxies and the same patience everywhere. The only room that makes an agent of ureq's.
//!
//! `settings` is what git's configuration and the environment say, and makes the client; `proxy` knows which
//! proxy is between us and a URL. Redirects are never followed here: what they may be told is for the caller to
//! decide.

mod error;
mod proxy;
mod settings;

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::{AsSendBody, Body, RequestExt};
use url::{Host, Url};

pub use error::HttpError;
pub use settings::HttpSettings;
pub use ureq::http::{HeaderValue, Request, Response, Uri, header};
pub use ureq::{Agent, Error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that says nothing for so long is given up; whether it did something is looked at first.
const STALL: Duration = Duration::from_secs(30);

/// How long a request may take: as a whole, and without a word from the server.
pub fn patience(time: Duration) -> (Option<Duration>, Option<Duration>) {
    (Some(time), Some(time.min(STALL)))
}

/// Sends a request and reads the answer, of whatever status, up to a length: what is longer is cut there.
///
/// # Errors
/// No connection, no answer until then, or one that was cut.
pub fn exchange(
    agent: &Agent,
    request: Request<Vec<u8>>,
    deadline: Instant,
    longest: u64,
) -> Result<Response<Vec<u8>>, Error> {
    let time = deadline.saturating_duration_since(Instant::now());
    let (parts, body) = request.into_parts();
    let answer = if body.is_empty() {
        run(agent, Request::from_parts(parts, ()), time)?
    } else {
        run(agent, Request::from_parts(parts, body), time)?
    };
    let (parts, body) = answer.into_parts();
    let mut read = Vec::new();
    body.into_reader().take(longest).read_to_end(&mut read).map_err(Error::from)?;
    Ok(Response::from_parts(parts, read))
}

fn run<B: AsSendBody>(agent: &Agent, request: Request<B>, time: Duration) -> Result<Response<Body>, Error> {
    let (whole, stall) = patience(time);
    let config = request.with_agent(agent).configure().timeout_global(whole);
    config.timeout_recv_response(stall).timeout_per_read(stall).run()
}

/// Whether an error is, or was caused by, time that was up.
pub fn was_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::Timeout(_)) => true,
        Some(Error::Io(error)) => error.kind() == std::io::ErrorKind::TimedOut,
        _ => false,
    })
}

/// A proxy that answered, but does not let us through: that stays so.
pub fn refused_by_proxy(error: &(dyn std::error::Error + 'static), agent: &Agent) -> Option<HttpError> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let words = causes.find_map(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::ConnectProxyFailed(words)) => Some(words),
        _ => None,
    })?;
    let proxy = proxy_of(agent).unwrap_or_default();
    // all that the client keeps of the answer is this text
    let refused = |code: &str| words.ends_with(code);
    if refused("407") {
        Some(HttpError::ProxyAuthentication { proxy })
    } else if refused("403") || refused("405") {
        Some(HttpError::ProxyForbids { proxy })
    } else {
        None
    }
}

/// Host and port of the proxy in between, if there is one.
pub fn proxy_of(agent: &Agent) -> Option<String> {
    agent.config().proxy().map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
}

/// Whether a host is this machine: plain http may carry credentials there.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
