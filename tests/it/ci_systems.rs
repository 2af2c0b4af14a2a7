//! One repository, landed from the imitated job of every CI system: the variables that its documentation lists, and the
//! checkout that it makes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tagbump::ci::{System, is_branch_name};

use crate::support::ci_job::{Job, Trigger};
use crate::support::cli;
use crate::support::git::{git, try_git};
use crate::support::repo::{self, ended, push};

fn says(report: &Value, word: &str) -> bool {
    report["notices"].to_string().contains(word)
}

/// A push lands on its branch, as the checkout is made and with a detached `HEAD`; the commit names what was built.
#[track_caller]
fn lands_on_its_branch(system: System) {
    for detach in [false, true] {
        let job = Job::new();
        job.check_out(system, Trigger::Push);
        if detach {
            job.git(&["checkout", "--quiet", "--detach"]);
        }
        let tag = job.tags(system, Trigger::Push, "{branch}-{sha:7}-{run}");
        assert_eq!(tag.stdout, format!("develop-{}-42\n", &job.develop[..7]), "{}", tag.stderr);
        let (report, message) = job.lands_on(&mut job.push(system, Trigger::Push, &[]), "develop");
        assert!(!says(&report, "default branch"), "{report}");
        let group = if system == System::Azure { "org/" } else { "" };
        let source = format!("Tagbump-Source: {group}acme/gitops@{}", job.develop);
        assert!(message.contains(&source), "{message}");
        assert!(message.contains("[skip ci]"), "the repository is the one that was built: {message}");
    }
}

/// The build of a pull request is refused, as the checkout is made and with a detached `HEAD`, unless a branch is named.
#[track_caller]
fn refuses_requests(system: System, marker: &str) {
    for detach in [false, true] {
        let job = Job::new();
        job.check_out(system, Trigger::Request);
        if detach {
            job.git(&["checkout", "--quiet", "--detach"]);
        }
        let tag = job.tags(system, Trigger::Request, "{branch}-{pr}-{sha:7}");
        assert_eq!(tag.stdout, format!("topic-7-{}\n", &job.topic[..7]), "{}", tag.stderr);
        job.refused(&mut job.push(system, Trigger::Request, &[]), &[marker]);
        job.refused(&mut job.push(system, Trigger::Request, &["-n"]), &[marker]);
        job.lands_on(&mut job.push(system, Trigger::Request, &["--branch", "develop"]), "develop");
    }
}

/// The build of a tag has no branch: the target is the default branch, and a notice says so.
#[track_caller]
fn lands_tags_on_default_branch(system: System) {
    let job = Job::new();
    job.check_out(system, Trigger::Tag);
    let tag = job.tags(system, Trigger::Tag, "{version}-{semver}-{ref}");
    assert_eq!(tag.stdout, "v1.2.0-1.2.0-v1.2.0\n", "{}", tag.stderr);
    assert_eq!(job.tags(system, Trigger::Tag, "{branch}").exit, 2);
    let (report, _) = job.lands_on(&mut job.push(system, Trigger::Tag, &[]), "trunk");
    assert!(says(&report, "the build of tag v1.2.0: the target is the remote's default branch"), "{report}");
    let job = Job::new();
    job.check_out(system, Trigger::Tag);
    job.lands_on(&mut job.push(system, Trigger::Tag, &["--branch", "develop"]), "develop");
}

/// Everything that a row of the table in the documentation promises.
#[track_caller]
fn keeps_promises(system: System, marker: &str) {
    lands_on_its_branch(system);
    refuses_requests(system, marker);
    lands_tags_on_default_branch(system);
}

#[test]
fn bump_lands_from_github_actions() {
    keeps_promises(System::GitHub, "pull_request");
}

#[test]
fn bump_lands_from_gitea_actions() {
    keeps_promises(System::Gitea, "pull_request");
}

#[test]
fn bump_lands_from_forgejo_actions() {
    keeps_promises(System::Forgejo, "pull_request");
}

#[test]
fn bump_lands_from_gitlab() {
    keeps_promises(System::GitLab, "GitLab runs this for a merge request (CI_MERGE_REQUEST_IID is set)");
}

#[test]
fn bump_lands_from_jenkins() {
    keeps_promises(System::Jenkins, "CHANGE_ID");
}

#[test]
fn bump_lands_from_azure_pipelines() {
    keeps_promises(System::Azure, "SYSTEM_PULLREQUEST_PULLREQUESTID");
}

#[test]
fn bump_lands_from_bitbucket_pipelines() {
    keeps_promises(System::Bitbucket, "BITBUCKET_PR_ID");
}

/// On a pull request, `HEAD` is on its branch.
#[test]
fn bump_lands_from_circleci() {
    keeps_promises(System::CircleCi, "CIRCLE_PULL_REQUEST");
}

#[test]
fn bump_lands_from_buildkite() {
    keeps_promises(System::Buildkite, "BUILDKITE_PULL_REQUEST");
}

/// On a pull request, `CI_COMMIT_BRANCH` and `HEAD` are the branch to merge into.
#[test]
fn bump_lands_from_woodpecker() {
    keeps_promises(System::Woodpecker, "CI_COMMIT_PULL_REQUEST");
}

#[test]
fn bump_lands_from_drone() {
    keeps_promises(System::Drone, "DRONE_PULL_REQUEST");
}

/// CircleCI names the branch of a fork's pull request `pull/7`, and sets nothing else in some projects.
#[test]
fn branch_that_stands_for_pull_request_is_refused() {
    let job = Job::new();
    job.check_out(System::CircleCi, Trigger::Request);
    job.git(&["checkout", "--quiet", "-B", "pull/7"]);
    let mut command = job.push(System::CircleCi, Trigger::Push, &[]);
    command.env("CIRCLE_BRANCH", "pull/7");
    job.refused(&mut command, &["CIRCLE_BRANCH"]);
}

/// GitHub's merge queue makes branches for every CI system to build, and deletes them after the merge.
#[test]
fn branch_of_merge_queue_is_refused() {
    let queue = "gh-readonly-queue/main/pr-7-0123456789abcdef0123456789abcdef01234567";
    let systems = [
        (System::Buildkite, &[("BUILDKITE_BRANCH", queue)][..]),
        (System::CircleCi, &[("CIRCLE_BRANCH", queue)]),
        (System::GitHub, &[("GITHUB_REF_NAME", queue), ("GITHUB_REF_TYPE", "branch")]),
    ];
    for (system, variables) in systems {
        let job = Job::new();
        job.check_out(system, Trigger::Push);
        job.git(&["checkout", "--quiet", "--detach"]);
        let push = |more: &[&str]| {
            let mut command = job.push(system, Trigger::Push, more);
            command.envs(variables.iter().copied());
            command
        };
        job.refused(&mut push(&[]), &[queue]);
        job.git(&["checkout", "--quiet", "-b", queue]);
        job.refused(&mut push(&[]), &[queue]);
        job.lands_on(&mut push(&["--branch", "develop"]), "develop");
    }
}

/// In a multibranch project, a scripted pipeline has the branch but no variables of the Git plugin.
#[test]
fn jenkins_branch_counts_when_head_is_on_it() {
    let scripted = |job: &Job, branch: &str| {
        let mut command = push(&job.folder, "v1", &[]);
        command.envs([("CI", "true"), ("JENKINS_URL", "https://ci.example.com/"), ("BUILD_NUMBER", "42")]);
        command.env("BRANCH_NAME", branch);
        command
    };
    let job = Job::new();
    job.check_out(System::Jenkins, Trigger::Push);
    // nothing shows that trunk is a branch of this repository's build: HEAD has commits that it lacks
    job.refused(&mut scripted(&job, "trunk"), &["Jenkins"]);
    job.lands_on(&mut scripted(&job, "develop"), "develop");
}

#[test]
fn bump_is_refused_when_pipeline_names_no_branch() {
    let job = Job::new();
    job.check_out(System::Jenkins, Trigger::Push);
    for name in ["detached", "-x", "origin/a..b"] {
        let mut command = job.push(System::Jenkins, Trigger::Push, &[]);
        command.env("GIT_BRANCH", name);
        job.refused(&mut command, &["HEAD is detached", "Jenkins names no branch"]);
    }
}

/// A checkout of the deployments beside the application that is built.
#[test]
fn bump_lands_on_default_branch_of_repository_that_is_not_built() {
    let job = Job::new();
    job.check_out(System::GitLab, Trigger::Push);
    let mut command = job.push(System::GitLab, Trigger::Push, &[]);
    command
        .env("CI_PROJECT_PATH", "acme/api")
        .env("CI_COMMIT_SHA", "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d");
    let (report, message) = job.lands_on(&mut command, "trunk");
    assert!(says(&report, "GitLab builds another repository"), "{report}");
    assert!(!message.contains("[skip ci]"), "{message}");
}

#[test]
fn bump_is_refused_when_two_systems_run_it() {
    let job = Job::new();
    job.check_out(System::GitLab, Trigger::Push);
    let both = |mut command: Command| {
        command.envs(job.variables(System::CircleCi, Trigger::Push));
        command
    };
    let push = |more: &[&str]| both(job.push(System::GitLab, Trigger::Push, more));
    let words = ["GITLAB_CI and CIRCLECI are set", "unset"];
    job.refused(&mut push(&[]), &words);
    let mut tag = cli::command(&job.folder);
    tag.args(["tag", "-T", "{branch}-{sha:7}"]);
    let tag = repo::run(&mut both(job.with(tag, System::GitLab, Trigger::Push)));
    assert_eq!((tag.exit, tag.stdout.as_str()), (2, ""));
    assert!(tag.stderr.contains("{branch} has no value") && tag.stderr.contains(words[0]), "{}", tag.stderr);
    let (report, _) = job.lands_on(&mut push(&["--branch", "develop"]), "develop");
    assert!(report["warnings"].to_string().contains(words[0]), "{report}");
    // on a branch too: the other system may build a pull request from it
    let job = Job::new();
    job.check_out(System::CircleCi, Trigger::Push);
    let mut attached = job.push(System::GitLab, Trigger::Push, &[]);
    job.refused(attached.envs(job.variables(System::CircleCi, Trigger::Push)), &words);
}

#[test]
fn bump_is_refused_on_detached_head_of_unknown_system() {
    let job = Job::new();
    job.check_out(System::Jenkins, Trigger::Push);
    job.refused(push(&job.folder, "v1", &[]).env("CI", "true"), &["HEAD is detached"]);
    job.git(&["checkout", "--quiet", "-B", "develop"]);
    job.lands_on(push(&job.folder, "v1", &[]).env("CI", "true"), "develop");
}

/// On someone's own machine; the commits of another branch of the remote are not local.
#[test]
fn notice_names_default_branch_when_head_is_detached() {
    let job = Job::new();
    job.check_out(System::Jenkins, Trigger::Push);
    let (report, _) = job.lands_on(&mut push(&job.folder, "v1", &[]), "trunk");
    assert!(says(&report, "HEAD is detached: the target is the remote's default branch"), "{report}");
}

/// There is no upstream branch: the local commits are those since the one that the system checked out.
#[test]
fn local_commits_are_carried_from_detached_head() {
    for system in [System::GitLab, System::Jenkins, System::Azure, System::Buildkite] {
        let job = Job::new();
        job.check_out(system, Trigger::Push);
        repo::commit(&job.folder, "mine.txt", "mine\n");
        let report = ended(&repo::run(&mut job.push(system, Trigger::Push, &["--carry"])), 0, "landed");
        assert_eq!(report["branch"], "develop");
        assert_eq!(git(&job.world.bare, &["rev-parse", "develop~2"]), job.develop);
        assert_eq!(git(&job.world.bare, &["show", "develop:mine.txt"]), "mine");
    }
}

/// A branch build and a tag build of one commit: neither is older.
#[test]
fn notice_names_tags_of_one_commit_that_replace_each_other() {
    let job = Job::new();
    job.check_out(System::GitLab, Trigger::Push);
    let bump = |trigger: Trigger, tag: &str| {
        job.with(push(&job.folder, tag, &["--branch", "develop"]), System::GitLab, trigger)
    };
    let (report, _) = job.lands_on(&mut bump(Trigger::Push, "develop-1"), "develop");
    assert!(!says(&report, "same commit"), "{report}");
    let (report, _) = job.lands_on(&mut bump(Trigger::Tag, "v1.2.0"), "develop");
    let notice = format!("develop-1 and v1.2.0 were built from the same commit, {}", job.develop);
    assert!(says(&report, &notice), "{report}");
}

/// The rules are git's own.
#[test]
fn branch_names_are_valid_as_git_says() {
    let names = [
        "main", "feat/x", "a.b", "a.lock/b", ".a", "a/.b", "a..b", "a.", "a/", "/a", "a//b", "-a", "a-",
        "HEAD", "@", "a@{b", "a@", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a\tb", "Ünï", "#1",
        "a.lock", "", "{a}", "a\u{7f}",
    ];
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let valid =
            try_git(folder.path(), &["check-ref-format", &format!("refs/heads/{name}")]).status.success();
        let refused = name.starts_with('-') || name == "HEAD";
        assert_eq!(is_branch_name(name), valid && !refused, "{name:?}");
    }
}

/// The lines of the pipeline files in the documentation run as they are shown, in the imitated job.
#[test]
fn pipeline_files_of_the_documentation_land() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci-systems.md");
    let page = std::fs::read_to_string(page).unwrap();
    let systems = [
        ("GitLab", System::GitLab),
        ("Jenkins", System::Jenkins),
        ("Azure Pipelines", System::Azure),
        ("Bitbucket Pipelines", System::Bitbucket),
        ("CircleCI", System::CircleCi),
        ("Buildkite", System::Buildkite),
        ("Woodpecker", System::Woodpecker),
    ];
    let sections: Vec<&str> = page.split("\n### ").skip(1).collect();
    assert_eq!(sections.len(), systems.len());
    for (section, (title, system)) in sections.into_iter().zip(systems) {
        assert!(section.starts_with(title), "{title}: {section}");
        let commands: Vec<&str> = section.lines().filter_map(command_in).collect();
        assert_eq!(commands.len(), 2, "{title}: {commands:?}");
        let job = Job::new();
        job.check_out(system, Trigger::Push);
        job.git(&["config", "--remove-section", "user"]);
        let folder = Path::new(env!("CARGO_BIN_EXE_tagbump")).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-euc", &commands.join("\n")]).current_dir(&job.folder).env_clear();
        shell.env("PATH", format!("{}:{path}", folder.display()));
        shell.env("HOME", env!("CARGO_TARGET_TMPDIR")).env("GIT_CONFIG_NOSYSTEM", "1");
        let run = repo::run(&mut job.with(shell, system, Trigger::Push));
        assert_eq!(run.exit, 0, "{title}: {}", run.output());
        let file = git(&job.world.bare, &["show", &format!("develop:{}", repo::FILE)]);
        let tag = format!("newTag: develop-{}", &job.develop[..7]);
        assert!(file.contains(&tag), "{title}: {file}");
    }
}

/// The shell command in a line of a pipeline file.
fn command_in(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("- ");
    line.starts_with("tagbump ").then_some(line)
}
