//! Servers that never stop sending: a run ends at once, and says what it received and what to do.
#![cfg(unix)]

use std::process::Command;

use crate::support::endless::{Endless, MOST};
use crate::support::git::git;
use crate::support::git_server::{Reply, Request, Response};
use crate::support::repo::{API, FILE, World, failed, kustomization, push, run, script_at};

const LIMIT: u64 = 128_000_000;
const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

/// A packet of a list of references, with a name so long that the limit is reached soon.
fn long_reference() -> String {
    let line = format!("{} refs/heads/{}\n", "1".repeat(40), "x".repeat(60_000));
    format!("{:04x}{line}", line.len() + 4)
}

fn push_to(world: &World, url: &str) -> Command {
    let folder = world.shallow("w");
    git(&folder, &["remote", "set-url", "origin", url]);
    push(&folder, "v1", &["--timeout", "60s"])
}

#[test]
fn endless_references_over_http_end_the_run() {
    let world = World::new();
    let greeting = b"001e# service=git-upload-pack\n0000";
    let server = Endless::body(ADVERTISEMENT, greeting, long_reference().into_bytes());
    let mut command = push_to(&world, &server.url("acme/gitops"));
    let said = failed(&run(&mut command), 1);
    assert!(said.contains("sent more than 128 MB of references"), "{said}");
    assert!(said.contains(&server.url("acme/gitops")) && said.contains("check the remote's URL"), "{said}");
    assert_eq!(server.requests(), 1, "it would answer the same again");
    // more is still on its way
    assert!(server.sent() < LIMIT + 50_000_000, "{} bytes were sent", server.sent());
}

#[test]
fn endless_headers_end_the_run() {
    let world = World::new();
    let server = Endless::head(&"x".repeat(1000));
    let said = failed(&run(&mut push_to(&world, &server.url("acme/gitops"))), 1);
    assert!(said.contains("sent more than 64 KiB of headers"), "{said}");
    assert_eq!(server.requests(), 1, "it would answer the same again");
    assert!(server.sent() < 20_000_000, "{} bytes were sent", server.sent());
}

/// libgit2 allocates memory for as many objects as a pack announces.
#[test]
fn pack_of_too_many_objects_ends_the_run() {
    let api = |request: &Request| {
        let is_fetch = request.method == "POST" && request.path.ends_with("/git-upload-pack");
        let headers = vec![("Content-Type".to_owned(), "application/x-git-upload-pack-result".to_owned())];
        let body = b"0008NAK\n0011\x01PACK\0\0\0\x02\x03\x93\x87\x00".to_vec();
        is_fetch.then(|| Reply::Whole(Response { body, ..Response::empty(200, headers) }))
    };
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.api(Box::new(api)), &files);
    let folder = world.full("w");
    world.rival("README.md", "newer\n");
    let said = failed(&run(&mut push(&folder, "v1", &["--timeout", "60s"])), 1);
    assert!(said.contains("sent more than 50000000 objects in one fetch"), "{said}");
}

/// The same applies to any other program at the end of a pipe.
#[test]
fn endless_references_over_ssh_end_the_run() {
    let world = World::new();
    let (ssh, done) = (world.path().join("ssh"), world.path().join("done"));
    let line = long_reference();
    script_at(&ssh, &format!("yes '{}' | head -c {MOST} && echo > '{}'", line.trim_end(), done.display()));
    let mut command = push_to(&world, "ssh://git@127.0.0.1/acme/gitops");
    let said = failed(&run(command.env("GIT_SSH_COMMAND", &ssh)), 1);
    assert!(said.contains("sent more than 128 MB of references"), "{said}");
    assert!(!done.exists(), "the program was ended, not heard out");
}
