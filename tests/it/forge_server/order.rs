//! What Gitea says about commits of another repository: their order, and which ones a bump includes.

use super::people::{API, GitOps};
use crate::support::cli::Run;
use crate::support::repo::{self, ended};

/// A job of the repository `app`, as Gitea Actions runs it for a push of a commit.
fn job(gitops: &GitOps, commit: &str, more: &[&str]) -> Run {
    let mut command = gitops.command(&format!("{API}:main-{}", &commit[..7]), &[&["--push"], more].concat());
    command
        .env_remove("TAGBUMP_TOKEN")
        .env("GITHUB_ACTIONS", "true")
        .env("GITEA_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_SERVER_URL", gitops.server.url())
        .env("GITHUB_API_URL", format!("{}/api/v1", gitops.server.url()))
        .env("GITHUB_REPOSITORY", format!("{}/app", gitops.owner.name))
        .env("GITHUB_REF_NAME", "main")
        .env("GITHUB_REF_TYPE", "branch")
        .env("GITHUB_SHA", commit)
        .env("GITHUB_TOKEN", &gitops.owner.token);
    repo::run(&mut command)
}

#[test]
fn older_build_of_another_repository_is_superseded() {
    let gitops = GitOps::new("order");
    let builds = gitops.with_source("app", 3);
    let tag = |build: &str| format!("newTag: main-{}", &build[..7]);
    ended(&job(&gitops, &builds[1], &[]), 0, "landed");
    ended(&job(&gitops, &builds[0], &[]), 0, "superseded");
    assert!(gitops.file("main").contains(&tag(&builds[1])));
    ended(&job(&gitops, &builds[2], &[]), 0, "landed");
    assert!(gitops.file("main").contains(&tag(&builds[2])));
}

/// More of them than the server puts on a page of its lists.
#[test]
fn commits_of_another_repository_are_listed() {
    let gitops = GitOps::new("brings");
    let builds = gitops.with_source("app", 25);
    ended(&job(&gitops, &builds[0], &[]), 0, "landed");
    let told = ended(&job(&gitops, &builds[24], &["--changes", "list"]), 0, "landed");
    let (old, new) = (&builds[0][..12], &builds[24][..12]);
    let page = format!("{}/brings/app/compare/{old}...{new}", gitops.server.url());
    assert_eq!(told["changes"][0]["compare"], page);
    let commits = told["changes"][0]["commits"].as_array().unwrap();
    let listed: Vec<&str> = commits.iter().map(|commit| commit["sha"].as_str().unwrap()).collect();
    let newest: Vec<&str> = builds.iter().rev().take(20).map(String::as_str).collect();
    assert_eq!(listed, newest);
    assert_eq!(commits[0]["subject"], "change src.txt");
    assert_eq!(told["notices"].to_string(), "[]");
}
