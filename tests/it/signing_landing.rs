//! Landed commits are signed, all of them, on every try. These tests need the feature `signing-tests`, as `signing` does.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::support::git::{git, is_signed};
use crate::support::hub::{HEAD, Hub, Via};
use crate::support::keys::{GpgHome, SshKeys};
use crate::support::repo::{self, World, commit, ended, failed, push, rival};

/// A checkout that signs with an SSH key of this type.
fn signs(keys: &SshKeys, kind: &str, folder: PathBuf) -> PathBuf {
    git(&folder, &["config", "gpg.format", "ssh"]);
    git(&folder, &["config", "user.signingkey", keys.make(kind, "").to_str().unwrap()]);
    folder
}

#[test]
fn pushed_commit_is_signed() {
    let (world, keys) = (World::new(), SshKeys::new());
    let folder = signs(&keys, "ed25519", world.shallow("w"));
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--sign"])), 0, "landed");
    assert_eq!((&told["commit"], &told["attempts"]), (&world.tip().into(), &1.into()));
    assert_eq!(told["warnings"], serde_json::json!([]));
    keys.verify(&world.bare, "main");
    git(&world.bare, &["fsck", "--strict"]);
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip(), "the checkout sees it");
}

#[test]
fn signing_follows_git_configuration_without_flag() {
    let (world, keys) = (World::new(), SshKeys::new());
    let folder = signs(&keys, "ed25519", world.shallow("w"));
    ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert!(!is_signed(&world.bare, "main"));
    git(&folder, &["config", "commit.gpgsign", "true"]);
    let told = ended(&repo::run(&mut push(&folder, "v2", &[])), 0, "landed");
    assert_eq!(told["warnings"], serde_json::json!([]));
    keys.verify(&world.bare, "main");
}

/// A company's settings in the user's own file, for its own repositories.
#[test]
fn signing_follows_settings_included_for_the_remotes_url() {
    let (world, keys) = (World::new(), SshKeys::new());
    let home = world.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let set = |file: &str, key: &str, value: &str| git(&home, &["config", "--file", file, key, value]);
    set("acme", "commit.gpgsign", "true");
    set("acme", "gpg.format", "ssh");
    set("acme", "user.signingkey", keys.make("ed25519", "").to_str().unwrap());
    set("acme", "user.name", "Grace");
    set(".gitconfig", "includeIf.hasconfig:remote.*.url:http://**/acme/*.path", "acme");
    let folder = world.shallow("w");
    git(&folder, &["config", "--unset", "user.name"]);
    ended(&repo::run(push(&folder, "v1", &[]).env("HOME", &home)), 0, "landed");
    keys.verify(&world.bare, "main");
    assert_eq!(world.last("%an"), "Grace");
    set(".gitconfig", "includeIf.hasconfig:remote.*.url:http://**/acme/*.path", "none");
    let ran = repo::run(push(&folder, "v2", &["--author", "Ada <ada@example.com>"]).env("HOME", &home));
    ended(&ran, 0, "landed");
    assert!(!is_signed(&world.bare, "main"));
}

/// `~/work` is often a link to another disk.
#[test]
fn signing_follows_settings_included_for_a_linked_folder() {
    let (world, keys) = (World::new(), SshKeys::new());
    let home = world.path().join("home");
    std::fs::create_dir_all(world.path().join("disk")).unwrap();
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::symlink(world.path().join("disk"), home.join("work")).unwrap();
    let folder = signs(&keys, "ed25519", world.shallow("disk/w"));
    let set = |file: &str, key: &str, value: &str| git(&home, &["config", "--file", file, key, value]);
    set("work.conf", "commit.gpgsign", "true");
    set(".gitconfig", "includeIf.gitdir:~/work/.path", "work.conf");
    let linked = home.canonicalize().unwrap().join("work/w");
    let mut command = push(&folder, "v1", &[]);
    ended(&repo::run(command.env("HOME", &home).env("PWD", &linked).current_dir(&linked)), 0, "landed");
    keys.verify(&world.bare, "main");
}

#[test]
fn pushed_commit_is_signed_by_gnupg() {
    let (world, home) = (World::new(), GpgHome::new());
    let folder = world.shallow("w");
    ended(&repo::run(push(&folder, "v1", &["--sign"]).env("GNUPGHOME", home.path())), 0, "landed");
    home.verify(&world.bare, "main");
}

/// ECDSA signatures are different every time.
#[test]
fn retried_commit_is_signed_after_lost_race() {
    let (world, keys) = (World::new(), SshKeys::new());
    let folder = signs(&keys, "ecdsa-256", world.shallow("w"));
    let bare = world.bare.clone();
    world.server.before_receive(move || drop(rival(&bare, "README.md", "newer\n")));
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--sign"])), 0, "landed");
    assert_eq!((&told["attempts"], world.commits()), (&2.into(), 4));
    assert_eq!(world.file("README.md"), "newer");
    keys.verify(&world.bare, "main");
}

#[test]
fn commit_is_signed_without_checkout() {
    let (world, keys) = (World::new(), SshKeys::new());
    let home = signs(&keys, "ed25519", world.full("home"));
    // this is the user's own setting
    std::fs::copy(home.join(".git/config"), home.join(".gitconfig")).unwrap();
    git(&home, &["config", "--file", ".gitconfig", "--remove-section", "core"]);
    let mut command = push(world.path(), "v1", &["--sign", "-C", &world.url()]);
    ended(&repo::run(command.env("HOME", &home)), 0, "landed");
    keys.verify(&world.bare, "main");
}

/// A job's own commits that are rebased onto the tip lose their signature, and get a new one.
#[test]
fn rebased_commits_are_signed_again() {
    let (world, keys) = (World::new(), SshKeys::new());
    let folder = signs(&keys, "ecdsa-384", world.full("w"));
    let base = git(&folder, &["rev-parse", "HEAD"]);
    commit(&folder, "CHANGELOG.md", "one\n");
    git(&folder, &["commit", "--quiet", "--amend", "--no-edit", "--author", "Grace <grace@example.com>"]);
    commit(&folder, "docs/a.md", "two\n");
    world.rival("README.md", "newer\n");
    let bare = world.bare.clone();
    world.server.before_receive(move || drop(rival(&bare, "LICENSE", "mine\n")));
    let mut command = push(&folder, "v1", &["--carry", "--sign"]);
    let told = ended(&repo::run(repo::actions(&mut command, "acme/gitops", &base)), 0, "landed");
    assert_eq!((&told["attempts"], world.commits()), (&2.into(), 7));
    for made in ["main", "main~1", "main~2"] {
        keys.verify(&world.bare, made);
    }
    assert!(!is_signed(&world.bare, "main~3"), "the rival's");
    assert_eq!(git(&world.bare, &["log", "-1", "--format=%an", "main~2"]), "Grace");
    git(&world.bare, &["fsck", "--strict"]);
}

/// As with git, a commit that doesn't have to change keeps its ID.
#[test]
fn carried_commits_keep_signature_when_unchanged() {
    let (world, keys) = (World::new(), SshKeys::new());
    let folder = signs(&keys, "ed25519", world.full("w"));
    let own = commit(&folder, "docs/a.md", "two\n");
    ended(&repo::run(&mut push(&folder, "v1", &["--carry", "--sign"])), 0, "landed");
    assert_eq!(git(&world.bare, &["rev-parse", "main^"]), own);
    assert!(!is_signed(&world.bare, "main^"));
    keys.verify(&world.bare, "main");
}

/// On the same tip they are the same commits: nobody has to enter a passphrase again, and the tip doesn't
/// look like a new one.
#[test]
fn carried_commits_are_signed_once_for_each_tip() {
    let (world, keys) = (World::new(), SshKeys::new());
    let folder = signs(&keys, "ed25519", world.full("w"));
    let program = world.path().join("program");
    repo::script_at(&program, "echo x >> \"$0.log\"; exec ssh-keygen \"$@\"");
    git(&folder, &["config", "gpg.ssh.program", program.to_str().unwrap()]);
    commit(&folder, "docs/a.md", "two\n");
    world.rival("README.md", "newer\n");
    let lock = world.bare.join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    world.server.before_receive(|| {});
    world.server.before_receive(move || std::fs::remove_file(&lock).unwrap());
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--carry", "--sign"])), 0, "landed");
    assert_eq!((&told["attempts"], world.commits()), (&2.into(), 5));
    let signed = std::fs::read_to_string(world.path().join("program.log")).unwrap();
    assert_eq!(signed.lines().count(), 1 + 2, "the carried one, and the bump at each try");
}

#[test]
fn landing_fails_when_signing_fails() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["config", "gpg.format", "ssh"]);
    let tip = world.tip();
    for more in [&["--sign"][..], &["--sign", "--carry"]] {
        let told = failed(&repo::run(&mut push(&folder, "v1", more)), 2);
        assert!(told.contains("user.signingkey"), "{told}");
    }
    assert_eq!(world.tip(), tip);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

/// Each run makes the branch's commit again, with another signature, but the branch stays unchanged.
#[test]
fn second_signed_pull_request_run_changes_nothing() {
    let (hub, keys) = (Hub::new(Via::Git), SshKeys::new());
    let key = keys.make("ecdsa-256", "");
    let propose = |more: &[&str]| {
        let folder = hub.checkout();
        git(&folder, &["config", "gpg.format", "ssh"]);
        git(&folder, &["config", "user.signingkey", key.to_str().unwrap()]);
        let mut command = hub.command_in(&folder, &[&format!("{}:v1", repo::API)], more);
        ended(&repo::run(&mut command), 0, "proposed")
    };
    let unsigned = propose(&[]);
    let signed = propose(&["--sign"]);
    assert_ne!(signed["commit"], unsigned["commit"], "one without a signature is not what was asked for");
    keys.verify(&hub.world.bare, HEAD);
    let (writes, branches) = (hub.writes(), hub.branches());
    for more in [&["--sign"][..], &[]] {
        assert_eq!(propose(more)["commit"], signed["commit"], "{more:?}");
    }
    assert_eq!((hub.writes(), hub.branches()), (writes, branches));
}

/// GitHub makes and signs the commit: your own key can't be used for it.
#[test]
fn sign_flag_is_refused_with_via_api() {
    let hub = Hub::new(Via::Api);
    let folder = hub.checkout();
    git(&folder, &["config", "commit.gpgsign", "true"]);
    git(&folder, &["config", "gpg.program", "/nowhere/gpg"]);
    let bump = |folder: &Path, more: &[&str]| {
        repo::run(&mut hub.command_in(folder, &[&format!("{}:v1", repo::API)], more))
    };
    let told = failed(&bump(&folder, &["--sign"]), 2);
    assert!(told.contains("--sign") && told.contains("--via api"), "{told}");
    ended(&bump(&folder, &[]), 0, "proposed");
}
