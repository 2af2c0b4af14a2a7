//! Malformed URLs: the error shows the correct URL, and not the password in them.

use std::path::Path;
use std::process::Command;

use crate::support::cli;
use crate::support::git::git;
use crate::support::repo::{API, World, failed, push, run};

const SECRET: &str = "pw-secret";

/// Each has a password that was meant for the host.
const MALFORMED: [&str; 9] = [
    "https:/user:pw-secret@127.0.0.1/x/y",
    "https:user:pw-secret@127.0.0.1/x/y",
    "https//user:pw-secret@127.0.0.1/x/y",
    "https:///user:pw-secret@127.0.0.1/x/y",
    "HTTPS://user:pw-secret@127.0.0.1/x/y",
    "https:\\\\user:pw-secret@127.0.0.1/x/y",
    "http:/user:pw-secret@127.0.0.1/x/y",
    "ssh:/user:pw-secret@127.0.0.1/x/y",
    "user:pw-secret@127.0.0.1/x/y",
];

/// Where a URL can be given: each makes a command that would use it.
type Way = fn(&World, &Path, &str) -> Command;

const WAYS: [(&str, Way); 6] = [
    ("--remote", |_, folder, url| push(folder, "v1", &["--remote", url, "-v", "--timeout", "5s"])),
    ("-C", |world, _, url| {
        let mut command = cli::command(world.path());
        command.args(["bump", &format!("{API}:v1"), "--push", "-v", "--format", "json"]);
        command.args(["--timeout", "5s", "-C", url]);
        command
    }),
    ("remote.origin.url", |_, folder, url| set(folder, "remote.origin.url", url)),
    ("remote.origin.pushurl", |_, folder, url| set(folder, "remote.origin.pushurl", url)),
    ("insteadOf", |_, folder, url| {
        git(folder, &["config", "remote.origin.url", "short:"]);
        set(folder, &format!("url.{url}.insteadOf"), "short:")
    }),
    ("GIT_CONFIG_KEY_0", |_, folder, url| {
        git(folder, &["config", "remote.origin.url", "short:"]);
        let mut command = push(folder, "v1", &["-v", "--timeout", "5s"]);
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", format!("url.{url}.insteadOf"));
        command.env("GIT_CONFIG_VALUE_0", "short:");
        command
    }),
];

fn set(folder: &Path, key: &str, value: &str) -> Command {
    git(folder, &["config", key, value]);
    push(folder, "v1", &["-v", "--timeout", "5s"])
}

/// A stand-in for ssh that must not run: ssh would connect to a host named `https`.
fn without_ssh(command: &mut Command) -> &mut Command {
    command.env("GIT_SSH_COMMAND", "false")
}

#[test]
fn malformed_url_is_refused_without_its_password() {
    let world = World::new();
    let mut wrong = Vec::new();
    for (way, command) in WAYS {
        for (nth, url) in MALFORMED.into_iter().enumerate() {
            let folder = world.shallow(&format!("w{nth}{way}"));
            let run = run(without_ssh(&mut command(&world, &folder, url)));
            if run.exit != 2 || run.output().contains(SECRET) {
                wrong.push(format!("{way} {url}: exit {}\n{}", run.exit, run.output()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn misspelt_url_is_refused_with_correction() {
    let world = World::new();
    let folder = world.shallow("w");
    let mut command = push(&folder, "v1", &["--remote", MALFORMED[0]]);
    let said = failed(&run(without_ssh(&mut command)), 2);
    assert!(said.contains("https:/127.0.0.1/x/y: is not a URL"), "{said}");
    assert!(said.contains("write it as https://127.0.0.1/x/y"), "{said}");
}

/// It would end up in the commit.
#[test]
fn source_with_a_password_is_refused() {
    let world = World::new();
    let folder = world.shallow("w");
    for source in
        ["https://ci:pw-secret@127.0.0.1/acme/api@1a2b3c4", "https://ci:pw-secret@127.0.0.1/acme/api"]
    {
        let run = run(&mut push(&folder, "v1", &["--source", source]));
        let said = failed(&run, 2);
        assert!(said.contains("--source") && !run.output().contains(SECRET), "{}", run.output());
    }
    assert_eq!(world.server.requests().len(), 0);
}

/// Commands that need a folder don't repeat the URL that they were given.
#[test]
fn malformed_url_as_folder_is_refused_without_its_password() {
    let world = World::new();
    for url in MALFORMED {
        for arguments in [&["scan"][..], &["history", "x"], &["init"], &["tag", "-T", "{sha:7}"]] {
            let mut command = cli::command(world.path());
            let run = run(without_ssh(command.args(arguments).args(["-C", url])));
            assert_eq!(run.exit, 2, "{arguments:?} {url}: {}", run.output());
            assert!(!run.output().contains(SECRET), "{arguments:?} {url}: {}", run.output());
        }
    }
}
