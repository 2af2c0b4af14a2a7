//! `tagbump rollback` where branches were merged or commits reverted.

use crate::support::cli::{self, Run};
use crate::support::past::Past;
use crate::support::repo::{API, FILE, ended, failed, kustomization};

fn at(tag: &str) -> String {
    kustomization(&[API.into()]).replace("newTag: v0", &format!("newTag: {tag}"))
}

/// One file that had these tags, one after the other.
fn past(tags: &[&str]) -> Past {
    let past = Past::new();
    set(&past, tags);
    past
}

fn set(past: &Past, tags: &[&str]) {
    for tag in tags {
        past.puts("Ada", FILE, &at(tag), API, tag);
    }
}

fn rollback(past: &Past, arguments: &[&str]) -> Run {
    let mut command = cli::command(&past.path);
    command.arg("rollback").args(arguments).args(["--format", "json"]);
    Run::of(&command.output().unwrap())
}

#[track_caller]
fn goes_back_to(past: &Past, tag: &str) {
    past.wait(60);
    ended(&rollback(past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at(tag));
}

fn checkout(past: &Past, arguments: &[&str]) {
    past.git("Ada", &[&["checkout", "--quiet"], arguments].concat());
}

fn merge(past: &Past, message: &str, branch: &str) {
    past.wait(60);
    past.git("Ada", &["merge", "--quiet", "--no-ff", "--message", message, branch]);
}

/// The server's `main` went from v1 to v3. Other work is merged with it under this message, and is `main` then.
fn other_work_merges(message: &str) -> Past {
    let past = past(&["v1"]);
    past.git("Ada", &["remote", "add", "origin", "https://git.example/acme/gitops.git"]);
    past.git("Ada", &["branch", "other"]);
    set(&past, &["v2", "v3"]);
    checkout(&past, &["-B", "theirs"]);
    checkout(&past, &["-B", "main", "other"]);
    past.write("README.md", "x\n");
    past.commit("Ada", "other");
    merge(&past, message, "theirs");
    past
}

/// production merges main, and so got v4 without ever having v2 and v3.
#[test]
fn rollback_restores_tag_that_branch_itself_had() {
    let past = past(&["v1"]);
    past.git("Ada", &["branch", "production"]);
    for tag in ["v2", "v3", "v4"] {
        past.puts("Ada", FILE, &at(tag), API, tag);
    }
    past.git("Ada", &["checkout", "--quiet", "production"]);
    past.git("Ada", &["merge", "--quiet", "--no-ff", "--message", "Release", "main"]);
    past.wait(60);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v1"));
    ended(&rollback(&past, &[API, "--to", "v3"]), 0, "edited");
    assert_eq!(past.read(FILE), at("v3"), "but it can be named");
}

/// git makes the server's branch the second parent then.
#[test]
fn rollback_follows_branch_through_pull() {
    for message in [
        "Merge branch 'main' of git.example:acme/gitops",
        "Merge branch 'main' of https://git.example/acme/gitops into HEAD",
        "Merge remote-tracking branch 'origin/main' into other",
        "Merge branch 'main' into other",
    ] {
        goes_back_to(&other_work_merges(message), "v2");
    }
}

/// A job of GitLab has a detached `HEAD`, and its variables name the branch.
#[test]
fn rollback_knows_branch_of_detached_job() {
    let past = other_work_merges("Merge branch 'main' of git.example:acme/gitops into HEAD");
    checkout(&past, &["--detach"]);
    let variables = |project| {
        [
            ("GITLAB_CI", "true"),
            ("CI_SERVER_URL", "https://git.example"),
            ("CI_PROJECT_PATH", project),
            ("CI_COMMIT_BRANCH", "main"),
        ]
    };
    for (project, tag) in [("acme/gitops", "v2"), ("acme/app", "v1")] {
        let mut command = cli::command(&past.path);
        command.args(["rollback", API, "--format", "json"]).envs(variables(project));
        ended(&Run::of(&command.output().unwrap()), 0, "edited");
        assert_eq!(past.read(FILE), at(tag), "the pipeline of {project}");
        checkout(&past, &["--", FILE]);
    }
}

/// A fork goes on with its own commits when it merges those of the repository that it came from.
#[test]
fn rollback_follows_fork_through_merge_of_its_upstream() {
    for message in
        ["Merge branch 'main' of git.example:upstream/gitops", "Merge remote-tracking branch 'upstream/main'"]
    {
        goes_back_to(&other_work_merges(message), "v1");
    }
}

#[test]
fn rollback_goes_further_back_after_git_revert() {
    let past = past(&["v1", "v2", "v3"]);
    past.git("Ada", &["revert", "--no-edit", "HEAD"]);
    past.wait(60);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v1"));
}

#[test]
fn rollback_goes_further_back_after_git_revert_of_merge() {
    let past = past(&["v1"]);
    checkout(&past, &["-b", "next"]);
    set(&past, &["v2"]);
    checkout(&past, &["main"]);
    merge(&past, "Merge pull request #1 from acme/next", "next");
    past.wait(60);
    past.git("Ada", &["revert", "--mainline", "1", "--no-edit", "HEAD"]);
    let text = failed(&rollback(&past, &[API]), 3);
    assert!(text.contains("no earlier tag than v1 found"), "{text}");
}

#[test]
fn rollback_goes_further_back_after_commit_that_reverts_several() {
    let past = past(&["v0", "v1", "v2", "v3"]);
    let reverted = ["HEAD", "HEAD~1"].map(|name| past.git("Ada", &["rev-parse", name]));
    past.write(FILE, &at("v1"));
    let [last, before] = reverted.map(|commit| format!("This reverts commit {commit}."));
    past.commit("Ada", &format!("Back to v1\n\n{last}\n\n* Revert\n\n{before}"));
    goes_back_to(&past, "v0");
}

#[test]
fn rollback_goes_further_back_after_revert_of_abbreviated_commit() {
    let past = past(&["v0", "v1", "v2"]);
    let commit = past.git("Ada", &["rev-parse", "--short", "HEAD"]);
    past.write(FILE, &at("v1"));
    past.commit("Ada", &format!("x\n\nThis reverts commit {commit} (v2, 2026-11-30)."));
    goes_back_to(&past, "v0");
}

/// A merge has no trailers.
#[test]
fn source_of_merged_tag_comes_from_commit_that_wrote_it() {
    let past = past(&["v0"]);
    let source = |tag: &str| format!("acme/api@{}", tag.trim_start_matches('v').repeat(40));
    for (branch, tags) in [("one", &["v1"][..]), ("two", &["v2", "v3"])] {
        checkout(&past, &["-b", branch]);
        for tag in tags {
            past.write(FILE, &at(tag));
            past.commit("CI", &format!("x\n\nTagbump-Image: {API}:{tag}\nTagbump-Source: {}", source(tag)));
        }
        checkout(&past, &["main"]);
        merge(&past, &format!("Merge pull request #1 from acme/{branch}"), branch);
    }
    past.wait(60);
    ended(&rollback(&past, &[API, "--commit"]), 0, "committed");
    assert_eq!(past.read(FILE), at("v1"));
    let message = past.git("x", &["log", "-1", "--format=%B"]);
    assert!(message.contains(&format!("\nTagbump-Source: {}", source("v1"))), "{message}");
}
