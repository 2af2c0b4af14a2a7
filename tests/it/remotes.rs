//! Which remote and branch a bump lands on, and how many requests that takes.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::bare::bare_repo;
use crate::support::git::git;
use crate::support::repo::{self, FILE, PASSWORD, REPO, USER, World, ended, failed, push};

fn tip(bare: &Path) -> String {
    git(bare, &["rev-parse", "main"])
}

/// Another repository with the same history, written without the server.
fn second(world: &World, name: &str) -> std::path::PathBuf {
    let bare = bare_repo(&world.path().join("srv"), name);
    git(&world.bare, &["push", "--quiet", bare.to_str().unwrap(), "main"]);
    bare
}

/// The requests of one landing with credentials in the URL, including refused ones.
#[track_caller]
fn costs(world: &World, requests: usize, connections: usize) {
    let seen = world.server.requests();
    let told: Vec<_> =
        seen.iter().map(|r| format!("{} {}?{} {:?}", r.method, r.path, r.query, r.status)).collect();
    assert!(seen.len() <= requests, "{told:#?}");
    let used: BTreeSet<_> = seen.iter().map(|r| r.connection).collect();
    assert_eq!(used.len(), connections, "{told:#?}");
    assert!(seen.iter().all(|r| r.authorization_count <= 1), "{told:#?}");
}

#[test]
fn landing_takes_four_requests_and_two_connections() {
    let world = World::new();
    let folder = world.shallow("w");
    world.rival("README.md", "newer\n");
    ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    costs(&world, 4, 2);
}

/// Progress would come in hundreds of packets with a few objects, and tagbump doesn't show it.
#[cfg(unix)]
#[test]
fn server_is_asked_not_to_send_its_progress() {
    let world = World::new();
    let [hook, log, home] = ["hook", "packed", "srv"].map(|name| world.path().join(name));
    repo::script_at(&hook, &format!("echo \"$*\" >> '{}'\nexec \"$@\"", log.display()));
    repo::write(&home, ".gitconfig", &format!("[uploadpack]\n\tpackObjectsHook = {}\n", hook.display()));
    for (name, url) in [("http", world.url()), ("local", world.bare.display().to_string())] {
        let folder = world.clone_of(&url, name, &[]);
        world.rival("README.md", name);
        ended(&repo::run(push(&folder, name, &[]).env("HOME", &home)), 0, "landed");
        let packed = std::fs::read_to_string(&log).unwrap();
        assert!(packed.contains("pack-objects") && !packed.contains("--progress"), "{name}: {packed}");
        std::fs::remove_file(&log).unwrap();
    }
}

#[test]
fn nothing_is_fetched_when_nothing_is_new() {
    let world = World::new();
    let folder = world.shallow("w");
    ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    costs(&world, 3, 1);
}

#[test]
fn one_request_is_enough_when_tag_is_up_to_date() {
    let world = World::new();
    let folder = world.shallow("w");
    ended(&repo::run(&mut push(&folder, "v0", &[])), 0, "already");
    costs(&world, 1, 1);
}

/// git reads the format of a repository only from its own configuration.
#[test]
fn landing_takes_no_format_from_the_users_configuration() {
    let world = World::new();
    let (folder, home) = (world.shallow("w"), world.path().join("home"));
    let text = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n";
    repo::write(&home, ".gitconfig", text);
    let mut command = push(&folder, "v1", &[]);
    command.env("HOME", &home).env_remove("GIT_CONFIG_GLOBAL");
    ended(&repo::run(&mut command), 0, "landed");
}

#[test]
fn commit_by_api_asks_server_for_nothing_when_it_is_not_github() {
    let world = World::new();
    let folder = world.shallow("w");
    failed(&repo::run(&mut push(&folder, "v1", &["--via", "api", "--forge", "gitea"])), 2);
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn run_fails_when_remote_is_unknown() {
    let world = World::new();
    let folder = world.shallow("w");
    let told = failed(&repo::run(&mut push(&folder, "v1", &["--remote", "upstream"])), 2);
    git(&folder, &["config", "remote.push-only.pushurl", &world.url()]);
    let message = failed(&repo::run(&mut push(&folder, "v1", &["--remote", "push-only"])), 2);
    assert!(
        message.contains("push-only has no URL") && message.contains("remote.push-only.url"),
        "{message}"
    );
    git(&folder, &["config", "--remove-section", "remote.push-only"]);
    assert!(told.contains("upstream") && told.contains("name another with --remote origin"), "{told}");
    git(&folder, &["remote", "remove", "origin"]);
    let told = failed(&repo::run(&mut push(&folder, "v1", &[])), 2);
    assert!(told.contains("origin") && told.contains("git remote add origin"), "{told}");
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn bump_lands_on_remote_with_another_name() {
    let world = World::new();
    let (before, folder) = (world.tip(), world.shallow("w"));
    let other = second(&world, "other.git");
    git(&folder, &["remote", "add", "upstream", &world.server.url_with(USER, PASSWORD, "other.git")]);
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--remote", "upstream"])), 0, "landed");
    assert_eq!(told["commit"], tip(&other).as_str());
    assert_eq!(world.tip(), before, "origin did not move");
    assert_eq!(git(&folder, &["rev-parse", "origin/main"]), before, "nor what is known of it");
}

#[test]
fn missing_branch_is_not_created() {
    let world = World::new();
    let folder = world.shallow("w");
    let told = failed(&repo::run(&mut push(&folder, "v1", &["--branch", "nope"])), 2);
    assert!(told.contains("nope") && told.contains("--branch"), "{told}");
    git(&folder, &["checkout", "--quiet", "-b", "local-only"]);
    let told = failed(&repo::run(&mut push(&folder, "v1", &[])), 2);
    assert!(told.contains("local-only"), "{told}");
    assert_eq!(git(&world.bare, &["branch", "--format=%(refname:short)"]), "main");
}

/// The name means a branch, whatever else has that name.
#[test]
fn branch_is_found_by_full_name_and_beside_tag() {
    let world = World::new();
    git(&world.bare, &["branch", "release/1.0", "main"]);
    git(&world.bare, &["tag", "release/1.0", "main~1"]);
    let folder = world.shallow("w");
    let told =
        ended(&repo::run(&mut push(&folder, "v1", &["--branch", "refs/heads/release/1.0"])), 0, "landed");
    assert_eq!(told["branch"], "release/1.0");
    assert_eq!(told["commit"], git(&world.bare, &["rev-parse", "refs/heads/release/1.0"]).as_str());
    assert_eq!(
        git(&world.bare, &["rev-parse", "refs/tags/release/1.0"]),
        git(&world.bare, &["rev-parse", "main~1"])
    );
}

#[test]
fn run_fails_when_repository_is_empty() {
    let world = World::new();
    bare_repo(&world.path().join("srv"), "empty.git");
    let folder = world.shallow("w");
    git(&folder, &["remote", "set-url", "origin", &world.server.url_with(USER, PASSWORD, "empty.git")]);
    let told = failed(&repo::run(&mut push(&folder, "v1", &[])), 2);
    assert!(told.contains("main"), "{told}");
}

#[test]
fn instead_of_rewrites_url() {
    let world = World::new();
    let folder = world.shallow("w");
    let base = world.server.url_with(USER, PASSWORD, "");
    git(&folder, &["remote", "set-url", "origin", "http://127.0.0.1:1/acme/gitops.git"]);
    git(&folder, &["config", &format!("url.{base}.insteadOf"), "http://127.0.0.1:1/"]);
    let told = ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(told["commit"], world.tip().as_str());
}

/// The longest prefix wins, and a prefix for pushes doesn't apply to fetches.
#[test]
fn push_instead_of_rewrites_only_push_url() {
    let world = World::new();
    let folder = world.shallow("w");
    let other = second(&world, "acme/mirror.git");
    let base = world.server.url_with(USER, PASSWORD, "acme/");
    git(&folder, &["config", &format!("url.{base}mirror.pushInsteadOf"), &format!("{base}gitops")]);
    assert_eq!(
        git(&folder, &["remote", "get-url", "--push", "origin"]),
        world.server.url_with(USER, PASSWORD, "acme/mirror.git"),
        "what git makes of it"
    );
    let before = world.tip();
    let told = ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(told["commit"], tip(&other).as_str());
    assert_eq!(world.tip(), before);
}

/// git rewrites URLs that are typed, too.
#[test]
fn typed_url_is_rewritten() {
    let world = World::new();
    let folder = world.shallow("w");
    let other = second(&world, "acme/mirror.git");
    let base = world.server.url_with(USER, PASSWORD, "acme/");
    let typed = "https://gitops.invalid/gitops.git";
    let to_server = (format!("url.{base}.insteadOf"), "https://gitops.invalid/");
    let to_mirror = (format!("url.{base}mirror.pushInsteadOf"), "https://gitops.invalid/gitops");
    let set = |(key, value): &(String, &str)| git(&folder, &["config", key, value]);
    set(&to_server);
    assert_eq!(git(&folder, &["ls-remote", typed, "main"]), format!("{}\trefs/heads/main", world.tip()));
    let report = ended(&repo::run(&mut push(&folder, "v1", &["--remote", typed])), 0, "landed");
    assert_eq!(report["commit"], world.tip().as_str());
    // with a checkout, and without one
    set(&to_mirror);
    git(&folder, &["push", "--quiet", "--force", typed, &format!("{}:refs/heads/main", world.tip())]);
    assert_eq!(tip(&other), world.tip(), "what git makes of it");
    let before = world.tip();
    let report = ended(&repo::run(&mut push(&folder, "v2", &["--remote", typed])), 0, "landed");
    assert_eq!(report["commit"], tip(&other).as_str());
    git(&other, &["update-ref", "refs/heads/main", &before]);
    let mut of_url = push(&folder, "v3", &["-C", typed, "--author", "Ada <ada@example.com>"]);
    for (nth, (key, value)) in [to_server, to_mirror].iter().enumerate() {
        of_url.env(format!("GIT_CONFIG_KEY_{nth}"), key).env(format!("GIT_CONFIG_VALUE_{nth}"), value);
    }
    let report = ended(&repo::run(of_url.env("GIT_CONFIG_COUNT", "2")), 0, "landed");
    assert_eq!(report["commit"], tip(&other).as_str());
    assert_eq!(world.tip(), before);
}

#[test]
fn push_goes_to_push_url() {
    let world = World::new();
    let folder = world.shallow("w");
    let other = second(&world, "acme/mirror.git");
    let url = world.server.url_with(USER, PASSWORD, "acme/mirror.git");
    git(&folder, &["remote", "set-url", "--push", "origin", &url]);
    let before = world.tip();
    let told = ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(told["commit"], tip(&other).as_str());
    assert_eq!(world.tip(), before);
}

#[test]
fn remote_may_be_url_or_path() {
    let world = World::new();
    let folder = world.shallow("w");
    let url = world.url();
    let path = world.bare.to_str().unwrap().to_owned();
    let file = format!("file://{path}");
    git(&folder, &["remote", "remove", "origin"]);
    for (n, remote) in [url.as_str(), &path, &file, "../srv/acme/gitops.git"].iter().enumerate() {
        let run = repo::run(&mut push(&folder, &format!("v{n}.1"), &["--remote", remote]));
        let told = ended(&run, 0, "landed");
        assert_eq!(told["commit"], world.tip().as_str());
        assert!(world.file(FILE).contains(&format!("newTag: v{n}.1 ")));
        assert!(!run.output().contains(PASSWORD), "{}", run.output());
    }
}

#[test]
fn remote_helpers_are_refused() {
    let world = World::new();
    let folder = world.shallow("w");
    let marker = world.path().join("ran");
    let helper = format!("ext::sh -c touch% {}", marker.display());
    for url in [helper.as_str(), "foo::https://h/x", "-x", "ssh://-oProxyCommand=x/y", "ftp://h/x"] {
        git(&folder, &["config", "remote.origin.url", url]);
        let told = failed(&repo::run(&mut push(&folder, "v1", &[])), 2);
        assert!(told.contains("remote"), "{url}: {told}");
    }
    assert!(!marker.exists());
    assert!(world.url().ends_with(REPO));
}

/// A remote with a work tree, which is on another branch or on this one.
#[test]
fn bump_lands_on_remote_with_another_branch_checked_out() {
    let world = World::new();
    let (remote, folder) = (world.full("remote"), world.shallow("w"));
    let path = remote.to_str().unwrap();
    let told = failed(&repo::run(&mut push(&folder, "v1", &["--remote", path])), 5);
    assert!(told.contains("checked out"), "{told}");
    git(&remote, &["checkout", "--quiet", "-b", "other"]);
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--remote", path])), 0, "landed");
    assert_eq!(told["commit"], git(&remote, &["rev-parse", "main"]).as_str());
    assert_eq!(git(&remote, &["status", "--porcelain"]), "");
}

/// Paths with every character that has a meaning in shells, git's own files and URLs.
#[test]
fn bump_lands_in_repositories_with_odd_paths() {
    let world = World::new();
    let odd = world.path().join("# it's \"odd\" $HOME;:%41 \u{fc}");
    std::fs::create_dir(&odd).unwrap();
    git(&odd, &["clone", "--quiet", "--bare", world.bare.to_str().unwrap(), "re mote.git"]);
    let bare = odd.join("re mote.git");
    let source = format!("file://{}", world.bare.display());
    git(&odd, &["clone", "--quiet", "--depth", "1", &source, "work tree"]);
    let folder = odd.join("work tree");
    git(&folder, &["config", "user.name", "Ada"]);
    git(&folder, &["config", "user.email", "ada@example.com"]);
    git(&folder, &["remote", "set-url", "origin", bare.to_str().unwrap()]);
    repo::rival(&bare, "README.md", "newer\n");
    let told = ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(told["commit"], tip(&bare).as_str());
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), tip(&bare), "and it is fast-forwarded");
    git(&folder, &["fsck", "--strict", "--no-dangling"]);
}

/// git pushes to every URL of a remote that has several; landing on only one would make them diverge.
#[test]
fn bump_is_refused_when_remote_has_two_push_urls() {
    let world = World::new();
    let folder = world.shallow("w");
    let other = second(&world, "acme/mirror.git");
    git(&folder, &["remote", "set-url", "--push", "origin", &world.url()]);
    let url = world.server.url_with(USER, PASSWORD, "acme/mirror.git");
    git(&folder, &["remote", "set-url", "--add", "--push", "origin", &url]);
    let before = (world.tip(), tip(&other));
    let run = repo::run(&mut push(&folder, "v1", &[]));
    assert_eq!(run.exit, 2, "{}", run.output());
    assert_eq!((world.tip(), tip(&other)), before, "nothing was pushed to either");
}

#[test]
fn details_are_folded_in_runner_log() {
    let world = World::new();
    let (folder, sha) = (world.shallow("w"), world.tip());
    let run = repo::run(repo::actions(&mut push(&folder, "v1", &["-v"]), "acme/gitops", &sha));
    ended(&run, 0, "landed");
    let from = run.stderr.find("::group::details\n").unwrap();
    let to = run.stderr.find("::endgroup::\n").unwrap();
    assert!(run.stderr[from..to].contains("detail: credential: "), "{}", run.output());
    let run = repo::run(&mut push(&folder, "v2", &["-v"]));
    assert!(run.stderr.contains("detail: ") && !run.stderr.contains("::group::"), "{}", run.output());
}
