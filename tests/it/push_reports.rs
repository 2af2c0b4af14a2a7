//! A push counts as landed only if the server's report is complete and clear; otherwise tagbump looks at the branch.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::git_server::{Reply, Request, Response};
use crate::support::repo::{API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run};

const BASE: usize = 2;

fn packet(bytes: &[u8]) -> Vec<u8> {
    [format!("{:04x}", bytes.len() + 4).as_bytes(), bytes].concat()
}

/// A report on channel 1, as it is sent with side-band.
fn report(lines: &[&str]) -> Vec<u8> {
    let lines = lines.iter().flat_map(|line| packet(line.as_bytes()));
    let report: Vec<u8> = [1].into_iter().chain(lines).chain(*b"0000").collect();
    [packet(&report), b"0000".to_vec()].concat()
}

/// Answers the first push with these bytes and does nothing; later pushes go to git.
fn world(answer: Vec<u8>) -> World {
    let answered = AtomicBool::new(false);
    let api = move |request: &Request| {
        let is_push = request.method == "POST" && request.path.ends_with("/git-receive-pack");
        if !is_push || answered.swap(true, Ordering::SeqCst) {
            return None;
        }
        let kind = "application/x-git-receive-pack-result".to_owned();
        let headers = vec![("Content-Type".to_owned(), kind)];
        Some(Reply::Whole(Response { body: answer.clone(), ..Response::empty(200, headers) }))
    };
    let files = [(FILE, &*kustomization(&[API.into()]))];
    World::with(|server| server.basic_auth(USER, PASSWORD).api(Box::new(api)), &files)
}

#[test]
fn push_is_retried_when_report_is_garbled() {
    for (name, answer) in [
        ("without-unpack", report(&["ok refs/heads/main\n"])),
        ("contradiction", report(&["unpack ok\n", "ok refs/heads/main\n", "ng refs/heads/main no\n"])),
        ("other-branch", report(&["unpack ok\n", "ng refs/heads/main2 no\n"])),
        ("empty", b"0000".to_vec()),
        ("not-packets", b"ok refs/heads/main\n".to_vec()),
    ] {
        let world = world(answer);
        let folder = world.clone_of(&world.server.url_with(USER, PASSWORD, REPO), "w", &["--depth", "1"]);
        let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
        assert_eq!(told["attempts"], 2, "{name}");
        assert_eq!(told["commit"], world.tip().as_str(), "{name}");
        assert_eq!(world.commits(), BASE + 1, "{name}");
    }
}

/// A line that would look like a success on a terminal.
#[test]
fn rejection_is_shown_in_full() {
    let world = world(report(&["unpack ok\n", "ng refs/heads/main no\rok refs/heads/main\n"]));
    let folder = world.clone_of(&world.server.url_with(USER, PASSWORD, REPO), "w", &["--depth", "1"]);
    let said = failed(&run(&mut push(&folder, "v1", &[])), 5);
    assert!(said.contains("no\\rok refs/heads/main"), "{said}");
    assert_eq!(world.commits(), BASE);
}
