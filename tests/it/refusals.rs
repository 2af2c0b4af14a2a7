//! A server that refuses, or that isn't the one that was meant: one message with the solution, and no secret
//! goes to the wrong server.
#![cfg(unix)]

use std::path::PathBuf;

use crate::support::cli;
use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{
    self, API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run,
};
use url::Url;

const TOKEN: &str = "tok-0123456789abcdef";
const BASE: usize = 2;
const ASK: On = On::InfoRefs(Service::UploadPack);
const OFFER: On = On::InfoRefs(Service::ReceivePack);
const SEND: On = On::Post(Service::ReceivePack);
const WORDS: &str = "no deploys on a Friday: ask #ops";

/// Open to everyone, without authentication.
fn open() -> World {
    World::with(|server| server, &[(FILE, &*kustomization(&[API.into()]))])
}

/// A checkout without credentials.
fn anonymous(world: &World) -> PathBuf {
    world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"])
}

fn declining(hook: &str) -> World {
    let world = World::new();
    world.hook(hook, &format!("echo x >> tries\necho '{WORDS}' >&2\nexit 1"));
    world
}

/// How often the hook ran.
fn tries(world: &World) -> usize {
    std::fs::read_to_string(world.bare.join("tries")).unwrap().lines().count()
}

#[test]
fn push_is_sent_once_when_hook_declines() {
    for hook in ["pre-receive", "update"] {
        let world = declining(hook);
        let said = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 5);
        assert!(said.contains(WORDS) && said.contains("hook"), "{hook}: {said}");
        assert_eq!((world.count(SEND), tries(&world), world.commits()), (1, 1, BASE), "{hook}");
    }
}

#[test]
fn push_is_sent_once_when_hook_of_bare_directory_declines() {
    for hook in ["pre-receive", "update"] {
        let world = declining(hook);
        let folder = world.clone_of(world.bare.to_str().unwrap(), "w", &["--depth", "1"]);
        let said = failed(&run(&mut push(&folder, "v1", &[])), 5);
        assert!(said.contains(WORDS) && said.contains("hook"), "{hook}: {said}");
        assert_eq!((tries(&world), world.commits()), (1, BASE), "{hook}");
    }
}

/// Messages that elsewhere mean a race don't mean one if a hook refuses.
#[test]
fn push_is_sent_once_when_hook_declines_with_words_of_a_race() {
    for words in ["fetch first", "cannot lock ref", "main.lock exists: File exists", "stale info"] {
        let world = World::new();
        world.hook("pre-receive", &format!("echo x >> tries\necho \"{words}\" >&2\nexit 1"));
        let said = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 5);
        assert!(said.contains(words), "{said}");
        assert_eq!(tries(&world), 1, "{words}");
    }
}

#[test]
fn push_is_refused_when_remote_has_branch_checked_out() {
    let world = World::new();
    let other = world.full("other");
    let folder = world.clone_of(other.to_str().unwrap(), "w", &[]);
    let said = failed(&run(&mut push(&folder, "v1", &[])), 5);
    assert!(said.contains("checked out") && said.contains("bare"), "{said}");
    assert_eq!(git(&other, &["status", "--porcelain"]), "");
}

#[test]
fn error_names_wrong_token_without_showing_it() {
    let world = World::new();
    let mut command = push(&anonymous(&world), "v1", &["-v"]);
    let run = run(command.env("TAGBUMP_TOKEN", TOKEN));
    let said = failed(&run, 5);
    assert!(said.contains("TAGBUMP_TOKEN") && said.contains("401"), "{said}");
    assert!(!run.output().contains(TOKEN), "{}", run.output());
    assert_eq!(world.server.requests().len(), 1, "a wrong token is not tried again");
}

#[test]
fn error_says_what_to_set_when_credential_is_missing() {
    let world = World::new();
    let said = failed(&run(&mut push(&anonymous(&world), "v1", &[])), 5);
    assert!(said.contains("TAGBUMP_TOKEN") && said.contains("401"), "{said}");
}

#[test]
fn run_fails_when_server_says_forbidden_or_not_found() {
    for (code, on) in [(403, ASK), (403, OFFER), (403, SEND), (404, ASK), (404, OFFER)] {
        let world = World::new();
        world.server.fault(on, Fault::Status { code, headers: Vec::new() });
        let said = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 5);
        assert!(said.contains(&code.to_string()), "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
        assert_eq!(world.count(on), 1, "{code} on {on:?} is final");
        assert_eq!(world.commits(), BASE);
    }
}

#[test]
fn run_fails_when_repository_is_not_found() {
    let world = World::new();
    let url = world.server.url_with(USER, PASSWORD, "acme/nothing.git");
    let said = failed(&run(&mut push(&world.clone_of(&url, "w", &[]), "v1", &[])), 5);
    assert!(said.contains("acme/nothing.git") && said.contains("404"), "{said}");
}

#[test]
fn run_fails_when_branch_is_not_found() {
    let world = World::new();
    let said = failed(&run(&mut push(&world.shallow("w"), "v1", &["--branch", "nope"])), 2);
    assert!(said.contains("nope") && said.contains("--branch"), "{said}");
    assert_eq!(world.count(SEND), 0);
}

#[test]
fn run_fails_when_server_answers_with_html() {
    for on in [ASK, OFFER] {
        let world = World::new();
        let headers = vec![("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned())];
        world.server.fault(on, Fault::Status { code: 200, headers });
        let said = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 1);
        assert!(said.contains("git repository") && said.contains("text/html"), "{on:?}: {said}");
        assert_eq!(world.commits(), BASE);
    }
}

fn redirect(world: &World, on: On, to: &str, service: &str) {
    let location = format!("{to}/info/refs?service=git-{service}");
    world.server.fault(on, Fault::Redirect { location, code: 301 });
}

#[test]
fn redirect_is_followed_with_credential_on_same_origin() {
    let world = World::new();
    let url = world.server.url_with(USER, PASSWORD, "old/name.git");
    let folder = world.clone_of(&url, "w", &["--depth", "1"]);
    redirect(&world, ASK, &world.server.url(REPO), "upload-pack");
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(told["commit"], world.tip().as_str());
    assert!(world.server.requests().iter().all(|request| request.authorization_count == 1));
}

/// If a request is redirected to another server, nothing is sent there, and the error names both.
#[track_caller]
fn refuses(world: &World, on: On, to: &str) {
    let service = if on == ASK { "upload-pack" } else { "receive-pack" };
    redirect(world, on, to, service);
    let folder = world.shallow("w");
    let mut command = push(&folder, "v1", &["-v"]);
    command.env("TAGBUMP_TOKEN", PASSWORD).env("GITHUB_TOKEN", TOKEN);
    let run = run(command.env("GITHUB_SERVER_URL", world.server.url("")));
    let said = failed(&run, 5);
    let target = Url::parse(to).unwrap().origin().ascii_serialization();
    let here = world.server.url("");
    assert!(said.contains(here.trim_end_matches('/')) && said.contains(&target), "{said}");
    assert!(said.contains("git remote set-url origin"), "{said}");
    assert!(!run.output().contains("from-outside"), "{}", run.output());
    assert_eq!(world.commits(), BASE);
}

/// The same host under another name, port or scheme counts as another server, for fetch and push alike.
#[test]
fn redirect_to_another_server_is_refused() {
    let tls = World::with(|server| server.tls(), &[(FILE, &*kustomization(&[API.into()]))]);
    for on in [ASK, OFFER] {
        let other = open();
        refuses(&World::new(), on, &other.server.url(REPO));
        refuses(&World::new(), on, &other.server.url_with("mallory", "from-outside", REPO));
        refuses(&World::new(), on, &tls.server.url(REPO));
        let world = World::new();
        refuses(&world, on, &world.server.url(REPO).replace("127.0.0.1", "localhost"));
        assert!(other.server.requests().is_empty(), "the redirect was followed");
        assert_eq!(other.commits(), BASE, "nothing was pushed there");
    }
    assert!(tls.server.requests().is_empty(), "the redirect was followed");
}

/// A helper's answer is for the server that was asked first, not for the one that it redirects to.
#[test]
fn answer_of_helper_is_not_sent_to_another_port() {
    let (world, other) = (open(), World::new());
    redirect(&world, ASK, &other.server.url(REPO), "upload-pack");
    let folder = anonymous(&world);
    let asked = world.path().join("asked");
    let helper = format!(
        "!f() {{ echo x >> '{}'; echo username={USER}; echo password={PASSWORD}; }}; f",
        asked.display()
    );
    git(&folder, &["config", "credential.helper", &helper]);
    failed(&run(&mut push(&folder, "v1", &[])), 5);
    assert!(other.server.requests().is_empty());
    assert!(!asked.exists(), "the helper was not asked");
}

#[test]
fn redirect_is_refused_when_git_configuration_forbids_it() {
    for (value, follows) in [("false", false), ("initial", true), ("true", true)] {
        for key in ["http.followRedirects", "http.<url>.followRedirects"] {
            let world = World::new();
            let url = world.server.url_with(USER, PASSWORD, "old/name.git");
            let folder = world.clone_of(&url, "w", &["--depth", "1"]);
            git(&folder, &["config", &key.replace("<url>", &world.server.url("")), value]);
            redirect(&world, ASK, &world.server.url(REPO), "upload-pack");
            let run = run(&mut push(&folder, "v1", &[]));
            if follows {
                ended(&run, 0, "landed");
            } else {
                let said = failed(&run, 5);
                assert!(said.contains("http.followRedirects"), "{said}");
                assert!(said.contains(&format!("set-url origin {}", world.server.url(REPO))), "{said}");
            }
        }
    }
}

/// A redirect can't supply credentials.
#[test]
fn password_in_redirect_is_not_used() {
    let world = World::new();
    redirect(&world, ASK, &world.server.url_with("mallory", "from-outside", REPO), "upload-pack");
    ended(&run(&mut push(&world.shallow("w"), "v1", &[])), 0, "landed");
    assert!(world.server.requests().iter().all(|request| request.authorization_count == 1));
}

#[test]
fn run_fails_when_redirects_form_a_ring() {
    let world = World::new();
    for _ in 0..50 {
        redirect(&world, ASK, &world.server.url(REPO), "upload-pack");
    }
    let run = run(&mut push(&world.shallow("w"), "v1", &[]));
    assert!(failed(&run, 1).contains("redirect"), "{}", run.output());
    assert!(world.count(ASK) <= 20);
}

fn with_tls() -> World {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    World::with(|server| server.basic_auth(USER, PASSWORD).tls(), &files)
}

#[test]
fn bump_lands_over_https_with_own_authority() {
    let world = with_tls();
    let ca = world.path().join("ca.pem");
    std::fs::write(&ca, world.server.ca_pem()).unwrap();
    let mut command = push(&world.shallow("w"), "v1", &[]);
    let told = ended(&run(command.env("SSL_CERT_FILE", &ca)), 0, "landed");
    assert_eq!(told["commit"], world.tip().as_str());
}

#[test]
fn run_fails_at_once_when_authority_is_unknown() {
    let (world, other) = (with_tls(), with_tls());
    let ca = world.path().join("ca.pem");
    std::fs::write(&ca, other.server.ca_pem()).unwrap();
    let mut command = push(&world.shallow("w"), "v1", &[]);
    let said = failed(&run(command.env("SSL_CERT_FILE", &ca)), 1);
    assert!(said.contains("certificate") && said.contains("SSL_CERT_FILE"), "{said}");
    assert_eq!(world.server.requests().len(), 0, "nothing was said to it");
    let said = failed(&run(&mut push(&world.full("x"), "v1", &[])), 1);
    assert!(said.contains("certificate") && said.contains("SSL_CERT_FILE"), "{said}");
}

/// The content is stored elsewhere; editing the pointer would lose it.
#[test]
fn git_lfs_pointer_is_not_edited() {
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{:064}\nsize 12\n", 7);
    for named in [true, false] {
        let world = World::with(|server| server.basic_auth(USER, PASSWORD), &[(FILE, &pointer)]);
        let more: &[&str] = if named { &["--file", FILE] } else { &[] };
        let run = run(&mut push(&world.shallow("w"), "v1", more));
        let said = failed(&run, if named { 6 } else { 3 });
        assert!(said.contains("LFS") || run.output().contains("LFS"), "{}", run.output());
        assert_eq!((world.count(SEND), world.commits()), (0, BASE));
        assert_eq!(world.file(FILE), pointer.trim_end());
        // nor in the checkout
        let edit = cli::tagbump(&world.full("edit"), &[&["bump", "ghcr.io/acme/api:v1"], more].concat());
        assert_eq!(edit.exit, if named { 6 } else { 3 }, "{}", edit.output());
        assert!(edit.output().contains("LFS"), "{}", edit.output());
    }
}

#[test]
fn error_names_remedy_when_repository_format_is_unsupported() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["config", "core.repositoryFormatVersion", "1"]);
    git(&folder, &["config", "extensions.refStorage", "reftable"]);
    let said = failed(&run(&mut push(&folder, "v1", &[])), 1);
    assert!(said.contains("reftable") && said.contains("git refs migrate"), "{said}");
    git(world.path(), &["init", "--quiet", "--object-format=sha256", "long"]);
    let long = world.path().join("long");
    git(&long, &["remote", "add", "origin", &world.url()]);
    let said = failed(&run(&mut push(&long, "v1", &[])), 1);
    assert!(said.contains("SHA-256") && said.contains("SHA-1 clone"), "{said}");
    assert_eq!((world.server.requests().len(), world.commits()), (0, BASE));
}

/// The server's repository uses SHA-256, and the checkout doesn't: git itself wouldn't mix them either.
#[test]
fn run_fails_when_remote_has_another_object_format() {
    let world = World::new();
    let root = world.path().join("srv");
    git(&root, &["init", "--quiet", "--bare", "--object-format=sha256", "long.git"]);
    git(&root.join("long.git"), &["config", "http.receivepack", "true"]);
    git(world.path(), &["init", "--quiet", "--object-format=sha256", "long"]);
    let long = world.path().join("long");
    repo::commit(&long, FILE, &kustomization(&[API.into()]));
    git(&long, &["push", "--quiet", root.join("long.git").to_str().unwrap(), "HEAD:main"]);
    let url = world.server.url_with(USER, PASSWORD, "long.git");
    let run = run(&mut push(&world.clone_of(&world.url(), "w", &[]), "v1", &["--remote", &url, "-v"]));
    let said = failed(&run, 1);
    assert!(said.contains("object format 'sha256'"), "{said}");
    assert_eq!(world.server.requests().len(), 1, "it would be no other the next time");
}
