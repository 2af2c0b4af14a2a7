//! The user's next `git pull` works, after any run and in any checkout.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::git;
use crate::support::hub::{Hub, Via};
use crate::support::repo::{
    self, API, FILE, PASSWORD, USER, World, commit, ended, failed, kustomization, push,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shallow,
    Full,
    Detached,
    Linked,
    Sparse,
    Partial,
}

use Kind::{Detached, Full, Linked, Partial, Shallow, Sparse};

const KINDS: [Kind; 6] = [Shallow, Full, Detached, Linked, Sparse, Partial];

impl Kind {
    /// A checkout of main; a sparse one has only `docs`, which contains no image.
    fn checkout(self, world: &World, url: &str) -> PathBuf {
        git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
        let arguments: &[&str] = match self {
            Full => &[],
            Partial => &["--filter=blob:none"],
            _ => &["--depth", "1"],
        };
        let folder = world.clone_of(url, "w", arguments);
        match self {
            Detached => drop(git(&folder, &["checkout", "--quiet", "--detach"])),
            Sparse => drop(git(&folder, &["sparse-checkout", "set", "--cone", "docs"])),
            Linked => {
                git(&folder, &["checkout", "--quiet", "-b", "elsewhere"]);
                git(&folder, &["worktree", "add", "--quiet", "../linked", "main"]);
                return world.path().join("linked");
            }
            Shallow | Full | Partial => {}
        }
        folder
    }

    /// The flags that tell a run which branch to use.
    fn arguments(self) -> &'static [&'static str] {
        if self == Detached { &["--branch", "main"] } else { &[] }
    }

    fn push(self, folder: &Path, tag: &str, more: &[&str]) -> Command {
        push(folder, tag, &[self.arguments(), more].concat())
    }

    /// As people type it. A detached `HEAD` has no upstream.
    fn pull(self, folder: &Path, more: &[&str]) {
        let from: &[&str] = if self == Detached { &["origin", "main"] } else { &[] };
        git(folder, &[&["pull", "--quiet"], more, from].concat());
    }
}

const FILES: [(&str, &str); 1] = [("docs/a.md", "a\n")];

fn world() -> World {
    let text = kustomization(&[API.into()]);
    World::with(|server| server.basic_auth(USER, PASSWORD), &[&[(FILE, &*text)][..], &FILES].concat())
}

/// After a run in each kind of checkout, and another person's commit, a pull brings the checkout to the tip.
fn each_kind(run: impl Fn(Kind, &World, &Path)) {
    for kind in KINDS {
        eprintln!("{kind:?}");
        let world = world();
        let folder = kind.checkout(&world, &world.url());
        run(kind, &world, &folder);
        the_next_pull_works(kind, &world, &folder);
    }
}

#[track_caller]
fn the_next_pull_works(kind: Kind, world: &World, folder: &Path) {
    // with nothing to land, with something to land, and again
    kind.pull(folder, &[]);
    for text in ["later\n", "later still\n"] {
        let later = world.rival("later.txt", text);
        kind.pull(folder, &[]);
        assert_eq!(git(folder, &["rev-parse", "HEAD"]), later, "{kind:?}");
        assert_eq!(git(folder, &["status", "--porcelain"]), "", "{kind:?}");
        assert_eq!(git(folder, &["show", "HEAD:later.txt"]), text.trim_end(), "{kind:?}");
    }
    is_sound(kind, folder);
}

#[track_caller]
fn is_sound(kind: Kind, folder: &Path) {
    git(folder, &["fsck", "--strict", "--no-dangling"]);
    let shared = folder.join(git(folder, &["rev-parse", "--git-common-dir"]));
    let deep = matches!(kind, Full | Partial);
    assert_eq!(shared.join("shallow").exists(), !deep, "{kind:?} stays what it is");
    assert_eq!(folder.join(FILE).exists(), kind != Sparse, "{kind:?} stays what it is");
}

#[test]
fn pull_works_after_landing() {
    each_kind(|kind, world, folder| {
        world.rival("README.md", "newer\n");
        ended(&repo::run(&mut kind.push(folder, "v1", &[])), 0, "landed");
    });
}

#[test]
fn pull_works_after_landing_without_sync() {
    each_kind(|kind, world, folder| {
        world.rival("README.md", "newer\n");
        ended(&repo::run(&mut kind.push(folder, "v1", &["--no-sync"])), 0, "landed");
    });
}

#[test]
fn pull_works_after_run_that_was_up_to_date() {
    each_kind(|kind, world, folder| {
        world.rival("README.md", "newer\n");
        ended(&repo::run(&mut kind.push(folder, "v0", &[])), 0, "already");
    });
}

#[test]
fn pull_works_after_superseded_run() {
    each_kind(|kind, world, folder| {
        let sources = world.full("sources");
        git(&sources, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
        let builds = ["one", "two"].map(|text| commit(&sources, "src/main.rs", text));
        git(&sources, &["push", "--quiet", "origin", "HEAD:main"]);
        let newer = push(&sources, &builds[1][..7], &["--no-sync", "--source", &builds[1]]);
        ended(&repo::run(&mut { newer }), 0, "landed");
        let late = ["--if-older", "skip", "--source", &builds[0]];
        ended(&repo::run(&mut kind.push(folder, &builds[0][..7], &late)), 0, "superseded");
    });
}

#[test]
fn pull_works_after_lost_race() {
    each_kind(|kind, world, folder| {
        let bare = world.bare.clone();
        world.server.before_receive(move || drop(repo::rival(&bare, "README.md", "theirs\n")));
        let told = ended(&repo::run(&mut kind.push(folder, "v1", &[])), 0, "landed");
        assert_eq!(told["attempts"], 2, "{kind:?}");
    });
}

#[test]
fn pull_works_after_carried_commits() {
    each_kind(|kind, world, folder| {
        let base = git(folder, &["rev-parse", "HEAD"]);
        commit(folder, "docs/own.md", "own\n");
        world.rival("README.md", "newer\n");
        let mut command = kind.push(folder, "v1", &["--carry"]);
        repo::actions(&mut command, "acme/gitops", &base);
        let run = repo::run(&mut command);
        if kind == Partial {
            assert!(failed(&run, 2).contains("--filter"), "{}", run.output());
            git(folder, &["reset", "--quiet", "--hard", "HEAD^"]);
            return;
        }
        ended(&run, 0, "landed");
        assert_eq!(world.file("docs/own.md"), "own", "{kind:?}");
        if kind == Detached {
            // the checkout keeps its own commit, which is on the branch as a different one
            git(folder, &["pull", "--quiet", "--rebase", "origin", "main"]);
            assert_eq!(git(folder, &["rev-parse", "HEAD"]), world.tip());
        }
    });
}

/// The commit isn't on the remote: git can only rebase it onto other people's commits.
#[test]
fn pull_rebases_local_commit() {
    for kind in KINDS {
        eprintln!("{kind:?}");
        let world = world();
        let folder = kind.checkout(&world, &world.url());
        if kind == Sparse {
            git(&folder, &["sparse-checkout", "set", "--cone", "k8s"]);
        }
        let mut command = crate::support::cli::command(&folder);
        command.args(["bump", &format!("{API}:v1"), "--commit", "--format", "json"]);
        let told = ended(&repo::run(&mut command), 0, "committed");
        kind.pull(&folder, &[]);
        assert_eq!(told["commit"], git(&folder, &["rev-parse", "HEAD"]).as_str(), "{kind:?}");
        let later = world.rival("README.md", "later\n");
        kind.pull(&folder, &["--rebase"]);
        assert_eq!(git(&folder, &["rev-parse", "HEAD^"]), later, "{kind:?}");
        assert_eq!(git(&folder, &["status", "--porcelain"]), "", "{kind:?}");
        assert!(git(&folder, &["show", &format!("HEAD:{FILE}")]).contains("newTag: v1 "), "{kind:?}");
        git(&folder, &["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn pull_works_after_declined_push() {
    each_kind(|kind, world, folder| {
        world.rival("README.md", "newer\n");
        world.hook("pre-receive", "exit 1");
        failed(&repo::run(&mut kind.push(folder, "v1", &[])), 5);
        std::fs::remove_file(world.bare.join("hooks/pre-receive")).unwrap();
    });
}

#[test]
fn pull_works_after_timeout() {
    use crate::support::git_server::{Fault, On, Service};
    each_kind(|kind, world, folder| {
        world.rival("README.md", "newer\n");
        world.server.fault(On::Post(Service::ReceivePack), Fault::Hang);
        failed(&repo::run(&mut kind.push(folder, "v1", &["--timeout", "1s"])), 4);
    });
}

#[test]
fn pull_works_after_pull_request() {
    for kind in KINDS {
        eprintln!("{kind:?}");
        let text = kustomization(&[API.into()]);
        let hub = Hub::with(Via::Git, &[&[(FILE, &*text)][..], &FILES].concat());
        let folder = kind.checkout(&hub.world, &hub.github.git_url());
        hub.world.rival("README.md", "newer\n");
        let image = format!("{API}:v1");
        let run = repo::run(&mut hub.command_in(&folder, &[&image], kind.arguments()));
        ended(&run, 0, "proposed");
        // the fake asks for a token that git doesn't have
        git(&folder, &["remote", "set-url", "origin", &format!("file://{}", hub.world.bare.display())]);
        the_next_pull_works(kind, &hub.world, &folder);
    }
}
