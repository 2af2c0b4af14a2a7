//! Which certificates tagbump trusts, and which proxy it uses: the same as git with the same settings.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::proxy::Proxy;
use crate::support::repo::{API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// A server with a certificate of its own CA, and the CA's file.
fn private() -> (World, PathBuf) {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.tls().basic_auth(USER, PASSWORD), &files);
    let file = world.path().join("ca.pem");
    std::fs::write(&file, world.server.ca_pem()).unwrap();
    (world, file)
}

fn set(folder: &Path, key: &str, value: &str) {
    git(folder, &["config", key, value]);
}

fn origin(world: &World) -> String {
    world.server.url("").trim_end_matches('/').to_owned()
}

/// `HOST:PORT` of the server.
fn address(world: &World) -> String {
    origin(world).split_once("://").unwrap().1.to_owned()
}

/// A push that trusts the CA through an environment variable.
fn told(folder: &Path, ca: &Path, variables: &[(&str, &str)]) -> Run {
    let mut command = push(folder, "v1", &["-v"]);
    run(command.env("SSL_CERT_FILE", ca).envs(variables.iter().copied()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn own_authority_is_trusted() {
    for way in ["GIT_SSL_CAINFO", "SSL_CERT_FILE", "http.sslCAInfo", "http.<url>.sslCAInfo", "~"] {
        let (world, ca) = private();
        let folder = world.shallow("w");
        let mut command = push(&folder, "v1", &[]);
        match way {
            "http.sslCAInfo" => set(&folder, way, text(&ca)),
            "http.<url>.sslCAInfo" => {
                set(&folder, "http.sslCAInfo", "/nowhere");
                set(&folder, &format!("http.{}/acme.sslCAInfo", origin(&world)), text(&ca));
            }
            "~" => {
                set(&folder, "http.sslCAInfo", "~/ca.pem");
                command.env("HOME", world.path());
            }
            variable => {
                command.env(variable, &ca);
            }
        }
        ended(&run(&mut command), 0, "landed");
        assert_eq!(world.commits(), 3, "{way}");
    }
}

#[test]
fn unnamed_authority_is_not_trusted() {
    let (world, _) = private();
    let said = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 1);
    assert!(said.contains("certificate") && said.contains("http.sslCAInfo"), "{said}");
    assert_eq!(world.server.requests().len(), 0);
}

/// As in curl: only the file that git names counts.
#[test]
fn authorities_of_git_replace_those_of_system() {
    let ((world, right), (_other, wrong)) = (private(), private());
    let folder = world.shallow("w");
    let said = failed(&told(&folder, &right, &[("GIT_SSL_CAINFO", text(&wrong))]), 1);
    assert!(said.contains("certificate"), "{said}");
    set(&folder, "http.sslCAInfo", text(&wrong));
    ended(&told(&folder, &wrong, &[("GIT_SSL_CAINFO", text(&right))]), 0, "landed");
}

#[test]
fn error_names_file_without_authorities() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    let empty = world.path().join("empty.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    for file in [&empty, &world.path().join("missing.pem")] {
        let said = failed(&told(&folder, &ca, &[("GIT_SSL_CAINFO", text(file))]), 2);
        assert!(said.contains(text(file)) && said.contains("GIT_SSL_CAINFO"), "{said}");
    }
}

#[test]
fn certificates_are_always_verified() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    let said = failed(&told(&folder, &ca, &[("GIT_SSL_NO_VERIFY", "1")]), 2);
    assert!(said.contains("GIT_SSL_NO_VERIFY") && said.contains("http.sslCAInfo"), "{said}");
    for value in ["false", "off", "0", "No"] {
        set(&folder, "http.sslVerify", value);
        let said = failed(&told(&folder, &ca, &[]), 2);
        assert!(said.contains("http.sslVerify"), "{said}");
    }
    assert_eq!(world.server.requests().len(), 0, "nothing was sent");
    // for another server, or reset for this one
    set(&folder, "http.https://other.example.sslVerify", "false");
    set(&folder, &format!("http.{}.sslVerify", origin(&world)), "true");
    ended(&told(&folder, &ca, &[]), 0, "landed");
}

#[test]
fn https_goes_through_https_proxy() {
    for way in ["https_proxy", "HTTPS_PROXY", "all_proxy", "http.proxy", "http.<url>.proxy", "bare"] {
        let ((world, ca), proxy) = (private(), Proxy::start());
        let folder = world.shallow("w");
        match way {
            "http.proxy" => set(&folder, way, &proxy.url()),
            "http.<url>.proxy" => {
                set(&folder, "http.proxy", "http://127.0.0.1:1");
                set(&folder, &format!("http.{}.proxy", origin(&world)), &proxy.url());
            }
            _ => {}
        }
        let url = proxy.url();
        let variables = match way {
            "bare" => vec![("https_proxy", proxy.address())],
            way if way.contains('.') => Vec::new(),
            way => vec![(way, url.as_str())],
        };
        ended(&told(&folder, &ca, &variables), 0, "landed");
        let tunnels = proxy.tunnels();
        assert_eq!(tunnels.len(), 1, "{way}: one connection");
        assert_eq!((&tunnels[0].to, &tunnels[0].authorization), (&address(&world), &None), "{way}");
    }
}

#[test]
fn proxy_credentials_are_sent_to_proxy_only() {
    let ((world, ca), proxy) = (private(), Proxy::start());
    let folder = world.shallow("w");
    let url = format!("http://ada:pr%40xy-secret@{}", proxy.address());
    let run = told(&folder, &ca, &[("https_proxy", &url)]);
    ended(&run, 0, "landed");
    let basic = |user: &str, password: &str| {
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    };
    assert_eq!(proxy.tunnels()[0].authorization, basic("ada", "pr@xy-secret"));
    for request in world.server.requests() {
        assert_eq!((request.authorization, request.authorization_count), (basic(USER, PASSWORD), 1));
        assert!(!request.headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("proxy-")));
    }
    assert!(!run.output().contains("secret"), "{}", run.output());
}

#[test]
fn proxy_of_another_scheme_is_not_used() {
    let ((world, ca), proxy) = (private(), Proxy::start());
    let folder = world.shallow("w");
    for name in ["http_proxy", "HTTP_PROXY"] {
        let mut command = push(&folder, &format!("v{}", world.commits()), &[]);
        ended(&run(command.env("SSL_CERT_FILE", &ca).env(name, proxy.url())), 0, "landed");
    }
    assert_eq!(proxy.connections(), 0);
}

/// Credentials may be sent to this machine over http, so they must not pass through a proxy.
#[test]
fn loopback_over_http_is_reached_without_a_proxy() {
    let world = World::with(
        |server| server.basic_auth("x-access-token", PASSWORD),
        &[(FILE, &*kustomization(&[API.into()]))],
    );
    let proxy = Proxy::start();
    for host in ["127.0.0.1", "localhost"] {
        let folder =
            world.clone_of(&world.server.url(REPO).replace("127.0.0.1", host), host, &["--depth", "1"]);
        for name in ["http_proxy", "all_proxy", "ALL_PROXY", "http.proxy"] {
            let mut command = push(&folder, &format!("v{}", world.commits()), &[]);
            command.env("TAGBUMP_TOKEN", PASSWORD);
            if name == "http.proxy" {
                set(&folder, name, &proxy.url());
            } else {
                command.env(name, proxy.url());
            }
            ended(&run(&mut command), 0, "landed");
            assert_eq!(proxy.connections(), 0, "{host} {name}");
        }
    }
}

#[test]
fn no_proxy_hosts_are_reached_directly() {
    let ((world, ca), proxy) = (private(), Proxy::start());
    let folder = world.shallow("w");
    let land = |name: &str, value: &str| {
        let mut command = push(&folder, &format!("v{}", world.commits()), &[]);
        command.env("SSL_CERT_FILE", &ca).env("https_proxy", proxy.url()).env(name, value);
        ended(&run(&mut command), 0, "landed");
    };
    for list in ["127.0.0.1", "x.example,127.0.0.0/8", "*", &address(&world)] {
        land("no_proxy", list);
        land("NO_PROXY", list);
    }
    set(&folder, "http.proxy", "");
    land("no_proxy", "x.example");
    assert!(proxy.tunnels().is_empty());
}

#[test]
fn run_fails_when_proxy_refuses() {
    for (status, word) in
        [("407 Proxy Authentication Required", "407"), ("403 Forbidden", "rejects the connection")]
    {
        let ((world, ca), proxy) = (private(), Proxy::answering(status));
        let folder = world.shallow("w");
        let url = format!("http://ada:pr-secret@{}", proxy.address());
        let run = told(&folder, &ca, &[("https_proxy", &url)]);
        let said = failed(&run, 5);
        assert!(said.contains(proxy.address()) && said.contains(word), "{said}");
        assert!(!run.output().contains("secret"), "{}", run.output());
        assert_eq!(proxy.tunnels().len(), 1, "it would say so again");
        assert_eq!(world.server.requests().len(), 0);
    }
}

#[test]
fn run_fails_when_proxy_is_down() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    let mut command = push(&folder, "v1", &["--timeout", "30s"]);
    command.env("SSL_CERT_FILE", &ca).env("https_proxy", "http://u:secret@127.0.0.1:1");
    let run = run(&mut command);
    let said = failed(&run, 4);
    assert!(said.contains("proxy 127.0.0.1:1") && !said.contains("secret"), "{said}");
    let said = failed(&told(&folder, &ca, &[("https_proxy", "gopher://u:secret@h")]), 2);
    assert!(said.contains("https_proxy") && !said.contains("secret"), "{said}");
}
