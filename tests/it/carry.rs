//! `--carry`: local commits land under the bump.

use std::path::{Path, PathBuf};

use crate::support::cli::command;
use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{self, API, FILE, World, commit, ended, failed, push};

/// A checkout with two commits of its own, and the commit it was cloned at.
fn ahead(world: &World, folder: PathBuf) -> (PathBuf, String) {
    let base = git(&folder, &["rev-parse", "HEAD"]);
    commit(&folder, "CHANGELOG.md", "one\n");
    git(&folder, &["commit", "--quiet", "--amend", "--no-edit", "--author", "Grace <grace@example.com>"]);
    commit(&folder, "docs/a.md", "two\n");
    assert!(world.path().exists());
    (folder, base)
}

fn subjects(bare: &Path) -> Vec<String> {
    git(bare, &["log", "--format=%s", "refs/heads/main"]).lines().map(str::to_owned).collect()
}

#[track_caller]
fn the_next_pull_works(folder: &Path, world: &World) {
    git(folder, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    git(folder, &["pull", "--quiet", "origin", "main"]);
    assert_eq!(git(folder, &["rev-parse", "HEAD"]), world.tip());
    assert_eq!(git(folder, &["status", "--porcelain"]), "");
    git(folder, &["fsck"]);
}

#[test]
fn local_commits_stay_local_without_carry() {
    let world = World::new();
    let (folder, _) = ahead(&world, world.full("w"));
    let told = ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert!(told["notices"].to_string().contains("stay local"), "{told}");
    assert_eq!(world.commits(), 3);
}

#[test]
fn local_commits_land_unchanged_when_branch_has_not_moved() {
    for shallow in [false, true] {
        let world = World::new();
        let clone = if shallow { world.shallow("w") } else { world.full("w") };
        let (folder, _) = ahead(&world, clone);
        let head = git(&folder, &["rev-parse", "HEAD"]);
        let told = ended(&repo::run(&mut push(&folder, "v1", &["--carry"])), 0, "landed");
        assert_eq!(world.commits(), 5);
        assert_eq!(git(&world.bare, &["rev-parse", "main^"]), head);
        assert_eq!(told["commit"], world.tip().as_str());
        assert!(!world.message().contains("[skip ci]"), "{}", world.message());
        the_next_pull_works(&folder, &world);
    }
}

#[test]
fn local_commits_are_rebased_when_branch_moved() {
    for shallow in [false, true] {
        let world = World::new();
        let clone = if shallow { world.shallow("w") } else { world.full("w") };
        let (folder, base) = ahead(&world, clone);
        world.rival("README.md", "newer\n");
        let mut command = push(&folder, "v1", &["--carry"]);
        ended(&repo::run(repo::actions(&mut command, "acme/gitops", &base)), 0, "landed");
        let landed = subjects(&world.bare);
        assert_eq!(landed[0], "chore: update api image to v1");
        assert_eq!(landed[1..4], ["change docs/a.md", "change CHANGELOG.md", "change README.md"]);
        assert_eq!(git(&world.bare, &["log", "-1", "--format=%an", "main~2"]), "Grace");
        assert_eq!(git(&world.bare, &["diff", "--name-only", "main~2", "main~1"]), "docs/a.md");
        assert_eq!((world.file("README.md").as_str(), world.file("docs/a.md").as_str()), ("newer", "two"));
        git(&world.bare, &["fsck", "--strict"]);
        the_next_pull_works(&folder, &world);
    }
}

#[test]
fn run_changes_nothing_when_local_commits_conflict() {
    let world = World::new();
    let folder = world.full("w");
    commit(&folder, "README.md", "mine\n");
    let theirs = world.rival("README.md", "theirs\n");
    let head = git(&folder, &["rev-parse", "HEAD"]);
    let told = failed(&repo::run(&mut push(&folder, "v1", &["--carry"])), 4);
    assert!(told.contains("README.md") && told.contains("change README.md"), "{told}");
    assert_eq!((world.tip(), git(&folder, &["rev-parse", "HEAD"])), (theirs, head));
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

#[test]
fn local_commits_are_left_out_when_branch_has_them() {
    let world = World::new();
    let folder = world.full("w");
    commit(&folder, "README.md", "newer\n");
    world.rival("README.md", "newer\n");
    ended(&repo::run(&mut push(&folder, "v1", &["--carry"])), 0, "landed");
    assert_eq!(world.commits(), 4);
    the_next_pull_works(&folder, &world);
}

#[test]
fn local_commits_land_when_tag_is_up_to_date() {
    let world = World::new();
    let (folder, _) = ahead(&world, world.full("w"));
    let told = ended(&repo::run(&mut push(&folder, "v0", &["--carry"])), 0, "landed");
    assert_eq!((world.commits(), &told["changed"]), (4, &false.into()));
    assert_eq!(told["commit"], world.tip().as_str());
}

#[test]
fn carry_lands_only_the_bump_when_there_are_no_local_commits() {
    let world = World::new();
    let folder = world.shallow("w");
    ended(&repo::run(&mut push(&folder, "v1", &["--carry"])), 0, "landed");
    assert!(world.message().contains(&format!("Tagbump-Image: {API}:v1")));
    assert!(world.file(FILE).contains("v1"));
}

/// The first step of a job moved the checkout, so it is ahead of the commit that was built, but of nothing else.
#[test]
fn bump_is_marked_when_nothing_is_carried() {
    let world = World::new();
    world.rival(
        "web.yaml",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: 'ghcr.io/acme/web:v0'}]}\n",
    );
    let (folder, built) = (world.full("w"), world.tip());
    for image in [&format!("{API}:v1"), "ghcr.io/acme/web:v1"] {
        let mut command = command(&folder);
        command.args(["bump", image, "--push", "--carry", "--format", "json"]);
        repo::actions(&mut command, "acme/gitops", &built);
        ended(&repo::run(&mut command), 0, "landed");
        assert!(world.last("%B").contains("[skip ci]"), "{}", world.last("%B"));
    }
}

#[test]
fn no_local_commit_is_lost_when_many_carry_at_once() {
    let world = World::new();
    let folders: Vec<_> = (0..6).map(|nth| (nth, world.shallow(&format!("w{nth}")))).collect();
    let job = |(nth, folder): &(i32, PathBuf)| {
        commit(folder, &format!("notes/{nth}.md"), "note\n");
        push(folder, &format!("v{nth}-x"), &["--carry"])
    };
    for run in repo::run_together(folders.iter().map(job).collect()) {
        ended(&run, 0, "landed");
    }
    assert_eq!(world.commits(), 2 + 6 + 6);
    for (nth, _) in folders {
        assert_eq!(world.file(&format!("notes/{nth}.md")), "note");
    }
}

#[test]
fn carry_is_wrong_usage_beside_flags_that_exclude_it() {
    let world = World::new();
    let folder = world.shallow("w");
    for flag in [&["--pr"][..], &["--via", "api"]] {
        let told = failed(&repo::run(&mut push(&folder, "v1", &[&["--carry"], flag].concat())), 2);
        assert!(told.contains("--carry"), "{told}");
    }
}

/// Fetched but not merged: the upstream is ahead of the checked-out commit.
#[test]
fn carry_rewinds_nothing_when_checkout_is_behind() {
    let world = World::new();
    let folder = world.full("w");
    let theirs = world.rival("README.md", "theirs\n");
    git(&folder, &["fetch", "--quiet", world.bare.to_str().unwrap(), "+main:refs/remotes/origin/main"]);
    ended(&repo::run(&mut push(&folder, "v1", &["--carry"])), 0, "landed");
    assert_eq!((world.commits(), git(&world.bare, &["rev-parse", "main^"])), (4, theirs));

    let world = World::new();
    let older = world.full("w");
    let tip = world.rival("README.md", "theirs\n");
    git(&older, &["fetch", "--quiet", world.bare.to_str().unwrap(), "main"]);
    git(&older, &["checkout", "--quiet", "--detach"]);
    let mut command = push(&older, "v1", &["--carry", "--branch", "main"]);
    ended(&repo::run(repo::actions(&mut command, "acme/gitops", &tip)), 0, "landed");
    assert_eq!((world.commits(), git(&world.bare, &["rev-parse", "main^"])), (4, tip));
}

#[test]
fn carry_does_not_restore_commits_that_were_removed_from_branch() {
    let world = World::new();
    let bad = world.rival("secret.txt", "oops\n");
    let folder = world.full("w");
    commit(&folder, "docs/a.md", "mine\n");
    git(&world.bare, &["update-ref", "refs/heads/main", &format!("{bad}^")]);
    ended(&repo::run(&mut push(&folder, "v1", &["--carry"])), 0, "landed");
    let subjects = subjects(&world.bare);
    assert_eq!(subjects[1..], ["change docs/a.md", "base", "change README.md"], "{subjects:?}");
}

/// The carried commits are found on the branch, and not rebased onto themselves.
#[test]
fn carried_commits_land_once_when_answer_is_lost() {
    let world = World::new();
    let folder = world.shallow("w");
    let text = world.file(FILE) + "\n";
    commit(&folder, FILE, &text.replace("newTag: v0 # by CI", "newTag: v0.5 # by hand"));
    world.rival("README.md", "newer\n");
    let send = On::Post(Service::ReceivePack);
    world.server.fault(send, Fault::CloseAfter);
    let told = ended(&repo::run(&mut push(&folder, "v1", &["--carry"])), 0, "landed");
    assert_eq!((world.commits(), &told["commit"]), (5, &world.tip().into()));
    assert!(world.file(FILE).contains("newTag: v1 # by hand"), "{}", world.file(FILE));
}

#[test]
fn local_commits_land_from_detached_head() {
    for shallow in [false, true] {
        let world = World::new();
        let clone = if shallow { world.shallow("w") } else { world.full("w") };
        git(&clone, &["checkout", "--quiet", "--detach"]);
        let (folder, _) = ahead(&world, clone);
        ended(&repo::run(&mut push(&folder, "v1", &["--carry", "--branch", "main"])), 0, "landed");
        let landed = subjects(&world.bare);
        assert_eq!(landed[..3], ["chore: update api image to v1", "change docs/a.md", "change CHANGELOG.md"]);
        assert_eq!(landed.len(), 5);
    }
}

#[test]
fn carry_from_detached_head_says_what_to_fetch() {
    let world = World::new();
    let folder = world.full("w");
    git(&folder, &["checkout", "--quiet", "--detach"]);
    git(&folder, &["update-ref", "-d", "refs/remotes/origin/main"]);
    let (folder, _) = ahead(&world, folder);
    let failure = failed(&repo::run(&mut push(&folder, "v1", &["--carry", "--branch", "main"])), 2);
    assert!(failure.contains("detached"), "{failure}");
    assert!(failure.contains("git fetch origin main:refs/remotes/origin/main"), "{failure}");
    assert_eq!(world.commits(), 2);
    git(&folder, &["fetch", "--quiet", world.bare.to_str().unwrap(), "main:refs/remotes/origin/main"]);
    ended(&repo::run(&mut push(&folder, "v1", &["--carry", "--branch", "main"])), 0, "landed");
    assert_eq!(world.commits(), 5);
}

/// `git branch --set-upstream-to` works on a branch only.
#[test]
fn carry_from_branch_without_upstream_says_how_to_set_one() {
    let world = World::new();
    let folder = world.full("w");
    git(&folder, &["branch", "--quiet", "--unset-upstream"]);
    let failure = failed(&repo::run(&mut push(&folder, "v1", &["--carry", "--branch", "main"])), 2);
    assert!(failure.contains("git branch --set-upstream-to origin/BRANCH"), "{failure}");
}
