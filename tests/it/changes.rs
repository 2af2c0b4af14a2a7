//! Which commits a bump includes: the page that compares the old and the new source, and the commits between them.

use std::path::PathBuf;
use std::process::Command;

use crate::support::apart::{Apart, Hosted};
use crate::support::cli;
use crate::support::git::git;
use crate::support::github::On;
use crate::support::mono::{Mono, back_in, job_in};
use crate::support::repo::{self, API, FILE, ended, kustomization, run, write};
use serde_json::{Value, json};

fn page(server: &str, old: &str, new: &str) -> String {
    format!("{server}/acme/gitops/compare/{}...{}", &old[..12], &new[..12])
}

fn subjects(told: &Value) -> Vec<&str> {
    let commits = told["changes"][0]["commits"].as_array().unwrap();
    commits.iter().map(|commit| commit["subject"].as_str().unwrap()).collect()
}

/// A job of a commit, in a checkout with the whole history.
fn deep_job(mono: &Mono, sha: &str, more: &[&str]) -> Command {
    let folder = mono.world.full(&format!("deep-{}", fastrand::u32(..)));
    job_in(&folder, sha, more)
}

#[test]
fn commit_and_json_have_a_link_and_the_summary_has_the_commits_too() {
    let mono = Mono::new(3);
    let [first, _, last] = &mono.builds[..] else { panic!() };
    ended(&run(&mut deep_job(&mono, first, &[])), 0, "landed");
    let summary = mono.world.path().join("summary");
    let mut job = deep_job(&mono, last, &[]);
    let told = ended(&run(job.env("GITHUB_STEP_SUMMARY", &summary)), 0, "landed");
    let link = page("https://github.com", first, last);
    assert_eq!(told["changes"][0]["compare"], link);
    assert_eq!(told["changes"][0]["source"], format!("acme/gitops@{last}"));
    assert_eq!(subjects(&told), ["change src/main.rs"; 2]);
    assert_eq!(told["changes"][0]["commits"][0]["sha"], *last);
    let message = mono.world.message();
    assert!(message.contains(&format!("({FILE})\n\nChanges: {link}\n\nTagbump-Image: {API}:")), "{message}");
    assert!(!message.contains("change src"), "{message}");
    let summary = std::fs::read_to_string(summary).unwrap();
    let pair = link.rsplit('/').next().unwrap();
    let text =
        format!("\nChanges in `{API}`: [{pair}]({link})\n\n- `change src/main.rs`\n- `change src/main.rs`\n");
    assert!(summary.contains(&text), "{summary}");
}

/// The first bump replaces a tag that no build made.
#[test]
fn tag_without_a_known_source_has_no_link() {
    let mono = Mono::new(1);
    let told = ended(&run(&mut deep_job(&mono, &mono.builds[0], &[])), 0, "landed");
    assert_eq!(told["changes"][0]["source"], format!("acme/gitops@{}", mono.builds[0]));
    assert_eq!((&told["changes"][0]["compare"], &told["changes"][0]["commits"]), (&Value::Null, &json!([])));
    assert!(!mono.world.message().contains("compare"));
}

#[test]
fn option_and_variable_choose_how_much_is_shown() {
    let mono = Mono::new(2);
    ended(&run(&mut deep_job(&mono, &mono.builds[0], &[])), 0, "landed");
    let link = page("https://github.com", &mono.builds[0], &mono.builds[1]);
    let shown = |job: &mut Command| {
        let told = ended(&run(job.arg("-n")), 0, "planned");
        (told["changes"][0]["compare"].clone(), subjects(&told).len())
    };
    for (value, expected) in [
        ("auto", (json!(link), 1)),
        ("list", (json!(link), 1)),
        ("link", (json!(link), 0)),
        ("off", (Value::Null, 0)),
    ] {
        assert_eq!(shown(&mut deep_job(&mono, &mono.builds[1], &["--changes", value])), expected, "{value}");
        let mut job = deep_job(&mono, &mono.builds[1], &[]);
        assert_eq!(shown(job.env("TAGBUMP_CHANGES", value)), expected, "{value}");
    }
}

#[test]
fn own_message_has_no_link() {
    let mono = Mono::new(2);
    ended(&run(&mut deep_job(&mono, &mono.builds[0], &[])), 0, "landed");
    ended(&run(&mut deep_job(&mono, &mono.builds[1], &["-m", "deploy {tag}"])), 0, "landed");
    let message = mono.world.message();
    assert!(message.starts_with("deploy ") && !message.contains("compare"), "{message}");
}

/// The usual checkout is one commit deep: the link needs no history, and no more of it is fetched for a list.
#[test]
fn shallow_checkout_fetches_nothing_for_the_list() {
    let mono = Mono::new(3);
    ended(&run(&mut mono.job(&mono.builds[0], &[])), 0, "landed");
    let counted = |changes: &str| {
        let job = mono.checkout(&format!("w-{changes}"), &mono.builds[2]);
        let before = mono.world.server.requests().len();
        let told =
            ended(&run(&mut job_in(&job, &mono.builds[2], &["--changes", changes, "-n"])), 0, "planned");
        (told, mono.world.server.requests().len() - before)
    };
    let ((told, auto), (_, off)) = (counted("auto"), counted("off"));
    assert_eq!(told["changes"][0]["compare"], page("https://github.com", &mono.builds[0], &mono.builds[2]));
    assert!(subjects(&told).is_empty());
    assert_eq!(auto, off);
}

/// Someone sets a tag by hand, with a trailer of their own.
fn forged(mono: &Mono, source: &str) {
    let work = mono.sources();
    write(&work, FILE, &kustomization(&[API.into()]).replace("v0", "v9"));
    let message = format!("Deploy\n\nTagbump-Image: {API}:v9\nTagbump-Source: {source}\n");
    git(&work, &["commit", "--quiet", "--all", "--message", &message]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
}

#[test]
fn forged_source_makes_no_link() {
    for repository in ["evil/x", "evil.example/acme", "acme/gitops/../../evil/x"] {
        let mono = Mono::new(1);
        forged(&mono, &format!("{repository}@{}", mono.builds[0].replace(char::is_numeric, "a")));
        let told = ended(&run(&mut deep_job(&mono, &mono.builds[0], &["--changes", "list"])), 0, "landed");
        assert_eq!(told["changes"][0]["compare"], Value::Null, "{repository}");
        let message = mono.world.message();
        assert!(!message.contains("evil") && !message.contains("compare"), "{message}");
    }
}

/// A rollback to a tag that was set with a forged trailer, in the job of a repository.
#[test]
fn rollback_to_a_forged_source_makes_no_link() {
    let mono = Mono::new(1);
    forged(&mono, &format!("evil/x@{}", "a".repeat(40)));
    ended(&run(&mut deep_job(&mono, &mono.builds[0], &[])), 0, "landed");
    let folder = mono.world.full("back");
    let mut back = back_in(&folder, &[]);
    let told = ended(&run(repo::actions(&mut back, "acme/gitops", &mono.builds[0])), 0, "landed");
    assert_eq!(told["changes"][0]["compare"], Value::Null);
    assert!(!mono.world.message().contains("compare"));
}

#[test]
fn rollback_goes_back() {
    let mono = Mono::new(2);
    for build in &mono.builds {
        ended(&run(&mut deep_job(&mono, build, &[])), 0, "landed");
    }
    let folder = mono.world.full("back");
    let summary = mono.world.path().join("summary");
    let mut back = back_in(&folder, &[]);
    back.env("GITHUB_STEP_SUMMARY", &summary);
    let told = ended(&run(repo::actions(&mut back, "acme/gitops", &mono.builds[1])), 0, "landed");
    let link = page("https://github.com", &mono.builds[0], &mono.builds[1]);
    assert_eq!(told["changes"][0]["compare"], link);
    assert_eq!(subjects(&told), ["change src/main.rs"]);
    let message = mono.world.message();
    assert!(message.contains(&format!("\n\nThis goes back: {link}\n\n")), "{message}");
    assert!(std::fs::read_to_string(summary).unwrap().contains("goes back"));
}

/// Without a job, the link leads to the remote, if that is a forge that is known.
#[test]
fn laptop_links_to_the_remote() {
    let mono = Mono::new(2);
    let bump = |nth: usize, more: &[&str]| {
        let folder = mono.world.full(&format!("laptop-{}", fastrand::u32(..)));
        let source = format!("acme/gitops@{}", mono.builds[nth]);
        let options = [&["--source", &source], more].concat();
        ended(&run(&mut repo::push(&folder, &format!("v1.{nth}"), &options)), 0, "landed")
    };
    bump(0, &[]);
    let told = bump(1, &["--forge", "gitlab"]);
    let server = mono.world.server.url("");
    let ids = (&mono.builds[0][..12], &mono.builds[1][..12]);
    assert_eq!(told["changes"][0]["compare"], format!("{server}acme/gitops/-/compare/{}...{}", ids.0, ids.1));
}

#[test]
fn unknown_host_has_no_link() {
    let mono = Mono::new(2);
    let mut compare = Value::Null;
    for (nth, sha) in mono.builds.iter().enumerate() {
        let folder = mono.world.full(&format!("laptop-{nth}"));
        let source = format!("acme/gitops@{sha}");
        let mut push = repo::push(&folder, &format!("v1.{nth}"), &["--source", &source]);
        compare = ended(&run(&mut push), 0, "landed")["changes"][0]["compare"].clone();
    }
    assert_eq!(compare, Value::Null);
}

#[test]
fn gitlab_pipeline_links_to_its_own_server() {
    let mono = Mono::new(2);
    let mut told = Value::Null;
    for (nth, sha) in mono.builds.iter().enumerate() {
        let folder = mono.world.full(&format!("pipeline-{nth}"));
        let mut command = cli::command(&folder);
        command.args(["bump", API, "--push", "--format", "json"]);
        for (name, value) in [
            ("GITLAB_CI", "true"),
            ("CI_SERVER_URL", "https://git.example/gitlab"),
            ("CI_PROJECT_PATH", "acme/gitops"),
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_SHA", sha),
        ] {
            command.env(name, value);
        }
        told = ended(&run(&mut command), 0, "landed");
    }
    let ids = (&mono.builds[0][..12], &mono.builds[1][..12]);
    let link = format!("https://git.example/gitlab/acme/gitops/-/compare/{}...{}", ids.0, ids.1);
    assert_eq!(told["changes"][0]["compare"], link);
}

/// The sources are on GitHub, the manifests in another repository.
#[test]
fn commits_of_another_repository_are_listed_only_if_asked_for() {
    let apart = Apart::new(28);
    let [first, last] = [&apart.mono.builds[0], &apart.mono.builds[27]];
    ended(&run(&mut apart.job(first, &[])), 0, "landed");
    let asked = |changes: &str| {
        let before = apart.github.calls().len();
        let told = ended(&run(&mut apart.job(last, &["--changes", changes, "-n"])), 0, "planned");
        (told, apart.github.calls().len() - before)
    };
    let ((auto, auto_calls), (off, off_calls)) = (asked("auto"), asked("off"));
    assert_eq!(auto_calls, off_calls);
    assert_eq!(auto["changes"][0]["compare"], page(&apart.github.url(), first, last));
    assert_eq!(off["changes"][0]["compare"], Value::Null);
    assert!(subjects(&auto).is_empty());
    let (list, _) = asked("list");
    let commits: Vec<&str> = list["changes"][0]["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| commit["sha"].as_str().unwrap())
        .collect();
    let newest: Vec<&str> = apart.mono.builds.iter().rev().take(20).map(String::as_str).collect();
    assert_eq!(commits, newest);
}

#[test]
fn list_that_the_forge_refuses_is_a_notice() {
    let apart = Apart::new(2);
    ended(&run(&mut apart.job(&apart.mono.builds[0], &[])), 0, "landed");
    let mut job = apart.job(&apart.mono.builds[1], &["--changes", "list", "--if-older", "write"]);
    let told = ended(&run(job.env_remove("GITHUB_TOKEN")), 0, "landed");
    let notice = "the commits of acme/gitops aren't listed: no token to read acme/gitops";
    assert!(told["notices"].to_string().contains(notice), "{told}");
    assert_ne!(told["changes"][0]["compare"], Value::Null);
}

/// A pull request of a repository on GitHub, in a checkout with its whole history.
fn propose(hosted: &Hosted, nth: usize) -> Value {
    let folder: PathBuf = hosted.mono.world.full(&format!("p-{}", fastrand::u32(..)));
    git(&folder, &["remote", "set-url", "origin", &hosted.github.git_url()]);
    let mut command = cli::command(&folder);
    command.args(["bump", API, "--pr", "--format", "json"]);
    repo::actions(&mut command, "acme/gitops", &hosted.mono.builds[nth]);
    ended(&run(hosted.github.env(&mut command)), 0, "proposed")
}

/// A squash merge makes a commit of the text of the pull request, so even there no subject may do anything.
#[test]
fn subjects_in_a_pull_request_do_nothing() {
    let mut hosted = Hosted::new(1);
    ended(&run(&mut hosted.job(0, &["--push"])), 0, "landed");
    let work = hosted.mono.sources();
    let subject = "fixes #1, thanks @octocat [skip ci] <img src=x>";
    git(&work, &["commit", "--quiet", "--allow-empty", "--message", subject]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    hosted.mono.builds.push(git(&work, &["rev-parse", "HEAD"]));
    propose(&hosted, 1);
    let body = hosted.github.pulls()[0].body.clone().unwrap();
    let link = page(&hosted.github.url(), &hosted.mono.builds[0], &hosted.mono.builds[1]);
    let list = format!(
        "Changes: {link}\n\n- `fixes #1, thanks @octocat <img src=x>`\n- `chore: update api image to {}`",
        &hosted.mono.builds[0][..7]
    );
    assert!(body.contains(&list), "{body}");
    let trailers = body.rsplit("\n\n").next().unwrap();
    assert!(trailers.starts_with("Tagbump-Image: ") && trailers.contains("\nTagbump-Source: "), "{body}");
    let calls = hosted.github.count(On::UpdatePull);
    propose(&hosted, 1);
    assert_eq!(hosted.github.count(On::UpdatePull), calls, "the same again");
}
