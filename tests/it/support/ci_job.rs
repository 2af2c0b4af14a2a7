//! The imitated job of a CI system, in a repository with a branch, a tag and a pull request.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tagbump::ci::System;

use super::ci_variables;
use super::cli::{self, Run};
use super::git::git;
use super::repo::{self, World, ended, failed, push};

/// What runs a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    Push,
    Request,
    Tag,
}

/// The repository `acme/gitops` with the default branch trunk, the branch develop one commit ahead of it, tagged `v1.2.0`, and
/// pull request 7 from the branch topic to trunk.
pub struct Job {
    pub world: World,
    pub folder: PathBuf,
    pub develop: String,
    pub topic: String,
}

/// Like what a fetch of one commit leaves: no remote-tracking branch.
const NO_REFS: &[&str] = &[];

impl Job {
    pub fn new() -> Self {
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

    pub fn git(&self, arguments: &[&str]) {
        git(&self.folder, arguments);
    }

    /// Leaves the checkout behind that the system makes.
    pub fn check_out(&self, system: System, trigger: Trigger) {
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

    pub fn with(&self, mut command: Command, system: System, trigger: Trigger) -> Command {
        command.env("CI", "true").envs(self.variables(system, trigger));
        command
    }

    pub fn push(&self, system: System, trigger: Trigger, more: &[&str]) -> Command {
        self.with(push(&self.folder, "v1", more), system, trigger)
    }

    pub fn tags(&self, system: System, trigger: Trigger, template: &str) -> Run {
        let mut command = cli::command(&self.folder);
        command.args(["tag", "-T", template]);
        repo::run(&mut self.with(command, system, trigger))
    }

    fn references(&self) -> String {
        git(&self.world.bare, &["for-each-ref"])
    }

    /// The command lands on top of a branch, and moves no other one. Gives its report, and the message of the commit.
    #[track_caller]
    pub fn lands_on(&self, command: &mut Command, branch: &str) -> (Value, String) {
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
    pub fn refused(&self, command: &mut Command, words: &[&str]) {
        let before = self.references();
        let message = failed(&repo::run(command), 2);
        for word in words.iter().chain(&["--branch"]) {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert_eq!(self.references(), before);
        assert_eq!(self.world.server.requests().len(), 0, "the server was not asked");
    }

    pub fn variables(&self, system: System, trigger: Trigger) -> Vec<(&'static str, String)> {
        ci_variables::of(system, trigger, self.commit(trigger), self.world.path())
    }
}
