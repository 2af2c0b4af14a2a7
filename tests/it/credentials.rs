//! Authentication: which of several credentials is sent, to which server, and how often.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{
    API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run, script_at,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Accepts any credentials, and records them.
fn open() -> World {
    World::with(|server| server, &[(FILE, &*kustomization(&[API.into()]))])
}

fn clone(world: &World, url: &str) -> PathBuf {
    world.clone_of(url, "w", &["--depth", "1"])
}

/// The server's URL written like GitHub's: without a path.
fn origin(world: &World) -> String {
    world.server.url("").trim_end_matches('/').to_owned()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// The format that actions/checkout uses: `basic` in lower case, the header's name in upper case.
fn kept(token: &str) -> String {
    format!("AUTHORIZATION: basic {}", BASE64_STANDARD.encode(format!("x-access-token:{token}")))
}

fn set(folder: &Path, key: &str, value: &str) {
    git(folder, &["config", "--add", key, value]);
}

/// A helper in the repository's own configuration. Returns the file that counts how often it was asked.
fn helper(world: &World, folder: &Path) -> PathBuf {
    let (script, asked) = (world.path().join("helper"), world.path().join("asked"));
    let answer = format!("echo username={USER}; echo password={PASSWORD}");
    script_at(&script, &format!("cat >> '{}'; echo >> '{}'; {answer}", asked.display(), asked.display()));
    set(folder, "credential.helper", script.to_str().unwrap());
    asked
}

/// The Authorization header that every request had; there is only one.
#[track_caller]
fn sent(world: &World) -> Option<String> {
    let requests = world.server.requests();
    assert!(requests.len() >= 3, "a whole landing: {}", requests.len());
    let first = requests[0].authorization.clone();
    for request in &requests {
        assert!(request.authorization_count <= 1, "two at once");
        assert_eq!(request.authorization, first, "{} {}", request.method, request.path);
    }
    first
}

#[test]
fn first_credential_in_order_is_used() {
    // from the last to the first, each together with all that come after it
    let ways = ["helper", "github", "header", "url", "own"];
    for from in 1..ways.len() {
        let given = &ways[..=from];
        let has = |way: &str| given.contains(&way);
        let world = open();
        let url =
            if has("url") { world.server.url_with("bob", "pa55", REPO) } else { world.server.url(REPO) };
        let folder = clone(&world, &url);
        let asked = helper(&world, &folder);
        if has("header") {
            set(&folder, &format!("http.{}/.extraheader", origin(&world)), &kept("kept"));
        }
        let mut command = push(&folder, "v1", &["-v"]);
        command
            .env("GITHUB_SERVER_URL", origin(&world))
            .env("GITHUB_TOKEN", "hub-token")
            .env("GH_TOKEN", "gh");
        if has("own") {
            command.env("TAGBUMP_TOKEN", "own-token");
        }
        let run = run(&mut command);
        ended(&run, 0, "landed");
        let (wanted, name) = match ways[from] {
            "own" => (basic("bob", "own-token"), "TAGBUMP_TOKEN"),
            "url" => (basic("bob", "pa55"), "URL"),
            "header" => (kept("kept")["AUTHORIZATION: ".len()..].to_owned(), "extraheader"),
            _ => (basic("x-access-token", "hub-token"), "GITHUB_TOKEN"),
        };
        assert_eq!(sent(&world), Some(wanted), "{given:?}");
        assert!(run.stderr.contains(name), "-v names what was used: {}", run.stderr);
        assert!(!asked.exists(), "the helper is the last");
    }
}

#[test]
fn gh_token_is_used_when_github_token_is_missing() {
    let world = open();
    let mut command = push(&clone(&world, &world.server.url(REPO)), "v1", &[]);
    command.env("GITHUB_SERVER_URL", origin(&world)).env("GITHUB_TOKEN", "").env("GH_TOKEN", "gh-token");
    ended(&run(&mut command), 0, "landed");
    assert_eq!(sent(&world), Some(basic("x-access-token", "gh-token")));
}

#[test]
fn own_token_is_sent_with_usual_user_name() {
    let world = open();
    let mut command = push(&clone(&world, &world.server.url(REPO)), "v1", &[]);
    ended(&run(command.env("TAGBUMP_TOKEN", "own-token\n")), 0, "landed");
    assert_eq!(sent(&world), Some(basic("x-access-token", "own-token")));
}

#[test]
fn own_token_is_sent_with_user_name_of_url() {
    let world = open();
    let url = world.server.url(REPO).replace("://", "://de%40ploy@");
    let mut command = push(&clone(&world, &url), "v1", &[]);
    ended(&run(command.env("TAGBUMP_TOKEN", "own-token")), 0, "landed");
    assert_eq!(sent(&world), Some(basic("de@ploy", "own-token")));
}

#[test]
fn percent_encoding_in_url_is_decoded() {
    let world = open();
    let url = world.server.url_with("ü", "p@ss/w%rd: ü", REPO);
    ended(&run(&mut push(&clone(&world, &url), "v1", &[])), 0, "landed");
    assert_eq!(sent(&world), Some(basic("ü", "p@ss/w%rd: ü")));
}

#[test]
fn header_left_by_checkout_is_sent() {
    let world = World::with(
        |server| server.basic_auth("x-access-token", "kept"),
        &[(FILE, &*kustomization(&[API.into()]))],
    );
    // up to v5 in the repository's configuration
    let folder = clone(&world, &world.server.url(REPO));
    let key = format!("http.{}/.extraheader", origin(&world));
    let right = kept("kept").replace("basic", "Basic");
    set(&folder, &key, &right);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert!(sent(&world).is_some());
    // since v6 in a file in the runner's temporary folder
    let folder = world.clone_of(&world.server.url(REPO), "v6", &["--depth", "1"]);
    let file = world.path().join("runner/temp/git-credentials-1.config");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    git(world.path(), &["config", "--file", file.to_str().unwrap(), &key, &right]);
    let gitdir = folder.canonicalize().unwrap().join(".git");
    set(&folder, &format!("includeIf.gitdir:{}.path", gitdir.display()), file.to_str().unwrap());
    ended(&run(&mut push(&folder, "v2", &[])), 0, "landed");
    // and not if the condition is for another repository
    let folder = world.clone_of(&world.server.url(REPO), "other", &["--depth", "1"]);
    set(&folder, &format!("includeIf.gitdir:{}.path", gitdir.display()), file.to_str().unwrap());
    assert!(failed(&run(&mut push(&folder, "v3", &[])), 5).contains("401"));
}

#[test]
fn header_of_another_server_is_not_sent() {
    let world = open();
    let folder = clone(&world, &world.server.url(REPO));
    set(&folder, "http.http://127.0.0.1:9/.extraheader", &kept("other-port"));
    set(&folder, "http.https://github.com/.extraheader", &kept("github"));
    set(&folder, &format!("http.{}/another.extraheader", origin(&world)), &kept("other-path"));
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(sent(&world), None);
}

#[test]
fn empty_header_removes_earlier_headers() {
    let world = open();
    let folder = clone(&world, &world.server.url(REPO));
    let key = format!("http.{}/.extraheader", origin(&world));
    for value in [&kept("older"), "", &kept("newer"), "X-Proxy: yes"] {
        set(&folder, &key, value);
    }
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(sent(&world).as_deref(), kept("newer").strip_prefix("AUTHORIZATION: "));
    let requests = world.server.requests();
    assert!(
        requests
            .iter()
            .all(|r| r.headers.iter().any(|(n, v)| n.eq_ignore_ascii_case("x-proxy") && v == "yes"))
    );
}

#[test]
fn github_token_is_sent_to_github_only() {
    for server in [None, Some("https://github.com"), Some("http://127.0.0.1:9"), Some("https://127.0.0.1")] {
        let world = open();
        let mut command = push(&clone(&world, &world.server.url(REPO)), "v1", &[]);
        command.env("GITHUB_TOKEN", "hub-token").env("GH_TOKEN", "hub-token");
        if let Some(server) = server {
            command.env("GITHUB_SERVER_URL", server);
        }
        ended(&run(&mut command), 0, "landed");
        assert_eq!(sent(&world), None, "{server:?}");
    }
}

/// On Linux, 0.0.0.0 leads to this machine too, but that isn't guaranteed.
#[cfg(target_os = "linux")]
#[test]
fn token_is_not_sent_over_plain_http_to_another_machine() {
    let world = open();
    let url = |text: String| text.replace("127.0.0.1", "0.0.0.0");
    let mut command = push(&clone(&world, &url(world.server.url(REPO))), "v1", &[]);
    command.env("TAGBUMP_TOKEN", "own-token").env("GITHUB_TOKEN", "hub-token");
    ended(&run(command.env("GITHUB_SERVER_URL", url(origin(&world)))), 0, "landed");
    assert_eq!(sent(&world), None);
}

#[test]
fn helper_is_asked_once_after_401() {
    let world = open();
    let folder = clone(&world, &world.server.url(REPO));
    let asked = helper(&world, &folder);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert!(!asked.exists(), "nobody asked who we are");
    let world = World::new();
    let folder = clone(&world, &world.server.url(REPO));
    let asked = helper(&world, &folder);
    let run = run(&mut push(&folder, "v1", &["-v"]));
    ended(&run, 0, "landed");
    let question = std::fs::read_to_string(&asked).unwrap();
    let host = origin(&world).replace("http://", "");
    assert_eq!(question.matches("protocol=http\n").count(), 1, "asked once: {question}");
    assert!(question.contains(&format!("host={host}\n")), "{question}");
    let requests = world.server.requests();
    assert_eq!((requests[0].authorization.as_ref(), requests[0].status), (None, Some(401)));
    assert!(requests[1..].iter().all(|r| r.authorization == Some(basic(USER, PASSWORD))));
    assert!(requests.iter().all(|r| r.authorization_count <= 1));
    assert!(!run.output().contains(PASSWORD));
}

/// Public for readers: git's own examples protect the list for a push and the push, or only the push
/// (`git help http-backend`).
#[test]
fn helper_is_asked_when_only_push_needs_it() {
    for on in [On::InfoRefs(Service::ReceivePack), On::Post(Service::ReceivePack)] {
        let world = open();
        let folder = clone(&world, &world.server.url(REPO));
        let asked = helper(&world, &folder);
        let headers = vec![("WWW-Authenticate".to_owned(), "Basic realm=\"git\"".to_owned())];
        world.server.fault(on, Fault::Status { code: 401, headers });
        ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
        assert!(asked.exists(), "{on:?}");
        let requests = world.server.requests();
        assert_eq!(requests[0].authorization, None, "{on:?}");
        assert_eq!(requests.last().unwrap().authorization, Some(basic(USER, PASSWORD)), "{on:?}");
    }
}

#[test]
fn helper_is_asked_for_user_of_url() {
    let world = World::new();
    let url = world.server.url(REPO).replace("://", &format!("://{USER}@"));
    let folder = clone(&world, &url);
    let asked = helper(&world, &folder);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert!(std::fs::read_to_string(asked).unwrap().contains(&format!("username={USER}\n")));
}

#[test]
fn helper_is_not_asked_when_another_credential_was_wrong() {
    let world = World::new();
    let folder = clone(&world, &world.server.url(REPO));
    let asked = helper(&world, &folder);
    let mut command = push(&folder, "v1", &[]);
    let said = failed(&run(command.env("TAGBUMP_TOKEN", "wrong-token")), 5);
    assert!(said.contains("TAGBUMP_TOKEN"), "{said}");
    assert!(!asked.exists());
}

#[test]
fn error_mentions_helper_that_knows_nothing() {
    let world = World::new();
    let folder = clone(&world, &world.server.url(REPO));
    set(&folder, "credential.helper", "!true");
    let said = failed(&run(&mut push(&folder, "v1", &[])), 5);
    assert!(said.contains("401") && said.contains("TAGBUMP_TOKEN"), "{said}");
}

#[test]
fn credential_follows_url_that_instead_of_sets() {
    let world = World::new();
    let folder = clone(&world, "https://github.com/acme/gitops.git");
    let (with, _) = world.url().split_once("acme/").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    set(&folder, &format!("url.{with}.insteadOf"), "https://github.com/");
    let run = run(&mut push(&folder, "v1", &["-v"]));
    ended(&run, 0, "landed");
    assert_eq!(sent(&world), Some(basic(USER, PASSWORD)));
    assert!(!run.output().contains(PASSWORD));
}

/// A remote that is read from one server and written to another: each gets only its own credentials.
#[test]
fn each_server_gets_its_own_credential_when_push_url_differs() {
    let (from, to) = (open(), World::new());
    git(&from.bare, &["push", "--quiet", "--force", to.bare.to_str().unwrap(), "main"]);
    let folder = clone(&from, &from.server.url_with("reader", "pa55-reader", REPO));
    set(&folder, "remote.origin.pushurl", &to.server.url(REPO));
    set(&folder, &format!("http.{}/.extraheader", origin(&from)), "X-From: s3cret-from");
    set(&folder, &format!("http.{}/.extraheader", origin(&to)), "X-To: s3cret-to");
    let asked = helper(&to, &folder);
    let mut command = push(&folder, "v1", &["-v"]);
    command.env("GITHUB_SERVER_URL", origin(&from)).env("GITHUB_TOKEN", "hub-token");
    let run = run(&mut command);
    ended(&run, 0, "landed");
    let has = |world: &World, name: &str| {
        let requests = world.server.requests();
        let named = |(n, _): &(String, String)| n.eq_ignore_ascii_case(name);
        assert!(!requests.is_empty() && requests.iter().all(|r| r.authorization_count <= 1));
        requests.iter().filter(|r| r.headers.iter().any(named)).count()
    };
    assert!(has(&from, "x-from") > 0 && has(&to, "x-to") > 0);
    assert_eq!((has(&from, "x-to"), has(&to, "x-from")), (0, 0));
    for request in from.server.requests() {
        assert_eq!(request.authorization, Some(basic("reader", "pa55-reader")));
    }
    for request in to.server.requests() {
        assert!([None, Some(basic(USER, PASSWORD))].contains(&request.authorization), "{request:?}");
    }
    let question = std::fs::read_to_string(asked).unwrap();
    assert!(question.contains(&origin(&to).replace("http://", "host=")), "{question}");
    assert!(run.stderr.contains("credential helper"), "-v names what was used: {}", run.stderr);
    for secret in ["pa55", PASSWORD, "s3cret", "hub-token"] {
        assert!(!run.output().contains(secret), "{}", run.output());
    }
}

/// 0.0.0.0 reaches the server too, but isn't a loopback address: over http, a token would be readable on the way there.
#[test]
fn refusal_says_why_a_token_was_not_sent() {
    let world = World::new();
    let url = world.server.url(REPO);
    let plain = url.replace("127.0.0.1", "0.0.0.0");
    for (url, variable, token, reason) in [
        (&plain, "TAGBUMP_TOKEN", "own-token", "TAGBUMP_TOKEN was not sent: http://0.0.0.0"),
        (&url, "TAGBUMP_TOKEN", "", "TAGBUMP_TOKEN is set, but empty"),
        (&url, "TAGBUMP_TOKEN", " \n", "TAGBUMP_TOKEN is set, but empty"),
        (&url, "GITHUB_TOKEN", "hub-token", "GITHUB_TOKEN was not sent: it is for https://github.com"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["clone", "--quiet", world.bare.to_str().unwrap(), "w"]);
        let folder = folder.path().join("w");
        for (key, value) in [("remote.origin.url", &**url), ("user.name", "Ada"), ("user.email", "a@b.c")] {
            git(&folder, &["config", key, value]);
        }
        let failure = failed(&run(push(&folder, "v1", &[]).env(variable, token)), 5);
        assert!(failure.contains(reason) && failure.contains("401"), "{failure}");
        assert!(!failure.contains("no credentials found"), "{failure}");
    }
}

#[test]
fn refusal_of_anonymous_run_says_that_there_is_no_credential() {
    let world = World::new();
    let folder = world.clone_of(&world.server.url(REPO), "w", &[]);
    let failure = failed(&run(&mut push(&folder, "v1", &[])), 5);
    assert!(failure.contains("no credentials found") && !failure.contains("was not sent"), "{failure}");
}
