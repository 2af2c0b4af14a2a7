//! `--push --via api`: GitHub makes and signs the commit. Runs against the fake GitHub.

use std::path::Path;
use std::process::Command;

use crate::support::cli;
use crate::support::git::git;
use crate::support::github::{Fault, LOGIN, On};
use crate::support::hub::{Hub, Via};
use crate::support::repo::{self, API, FILE, commit, ended, failed, kustomization, run_together};

/// `tagbump bump IMAGE:TAG --push --via api` in a folder.
fn command_in(hub: &Hub, folder: &Path, image: &str, more: &[&str]) -> Command {
    let mut command = cli::command(folder);
    command.args(["bump", image, "--push", "--via", "api", "--format", "json"]).args(more);
    hub.github.env(&mut command);
    command
}

fn push(hub: &Hub, tag: &str, more: &[&str]) -> Command {
    command_in(hub, &hub.checkout(), &format!("{API}:{tag}"), more)
}

/// Apart from other people's commits, main has one more commit than at the start, and it sets the tag.
#[track_caller]
fn has_landed_once(hub: &Hub, tag: &str) {
    assert!(hub.file("main").contains(&format!("newTag: {tag} # by CI")), "{}", hub.file("main"));
    let subjects = git(&hub.world.bare, &["log", "--format=%s", "refs/heads/main"]);
    let ours = subjects.lines().filter(|subject| subject.starts_with("chore: update api image")).count();
    assert_eq!(ours, 1, "{subjects}");
    git(&hub.world.bare, &["fsck", "--strict"]);
}

#[test]
fn github_makes_the_commit_and_checkout_follows() {
    let hub = Hub::new(Via::Api);
    let folder = hub.checkout();
    let run = repo::run(&mut command_in(&hub, &folder, &format!("{API}:v1"), &["-v"]));
    let told = ended(&run, 0, "landed");
    has_landed_once(&hub, "v1");
    let tip = hub.tip("main");
    assert_eq!((&told["commit"], &told["attempts"]), (&tip.as_str().into(), &1.into()));
    assert!(hub.github.verified(&tip));
    assert!(run.stderr.contains("verified"), "{}", run.output());
    assert_eq!(git(&hub.world.bare, &["log", "-1", "--format=%an", "main"]), LOGIN);
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), tip, "fast-forwarded");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    let message = hub.message("main");
    assert!(message.starts_with("chore: update api image to v1"), "{message}");
    assert!(message.contains("\n\nghcr.io/acme/api: v0 -> v1 (k8s/kustomization.yaml)\n\n"), "{message}");
    assert!(message.trim_end().ends_with("Tagbump-Image: ghcr.io/acme/api:v1"), "{message}");
    assert!(!hub.github.git.requests().iter().any(|request| request.path.ends_with("git-receive-pack")));
    ended(&repo::run(&mut command_in(&hub, &folder, &format!("{API}:v1"), &[])), 0, "already");
    assert_eq!(hub.github.count(On::CreateCommitOnBranch), 1);
}

#[test]
fn commit_by_api_lands_when_git_knows_no_author() {
    let hub = Hub::new(Via::Api);
    let folder = hub.checkout();
    git(&folder, &["config", "--unset", "user.name"]);
    git(&folder, &["config", "--unset", "user.email"]);
    ended(&repo::run(&mut command_in(&hub, &folder, &format!("{API}:v1"), &[])), 0, "landed");
}

#[test]
fn commit_by_api_keeps_byte_order_mark_and_crlf() {
    let text = kustomization(&[API.into()]).replace('\n', "\r\n");
    let text = format!("\u{feff}# {}\r\n{}", "ü\u{1F600}", text.trim_end());
    let hub = Hub::with(Via::Api, &[(FILE, &text)]);
    ended(&repo::run(&mut push(&hub, "v1", &["--no-sync"])), 0, "landed");
    let landed = git2::Repository::open(&hub.world.bare).unwrap();
    let landed = landed.revparse_single(&format!("main:{FILE}")).unwrap().peel_to_blob().unwrap();
    assert_eq!(String::from_utf8(landed.content().to_vec()).unwrap(), text.replace("v0", "v1"));
}

#[test]
fn commit_by_api_goes_on_top_when_branch_moved() {
    let hub = Hub::new(Via::Api);
    hub.github.fault(On::CreateCommitOnBranch, Fault::StaleHead);
    hub.github.fault_at(On::CreateCommitOnBranch, 2, Fault::StaleHead);
    let told = ended(&repo::run(&mut push(&hub, "v1", &[])), 0, "landed");
    assert_eq!(told["attempts"], 3);
    has_landed_once(&hub, "v1");
    assert_eq!(
        git(&hub.world.bare, &["log", "--format=%an", "-3", "main"]),
        format!("{LOGIN}\nRival\nRival")
    );
}

/// Whatever happens to the response, there is exactly one commit, and the report names it.
#[test]
fn commit_by_api_lands_once_when_answers_fail() {
    let faults = [
        (Fault::Status(502), 2),
        (Fault::Status(500), 2),
        (Fault::Close, 2),
        (Fault::AfterCommit(502), 1),
        (Fault::AfterCommit(504), 1),
        (Fault::Cut, 1),
        (Fault::Secondary { retry_after: 1 }, 2),
        (Fault::Primary { reset: 1 }, 2),
    ];
    for (fault, attempts) in faults {
        let hub = Hub::new(Via::Api);
        hub.github.fault(On::CreateCommitOnBranch, fault.clone());
        let run = repo::run(&mut push(&hub, "v1", &[]));
        let told = ended(&run, 0, "landed");
        assert_eq!(hub.github.faults_left(), [""; 0], "{fault:?}");
        has_landed_once(&hub, "v1");
        assert_eq!(
            (&told["commit"], &told["attempts"]),
            (&hub.tip("main").into(), &attempts.into()),
            "{fault:?}"
        );
        assert!(!run.stderr.contains("can't determine whether GitHub verified"), "{}", run.output());
    }
}

#[test]
fn run_ends_with_exit_4_when_rate_limit_outlasts_timeout() {
    for fault in [Fault::Secondary { retry_after: 3600 }, Fault::Primary { reset: 3600 }] {
        let hub = Hub::new(Via::Api);
        hub.github.fault(On::CreateCommitOnBranch, fault);
        let told = failed(&repo::run(&mut push(&hub, "v1", &[])), 4);
        assert!(told.contains("rate limit") && told.contains("--timeout"), "{told}");
        assert_eq!(hub.github.count(On::CreateCommitOnBranch), 1);
        assert!(hub.file("main").contains("v0"));
    }
}

#[test]
fn refusal_is_shown_with_githubs_message() {
    let refusals = [
        Fault::Forbidden("Resource not accessible by integration"),
        Fault::Unprocessable(
            "Repository rule violations found: Changes must be made through a pull request.",
        ),
    ];
    for fault in refusals {
        let hub = Hub::new(Via::Api);
        let (Fault::Forbidden(words) | Fault::Unprocessable(words)) = fault.clone() else { panic!("words") };
        hub.github.fault(On::CreateCommitOnBranch, fault);
        let told = failed(&repo::run(&mut push(&hub, "v1", &[])), 5);
        assert!(told.contains(words), "{told}");
        assert_eq!(hub.github.count(On::CreateCommitOnBranch), 1);
    }
}

#[test]
fn run_fails_when_token_is_wrong_or_missing() {
    let hub = Hub::new(Via::Api);
    let told = failed(&repo::run(push(&hub, "v1", &[]).env_remove("GITHUB_TOKEN")), 5);
    assert!(told.contains("no token") && told.contains("TAGBUMP_TOKEN"), "{told}");
    let told = failed(&repo::run(push(&hub, "v1", &[]).env("GITHUB_TOKEN", "ghs_wr0ng")), 5);
    assert!(told.contains("401") && !told.contains("wr0ng"), "{told}");
}

#[test]
fn warning_is_shown_when_server_does_not_sign() {
    let hub = Hub::new(Via::Api);
    hub.github.signs(false);
    let told = ended(&repo::run(&mut push(&hub, "v1", &[])), 0, "landed");
    let warned = told["warnings"].as_array().unwrap();
    assert!(warned.iter().any(|warning| warning.as_str().unwrap().contains("verified (UNSIGNED)")), "{told}");
}

#[cfg(unix)]
#[test]
fn commit_by_api_is_refused_when_it_would_drop_file_mode() {
    use std::os::unix::fs::PermissionsExt;
    let hub = Hub::new(Via::Api);
    let seed = hub.world.full("seed2");
    git(&seed, &["remote", "set-url", "origin", hub.world.bare.to_str().unwrap()]);
    std::fs::set_permissions(seed.join(FILE), std::fs::Permissions::from_mode(0o755)).unwrap();
    commit(&seed, FILE, &kustomization(&[API.into()]));
    git(&seed, &["push", "--quiet", "origin", "HEAD:main"]);
    let told = failed(&repo::run(&mut push(&hub, "v1", &[])), 6);
    assert!(told.contains(FILE) && told.contains("100755") && told.contains("--via git"), "{told}");
    assert_eq!(hub.github.count(On::Any), 0);
}

#[test]
fn via_api_is_wrong_usage_beside_flags_that_exclude_it() {
    let hub = Hub::new(Via::Api);
    for (more, word) in
        [(&["--author", "A <a@b>"][..], "--author"), (&["--remote", "/srv/x/y.git"], "GitHub")]
    {
        let told = failed(&repo::run(&mut push(&hub, "v1", more)), 2);
        assert!(told.contains(word), "{told}");
    }
    let mut local = cli::command(&hub.checkout());
    local.args(["bump", &format!("{API}:v1"), "--commit", "--via", "api", "--format", "json"]);
    let told = failed(&repo::run(&mut local), 2);
    assert!(told.contains("--commit"), "{told}");
    assert_eq!(hub.github.count(On::Any), 0);
}

#[test]
fn dry_run_sends_no_api_request() {
    let hub = Hub::new(Via::Api);
    let before = hub.tip("main");
    ended(&repo::run(&mut push(&hub, "v1", &["-n"])), 0, "planned");
    assert_eq!((hub.tip("main"), hub.github.count(On::Any)), (before, 0));
}

#[test]
fn eight_commits_by_api_land_when_run_at_once() {
    let images: Vec<String> = (0..8).map(|nth| format!("ghcr.io/acme/app-{nth}")).collect();
    let hub = Hub::with(Via::Api, &[(FILE, &kustomization(&images))]);
    let folders: Vec<_> = images.iter().map(|_| hub.checkout()).collect();
    let jobs = images
        .iter()
        .zip(&folders)
        .map(|(image, folder)| command_in(&hub, folder, &format!("{image}:v1"), &[]));
    for run in run_together(jobs.collect()) {
        ended(&run, 0, "landed");
    }
    let landed = git(&hub.world.bare, &["rev-list", "--first-parent", "--count", "refs/heads/main"]);
    assert_eq!(landed, "10", "two at the start");
    assert!(!hub.file("main").contains("v0"), "{}", hub.file("main"));
}
