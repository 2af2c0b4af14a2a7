//! A checkout that is a submodule: its URL comes from `.gitmodules`, which everyone who can push to the
//! superproject can change. Another port on loopback stands for another host.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::support::bare::bare_repo;
use crate::support::cli::tagbump;
use crate::support::git::git;
use crate::support::git_server::GitServer;
use crate::support::github::GitHub;
use crate::support::repo::{self, API, FILE, REPO, World, ended, failed, kustomization, push, run};
use base64::prelude::{BASE64_STANDARD, Engine as _};

const TOKEN: &str = "s3cret-own-token";

/// The URL of a checkout with a submodule on another server, and that other server.
struct Nested {
    outer: World,
    inner: World,
}

impl Nested {
    fn new() -> Self {
        let files = [(FILE, &*kustomization(&[API.into()]))];
        Nested { outer: World::with(|server| server, &files), inner: World::with(|server| server, &files) }
    }

    /// A clone of the outer repository whose submodule `gitops` has this URL.
    fn with_submodule(&self, url: &str) -> PathBuf {
        let folder = self.outer.clone_of(&self.outer.server.url(REPO), "w", &[]);
        add_submodule(&folder, url);
        folder
    }
}

fn add_submodule(folder: &Path, url: &str) {
    git(folder, &["submodule", "--quiet", "add", url, "gitops"]);
    git(folder, &["commit", "--quiet", "--message", "a submodule"]);
    let submodule = folder.join("gitops");
    git(&submodule, &["config", "user.name", "Ada"]);
    git(&submodule, &["config", "user.email", "ada@example.com"]);
}

fn got_token(world: &World) -> bool {
    was_sent_token(&world.server)
}

/// Whether the token was ever sent to a server.
fn was_sent_token(server: &GitServer) -> bool {
    let encoded = BASE64_STANDARD.encode(format!("x-access-token:{TOKEN}"));
    let requests = server.requests();
    assert!(!requests.is_empty(), "it was asked at all");
    let holds = |value: &String| value.contains(&encoded) || value.contains(TOKEN);
    requests.iter().any(|request| request.authorization.as_ref().is_some_and(holds))
}

/// Lands in a folder with the token, and returns the warnings.
#[track_caller]
fn land(folder: &Path, tag: &str, more: &[&str]) -> String {
    let run = run(push(folder, tag, more).env("TAGBUMP_TOKEN", TOKEN));
    assert!(!run.output().contains(TOKEN), "{}", run.output());
    ended(&run, 0, "landed")["warnings"].to_string()
}

#[test]
fn token_is_not_sent_to_host_from_gitmodules() {
    let nested = Nested::new();
    let folder = nested.with_submodule(&nested.inner.server.url(REPO));
    let host = nested.inner.server_address();
    for (nth, (cwd, root)) in [(folder.join("gitops"), "."), (folder.clone(), "gitops")].iter().enumerate() {
        let warnings = land(cwd, &format!("v{}", nth + 1), &["-C", root]);
        for word in ["TAGBUMP_TOKEN was not sent", &host, ".gitmodules", "--remote"] {
            assert!(warnings.contains(word), "{word}: {warnings}");
        }
    }
    assert!(!got_token(&nested.inner));
}

#[test]
fn refused_landing_says_that_token_was_withheld() {
    let outer = World::new();
    let inner = World::new();
    let folder = outer.clone_of(&outer.server.url(REPO), "w", &[]);
    add_submodule(&folder, &inner.url());
    let submodule = folder.join("gitops");
    git(&submodule, &["remote", "set-url", "origin", &inner.server.url(REPO)]);
    let said = failed(&run(push(&submodule, "v1", &[]).env("TAGBUMP_TOKEN", TOKEN)), 5);
    assert!(said.contains("TAGBUMP_TOKEN was not sent") && said.contains("--remote"), "{said}");
    let mut history = crate::support::cli::command(&submodule);
    history.args(["history", API, "--fetch"]).env("TAGBUMP_TOKEN", TOKEN);
    let said = run(&mut history);
    assert!(said.exit == 5 && said.stderr.contains("TAGBUMP_TOKEN was not sent"), "{}", said.output());
    assert!(!got_token(&inner));
}

#[test]
fn token_is_sent_to_host_of_superproject() {
    let nested = Nested::new();
    let second = bare_repo(&nested.outer.path().join("srv"), "acme/second.git");
    git(&nested.outer.bare, &["push", "--quiet", second.to_str().unwrap(), "main"]);
    // absolute, and relative to the superproject's URL
    for (nth, url) in
        [nested.outer.server.url("acme/second.git"), "../second.git".to_owned()].iter().enumerate()
    {
        let folder = nested.outer.clone_of(&nested.outer.server.url(REPO), &format!("w{nth}"), &[]);
        add_submodule(&folder, url);
        assert_eq!(land(&folder.join("gitops"), &format!("v{}", nth + 1), &[]), "[]", "{url}");
        assert!(got_token(&nested.outer), "{url}");
    }
}

/// The user typed the URL, so the user knows the host.
#[test]
fn token_is_sent_to_a_typed_url() {
    let nested = Nested::new();
    let url = nested.inner.server.url(REPO);
    let folder = nested.with_submodule(&url);
    assert_eq!(land(&folder.join("gitops"), "v1", &["--remote", &url]), "[]");
    assert!(got_token(&nested.inner));
}

/// A clone inside another clone's work tree, as a second actions/checkout makes it, has its own URL.
#[test]
fn token_is_sent_from_a_clone_inside_of_another_checkout() {
    let nested = Nested::new();
    let folder = nested.outer.clone_of(&nested.outer.server.url(REPO), "w", &[]);
    let clone = nested.inner.clone_of(&nested.inner.server.url(REPO), "clone", &[]);
    std::fs::rename(&clone, folder.join("gitops")).unwrap();
    assert_eq!(land(&folder.join("gitops"), "v1", &[]), "[]");
    assert!(got_token(&nested.inner));
}

/// The middle repository's host comes from `.gitmodules` too: only the outermost one's is the user's own choice.
#[test]
fn token_is_not_sent_to_host_of_intermediate_submodule() {
    let nested = Nested::new();
    let second = bare_repo(&nested.inner.path().join("srv"), "acme/second.git");
    git(&nested.inner.bare, &["push", "--quiet", second.to_str().unwrap(), "main"]);
    let folder = nested.with_submodule(&nested.inner.server.url(REPO));
    let middle = folder.join("gitops");
    add_submodule(&middle, &nested.inner.server.url("acme/second.git"));
    let warnings = land(&middle.join("gitops"), "v1", &[]);
    assert!(warnings.contains("TAGBUMP_TOKEN was not sent"), "{warnings}");
    assert!(!got_token(&nested.inner));
}

/// Other layouts of a submodule in its superproject.
#[test]
fn token_is_not_sent_whatever_the_layout_of_the_submodule() {
    for layout in ["stale", "own .git folder", "worktree of the superproject", "worktree of the submodule"] {
        let nested = Nested::new();
        let url = nested.inner.server.url(REPO);
        let folder = nested.with_submodule(&url);
        let mut submodule = folder.join("gitops");
        match layout {
            // the superproject has moved on to a commit without it; git leaves the folder behind
            "stale" => drop(git(&folder, &["rm", "--quiet", "--cached", "gitops"])),
            "own .git folder" => {
                std::fs::remove_file(submodule.join(".git")).unwrap();
                std::fs::rename(folder.join(".git/modules/gitops"), submodule.join(".git")).unwrap();
                git(&folder, &["config", "--file", "gitops/.git/config", "--unset", "core.worktree"]);
            }
            "worktree of the superproject" => {
                let linked = nested.outer.path().join("linked");
                git(&folder, &["worktree", "add", "--quiet", linked.to_str().unwrap()]);
                git(&linked, &["submodule", "--quiet", "update", "--init"]);
                submodule = linked.join("gitops");
                git(&submodule, &["checkout", "--quiet", "main"]);
                git(&submodule, &["config", "user.name", "Ada"]);
                git(&submodule, &["config", "user.email", "ada@example.com"]);
            }
            _ => {
                let linked = nested.inner.path().join("linked");
                git(&submodule, &["worktree", "add", "--quiet", "-b", "x", linked.to_str().unwrap()]);
                submodule = linked;
            }
        }
        let warnings = land(&submodule, "v1", &["--branch", "main"]);
        assert!(warnings.contains("TAGBUMP_TOKEN was not sent"), "{layout}: {warnings}");
        assert!(!got_token(&nested.inner), "{layout}");
    }
}

/// The superproject may have no remote with that name, or one without a host.
#[test]
fn token_is_not_sent_when_superproject_has_no_host() {
    for superproject in ["none", "a path"] {
        let nested = Nested::new();
        let folder = nested.with_submodule(&nested.inner.server.url(REPO));
        match superproject {
            "none" => git(&folder, &["remote", "remove", "origin"]),
            _ => git(&folder, &["remote", "set-url", "origin", nested.outer.bare.to_str().unwrap()]),
        };
        let warnings = land(&folder.join("gitops"), "v1", &[]);
        assert!(warnings.contains("TAGBUMP_TOKEN was not sent"), "{superproject}: {warnings}");
        assert!(!got_token(&nested.inner), "{superproject}");
    }
}

/// Without a token there is nothing to withhold, so there is no warning.
#[test]
fn submodule_without_token_lands_without_warning() {
    let nested = Nested::new();
    let folder = nested.with_submodule(&nested.inner.server.url(REPO));
    let told = ended(&repo::run(&mut push(&folder.join("gitops"), "v1", &[])), 0, "landed");
    assert_eq!(told["warnings"], serde_json::json!([]));
}

/// The order of another repository's builds comes from the host's API, with the same token.
#[test]
fn token_is_not_sent_to_the_api_of_a_host_from_gitmodules() {
    let nested = Nested::new();
    let github = GitHub::start(&nested.inner.bare);
    let folder = nested.with_submodule(&nested.inner.server.url(REPO));
    let submodule = folder.join("gitops");
    git(&submodule, &["remote", "set-url", "origin", &github.git_url()]);
    for (tag, source) in [("v1", "1"), ("v2", "2")] {
        let source = format!("acme/app@{}", source.repeat(40));
        let mut command = push(&submodule, tag, &["--source", &source]);
        github.env(&mut command).env("TAGBUMP_TOKEN", TOKEN);
        ended(&run(&mut command), 0, "landed");
    }
    assert!(!was_sent_token(&github.git));
}

/// A repository whose manifests are all in submodules: `gitops` and `env/prod`.
fn superproject() -> (World, World, PathBuf) {
    let inner = World::with(|server| server, &[(FILE, &kustomization(&[API.into()]))]);
    let outer = World::with(|server| server, &[("src/main.c", "\n")]);
    let folder = outer.clone_of(&outer.server.url(REPO), "w", &[]);
    add_submodule(&folder, &inner.server.url(REPO));
    git(&folder, &["submodule", "--quiet", "add", &inner.server.url(REPO), "env/prod"]);
    git(&folder, &["commit", "--quiet", "--message", "another submodule"]);
    git(&folder, &["push", "--quiet", outer.bare.to_str().unwrap(), "HEAD:main"]);
    (outer, inner, folder)
}

#[test]
fn error_names_submodules_that_have_the_manifests() {
    let (outer, _inner, folder) = superproject();
    let empty = outer.clone_of(&outer.server.url(REPO), "empty", &[]);
    for folder in [&folder, &empty] {
        for way in [&[][..], &["--commit"], &["--push"]] {
            for files in [&[][..], &["-f", "gitops"], &["-f", "gitops/**"]] {
                let arguments = [&["bump", "ghcr.io/acme/api:v1", "--format", "json"], way, files].concat();
                let failure = failed(&run(crate::support::cli::command(folder).args(arguments)), 3);
                assert!(
                    failure.contains("gitops is a submodule: run with -C gitops"),
                    "{way:?} {files:?}: {failure}"
                );
                if files.is_empty() {
                    assert!(
                        failure.contains("env/prod is a submodule: run with -C env/prod"),
                        "{way:?}: {failure}"
                    );
                }
            }
        }
    }
}

#[test]
fn scan_and_init_name_submodules_that_were_not_searched() {
    let (outer, _inner, folder) = superproject();
    let empty = outer.clone_of(&outer.server.url(REPO), "empty", &[]);
    let warning = "gitops is a submodule, and was not searched";
    for folder in [&folder, &empty] {
        for arguments in [&["scan"][..], &["scan", "-f", "gitops/**"]] {
            let run = tagbump(folder, &[arguments, &["--format", "json"]].concat());
            assert_eq!(run.exit, 0, "{}", run.output());
            assert!(repo::json(&run)["warnings"].to_string().contains(warning), "{}", run.output());
        }
        let run = tagbump(folder, &["init"]);
        assert_eq!(run.exit, 3, "{}", run.output());
        assert!(run.stderr.contains(warning), "{}", run.stderr);
        assert!(run.stderr.contains("gitops is a submodule: run with -C gitops"), "{}", run.stderr);
    }
}

#[test]
fn error_names_submodule_that_a_named_file_is_in() {
    let (outer, _inner, folder) = superproject();
    let empty = outer.clone_of(&outer.server.url(REPO), "empty", &[]);
    let file = format!("gitops/{FILE}");
    for (folder, way) in
        [(&folder, Some("--commit")), (&folder, Some("--push")), (&empty, Some("--push")), (&empty, None)]
    {
        let mut command = crate::support::cli::command(folder);
        command.args(["bump", "ghcr.io/acme/api:v1", "--format", "json", "-f", &file]).args(way);
        let failure = failed(&run(&mut command), 3);
        assert!(failure.contains("gitops is a submodule"), "{way:?}: {failure}");
        assert!(failure.contains("run with -C gitops"), "{way:?}: {failure}");
    }
}

#[test]
fn error_says_how_to_fill_a_submodule_that_is_the_root() {
    let (outer, _inner, _) = superproject();
    let empty = outer.clone_of(&outer.server.url(REPO), "empty", &[]);
    for way in [None, Some("--push")] {
        let mut command = crate::support::cli::command(&empty);
        command.args(["bump", "ghcr.io/acme/api:v1", "--format", "json", "-C", "gitops"]).args(way);
        let failure = failed(&run(&mut command), 3);
        assert!(failure.contains("git submodule update --init"), "{way:?}: {failure}");
    }
}
