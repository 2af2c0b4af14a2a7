//! One repository, landed from the imitated job of every CI system: the variables that its documentation lists, and the
//! checkout that it makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tagbump::ci::{System, is_branch_name};

use crate::support::cli::{self, Run};
use crate::support::git::{git, try_git};
use crate::support::repo::{self, World, ended, failed, push};

/// What runs a job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Push,
    Request,
    Tag,
}

/// The repository `acme/gitops` with the default branch trunk, the branch develop one commit ahead of it, tagged `v1.2.0`, and
/// pull request 7 from the branch topic to trunk.
struct Job {
    world: World,
    folder: PathBuf,
    develop: String,
    topic: String,
}

/// Like what a fetch of one commit leaves: no remote-tracking branch.
const NO_REFS: &[&str] = &[];

impl Job {
    fn new() -> Self {
        let world = World::new();
        let bare = world.bare.clone();
        git(&bare, &["branch", "trunk", "main"]);
        git(&bare, &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
        let develop = world.rival("develop.txt", "new\n");
        git(&bare, &["branch", "develop", "main"]);
        git(&bare, &["tag", "v1.2.0", "develop"]);
        let topic = world.rival("topic.txt", "new\n");
        git(&bare, &["branch", "topic", "main"]);
        git(&bare, &["update-ref", "refs/pull/7/head", "topic"]);
        git(&bare, &["update-ref", "-d", "refs/heads/main"]);
        for setting in ["uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"] {
            git(&bare, &["config", setting, "true"]);
        }
        let folder = world.path().join("w");
        Job { world, folder, develop, topic }
    }

    fn commit(&self, trigger: Trigger) -> &str {
        if trigger == Trigger::Request { &self.topic } else { &self.develop }
    }

    /// An empty repository with the remote, where commits can be made.
    fn init(&self, branch: &str) {
        git(self.world.path(), &["init", "--quiet", "--initial-branch", branch, "w"]);
        for (name, value) in [("user.name", "Ada"), ("user.email", "ada@example.com")] {
            git(&self.folder, &["config", name, value]);
        }
        let source = format!("file://{}", self.world.bare.display());
        git(&self.folder, &["remote", "add", "origin", &source]);
    }

    fn fetch(&self, arguments: &[&str], references: &[&str]) {
        git(&self.folder, &[&["fetch", "--quiet", "--no-tags"], arguments, &["origin"], references].concat());
    }

    fn git(&self, arguments: &[&str]) {
        git(&self.folder, arguments);
    }

    /// Leaves the checkout behind that the system makes.
    fn check_out(&self, system: System, trigger: Trigger) {
        let commit = self.commit(trigger);
        let branch = if trigger == Trigger::Request { "topic" } else { "develop" };
        let tracked = format!("+refs/heads/{branch}:refs/remotes/origin/{branch}");
        let detach = ["checkout", "--quiet", "--force", "--detach", commit];
        match system {
            // the runner's `git fetch` with its own refspecs, then the commit
            System::GitLab => {
                self.init("main");
                let pipeline = format!("+{commit}:refs/pipelines/41");
                self.fetch(&["--depth", "20"], &[&pipeline]);
                self.git(&detach);
            }
            System::Jenkins => {
                self.init("main");
                self.fetch(
                    NO_REFS,
                    &["+refs/heads/*:refs/remotes/origin/*", "+refs/pull/*:refs/remotes/origin/pr/*"],
                );
                self.git(&detach);
            }
            System::Azure => {
                self.init("main");
                let own = format!("+{commit}:refs/remotes/origin/{commit}");
                self.fetch(&["--depth", "1"], &[&own]);
                self.git(&detach);
            }
            // all branches; then the one of the build
            System::Buildkite => {
                self.init("main");
                self.fetch(NO_REFS, &["+refs/heads/*:refs/remotes/origin/*"]);
                self.git(&detach);
            }
            // on the branch, also for a pull request
            System::CircleCi | System::Bitbucket => {
                self.init("main");
                self.fetch(NO_REFS, &["+refs/heads/*:refs/remotes/origin/*"]);
                match trigger {
                    Trigger::Tag => self.git(&detach),
                    _ => self.git(&["checkout", "--quiet", "--force", "-B", branch, commit]),
                }
            }
            // on the branch to merge into, with the commits of the pull request
            System::Woodpecker | System::Drone => {
                let target = if trigger == Trigger::Push { "develop" } else { "trunk" };
                self.init(target);
                self.fetch(&["--depth", "1"], &[&format!("+{commit}:")]);
                match trigger {
                    Trigger::Tag => self.git(&detach),
                    _ => self.git(&["reset", "--quiet", "--hard", commit]),
                }
            }
            // actions/checkout
            System::GitHub | System::Gitea | System::Forgejo => {
                self.init("main");
                self.fetch(&["--depth", "1"], &[&tracked]);
                match trigger {
                    Trigger::Push => {
                        self.git(&["checkout", "--quiet", "-B", branch, &format!("origin/{branch}")])
                    }
                    _ => self.git(&detach),
                }
            }
        }
        self.git(&["remote", "set-url", "origin", &self.world.url()]);
    }

    fn with(&self, mut command: Command, system: System, trigger: Trigger) -> Command {
        command.env("CI", "true").envs(self.variables(system, trigger));
        command
    }

    fn push(&self, system: System, trigger: Trigger, more: &[&str]) -> Command {
        self.with(push(&self.folder, "v1", more), system, trigger)
    }

    fn tags(&self, system: System, trigger: Trigger, template: &str) -> Run {
        let mut command = cli::command(&self.folder);
        command.args(["tag", "-T", template]);
        repo::run(&mut self.with(command, system, trigger))
    }

    fn references(&self) -> String {
        git(&self.world.bare, &["for-each-ref"])
    }

    /// The command lands on top of a branch, and moves no other one. Gives its report, and the message of the commit.
    #[track_caller]
    fn lands_on(&self, command: &mut Command, branch: &str) -> (Value, String) {
        let full = format!("refs/heads/{branch}");
        let before = self.references();
        let tip = git(&self.world.bare, &["rev-parse", &full]);
        let run = repo::run(command);
        let report = ended(&run, 0, "landed");
        assert_eq!(report["branch"], branch);
        assert_eq!(git(&self.world.bare, &["log", "-1", "--format=%P", &full]), tip);
        let commit = report["commit"].as_str().unwrap();
        assert_eq!(
            self.references(),
            before.replace(&format!("{tip} commit\t{full}"), &format!("{commit} commit\t{full}"))
        );
        assert!(!run.stderr.contains("stay local"), "{}", run.stderr);
        (report, git(&self.world.bare, &["log", "-1", "--format=%B", &full]))
    }

    /// The command is refused before it asks the server, with these words.
    #[track_caller]
    fn refused(&self, command: &mut Command, words: &[&str]) {
        let before = self.references();
        let message = failed(&repo::run(command), 2);
        for word in words.iter().chain(&["--branch"]) {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert_eq!(self.references(), before);
        assert_eq!(self.world.server.requests().len(), 0, "the server was not asked");
    }

    fn variables(&self, system: System, trigger: Trigger) -> Vec<(&'static str, String)> {
        let (sha, event) = (self.commit(trigger).to_owned(), self.world.path().join("event.json"));
        let head = json!({ "sha": sha, "repo": { "full_name": "acme/gitops" } });
        std::fs::write(&event, json!({ "pull_request": { "number": 7, "head": head } }).to_string()).unwrap();
        let own = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        let url = "https://git.example.com/acme/gitops.git";
        let (common, special) = match system {
            System::GitHub | System::Gitea | System::Forgejo => {
                let mut common = vec![
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_REPOSITORY", "acme/gitops"),
                    ("GITHUB_RUN_NUMBER", "42"),
                    ("GITHUB_SHA", sha.as_str()),
                ];
                // each runner also sets the markers of those that it descends from
                match system {
                    System::Forgejo => {
                        common.extend([("FORGEJO_ACTIONS", "true"), ("GITEA_ACTIONS", "true")])
                    }
                    System::Gitea => common.push(("GITEA_ACTIONS", "true")),
                    _ => {}
                }
                let special = match trigger {
                    Trigger::Push => own(&[
                        ("GITHUB_EVENT_NAME", "push"),
                        ("GITHUB_REF", "refs/heads/develop"),
                        ("GITHUB_REF_NAME", "develop"),
                        ("GITHUB_REF_TYPE", "branch"),
                    ]),
                    Trigger::Tag => own(&[
                        ("GITHUB_EVENT_NAME", "push"),
                        ("GITHUB_REF", "refs/tags/v1.2.0"),
                        ("GITHUB_REF_NAME", "v1.2.0"),
                        ("GITHUB_REF_TYPE", "tag"),
                    ]),
                    Trigger::Request => own(&[
                        ("GITHUB_EVENT_NAME", "pull_request"),
                        ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
                        ("GITHUB_REF", "refs/pull/7/merge"),
                        ("GITHUB_REF_NAME", "7/merge"),
                        ("GITHUB_HEAD_REF", "topic"),
                        ("GITHUB_BASE_REF", "trunk"),
                    ]),
                };
                (own(&common), special)
            }
            System::GitLab => (
                own(&[
                    ("GITLAB_CI", "true"),
                    ("CI_COMMIT_SHA", &sha),
                    ("CI_DEFAULT_BRANCH", "trunk"),
                    ("CI_PIPELINE_ID", "90041"),
                    ("CI_PIPELINE_IID", "42"),
                    ("CI_PROJECT_PATH", "acme/gitops"),
                    ("CI_PROJECT_URL", "https://git.example.com/acme/gitops"),
                ]),
                match trigger {
                    Trigger::Push => own(&[
                        ("CI_PIPELINE_SOURCE", "push"),
                        ("CI_COMMIT_BRANCH", "develop"),
                        ("CI_COMMIT_REF_NAME", "develop"),
                        ("CI_OPEN_MERGE_REQUESTS", "acme/gitops!9"),
                    ]),
                    Trigger::Tag => own(&[
                        ("CI_PIPELINE_SOURCE", "push"),
                        ("CI_COMMIT_TAG", "v1.2.0"),
                        ("CI_COMMIT_REF_NAME", "v1.2.0"),
                    ]),
                    Trigger::Request => own(&[
                        ("CI_PIPELINE_SOURCE", "merge_request_event"),
                        ("CI_COMMIT_REF_NAME", "topic"),
                        ("CI_MERGE_REQUEST_ID", "12345"),
                        ("CI_MERGE_REQUEST_IID", "7"),
                        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "topic"),
                        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "trunk"),
                        ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "acme/gitops"),
                    ]),
                },
            ),
            System::Jenkins => (
                own(&[
                    ("JENKINS_URL", "https://ci.example.com/"),
                    ("BUILD_NUMBER", "42"),
                    ("BUILD_ID", "42"),
                    ("GIT_COMMIT", &sha),
                    ("GIT_URL", url),
                ]),
                match trigger {
                    Trigger::Push => own(&[("GIT_BRANCH", "origin/develop")]),
                    Trigger::Tag => own(&[
                        ("BRANCH_NAME", "v1.2.0"),
                        ("TAG_NAME", "v1.2.0"),
                        ("TAG_TIMESTAMP", "1700000000000"),
                        ("GIT_BRANCH", "v1.2.0"),
                    ]),
                    Trigger::Request => own(&[
                        ("BRANCH_NAME", "PR-7"),
                        ("CHANGE_ID", "7"),
                        ("CHANGE_BRANCH", "topic"),
                        ("CHANGE_TARGET", "trunk"),
                        ("GIT_BRANCH", "PR-7"),
                    ]),
                },
            ),
            System::Azure => (
                own(&[
                    ("TF_BUILD", "True"),
                    ("BUILD_BUILDID", "42"),
                    ("BUILD_BUILDNUMBER", "20261128.3"),
                    ("BUILD_REPOSITORY_URI", "https://acme@dev.azure.com/org/acme/_git/gitops"),
                    ("BUILD_SOURCEVERSION", &sha),
                ]),
                match trigger {
                    Trigger::Push => own(&[
                        ("BUILD_REASON", "IndividualCI"),
                        ("BUILD_SOURCEBRANCH", "refs/heads/develop"),
                        ("BUILD_SOURCEBRANCHNAME", "develop"),
                    ]),
                    Trigger::Tag => own(&[
                        ("BUILD_REASON", "IndividualCI"),
                        ("BUILD_SOURCEBRANCH", "refs/tags/v1.2.0"),
                        ("BUILD_SOURCEBRANCHNAME", "v1.2.0"),
                    ]),
                    Trigger::Request => own(&[
                        ("BUILD_REASON", "PullRequest"),
                        ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
                        ("BUILD_SOURCEBRANCHNAME", "merge"),
                        ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"),
                        ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/topic"),
                        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/trunk"),
                        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", &sha),
                    ]),
                },
            ),
            System::Bitbucket => (
                own(&[
                    ("BITBUCKET_BUILD_NUMBER", "42"),
                    ("BITBUCKET_COMMIT", &sha),
                    ("BITBUCKET_REPO_FULL_NAME", "acme/gitops"),
                    ("BITBUCKET_WORKSPACE", "acme"),
                ]),
                match trigger {
                    Trigger::Push => own(&[("BITBUCKET_BRANCH", "develop")]),
                    Trigger::Tag => own(&[("BITBUCKET_TAG", "v1.2.0")]),
                    Trigger::Request => own(&[
                        ("BITBUCKET_BRANCH", "topic"),
                        ("BITBUCKET_PR_ID", "7"),
                        ("BITBUCKET_PR_DESTINATION_BRANCH", "trunk"),
                    ]),
                },
            ),
            System::CircleCi => (
                own(&[
                    ("CIRCLECI", "true"),
                    ("CIRCLE_BUILD_NUM", "42"),
                    ("CIRCLE_REPOSITORY_URL", "git@git.example.com:acme/gitops.git"),
                    ("CIRCLE_SHA1", &sha),
                ]),
                match trigger {
                    Trigger::Push => own(&[("CIRCLE_BRANCH", "develop")]),
                    Trigger::Tag => own(&[("CIRCLE_TAG", "v1.2.0")]),
                    Trigger::Request => own(&[
                        ("CIRCLE_BRANCH", "topic"),
                        ("CIRCLE_PULL_REQUEST", "https://git.example.com/acme/gitops/pull/7"),
                    ]),
                },
            ),
            System::Buildkite => (
                own(&[
                    ("BUILDKITE", "true"),
                    ("BUILDKITE_BUILD_NUMBER", "42"),
                    ("BUILDKITE_COMMIT", &sha),
                    ("BUILDKITE_REPO", "git@git.example.com:acme/gitops.git"),
                    ("BUILDKITE_SOURCE", "webhook"),
                ]),
                match trigger {
                    Trigger::Push => {
                        own(&[("BUILDKITE_BRANCH", "develop"), ("BUILDKITE_PULL_REQUEST", "false")])
                    }
                    Trigger::Tag => own(&[
                        ("BUILDKITE_BRANCH", "v1.2.0"),
                        ("BUILDKITE_TAG", "v1.2.0"),
                        ("BUILDKITE_PULL_REQUEST", "false"),
                    ]),
                    Trigger::Request => own(&[
                        ("BUILDKITE_BRANCH", "topic"),
                        ("BUILDKITE_PULL_REQUEST", "7"),
                        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "trunk"),
                    ]),
                },
            ),
            System::Woodpecker => (
                own(&[
                    ("CI", "woodpecker"),
                    ("CI_PIPELINE_NUMBER", "42"),
                    ("CI_COMMIT_SHA", &sha),
                    ("CI_REPO", "acme/gitops"),
                    ("CI_REPO_CLONE_URL", url),
                    ("CI_REPO_DEFAULT_BRANCH", "trunk"),
                ]),
                match trigger {
                    Trigger::Push => own(&[
                        ("CI_PIPELINE_EVENT", "push"),
                        ("CI_COMMIT_BRANCH", "develop"),
                        ("CI_COMMIT_REF", "refs/heads/develop"),
                    ]),
                    Trigger::Tag => own(&[
                        ("CI_PIPELINE_EVENT", "tag"),
                        ("CI_COMMIT_TAG", "v1.2.0"),
                        ("CI_COMMIT_REF", "refs/tags/v1.2.0"),
                    ]),
                    Trigger::Request => own(&[
                        ("CI_PIPELINE_EVENT", "pull_request"),
                        ("CI_COMMIT_BRANCH", "trunk"),
                        ("CI_COMMIT_SOURCE_BRANCH", "topic"),
                        ("CI_COMMIT_TARGET_BRANCH", "trunk"),
                        ("CI_COMMIT_PULL_REQUEST", "7"),
                        ("CI_COMMIT_REF", "refs/pull/7/head"),
                    ]),
                },
            ),
            System::Drone => (
                own(&[
                    ("DRONE", "true"),
                    ("DRONE_BUILD_NUMBER", "42"),
                    ("DRONE_COMMIT_SHA", &sha),
                    ("DRONE_REPO", "acme/gitops"),
                    ("DRONE_REPO_BRANCH", "trunk"),
                ]),
                match trigger {
                    Trigger::Push => own(&[
                        ("DRONE_BUILD_EVENT", "push"),
                        ("DRONE_BRANCH", "develop"),
                        ("DRONE_COMMIT_BRANCH", "develop"),
                        ("DRONE_COMMIT_REF", "refs/heads/develop"),
                    ]),
                    Trigger::Tag => own(&[
                        ("DRONE_BUILD_EVENT", "tag"),
                        ("DRONE_BRANCH", "trunk"),
                        ("DRONE_TAG", "v1.2.0"),
                        ("DRONE_COMMIT_REF", "refs/tags/v1.2.0"),
                    ]),
                    Trigger::Request => own(&[
                        ("DRONE_BUILD_EVENT", "pull_request"),
                        ("DRONE_BRANCH", "trunk"),
                        ("DRONE_COMMIT_BRANCH", "trunk"),
                        ("DRONE_SOURCE_BRANCH", "topic"),
                        ("DRONE_TARGET_BRANCH", "trunk"),
                        ("DRONE_PULL_REQUEST", "7"),
                        ("DRONE_COMMIT_REF", "refs/pull/7/head"),
                    ]),
                },
            ),
        };
        [common, special].concat()
    }
}

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
        let source = format!("Tagbump-Source: acme/gitops@{}", job.develop);
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
