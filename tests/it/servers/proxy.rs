//! Plain http through tinyproxy, which forbids tunnels to its ports.

use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::tinyproxy::TinyProxy;
use crate::support::repo::{API, FILE, PASSWORD, USER, World, ended, failed, kustomization, push, run};

/// A repository behind basic auth, and a checkout whose remote has no credentials. The remote's host is this machine by
/// an address that doesn't count as loopback, as that would be reached without a proxy.
fn elsewhere(build: impl FnOnce(&World) -> String) -> (World, TinyProxy, PathBuf) {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.basic_auth(USER, PASSWORD), &files);
    let proxy = TinyProxy::with(&build(&world));
    let url = world.server.url("acme/gitops.git").replace("127.0.0.1", "0.0.0.0");
    let folder = world.clone_of(&url, "w", &["--depth", "1"]);
    (world, proxy, folder)
}

/// As the proxy of Bitbucket Pipelines does, it adds the credentials.
fn adds_credentials(_: &World) -> String {
    format!(
        "AddHeader \"Authorization\" \"Basic {}\"\n",
        BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"))
    )
}

#[test]
fn bump_lands_through_tinyproxy_that_forbids_tunnels_and_adds_credentials() {
    let (world, proxy, folder) = elsewhere(adds_credentials);
    let mut command = push(&folder, "v1", &[]);
    ended(&run(command.env("http_proxy", format!("http://{}", proxy.address()))), 0, "landed");
    assert_eq!(world.commits(), 3);
    let said = proxy.daemon.stop();
    assert!(said.contains(": POST http://0.0.0.0:") && !said.contains(": CONNECT "), "{said}");
}

#[test]
fn tinyproxy_gets_password_of_its_own() {
    let (world, proxy, folder) =
        elsewhere(|world| format!("BasicAuth ada pr-secret\n{}", adds_credentials(world)));
    let land = |user: &str| {
        let mut command = push(&folder, "v1", &["-v"]);
        run(command.env("http_proxy", format!("http://{user}{}", proxy.address())))
    };
    // tinyproxy answers a wrong password as a server would
    for (user, status) in [("", "407"), ("ada:wrong-secret@", "401")] {
        let run = land(user);
        let said = failed(&run, 5);
        assert!(said.contains(status) && said.contains(&format!("proxy {}", proxy.address())), "{said}");
        assert!(!run.output().contains("secret"), "{}", run.output());
    }
    assert_eq!(world.commits(), 2);
    ended(&land("ada:pr-secret@"), 0, "landed");
}

/// tinyproxy answers in the server's place that it can't reach it.
#[test]
fn run_fails_when_tinyproxy_cannot_reach_server() {
    let (world, proxy, folder) = elsewhere(adds_credentials);
    drop(world.server);
    let mut command = push(&folder, "v1", &["--timeout", "2s"]);
    let said = failed(&run(command.env("http_proxy", format!("http://{}", proxy.address()))), 4);
    assert!(said.contains("answered 50"), "{said}");
}

/// A tunnel for https to a port that is not 443.
#[test]
fn run_fails_when_tinyproxy_forbids_tunnel() {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.tls(), &files);
    let proxy = TinyProxy::with("");
    let ca = world.path().join("ca.pem");
    std::fs::write(&ca, world.server.ca_pem()).unwrap();
    let mut command = push(&world.shallow("w"), "v1", &[]);
    command.env("SSL_CERT_FILE", &ca).env("https_proxy", format!("http://{}", proxy.address()));
    let said = failed(&run(&mut command), 5);
    assert!(said.contains(&proxy.address()) && said.contains("rejects the connection"), "{said}");
}
