//! Settings of git that tagbump doesn't support: an error or a warning, never nothing.
#![cfg(unix)]

use std::process::Command;

use crate::support::git::{git, try_git};
use crate::support::repo::{REPO, World, ended, failed, push, run};

fn warnings(ran: &crate::support::cli::Run) -> String {
    ended(ran, 0, "landed")["warnings"].to_string()
}

#[test]
fn setting_that_would_weaken_the_connection_is_an_error() {
    let world = World::new();
    let folder = world.shallow("w");
    let url = world.server.url("");
    for key in ["pinnedPubkey", "curloptResolve", "sslCipherList", "proxySSLCert"] {
        let name = format!("http.{url}.{key}");
        git(&folder, &["config", &name, "x"]);
        let message = failed(&run(&mut push(&folder, "v1", &[])), 2);
        assert!(
            message.contains(&format!("sets http.{key}, which")) && message.contains("unset it"),
            "{message}"
        );
        git(&folder, &["config", &name, ""]);
    }
    assert_eq!((world.commits(), world.server.requests().len()), (2, 0));
    git(&folder, &["config", "http.https://elsewhere.example/.pinnedPubkey", "x"]);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
}

#[test]
fn setting_without_effect_is_a_warning() {
    let world = World::new();
    let folder = world.shallow("w");
    for (nth, (key, value)) in [
        ("http.cookieFile", "~/.gitcookies"),
        ("http.emptyAuth", "true"),
        ("http.delegation", "always"),
        ("http.proxyAuthMethod", "ntlm"),
        ("http.proxySSLCAInfo", "/proxy.pem"),
        ("push.gpgSign", "if-asked"),
        ("transfer.fsckObjects", "true"),
        ("fetch.fsckObjects", "true"),
    ]
    .into_iter()
    .enumerate()
    {
        git(&folder, &["config", key, value]);
        let warnings = warnings(&run(&mut push(&folder, &format!("w{nth}"), &[])));
        assert!(warnings.contains(&format!("{key} in git's configuration has no effect")), "{warnings}");
        git(&folder, &["config", "--unset", key]);
    }
    assert_eq!(warnings(&run(&mut push(&folder, "last", &[]))), "[]");
}

#[test]
fn setting_of_remote_that_cannot_be_respected_is_an_error() {
    let world = World::new();
    let folder = world.shallow("w");
    let local = format!("file://{}", world.bare.display());
    for (url, key) in
        [(world.url(), "vcs"), (world.url(), "proxy"), (local.clone(), "receivepack"), (local, "uploadpack")]
    {
        let name = format!("remote.origin.{key}");
        git(&folder, &["config", "remote.origin.url", &url]);
        git(&folder, &["config", &name, "x"]);
        let message = failed(&run(&mut push(&folder, "v1", &[])), 2);
        assert!(message.contains(&format!("sets {name}, which")), "{message}");
        git(&folder, &["config", "--unset", &name]);
    }
    git(&folder, &["config", "push.gpgSign", "true"]);
    assert!(failed(&run(&mut push(&folder, "v1", &[])), 2).contains("sets push.gpgSign"));
}

#[test]
fn protocol_that_git_forbids_is_not_spoken() {
    let world = World::new();
    let folder = world.shallow("w");
    for (settings, variables, word) in [
        (vec![("protocol.http.allow", "never")], vec![], "protocol.http.allow doesn't allow http"),
        (vec![("protocol.allow", "never")], vec![], "protocol.allow doesn't allow http"),
        (vec![], vec![("GIT_ALLOW_PROTOCOL", "https:ssh")], "GIT_ALLOW_PROTOCOL doesn't allow http"),
        (vec![("protocol.http.allow", "user")], vec![("GIT_PROTOCOL_FROM_USER", "0")], "protocol.http.allow"),
    ] {
        let pairs = |command: &mut Command| {
            command.env("GIT_CONFIG_COUNT", settings.len().to_string()).envs(variables.iter().copied());
            for (nth, (key, value)) in settings.iter().enumerate() {
                command
                    .env(format!("GIT_CONFIG_KEY_{nth}"), key)
                    .env(format!("GIT_CONFIG_VALUE_{nth}"), value);
            }
        };
        let mut by_git = crate::support::git::command(&folder);
        by_git.args(["ls-remote", "origin"]);
        pairs(&mut by_git);
        assert!(!by_git.output().unwrap().status.success(), "git: {word}");
        let mut command = push(&folder, "v1", &[]);
        pairs(&mut command);
        let message = failed(&run(&mut command), 2);
        assert!(message.contains(word), "{message}");
    }
    assert!(world.server.requests().is_empty());
}

#[test]
fn user_agent_is_the_configured_one() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["config", &format!("http.{}.userAgent", world.server.url(REPO)), "acme-git/1"]);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    ended(&run(push(&folder, "v2", &[]).env("GIT_HTTP_USER_AGENT", "acme-git/2")), 0, "landed");
    let by_git = |request: &crate::support::git_server::LoggedRequest| {
        let agent = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        agent.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let agents: Vec<String> = world.server.requests().iter().map(by_git).collect();
    let count = |name: &str| agents.iter().filter(|agent| *agent == name).count();
    assert_eq!(count("acme-git/1") + count("acme-git/2"), agents.len(), "{agents:?}");
    assert!(count("acme-git/1") > 2 && count("acme-git/2") > 2, "{agents:?}");
    assert!(try_git(&folder, &["ls-remote", "origin"]).status.success());
}
