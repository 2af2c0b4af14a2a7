//! The order guard asks Gitea about commits of another repository.

use super::people::{API, GitOps};
use crate::support::cli::Run;
use crate::support::repo::{self, ended};

/// A job of the repository `app`, as Gitea Actions runs it for a push of a commit.
fn job(gitops: &GitOps, commit: &str) -> Run {
    let mut command = gitops.command(&format!("{API}:main-{}", &commit[..7]), &["--push"]);
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
    ended(&job(&gitops, &builds[1]), 0, "landed");
    ended(&job(&gitops, &builds[0]), 0, "superseded");
    assert!(gitops.file("main").contains(&tag(&builds[1])));
    ended(&job(&gitops, &builds[2]), 0, "landed");
    assert!(gitops.file("main").contains(&tag(&builds[2])));
}
