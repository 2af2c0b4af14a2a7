//! What GitLab's API says about commits of another repository, if there is a token for it.

use std::path::PathBuf;
use std::process::Command;

use crate::support::bare::bare_repo;
use crate::support::cli;
use crate::support::git::git;
use crate::support::git_server::GitServer;
use crate::support::gitlab_api::{GitLabApi, TOKEN};
use crate::support::mono::tag_in;
use crate::support::repo::{API, FILE, ended, kustomization, rival, run};
use serde_json::Value;
use tempfile::TempDir;

/// The sources in `acme/shop/app`, the manifests in `acme/gitops`, on one server.
struct Project {
    // dropped first: it serves the folder
    server: GitServer,
    api: GitLabApi,
    builds: Vec<String>,
    gitops: PathBuf,
    folder: TempDir,
}

impl Project {
    fn new(builds: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = bare_repo(folder.path(), "acme/shop/app.git");
        let gitops = bare_repo(folder.path(), "acme/gitops.git");
        let builds = (0..builds).map(|nth| rival(&app, "src.txt", &format!("{nth}\n"))).collect();
        rival(&gitops, FILE, &kustomization(&[API.into()]));
        let api = GitLabApi::default();
        let server = GitServer::builder(folder.path())
            .basic_auth("x-access-token", TOKEN)
            .api(api.serve("acme/shop/app", &app))
            .start();
        Project { server, api, builds, gitops, folder }
    }

    /// The pipeline of a push of a commit to the sources.
    fn job(&self, sha: &str, more: &[&str]) -> Command {
        let name = format!("w-{}", fastrand::u32(..));
        git(self.folder.path(), &["clone", "--quiet", self.gitops.to_str().unwrap(), &name]);
        let folder = self.folder.path().join(name);
        git(&folder, &["remote", "set-url", "origin", &self.server.url("acme/gitops.git")]);
        git(&folder, &["config", "user.name", "Ada"]);
        git(&folder, &["config", "user.email", "ada@example.com"]);
        let mut command = cli::command(&folder);
        command
            .args(["bump", API, "--push", "--branch", "main", "--if-older", "skip", "--format", "json"])
            .args(more);
        for (name, value) in [
            ("GITLAB_CI", "true"),
            ("CI_SERVER_URL", self.server.url("").trim_end_matches('/')),
            ("CI_PROJECT_PATH", "acme/shop/app"),
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_SHA", sha),
            ("TAGBUMP_TOKEN", TOKEN),
        ] {
            command.env(name, value);
        }
        command
    }

    #[track_caller]
    fn ends(&self, nth: usize, outcome: &str) -> Value {
        ended(&run(&mut self.job(&self.builds[nth], &[])), 0, outcome)
    }

    fn tag(&self) -> String {
        tag_in(&git(&self.gitops, &["show", &format!("main:{FILE}")]))
    }
}

#[test]
fn older_build_of_another_project_is_superseded() {
    let project = Project::new(3);
    project.ends(1, "landed");
    project.ends(0, "superseded");
    assert_eq!(project.tag(), project.builds[1][..7]);
    let told = project.ends(2, "landed");
    assert_eq!(told["notices"].to_string(), "[]");
}

/// A build of a branch, and one of main after it: main's stays.
#[test]
fn build_of_the_default_branch_wins_over_another() {
    let mut project = Project::new(2);
    let app = project.folder.path().join("acme/shop/app.git");
    let work = project.folder.path().join("work");
    git(project.folder.path(), &["clone", "--quiet", app.to_str().unwrap(), "work"]);
    git(&work, &["checkout", "--quiet", "-b", "side", &project.builds[0]]);
    let ada = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    git(&work, &[&ada[..], &["commit", "--quiet", "--allow-empty", "--message", "side"]].concat());
    git(&work, &["push", "--quiet", "origin", "side"]);
    project.builds.push(git(&work, &["rev-parse", "HEAD"]));
    project.ends(1, "landed");
    project.ends(2, "superseded");
    assert_eq!(project.tag(), project.builds[1][..7]);
}

#[test]
fn refused_question_leaves_the_order_unknown() {
    for (status, words) in [(401, "answered 401"), (403, "answered 403"), (404, "answered 404")] {
        let project = Project::new(2);
        project.ends(1, "landed");
        project.api.answers(status);
        let told = project.ends(0, "landed");
        assert!(told["notices"].to_string().contains(words), "{told}");
        assert!(!told.to_string().contains(TOKEN));
    }
}

#[test]
fn commits_are_listed_newest_first() {
    let project = Project::new(30);
    project.ends(0, "landed");
    let told = ended(&run(&mut project.job(&project.builds[29], &["--changes", "list"])), 0, "landed");
    let commits = told["changes"][0]["commits"].as_array().unwrap();
    let listed: Vec<&str> = commits.iter().map(|commit| commit["sha"].as_str().unwrap()).collect();
    let newest: Vec<&str> = project.builds.iter().rev().take(20).map(String::as_str).collect();
    assert_eq!(listed, newest);
    let (old, new) = (&project.builds[0][..12], &project.builds[29][..12]);
    let page = project.server.url("acme/shop/app");
    assert_eq!(told["changes"][0]["compare"], format!("{page}/-/compare/{old}...{new}"));
}

#[test]
fn without_asking_only_the_order_is_looked_up() {
    let project = Project::new(2);
    project.ends(0, "landed");
    project.ends(1, "landed");
    let calls = project.api.calls();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.contains("/merge_base?")), "{calls:?}");
}
