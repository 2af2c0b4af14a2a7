//! HTTP for git servers and APIs alike: one client, with the same trusted roots, proxies and timeouts
//! everywhere. The only module that creates an agent of ureq.
//!
//! `settings` reads git's configuration and the environment, and creates the client; `proxy` finds the proxy
//! for a URL, `url_match` the settings that apply to it, and `unsupported` those that nothing here can respect.
//! `checked_resolver` keeps requests away from addresses that the caller doesn't allow. `client_certificate` reads the
//! client's certificate. `connector` makes the connections, through `forward_proxy` for
//! plain http, and with `server_verifier` for https. Redirects are never followed here, because only the caller knows
//! which credentials may go where.

mod checked_resolver;
mod client_certificate;
mod connector;
mod error;
mod forward_proxy;
mod proxy;
mod server_verifier;
mod settings;
mod tls_problem;
mod unsupported;
mod url_match;

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::{AsSendBody, Body, RequestExt};
use url::{Host, Url};

pub use checked_resolver::is_not_public;
pub use error::{ClientFilePart, HttpError};
pub use settings::HttpSettings;
pub use tls_problem::TlsProblem;
pub use ureq::http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
pub use ureq::{Agent, Error};

/// What a request says that it comes from. GitHub refuses requests without it.
pub const USER_AGENT: &str = concat!("tagbump/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Give up on a server that sends nothing for this long. The caller then checks whether the request had an
/// effect.
const STALL: Duration = Duration::from_secs(30);

/// The timeouts of a request: for the whole of it, and for waiting on the server.
pub fn patience(time: Duration) -> (Option<Duration>, Option<Duration>) {
    (Some(time), Some(time.min(STALL)))
}

/// Sends a request and reads the response, whatever its status. The body is cut at `longest` bytes.
///
/// # Errors
/// There was no connection, no response before the deadline, or an incomplete one.
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

/// Whether an error is a timeout, or was caused by one.
pub fn was_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::Timeout(_)) => true,
        Some(Error::Io(error)) => error.kind() == std::io::ErrorKind::TimedOut,
        _ => false,
    })
}

/// Whether a server answered the start of TLS with something else, such as plain http.
pub fn speaks_no_tls(error: &Error) -> bool {
    let Error::Io(error) = error else { return false };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidMessage(_)))
}

/// The failure if a proxy answered but refused the connection. Retrying wouldn't help.
pub fn refused_by_proxy(error: &(dyn std::error::Error + 'static), agent: &Agent) -> Option<HttpError> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let message = causes.find_map(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::ConnectProxyFailed(message)) => Some(message),
        _ => None,
    })?;
    let proxy = proxy_of(agent).unwrap_or_default();
    // this text is all that ureq keeps of the proxy's response
    let refused = |code: &str| message.ends_with(code);
    if refused("407") {
        Some(HttpError::ProxyAuthentication { proxy })
    } else if refused("403") || refused("405") {
        Some(HttpError::ProxyForbids { proxy })
    } else {
        None
    }
}

/// Host and port of the agent's proxy, if it has one.
pub fn proxy_of(agent: &Agent) -> Option<String> {
    agent.config().proxy().map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
}

/// Whether a host is this machine. Credentials may go there over plain HTTP.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
