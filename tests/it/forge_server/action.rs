//! The composite action on Gitea, run by act, with what a runner of Gitea's sets. `TEST_ACT` names act; `.ci/forge` installs it.

use std::path::Path;
use std::process::Command;

use super::people::{API, GitOps, WEB};
use crate::support::repo::write;

/// A job with one step, on a push to main.
fn job(inputs: &[(&str, &str)]) -> String {
    let with: String =
        inputs.iter().map(|(name, value)| format!("          {name}: \"{value}\"\n")).collect();
    format!(
        "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v7\n      - uses: tagbump/tagbump@v1\n        with:\n          binary: \"{}\"\n{with}",
        env!("CARGO_BIN_EXE_tagbump")
    )
}

/// What people use as `tagbump/tagbump@v1`.
fn publish(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(folder.join("action")).unwrap();
    std::fs::copy(root.join("action.yml"), folder.join("action.yml")).unwrap();
    for file in std::fs::read_dir(root.join("action")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.join("action").join(file.file_name())).unwrap();
    }
}

/// Runs a job in a checkout. Gives its log.
fn run(gitops: &GitOps, inputs: &[(&str, &str)]) -> String {
    let act = std::env::var_os("TEST_ACT").expect("TEST_ACT names act; .ci/forge installs it and sets it");
    let (home, clone) = (tempfile::tempdir().unwrap(), gitops.checkout());
    let published = home.path().join("published");
    publish(&published);
    write(home.path(), "workflow.yml", &job(inputs));
    write(home.path(), "event.json", "{}");
    write(home.path(), "secrets", &format!("GITHUB_TOKEN={}\n", gitops.owner.token));
    let path = |name: &str| home.path().join(name).display().to_string();
    let url = gitops.server.url();
    let mut command = Command::new(act);
    command.args(["push", "-W", &path("workflow.yml"), "-e", &path("event.json")]);
    command.args(["--secret-file", &path("secrets")]);
    command.args(["-P", "ubuntu-latest=-self-hosted", "--pull=false", "--no-cache-server"]);
    command.args(["--local-repository", &format!("tagbump/tagbump@v1={}", published.display())]);
    for (name, value) in [
        ("GITEA_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", &*url),
        ("GITHUB_API_URL", &format!("{url}/api/v1")),
        ("GITHUB_REPOSITORY", &gitops.slug),
        ("GITHUB_REF_NAME", "main"),
    ] {
        command.args(["--env", &format!("{name}={value}")]);
    }
    command.current_dir(&clone).env_clear().env("HOME", home.path()).env("XDG_CACHE_HOME", path("cache"));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("LC_ALL", "C.UTF-8");
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(!log.contains(&gitops.owner.token), "{log}");
    log
}

#[test]
fn action_pushes_and_opens_a_request_for_each_image() {
    let gitops = GitOps::new("by-action");
    let api = |tag: &str| format!("{API}:{tag}");
    run(&gitops, &[("image", &api("v1"))]);
    assert!(gitops.file("main").contains("name: ghcr.io/acme/api\n    newTag: v1"));
    for tag in ["v2", "v3"] {
        let log = run(&gitops, &[("image", &api(tag)), ("pr", "true")]);
        assert!(log.contains("/by-action/gitops/pulls/1"), "{log}");
        let log =
            run(&gitops, &[("image", &format!("{WEB}:{tag}")), ("pr", "true"), ("assignee", "by-action")]);
        assert!(log.contains("/by-action/gitops/pulls/2"), "{log}");
    }
    let pulls: Vec<(u64, String)> =
        gitops.pulls().into_iter().map(|(number, _, title, _)| (number, title)).collect();
    let title = |name: &str| format!("chore: update {name} image to v3");
    assert_eq!(pulls, [(1, title("api")), (2, title("web"))]);
    assert_eq!(gitops.get("/pulls/2")["assignees"][0]["login"], "by-action");
}

#[test]
fn action_waits_for_a_status() {
    let gitops = GitOps::new("waits-in-action");
    run(&gitops, &[("image", &format!("{API}:v1"))]);
    let status = serde_json::json!({"context": "kustomization/apps/1a2b", "state": "success"});
    gitops.owner.client.post(&gitops.route(&format!("/statuses/{}", gitops.tip())), &status);
    let log = run(&gitops, &[("command", "wait"), ("image", API), ("status", "kustomization/*")]);
    assert!(log.contains(&format!("live  {API}:v1")), "{log}");
}
