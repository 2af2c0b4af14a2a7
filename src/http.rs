//! How tagbump talks HTTP, to git servers and to APIs alike: one client, with the same roots of trust, the same
//! proxies and the same patience everywhere. The only room that makes an agent of ureq's.
//!
//! Redirects are never followed here: what they may be told is for the caller to decide.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{AsSendBody, Body, RequestExt};
use url::{Host, Url};

use crate::error::{Failure, Result};

pub use ureq::http::{HeaderValue, Request, Response, Uri, header};
pub use ureq::{Agent, Error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that says nothing for so long is given up; whether it did something is looked at first.
const STALL: Duration = Duration::from_secs(30);

/// A client for the server of a URL; what it is called is told with every request.
///
/// # Errors
/// Where the server must be trusted, and the machine has no root certificates.
pub fn agent(url: &Url) -> Result<Agent> {
    // a redirect may lead from http to https; on this machine that does not happen
    let tls = if url.scheme() == "https" || !is_loopback(url) { Some(tls()?) } else { None };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .tls_config(tls.unwrap_or_default())
        .build();
    Ok(config.new_agent())
}

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
    until: Instant,
    longest: u64,
) -> Result<Response<Vec<u8>>, Error> {
    let time = until.saturating_duration_since(Instant::now());
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

/// The system's roots, or those that `SSL_CERT_FILE` names.
fn tls() -> Result<TlsConfig> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(Failure::other(
            "no CA certificates were found on this machine, so https can't be trusted",
        )
        .hinted("install ca-certificates, or name a file of them in SSL_CERT_FILE"));
    }
    let roots: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build())
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
