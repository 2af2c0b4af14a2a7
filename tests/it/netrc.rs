//! `~/.netrc`, where git looks through curl.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::{self, git};
use crate::support::git_server::{Fault, On};
use crate::support::repo::{
    API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run, script_at,
};

fn anonymous(world: &World) -> PathBuf {
    world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"])
}

/// A home folder with this `.netrc`.
fn home(world: &World, netrc: &str) -> PathBuf {
    let home = world.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join(".netrc"), netrc).unwrap();
    home
}

fn entry(machine: &str) -> String {
    format!("{machine}\n  login {USER}\n  password {PASSWORD}\n")
}

fn at_home(mut command: Command, home: &Path) -> Command {
    command.env("HOME", home);
    command
}

/// Whether git gets in.
fn git_reads(folder: &Path, home: &Path) -> bool {
    let mut command = git::command(folder);
    command.env("HOME", home).args(["ls-remote", "--quiet", "origin"]);
    command.output().unwrap().status.success()
}

#[test]
fn entry_is_used_where_git_uses_it() {
    let world = World::new();
    let folder = anonymous(&world);
    let user = |user: &str| world.server.url(REPO).replacen("://", &format!("://{user}@"), 1);
    let url = world.server.url(REPO);
    for (nth, (netrc, url, works)) in [
        (entry("machine 127.0.0.1"), &url, true),
        (entry("default"), &url, true),
        (entry("machine 127.0.0.2"), &url, false),
        (format!("machine other login x password y\n{}", entry("machine 127.0.0.1")), &url, true),
        (format!("# {}", entry("machine 127.0.0.1").replace('\n', " ")), &url, false),
        (format!("macdef init\n{}\n", entry("machine 127.0.0.1")), &url, false),
        (entry("machine 127.0.0.1"), &user(USER), true),
        (entry("machine 127.0.0.1"), &user("other"), false),
        (format!("machine 127.0.0.1 login a password b\n{}", entry("machine 127.0.0.1")), &user(USER), true),
        (format!("machine 127.0.0.1 login a password b\n{}", entry("machine 127.0.0.1")), &url, false),
        (format!("machine 127.0.0.1 login \"{USER}\" password \"{PASSWORD}\""), &url, true),
        ("machine 127.0.0.1 login".to_owned(), &url, false),
    ]
    .into_iter()
    .enumerate()
    {
        let home = home(&world, &netrc);
        git(&folder, &["remote", "set-url", "origin", url]);
        assert_eq!(git_reads(&folder, &home), works, "git: {netrc} {url}");
        let ran = run(&mut at_home(push(&folder, &format!("w{nth}"), &["-v"]), &home));
        if works {
            ended(&ran, 0, "landed");
            assert!(ran.output().contains("credential: ~/.netrc"), "{}", ran.output());
        } else {
            assert!(failed(&ran, 5).contains("401"), "{netrc}");
        }
        assert!(!ran.output().contains(PASSWORD), "{}", ran.output());
    }
}

#[test]
fn other_credentials_come_first_and_helpers_last() {
    let world = World::new();
    let folder = anonymous(&world);
    let wrong = home(&world, "machine 127.0.0.1 login x password wrong-one\n");
    let header = |world: &World| {
        world.server.requests().iter().filter_map(|r| r.authorization.clone()).collect::<Vec<_>>()
    };
    // the token alone
    ended(&run(at_home(push(&folder, "v1", &[]), &wrong).env("TAGBUMP_TOKEN", PASSWORD)), 5, "failed");
    assert_eq!(header(&world).len(), 1, "the server rejects the user, and nothing else is tried");
    // the URL's password alone
    git(&folder, &["remote", "set-url", "origin", &world.url()]);
    ended(&run(&mut at_home(push(&folder, "v2", &[]), &wrong)), 0, "landed");
    git(&folder, &["remote", "set-url", "origin", &world.server.url(REPO)]);
    // a helper, if the server rejects the entry
    let script = world.path().join("helper");
    script_at(&script, &format!("echo username={USER}; echo password={PASSWORD}"));
    git(&folder, &["config", "credential.helper", script.to_str().unwrap()]);
    assert!(git_reads(&folder, &wrong));
    let ran = run(&mut at_home(push(&folder, "v3", &[]), &wrong));
    ended(&ran, 0, "landed");
    assert!(!ran.output().contains("wrong-one"));
}

/// A server that asks for nothing gets nothing.
#[test]
fn entry_is_sent_only_when_asked_for() {
    let world = World::with(|server| server, &[(FILE, &*kustomization(&[API.into()]))]);
    let home = home(&world, &entry("default"));
    ended(&run(&mut at_home(push(&anonymous(&world), "v1", &[]), &home)), 0, "landed");
    assert!(world.server.requests().iter().all(|request| request.authorization.is_none()));
}

#[test]
fn entry_does_not_follow_a_redirect_to_another_host() {
    let world = World::new();
    let elsewhere = World::new();
    let folder = anonymous(&world);
    let home = home(&world, &entry("default"));
    let location = elsewhere.server.url(REPO) + "/info/refs?service=git-upload-pack";
    world.server.fault(On::Any, Fault::Redirect { location, code: 302 });
    failed(&run(&mut at_home(push(&folder, "v1", &[]), &home)), 5);
    assert_eq!(elsewhere.server.requests().len(), 0);
}

/// This address leads to this machine too, but could be any other.
#[test]
fn entry_is_withheld_from_unencrypted_server() {
    let world = World::new();
    let folder = anonymous(&world);
    let home = home(&world, &entry("default"));
    git(&folder, &["remote", "set-url", "origin", &world.server.url(REPO).replace("127.0.0.1", "0.0.0.0")]);
    let message = failed(&run(&mut at_home(push(&folder, "v1", &[]), &home)), 5);
    assert!(message.contains("was not sent to 0.0.0.0: http is not encrypted"), "{message}");
    let requests = world.server.requests();
    assert!(!requests.is_empty() && requests.iter().all(|request| request.authorization.is_none()));
}

#[test]
fn file_that_cannot_be_used_is_reported() {
    let world = World::new();
    let folder = anonymous(&world);
    let home = home(&world, &format!("{}{}", " ".repeat(200_000), entry("machine 127.0.0.1")));
    let message = failed(&run(&mut at_home(push(&folder, "v1", &[]), &home)), 5);
    assert!(message.contains(".netrc was not used: it has more than 128 KiB"), "{message}");
}
