//! After a landing: which checkouts are fast-forwarded, which are left unchanged, and what tagbump reports.

use std::path::Path;

use crate::support::cli::Run;
use crate::support::git::{git, try_git};
use crate::support::repo::{self, FILE, World, commit, ended, push, write};

/// Lands `v1`, and returns the messages on stderr.
#[track_caller]
fn land(folder: &Path, more: &[&str]) -> Run {
    let run = repo::run(&mut push(folder, "v1", more));
    ended(&run, 0, "landed");
    run
}

fn head(folder: &Path) -> String {
    git(folder, &["rev-parse", "HEAD"])
}

#[track_caller]
fn left_and_said(run: &Run, folder: &Path, before: &str, word: &str) {
    assert_eq!(head(folder), before, "HEAD stays");
    assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    let told = repo::json(run)["notices"].to_string();
    assert!(told.contains(word), "{word}: {told}");
}

#[test]
fn clean_checkout_is_fast_forwarded() {
    let world = World::new();
    let folder = world.shallow("w");
    write(&folder, "untracked.txt", "mine\n");
    let run = land(&folder, &[]);
    assert_eq!(head(&folder), world.tip());
    assert_eq!(git(&folder, &["status", "--porcelain"]), "?? untracked.txt");
    assert_eq!(
        git(&folder, &["status", "--short", "--branch"]).lines().next(),
        Some("## main...origin/main")
    );
    let log = git(&folder, &["log", "-1", "--format=%s"]);
    assert!(log.starts_with("chore: update api image to v1"), "{log}");
    assert_eq!(std::fs::read_to_string(folder.join(FILE)).unwrap().trim_end(), world.file(FILE));
    assert!(git(&folder, &["reflog", "-1"]).contains("HEAD@{0}"));
    assert_eq!(git(&folder, &["rev-parse", "HEAD@{1}"]), git(&folder, &["rev-parse", "HEAD~1"]));
    assert!(!run.stderr.contains("left unchanged"), "{}", run.stderr);
    // later steps see the landed tag: a local bump has nothing to do
    let again = repo::run(&mut push(&folder, "v1", &["--no-sync"]));
    ended(&again, 0, "already");
}

#[test]
fn checkout_is_left_with_no_sync() {
    let world = World::new();
    let (before, folder) = (world.tip(), world.shallow("w"));
    let refs = git(&folder, &["for-each-ref"]);
    land(&folder, &["--no-sync"]);
    assert_eq!(head(&folder), before);
    assert_eq!(git(&folder, &["for-each-ref"]), refs);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    git(&folder, &["pull", "--quiet", "--ff-only", "origin", "main"]);
    assert_eq!(head(&folder), world.tip());
    git(&folder, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn checkout_is_left_when_work_tree_has_changes() {
    let world = World::new();
    let (before, folder) = (world.tip(), world.shallow("w"));
    write(&folder, "README.md", "mine\n");
    let diff = git(&folder, &["diff"]);
    left_and_said(&land(&folder, &[]), &folder, &before, "uncommitted changes");
    assert_eq!(git(&folder, &["diff"]), diff);
    assert_eq!(git(&folder, &["diff", "--cached"]), "");
}

#[test]
fn checkout_is_left_when_changes_are_staged() {
    let world = World::new();
    let (before, folder) = (world.tip(), world.shallow("w"));
    write(&folder, "new.txt", "mine\n");
    git(&folder, &["add", "new.txt"]);
    left_and_said(&land(&folder, &[]), &folder, &before, "uncommitted changes");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "A  new.txt");
}

/// The merge would overwrite an untracked file.
#[test]
fn checkout_is_left_when_untracked_file_is_in_the_way() {
    let world = World::new();
    let (before, folder) = (world.tip(), world.shallow("w"));
    world.rival("new.txt", "theirs\n");
    write(&folder, "new.txt", "mine\n");
    left_and_said(&land(&folder, &[]), &folder, &before, "new.txt");
    assert_eq!(std::fs::read_to_string(folder.join("new.txt")).unwrap(), "mine\n");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "?? new.txt");
    git(&folder, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn checkout_is_left_when_it_has_local_commits() {
    for (name, arguments) in [("shallow", &["--depth", "1"][..]), ("full", &[])] {
        let world = World::new();
        let base = world.tip();
        let folder = world.clone_of(&world.url(), name, arguments);
        let own = commit(&folder, "mine.txt", "mine\n");
        left_and_said(&land(&folder, &[]), &folder, &own, "stay local");
        assert_eq!(world.last("%P"), base, "only the bump landed");
        assert_eq!(git(&world.bare, &["ls-tree", "main", "mine.txt"]), "");
        git(&folder, &["pull", "--quiet", "--rebase", "origin", "main"]);
        assert_eq!(git(&folder, &["rev-parse", "HEAD~1"]), world.tip());
    }
}

#[test]
fn local_commits_on_detached_head_stay_local() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["checkout", "--quiet", "--detach"]);
    let own = commit(&folder, "mine.txt", "mine\n");
    left_and_said(&land(&folder, &["--branch", "main"]), &folder, &own, "stay local");
    assert_eq!(git(&world.bare, &["ls-tree", "main", "mine.txt"]), "");
}

/// Even if there is nothing to land: the user may expect the commits to be on the remote.
#[test]
fn local_commits_are_reported_in_partial_clone() {
    let world = World::new();
    git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
    let folder = world.clone_of(&world.url(), "w", &["--filter=blob:none"]);
    let own = commit(&folder, "mine.txt", "mine\n");
    left_and_said(&land(&folder, &[]), &folder, &own, "stay local");
    assert_eq!(git(&world.bare, &["ls-tree", "main", "mine.txt"]), "");
}

#[test]
fn checkout_of_another_branch_is_left() {
    let world = World::new();
    git(&world.bare, &["branch", "prod", "main"]);
    let (before, folder) = (world.tip(), world.shallow("w"));
    let run = land(&folder, &["--branch", "prod"]);
    left_and_said(&run, &folder, &before, "on branch main");
    assert_eq!(world.tip(), before, "main did not move");
    assert_eq!(repo::json(&run)["commit"], git(&world.bare, &["rev-parse", "prod"]).as_str());
    assert_eq!(repo::json(&run)["branch"], "prod");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

/// git's settings for an ordinary merge don't affect the fast-forward.
#[test]
fn checkout_is_fast_forwarded_whatever_merge_settings_say() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["config", "merge.ff", "false"]);
    git(&folder, &["config", "branch.main.mergeOptions", "--no-commit --no-ff"]);
    git(&folder, &["config", "pull.rebase", "true"]);
    land(&folder, &[]);
    assert_eq!(head(&folder), world.tip());
    assert!(!try_git(&folder, &["rev-parse", "--verify", "--quiet", "MERGE_HEAD"]).status.success());
}

/// Filters run: the work tree looks as if git had checked it out.
#[test]
fn work_tree_has_line_ends_that_git_writes() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["config", "core.autocrlf", "true"]);
    git(&folder, &["rm", "--quiet", "--cached", "-r", "."]);
    git(&folder, &["reset", "--quiet", "--hard"]);
    let run = land(&folder, &[]);
    assert_eq!(repo::json(&run)["warnings"], serde_json::json!([]), "line ends are no changes");
    assert_eq!(head(&folder), world.tip());
    let text = std::fs::read_to_string(folder.join(FILE)).unwrap();
    assert!(text.contains("newTag: v1 # by CI\r\n"), "{text:?}");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    assert!(!world.file(FILE).contains('\r'));
}

/// In a git hook, environment variables name the hook's repository. As with git, they count in every folder.
#[test]
fn git_variables_of_another_repository_count() {
    let world = World::new();
    let (folder, other) = (world.shallow("w"), world.full("other"));
    let before = head(&folder);
    let variables = [("GIT_DIR", other.join(".git")), ("GIT_INDEX_FILE", other.join(".git/index"))];
    ended(&repo::run(push(&folder, "v1", &[]).envs(variables.clone())), 0, "landed");
    assert_eq!((head(&other), head(&folder)), (world.tip(), before));
    let status =
        crate::support::git::command(&folder).envs(variables).args(["status", "--porcelain"]).output();
    assert_eq!(status.unwrap().stdout, b"", "the folder is the other repository's work tree");
}

/// Without git in the path, landing over http still works; a checkout with a hook is left unchanged, with a notice.
#[test]
fn checkout_is_left_when_git_is_not_installed() {
    let world = World::new();
    let (before, folder) = (world.tip(), world.shallow("w"));
    write(&folder, ".git/hooks/post-merge", "");
    let run = repo::run(push(&folder, "v1", &[]).env("PATH", world.path()));
    ended(&run, 0, "landed");
    assert_ne!(world.tip(), before);
    left_and_said(&run, &folder, &before, "git was not found");
}

/// Nothing was pushed at all; the user may still expect the commits to be on the remote.
#[test]
fn local_commits_are_reported_when_tag_is_up_to_date() {
    let world = World::new();
    let folder = world.shallow("w");
    land(&folder, &[]);
    let own = commit(&folder, "mine.txt", "mine\n");
    let run = repo::run(&mut push(&folder, "v1", &[]));
    ended(&run, 0, "already");
    left_and_said(&run, &folder, &own, "stay local");
}

/// A commit that someone removed from the branch is still in the checkout: it must not come back.
#[test]
fn removed_commit_stays_removed_when_checkout_has_it() {
    for (name, arguments) in [("shallow", &["--depth", "1"][..]), ("full", &[])] {
        let world = World::new();
        let base = world.tip();
        let taken_back = world.rival("README.md", "oops\n");
        let folder = world.clone_of(&world.url(), name, arguments);
        git(&world.bare, &["update-ref", "refs/heads/main", &base]);
        let run = land(&folder, &[]);
        assert_eq!(world.last("%P"), base);
        assert_eq!(world.file("README.md"), "older");
        assert_eq!(head(&folder), taken_back, "the checkout stays where it is");
        assert!(run.stderr.contains("left unchanged"), "{}", run.stderr);
        git(&world.bare, &["fsck", "--strict", "--no-dangling"]);
    }
}

/// In Actions, local commits are those after `GITHUB_SHA`: a checkout of a pull request's merge commit, or of
/// a tag beside the branch, has none.
#[test]
fn commits_of_runner_checkout_are_not_local() {
    let world = World::new();
    let other = world.full("other");
    git(&other, &["checkout", "--quiet", "-b", "topic"]);
    let sha = commit(&other, "topic.txt", "topic\n");
    git(&other, &["push", "--quiet", world.bare.to_str().unwrap(), "topic:refs/pull/7/merge"]);
    let folder = world.shallow("w");
    git(&folder, &["fetch", "--quiet", "--depth", "1", world.bare.to_str().unwrap(), "refs/pull/7/merge"]);
    git(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
    for (tag, local) in [("v1", false), ("v2", true)] {
        if local {
            commit(&folder, "mine.txt", "mine\n");
        }
        let mut command = push(&folder, tag, &["--branch", "main"]);
        repo::actions(&mut command, "acme/gitops", &sha).env("GITHUB_EVENT_NAME", "pull_request");
        let run = repo::run(&mut command);
        ended(&run, 0, "landed");
        assert_eq!(run.stderr.contains("stay local"), local, "{}", run.stderr);
    }
}

/// The first bump's commit is in the checkout and on the remote, so no local commits are left.
#[test]
fn second_bump_of_job_has_no_local_commits() {
    let world = World::new();
    let folder = world.shallow("w");
    let checked_out = head(&folder);
    for tag in ["v1", "v2"] {
        let mut command = push(&folder, tag, &[]);
        repo::actions(&mut command, "acme/gitops", &checked_out);
        let run = repo::run(&mut command);
        ended(&run, 0, "landed");
        assert!(!run.stderr.contains("stay local"), "{tag}: {}", run.stderr);
    }
}

/// The tip has merged a branch that forked long ago: the fetch is limited, and the rest is left to git.
#[test]
fn history_of_old_merged_branch_is_not_fetched() {
    use std::io::Write;
    let world = World::new();
    let folder = world.shallow("w");
    let mut old = crate::support::git::command(&world.bare);
    let mut old = old.args(["fast-import", "--quiet"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut script = String::from("reset refs/heads/old\nfrom refs/heads/main^0\n\n");
    for nth in 0..2000 {
        let commit =
            format!("commit refs/heads/old\ncommitter A <a@b> {} +0000\ndata 1\nx\n", 1_000_000 + nth);
        script.push_str(&format!("{commit}M 100644 inline old/{nth}.txt\ndata 1\nx\n"));
    }
    old.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(old.wait().unwrap().success());
    let merge = world.path().join("merge");
    git(world.path(), &["clone", "--quiet", world.bare.to_str().unwrap(), "merge"]);
    git(&merge, &["merge", "--quiet", "--no-ff", "--no-edit", "origin/old"]);
    git(&merge, &["push", "--quiet", "origin", "HEAD:main"]);
    let before = git(&folder, &["count-objects", "-v"]);
    let told = ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert!(told["notices"].to_string().contains("too shallow"), "{told}");
    assert_eq!(git(&folder, &["count-objects", "-v"]), before);
    git(&folder, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    git(&folder, &["pull", "--quiet"]);
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip());
}
