//! Requests to GitHub's API: what is sent, and what a network error means.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::git_server as server;
use crate::support::github::{Fault, On, TOKEN};
use crate::support::proxy::Proxy;
use crate::support::repo::{FILE, World};
use serde_json::json;
use tagbump::environment::Environment;
use tagbump::error::{Exit, Failure};
use tagbump::forge::ForgeError;
use tagbump::forge::github::{ApiRequest, GitHub};
use tagbump::http::HttpSettings;
use tagbump::landing::FetchError;

const PULLS: &str = "/repos/acme/gitops/pulls";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Requires no authentication.
fn open() -> World {
    World::with(|server| server, &[(FILE, "")])
}

#[track_caller]
fn passing(asked: Result<serde_json::Value, FetchError<ForgeError>>) -> String {
    match asked {
        Err(FetchError::Transient { what, .. }) => what,
        other => panic!("passes: {other:?}"),
    }
}

#[test]
fn request_has_expected_headers() {
    let world = World::new();
    let hub = crate::support::github::GitHub::start(&world.bare);
    let client = GitHub::new(&HttpSettings::default(), &hub.api_url(), TOKEN).unwrap();
    assert_eq!(client.once(soon(), PULLS, ApiRequest::Get).unwrap(), json!([]));
    let labels = json!({"labels": ["bump"]});
    assert!(client.once(soon(), "/repos/acme/gitops/issues/9/labels", ApiRequest::Post(&labels)).is_err());
    let requests = hub.git.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].connection, requests[1].connection, "one connection serves both");
    for request in &requests {
        assert!(request.path.starts_with("/api/v3/repos/acme/gitops/"), "{}", request.path);
        assert_eq!(request.authorization_count, 1);
        assert_eq!(request.authorization, Some(format!("Bearer {TOKEN}")));
        let agents = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        assert!(agents.map(|(_, value)| value).eq([&format!("tagbump/{}", env!("CARGO_PKG_VERSION"))]));
    }
    assert_eq!(hub.calls()[1].body, labels);
}

#[test]
fn token_is_not_sent_after_redirect() {
    let (from, to) = (open(), open());
    let moved = server::Fault::Redirect { location: to.server.url("x/info/refs"), code: 307 };
    from.server.fault(server::On::Any, moved);
    let client =
        GitHub::new(&HttpSettings::default(), from.server.url("").trim_end_matches('/'), TOKEN).unwrap();
    let Err(FetchError::Permanent(error)) = client.once(soon(), "/info/refs", ApiRequest::Get) else {
        panic!("a refusal")
    };
    assert!(error.to_string().contains("307"), "{error}");
    assert_eq!(to.server.requests().len(), 0);
}

fn http(variables: &[(&str, &str)]) -> HttpSettings {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    HttpSettings::new(&Environment::new(variables), Vec::new())
}

#[test]
fn proxy_of_git_configuration_is_used() {
    let api = |request: &server::Request| {
        let body = b"[]".to_vec();
        let answer = server::Response { body, ..server::Response::empty(200, Vec::new()) };
        (request.path == PULLS).then_some(server::Reply::Whole(answer))
    };
    let world = World::with(|server| server.tls().api(Box::new(api)), &[(FILE, "")]);
    let ca = world.path().join("ca.pem");
    std::fs::write(&ca, world.server.ca_pem()).unwrap();
    let url = world.server.url("");
    let through = |proxy: &Proxy| {
        let http = http(&[("https_proxy", &proxy.url()), ("SSL_CERT_FILE", ca.to_str().unwrap())]);
        GitHub::new(&http, url.trim_end_matches('/'), TOKEN).unwrap().once(soon(), PULLS, ApiRequest::Get)
    };
    let proxy = Proxy::start();
    assert_eq!(through(&proxy).unwrap(), json!([]));
    assert_eq!(url, format!("https://{}/", proxy.tunnels()[0].to));
    let Err(FetchError::Permanent(error)) = through(&Proxy::answering("407 Who")) else {
        panic!("a refusal")
    };
    let failure = Failure::from(error);
    assert_eq!(failure.exit, Exit::Refused);
    assert!(failure.to_string().contains("407"), "{failure}");
}

/// The token is sent over http, so it must not pass through a proxy.
#[test]
fn api_on_loopback_over_http_is_reached_without_a_proxy() {
    let world = World::new();
    let hub = crate::support::github::GitHub::start(&world.bare);
    let proxy = Proxy::start();
    for host in ["127.0.0.1", "localhost"] {
        let http = http(&[("http_proxy", &proxy.url()), ("all_proxy", &proxy.url())]);
        let client = GitHub::new(&http, &hub.api_url().replace("127.0.0.1", host), TOKEN).unwrap();
        assert_eq!(client.once(soon(), PULLS, ApiRequest::Get).unwrap(), json!([]));
        assert_eq!(proxy.connections(), 0, "{host}");
    }
}

#[test]
fn network_errors_are_transient() {
    let world = World::new();
    let hub = crate::support::github::GitHub::start(&world.bare);
    let client = GitHub::new(&HttpSettings::default(), &hub.api_url(), TOKEN).unwrap();
    for fault in [Fault::Close, Fault::Cut, Fault::Status(502)] {
        hub.fault(On::ListPulls, fault);
        let what = passing(client.once(soon(), PULLS, ApiRequest::Get));
        assert!(what.contains("GitHub's API") && !what.contains(TOKEN), "{what}");
    }
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let client = GitHub::new(&HttpSettings::default(), &format!("http://{port}"), TOKEN).unwrap();
    let what = passing(client.once(soon(), PULLS, ApiRequest::Get));
    assert!(what.contains("refused"), "{what}");
}

/// Nothing accepts the connection there, or responds.
#[test]
fn request_ends_at_its_deadline() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client =
        GitHub::new(&HttpSettings::default(), &format!("http://{}", silent.local_addr().unwrap()), TOKEN)
            .unwrap();
    for time in [Duration::ZERO, Duration::from_millis(50)] {
        let what = passing(client.once(Instant::now() + time, PULLS, ApiRequest::Get));
        assert_eq!(what, "GitHub's API: no answer in time");
    }
}

#[test]
fn unusable_addresses_and_tokens_are_refused() {
    for (api, token, exit) in [
        ("nonsense", TOKEN, Exit::Other),
        ("ftp://h", TOKEN, Exit::Usage),
        ("http://git.example", TOKEN, Exit::Usage),
        ("http://127.0.0.1:1", "to\nken", Exit::Other),
        ("http://", TOKEN, Exit::Other),
    ] {
        let made = GitHub::new(&HttpSettings::default(), api, token).and_then(|client| {
            client.once(soon(), PULLS, ApiRequest::Get).map(drop).map_err(|trouble| match trouble {
                FetchError::Permanent(error) => error,
                other => panic!("{other:?}"),
            })
        });
        let failure = Failure::from(made.unwrap_err());
        assert_eq!(failure.exit, exit, "{failure}");
        assert!(!failure.to_string().contains(token), "{failure}");
    }
}
