//! `tagbump tag`: from a checkout, and from an event.

use std::path::{Path, PathBuf};

use crate::support::cli::{Run, command};
use crate::support::git::git;

/// A repository with one commit on `feat/x y`; returns its folder and the commit.
fn repository(parent: &Path) -> (PathBuf, String) {
    let folder = parent.join("repo");
    std::fs::create_dir(&folder).unwrap();
    git(&folder, &["init", "--quiet", "--initial-branch", "feat/x-y_z+1"]);
    git(&folder, &["commit", "--quiet", "--allow-empty", "--message", "one"]);
    let sha = git(&folder, &["rev-parse", "HEAD"]).trim().to_owned();
    (folder, sha)
}

fn tag(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = command(folder);
    command.arg("tag").args(arguments).envs(variables.iter().copied());
    Run::of(&command.output().unwrap())
}

const MERGE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";

/// The environment of an event, with its file.
fn event<'a>(name: &'a str, file: &'a Path, json: &str) -> Vec<(&'a str, &'a str)> {
    std::fs::write(file, json).unwrap();
    vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", name),
        ("GITHUB_EVENT_PATH", file.to_str().unwrap()),
        ("GITHUB_REPOSITORY", "acme/api"),
        ("GITHUB_SHA", MERGE),
        ("GITHUB_RUN_NUMBER", "42"),
    ]
}

#[test]
fn tag_is_of_head_outside_of_actions() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, sha) = repository(folder.path());
    assert_eq!(tag(&repo, &[], &[]).stdout, format!("{}\n", &sha[..7]));
    let both = tag(&repo, &["-T", "{branch}-{sha:9}", "-T", "latest", "--image", "ghcr.io/acme/api"], &[]);
    let expected = format!("ghcr.io/acme/api:feat-x-y_z-1-{}\nghcr.io/acme/api:latest\n", &sha[..9]);
    assert_eq!(both.stdout, expected, "{}", both.stderr);
    let dated = tag(&repo, &["-T", "{date:%Y%m%d}"], &[("SOURCE_DATE_EPOCH", "1700000000")]);
    assert_eq!(dated.stdout, "20231114\n");
    assert_eq!(
        tag(&repo, &[], &[("TAGBUMP_TAG_TEMPLATE", "v-{sha:4}\nx")]).stdout,
        format!("v-{}\nx\n", &sha[..4])
    );
}

#[test]
fn source_date_epoch_is_refused_if_it_is_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let dated = |epoch: &str| tag(&repo, &["-T", "{date:%Y}"], &[("SOURCE_DATE_EPOCH", epoch)]);
    let wrong = dated("yesterday");
    let message = "error: SOURCE_DATE_EPOCH \"yesterday\" isn't a number of seconds";
    assert!(wrong.exit == 2 && wrong.stderr.starts_with(message), "{}", wrong.stderr);
    assert_eq!(dated("").exit, 0, "an empty variable counts as unset");
}

#[test]
fn version_is_git_tag_of_commit() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    assert_eq!(tag(&repo, &["-T", "{version}"], &[]).exit, 2);
    git(&repo, &["tag", "v1.9.0"]);
    git(&repo, &["tag", "--annotate", "--message", "x", "v1.10.0"]);
    assert_eq!(tag(&repo, &["-T", "{version}", "-T", "{semver}"], &[]).stdout, "v1.10.0\n1.10.0\n");
    git(&repo, &["commit", "--quiet", "--allow-empty", "--message", "two"]);
    assert_eq!(tag(&repo, &["-T", "{version}"], &[]).exit, 2);
}

#[test]
fn variable_without_value_is_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    let none = tag(folder.path(), &[], &[]);
    assert_eq!((none.exit, none.stdout.as_str()), (2, ""));
    assert!(none.stderr.contains("{sha} has no value"), "{}", none.stderr);
    let (repo, _) = repository(folder.path());
    for template in ["{pr}", "{run}", "{brnch}", "-{sha:7}", "{sha:65}", "a:b"] {
        let run = tag(&repo, &[&format!("--tag-template={template}")], &[]);
        assert_eq!(run.exit, 2, "{template}: {}", run.output());
        assert!(run.stderr.contains("hint: "), "{template}: {}", run.stderr);
    }
    for (template, advice) in
        [("{pr}", "hint: use another --tag-template"), ("{date:}", "hint: change --tag-template")]
    {
        let run = tag(&repo, &["-T", template], &[]);
        assert!(run.exit == 2 && run.stderr.contains(advice), "{template}: {}", run.stderr);
    }
    git(&repo, &["checkout", "--quiet", "--detach"]);
    assert_eq!(tag(&repo, &["-T", "{branch}"], &[]).exit, 2);
    for (value, is) in [("", "empty"), ("  ", "blank")] {
        let run = tag(&repo, &["-T", value], &[]);
        let said = format!("the value of --tag-template is {is};");
        assert!(run.exit == 2 && run.stderr.contains(&said), "{}", run.output());
    }
}

#[test]
fn push_event_gives_its_commit_and_branch() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let file = folder.path().join("event.json");
    let mut variables = event("push", &file, "{}");
    variables.extend([
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_REF", "refs/heads/main"),
    ]);
    let run = tag(&repo, &["-T", "{branch}-{sha:7}-{run}"], &variables);
    assert_eq!(run.stdout, "main-1111111-42\n", "{}", run.stderr);
}

#[test]
fn tag_event_gives_version() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let file = folder.path().join("event.json");
    let mut variables = event("push", &file, "{}");
    variables.extend([
        ("GITHUB_REF_NAME", "v2.0.0"),
        ("GITHUB_REF_TYPE", "tag"),
        ("GITHUB_REF", "refs/tags/v2.0.0"),
    ]);
    assert_eq!(
        tag(&repo, &["-T", "{version}", "-T", "{semver}", "-T", "{ref}"], &variables).stdout,
        "v2.0.0\n2.0.0\nv2.0.0\n"
    );
    assert_eq!(tag(&repo, &["-T", "{branch}"], &variables).exit, 2);
}

#[test]
fn pull_request_event_gives_its_head_with_notice() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let file = folder.path().join("event.json");
    let json = format!(
        r#"{{"pull_request": {{"number": 7, "head": {{"sha": "{HEAD}", "repo": {{"full_name": "me/api"}}}}}}}}"#
    );
    let mut variables = event("pull_request", &file, &json);
    variables.extend([
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_REF_NAME", "7/merge"),
        ("GITHUB_HEAD_REF", "fix/a"),
    ]);
    let run = tag(&repo, &["-T", "{ref}-{pr}-{branch}-{sha:7}"], &variables);
    assert_eq!(run.stdout, "pr-7-7-fix-a-2222222\n", "{}", run.stderr);
    assert!(run.stderr.contains("::notice::on pull requests, the commit is the head"), "{}", run.stderr);
}

/// `HEAD` is a trial merge then, and no image has its tag.
#[test]
fn pull_request_event_that_cannot_be_read_gives_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let file = folder.path().join("event.json");
    for name in ["pull_request", "workflow_run"] {
        let variables = event(name, &file, "not json");
        let run = tag(&repo, &[], &variables);
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{}", run.output());
        assert!(run.stderr.contains("GITHUB_EVENT_PATH names can't be read"), "{}", run.stderr);
        assert_eq!(tag(&repo, &["--source", HEAD], &variables).stdout, "2222222\n");
    }
    assert_eq!(tag(&repo, &[], &event("push", &file, "not json")).exit, 0);
}

#[test]
fn workflow_run_event_gives_the_built_commit() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let file = folder.path().join("event.json");
    let json = format!(r#"{{"workflow_run": {{"head_sha": "{HEAD}", "head_branch": "dev"}}}}"#);
    let run = tag(&repo, &["-T", "{branch}-{sha:7}"], &event("workflow_run", &file, &json));
    assert_eq!(run.stdout, "dev-2222222\n", "{}", run.stderr);
}

#[test]
fn source_flag_wins() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, sha) = repository(folder.path());
    let file = folder.path().join("event.json");
    let variables = event("push", &file, "not json");
    let run = tag(&repo, &["--source", &format!("acme/api@{HEAD}")], &variables);
    assert_eq!(run.stdout, "2222222\n", "{}", run.stderr);
    let short = tag(&repo, &["--source", &sha[..8], "-T", "{sha:12}"], &[]);
    assert_eq!(short.stdout, format!("{}\n", &sha[..12]), "an abbreviation of a known commit is completed");
    assert_eq!(tag(&repo, &["--source", "main"], &[]).exit, 2);
}

#[test]
fn bump_uses_first_of_several_templates() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, sha) = repository(folder.path());
    std::fs::write(repo.join("kustomization.yaml"), "images: [{name: app, newTag: v1}]\n").unwrap();
    let mut command = command(&repo);
    command.args(["bump", "app"]).env("TAGBUMP_TAG_TEMPLATE", "sha-{sha:9}\nlatest");
    let run = Run::of(&command.output().unwrap());
    assert!(run.stdout.contains(&format!("v1 -> sha-{}", &sha[..9])), "{}", run.output());
}

/// A pipeline that writes the tag to a file must not go on with an empty one.
#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = repository(folder.path());
    let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'app:v1'}]}\n";
    std::fs::write(repo.join("pod.yaml"), pod).unwrap();
    for arguments in
        [&["tag"][..], &["scan"], &["bump", "app:v2", "--format", "json"], &["completions", "bash"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = command(&repo).args(arguments).stdout(full).output().unwrap();
        assert_eq!(run.status.code(), Some(1), "{arguments:?}");
        let told = String::from_utf8_lossy(&run.stderr);
        assert!(told.contains("error: can't write to the standard output: "), "{told}");
    }
}

/// As a bump of the service computes it.
#[test]
fn service_has_its_image_and_its_own_template() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, sha) = repository(folder.path());
    let config = "tag: 'cfg-{sha:7}'\nservices:\n  api: { image: ghcr.io/acme/api, tag: 'svc-{sha:8}' }\n  web: { image: ghcr.io/acme/web }\n";
    std::fs::write(repo.join("tagbump.yaml"), config).unwrap();
    let run = tag(&repo, &["--image", "api", "--image", "web", "--image", "acme/other"], &[]);
    let wanted = format!(
        "ghcr.io/acme/api:svc-{}\nghcr.io/acme/web:cfg-{1}\nacme/other:cfg-{1}\n",
        &sha[..8],
        &sha[..7]
    );
    assert_eq!(run.stdout, wanted, "{}", run.stderr);
    assert_eq!(tag(&repo, &["--image", "api", "-T", "x"], &[]).stdout, "ghcr.io/acme/api:x\n");
    assert_eq!(tag(&repo, &[], &[]).stdout, format!("cfg-{}\n", &sha[..7]));
    std::fs::create_dir(repo.join("deploy")).unwrap();
    let below = tag(&repo.join("deploy"), &[], &[]);
    assert!(
        below.stderr.contains("tagbump.yaml in the top folder of the repository isn't read"),
        "{}",
        below.stderr
    );
}
