//! The server's list of references before a push, which is asked for while new commits are fetched.
#![cfg(unix)]

use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{self, FILE, World, ended, push, run};

const FETCH: On = On::Post(Service::UploadPack);
const LIST: On = On::InfoRefs(Service::ReceivePack);
const SEND: On = On::Post(Service::ReceivePack);

/// A checkout that has to fetch a commit before it can land.
fn behind() -> (World, std::path::PathBuf) {
    let world = World::new();
    let folder = world.shallow("w");
    world.rival("README.md", "newer\n");
    (world, folder)
}

/// The bump is on the branch, on top of what was there, with this many lists and pushes.
#[track_caller]
fn lands(world: &World, folder: &std::path::Path, attempts: u64, lists: usize, pushes: usize) {
    let told = ended(&run(&mut push(folder, "v1", &[])), 0, "landed");
    assert_eq!((told["commit"].as_str(), told["attempts"].as_u64()), (Some(&*world.tip()), Some(attempts)));
    assert!(world.file(FILE).contains("newTag: v1"), "{}", world.file(FILE));
    assert_eq!((world.count(LIST), world.count(SEND)), (lists, pushes));
}

#[test]
fn list_is_asked_for_while_new_commits_are_fetched() {
    let (world, folder) = behind();
    let (asked, was_asked) = channel();
    let (together, came_together) = channel();
    world.server.before(LIST, move || asked.send(()).unwrap());
    // the fetch gets no answer before the list was asked for
    let wait = move || together.send(was_asked.recv_timeout(Duration::from_secs(60)).is_ok()).unwrap();
    world.server.before(FETCH, wait);
    lands(&world, &folder, 1, 1, 1);
    assert!(came_together.recv().unwrap(), "the list was asked for after the fetch");
}

#[test]
fn list_is_asked_for_again_when_server_failed_to_send_it() {
    let faults = [
        Fault::Status { code: 500, headers: Vec::new() },
        Fault::Status { code: 403, headers: Vec::new() },
        Fault::Redirect { location: "http://127.0.0.1:9/elsewhere".to_owned(), code: 302 },
        Fault::CloseBefore,
        Fault::CutReply(40),
        Fault::Hang,
    ];
    for fault in faults {
        let (world, folder) = behind();
        world.server.fault(LIST, fault.clone());
        println!("{fault:?}");
        lands(&world, &folder, 1, 2, 1);
    }
}

/// The early list names a newer commit than the fetch brings, so nothing is sent.
#[test]
fn nothing_is_sent_when_branch_moved_before_early_list() {
    let (world, folder) = behind();
    let bare = world.bare.clone();
    world.server.before(LIST, move || {
        repo::rival(&bare, "README.md", "theirs\n");
    });
    lands(&world, &folder, 2, 3, 1);
    assert_eq!(world.file("README.md"), "theirs");
}

#[test]
fn race_is_noticed_by_server_when_branch_moves_after_early_list() {
    let (world, folder) = behind();
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        repo::rival(&bare, "README.md", "theirs\n");
    });
    lands(&world, &folder, 2, 2, 2);
    assert_eq!(world.file("README.md"), "theirs");
}

#[test]
fn dry_run_asks_for_no_list() {
    let (world, folder) = behind();
    ended(&run(&mut push(&folder, "v1", &["-n"])), 0, "planned");
    assert_eq!(world.count(LIST), 0);
}
