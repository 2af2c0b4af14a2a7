//! What git is told about the network, we are told too.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use support::git::git;
use support::repo::{PASSWORD, REPO, USER, World, ended, push, run};

fn anonymous(world: &World) -> PathBuf {
    world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"])
}

fn header() -> String {
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")))
}

/// The user's own settings, in a home of their own.
fn home(world: &World, key: &str, value: &str) -> PathBuf {
    let home = world.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let file = home.join(".gitconfig");
    git(world.path(), &["config", "--file", file.to_str().unwrap(), key, value]);
    home
}

#[test]
fn a_header_in_the_users_settings() {
    let world = World::new();
    let home = home(&world, &format!("http.{}.extraheader", world.server.url("")), &header());
    ended(&run(push(&anonymous(&world), "v1", &[]).env("HOME", home)), 0, "landed");
}

#[test]
fn a_header_in_a_linked_worktree() {
    let world = World::new();
    let folder = anonymous(&world);
    let key = format!("http.{}.extraheader", world.server.url(""));
    git(&folder, &["config", &key, &header()]);
    let linked = world.path().join("linked");
    git(&folder, &["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap()]);
    ended(&run(&mut push(&linked, "v1", &["--branch", "main"])), 0, "landed");
    // since v6 of actions/checkout, with a condition for the worktree
    git(&folder, &["config", "--unset", &key]);
    let file = world.path().join("credentials.config");
    git(&folder, &["config", "--file", file.to_str().unwrap(), &key, &header()]);
    let gitdir = folder.canonicalize().unwrap().join(".git/worktrees/*");
    git(&folder, &["config", &format!("includeIf.gitdir:{}.path", gitdir.display()), file.to_str().unwrap()]);
    ended(&run(&mut push(&linked, "v2", &["--branch", "main"])), 0, "landed");
}

/// Whether a run asks the proxy that it is told of.
fn asks_proxy(world: &World, folder: &Path, tell: impl FnOnce(&str, &mut std::process::Command)) -> bool {
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut command = push(folder, &format!("v{}", world.commits()), &["--timeout", "1s"]);
    tell(&address, &mut command);
    run(&mut command);
    // who was not let in yet waits in line
    proxy.accept().is_ok()
}

#[test]
fn a_proxy_in_the_environment() {
    let world = World::new();
    let folder = world.shallow("w");
    for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
        assert!(
            asks_proxy(&world, &folder, |proxy, run| {
                run.env(name, proxy);
            }),
            "{name}"
        );
        for direct in ["127.0.0.1", "localhost,127.0.0.1", "*"] {
            let landed = world.commits() + 1;
            let asked = asks_proxy(&world, &folder, |proxy, run| {
                run.env(name, proxy).env("no_proxy", direct);
            });
            assert!(!asked, "{name}, no_proxy={direct}");
            assert_eq!(world.commits(), landed, "{name}, no_proxy={direct}");
        }
    }
}
