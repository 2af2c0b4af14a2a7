//! Network settings in git's configuration apply to tagbump too.
#![cfg(unix)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run};
use base64::prelude::{BASE64_STANDARD, Engine as _};

fn anonymous(world: &World) -> PathBuf {
    world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"])
}

fn header() -> String {
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")))
}

/// Azure Pipelines' agent clones `https://ORG@dev.azure.com/…`, and leaves its credential under that key.
#[test]
fn header_is_found_by_user_in_key() {
    let world = World::new();
    let url = world.server.url(REPO).replacen("://", "://acme@", 1);
    let folder = world.clone_of(&url, "w", &["--depth", "1"]);
    git(&folder, &["config", &format!("http.{url}.extraheader"), &header()]);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    // it is for this user only
    git(&folder, &["remote", "set-url", "origin", &world.server.url(REPO).replacen("://", "://other@", 1)]);
    assert!(failed(&run(&mut push(&folder, "v2", &[])), 5).contains("401"));
}

#[test]
fn last_of_equal_headers_is_sent() {
    let world = World::new();
    let folder = anonymous(&world);
    let key = format!("http.{}.extraheader", world.server.url(""));
    git(&folder, &["config", "--add", &key, "Authorization: Basic eDp5"]);
    git(&folder, &["config", "--add", &key, &header()]);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    git(&folder, &["config", "--add", &key, ""]);
    assert!(failed(&run(&mut push(&folder, "v2", &[])), 5).contains("401"), "an empty one discards them");
}

/// The user's own settings, in a separate home folder.
fn home(world: &World, key: &str, value: &str) -> PathBuf {
    let home = world.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let file = home.join(".gitconfig");
    git(world.path(), &["config", "--file", file.to_str().unwrap(), key, value]);
    home
}

#[test]
fn header_of_user_configuration_is_sent() {
    let world = World::new();
    let home = home(&world, &format!("http.{}.extraheader", world.server.url("")), &header());
    ended(&run(push(&anonymous(&world), "v1", &[]).env("HOME", home)), 0, "landed");
}

#[test]
fn header_is_sent_from_linked_worktree() {
    let world = World::new();
    let folder = anonymous(&world);
    let key = format!("http.{}.extraheader", world.server.url(""));
    git(&folder, &["config", &key, &header()]);
    let linked = world.path().join("linked");
    git(&folder, &["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap()]);
    ended(&run(&mut push(&linked, "v1", &["--branch", "main"])), 0, "landed");
    // since v6 of actions/checkout, with a condition on the worktree
    git(&folder, &["config", "--unset", &key]);
    let file = world.path().join("credentials.config");
    git(&folder, &["config", "--file", file.to_str().unwrap(), &key, &header()]);
    let gitdir = folder.canonicalize().unwrap().join(".git/worktrees/*");
    git(&folder, &["config", &format!("includeIf.gitdir:{}.path", gitdir.display()), file.to_str().unwrap()]);
    ended(&run(&mut push(&linked, "v2", &["--branch", "main"])), 0, "landed");
}

/// `GIT_CONFIG_COUNT` and its keys and values.
fn given(command: &mut Command, pairs: &[(&str, &str)]) {
    command.env("GIT_CONFIG_COUNT", pairs.len().to_string());
    for (nth, (key, value)) in pairs.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{nth}"), key).env(format!("GIT_CONFIG_VALUE_{nth}"), value);
    }
}

#[test]
fn settings_in_variables_count() {
    let world = World::new();
    let folder = anonymous(&world);
    let scratch = world.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    git(&folder, &["remote", "set-url", "origin", "http://127.0.0.1:1/acme/gitops.git"]);
    let (base, header) = (world.server.url(""), header());
    let mut command = push(&folder, "v1", &[]);
    given(
        &mut command,
        &[
            (&format!("url.{base}.insteadOf"), "http://127.0.0.1:1/"),
            (&format!("http.{base}.extraHeader"), "Authorization: Basic eDp5"),
            (&format!("http.{base}.extraHeader"), ""),
            (&format!("http.{base}.extraHeader"), &header),
            ("user.name", "Grace \"H\" \\ # x"),
        ],
    );
    ended(&run(command.env("TMPDIR", &scratch)), 0, "landed");
    assert_eq!(world.last("%an"), "Grace \"H\" \\ # x", "they come before the repository's own");
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn helper_in_variables_is_asked() {
    let world = World::new();
    let folder = anonymous(&world);
    let mut command = push(&folder, "v1", &[]);
    let helper = format!("!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f");
    given(&mut command, &[("credential.helper", ""), ("credential.helper", &helper)]);
    ended(&run(&mut command), 0, "landed");
}

/// `git -c` sets them for everything that git runs.
#[test]
fn settings_of_calling_git_count() {
    let world = World::new();
    let folder = anonymous(&world);
    let alias = format!("alias.bump=!{} bump {API}:v1 --push", env!("CARGO_BIN_EXE_tagbump"));
    let key = format!("http.{}.extraheader={}", world.server.url(""), header());
    git(&folder, &["-c", &alias, "-c", "user.name=It's Grace!", "-c", "rerere.enabled", "-c", &key, "bump"]);
    assert_eq!(world.commits(), 3);
    assert_eq!(world.last("%an"), "Test Author", "variables come first");
    assert_eq!(world.last("%cn"), "Test Committer");
}

#[test]
fn configuration_files_in_variables_replace_usual_ones() {
    let world = World::new();
    let key = format!("http.{}.extraheader", world.server.url(""));
    let folder = anonymous(&world);
    let home = home(&world, &key, &header());
    let file = home.join(".gitconfig");
    let xdg = world.path().join("xdg/git");
    std::fs::create_dir_all(&xdg).unwrap();
    std::fs::copy(&file, xdg.join("config")).unwrap();
    let other = world.path().join("other.config");
    git(world.path(), &["config", "--file", other.to_str().unwrap(), "user.name", "Grace"]);
    for empty in [other.as_path(), Path::new("/dev/null"), Path::new("/nowhere/at/all")] {
        let mut command = push(&folder, "v1", &[]);
        command.env("HOME", &home).env("XDG_CONFIG_HOME", world.path().join("xdg"));
        let said = failed(&run(command.env("GIT_CONFIG_GLOBAL", empty)), 5);
        assert!(said.contains("401"), "{said}");
    }
    ended(&run(push(&folder, "v1", &[]).env("GIT_CONFIG_GLOBAL", &file)), 0, "landed");
    let mut command = push(&folder, "v2", &[]);
    command.env_remove("GIT_CONFIG_NOSYSTEM").env("GIT_CONFIG_SYSTEM", &file);
    ended(&run(&mut command), 0, "landed");
    let mut command = push(&folder, "v3", &[]);
    failed(&run(command.env("GIT_CONFIG_SYSTEM", &file)), 5);
}

#[test]
fn invalid_variables_are_refused() {
    let world = World::new();
    let folder = world.shallow("w");
    for (variables, word) in [
        (vec![("GIT_CONFIG_COUNT", "many")], "GIT_CONFIG_COUNT"),
        (vec![("GIT_CONFIG_COUNT", "1")], "GIT_CONFIG_KEY_0"),
        (vec![("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "nodot")], "nodot"),
        (vec![("GIT_CONFIG_PARAMETERS", "a.b=c")], "GIT_CONFIG_PARAMETERS"),
        (vec![("GIT_AUTHOR_DATE", "someday")], "GIT_AUTHOR_DATE"),
    ] {
        let said = failed(&run(push(&folder, "v1", &[]).envs(variables)), 2);
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn commit_has_dates_of_environment() {
    let world = World::new();
    let folder = world.full("w");
    let mut command = push(&folder, "v1", &["--author", "Ada <ada@example.com>"]);
    command.env("GIT_AUTHOR_DATE", "@1112904793 +0200");
    ended(&run(command.env("GIT_COMMITTER_DATE", "2005-04-08T22:13:13Z")), 0, "landed");
    assert_eq!(world.last("%ad %cd"), "Thu Apr 7 22:13:13 2005 +0200 Fri Apr 8 22:13:13 2005 +0000");
    let mut command = crate::support::cli::command(&folder);
    command
        .args(["bump", &format!("{API}:v2"), "--commit"])
        .env("GIT_AUTHOR_DATE", "2005-04-07 22:13:13 +0200");
    assert_eq!(run(&mut command).exit, 0);
    assert_eq!(git(&folder, &["log", "-1", "--format=%at"]), "1112904793");
}

#[test]
fn redirect_is_not_followed_when_turned_off() {
    let world = World::new();
    let folder = world.shallow("w");
    let redirect = || {
        let location = format!("{}/info/refs?service=git-upload-pack", world.url());
        world.server.fault(On::InfoRefs(Service::UploadPack), Fault::Redirect { location, code: 301 });
    };
    let key = format!("http.{}.followRedirects", world.server.url(""));
    git(&folder, &["config", &key, "false"]);
    redirect();
    assert!(failed(&run(&mut push(&folder, "v1", &[])), 5).contains("http.followRedirects is false"));
    git(&folder, &["config", &key, "initial"]);
    redirect();
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
}

/// Whether a run uses the proxy that it was given.
fn asks_proxy(world: &World, folder: &Path, time: &str, tell: impl FnOnce(&str, &mut Command)) -> bool {
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut command = push(folder, &format!("v{}", world.commits()), &["--timeout", time]);
    tell(&address, &mut command);
    run(&mut command);
    // a connection that wasn't accepted yet is still in the queue
    proxy.accept().is_ok()
}

#[test]
fn proxy_of_environment_is_used() {
    // over http, requests to this machine are sent directly
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.tls().basic_auth(USER, PASSWORD), &files);
    let (folder, ca) = (world.shallow("w"), world.path().join("ca.pem"));
    std::fs::write(&ca, world.server.ca_pem()).unwrap();
    for name in ["https_proxy", "all_proxy", "ALL_PROXY"] {
        assert!(
            asks_proxy(&world, &folder, "1s", |proxy, run| {
                run.env(name, proxy).env("SSL_CERT_FILE", &ca);
            }),
            "{name}"
        );
        for direct in ["127.0.0.1", "localhost,127.0.0.1", "*"] {
            let landed = world.commits() + 1;
            let asked = asks_proxy(&world, &folder, "60s", |proxy, run| {
                run.env(name, proxy).env("no_proxy", direct).env("SSL_CERT_FILE", &ca);
            });
            assert!(!asked, "{name}, no_proxy={direct}");
            assert_eq!(world.commits(), landed, "{name}, no_proxy={direct}");
        }
    }
}

/// The credential is in a file that git includes for another remote only.
#[test]
fn error_names_include_that_would_bring_a_credential() {
    let world = World::new();
    let key = format!("http.{}.extraheader", world.server.url_with("x", PASSWORD, ""));
    let inc = world.path().join("home/ci.inc");
    let home = home(&world, "includeIf.hasconfig:remote.*.url:https://x:s3cret@h.example/**.path", "ci.inc");
    git(world.path(), &["config", "--file", inc.to_str().unwrap(), &key, &header()]);
    let message = failed(&run(push(&anonymous(&world), "v1", &[]).env("HOME", home)), 5);
    for word in
        ["ci.inc sets http.extraheader", "hasconfig:remote.*.url:https://h.example/**", "doesn't hold"]
    {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert!(!message.contains("s3cret") && !message.contains(PASSWORD), "{message}");
}
