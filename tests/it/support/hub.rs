//! `tagbump bump … --pr` in checkouts of a repository on the fake GitHub.
//!
//! Beside `support` and `github`, as it needs both.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::cli::{self, Run};
use super::git::git;
use super::github::{GitHub, On, Pull, TOKEN};
use super::repo::{self, API, FILE, World, commit, ended, kustomization};

/// The branch of a pull request that brings the api image to main.
pub const HEAD: &str = "tagbump/main/api";

/// Who makes the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Git,
    Api,
}

/// All that there are.
pub const WAYS: &[Via] = &[Via::Git, Via::Api];

impl Via {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Via::Git => &[],
            Via::Api => &["--via", "api"],
        }
    }
}

/// Runs a test with a GitHub of its own for each way to make the commit.
pub fn each_way(test: impl Fn(Hub)) {
    for via in WAYS {
        eprintln!("via {via:?}");
        test(Hub::new(*via));
    }
}

/// The repository `acme/gitops`.
pub struct Hub {
    // dropped first: it serves the folder
    pub github: GitHub,
    pub world: World,
    pub via: Via,
    /// Whether checkouts have all of the history.
    pub full: Cell<bool>,
    clones: Cell<usize>,
}

impl Hub {
    /// With the api image alone, at v0.
    pub fn new(via: Via) -> Self {
        Hub::with(via, &[(FILE, &kustomization(&[API.into()]))])
    }

    pub fn with(via: Via, files: &[(&str, &str)]) -> Self {
        let world = World::with(|server| server, files);
        Hub { github: GitHub::start(&world.bare), world, via, full: Cell::default(), clones: Cell::default() }
    }

    /// A checkout of main as it is now, as actions/checkout makes it: one commit deep unless told otherwise,
    /// no credentials.
    pub fn checkout(&self) -> PathBuf {
        self.clones.set(self.clones.get() + 1);
        let name = format!("w{}", self.clones.get());
        let depth: &[&str] = if self.full.get() { &[] } else { &["--depth", "1"] };
        self.world.clone_of(&self.github.git_url(), &name, depth)
    }

    /// `tagbump bump IMAGE… --pr` in a folder, with what a runner tells, and more arguments; in JSON unless
    /// they say otherwise.
    pub fn command_in(&self, folder: &Path, images: &[&str], more: &[&str]) -> Command {
        let mut command = cli::command(folder);
        command.arg("bump").args(images).arg("--pr");
        if !more.contains(&"--format") {
            command.args(["--format", "json"]);
        }
        command.args(self.via.arguments()).args(more);
        self.github.env(&mut command);
        command
    }

    /// The api image to a tag, in a checkout of its own.
    pub fn command(&self, tag: &str, more: &[&str]) -> Command {
        self.command_in(&self.checkout(), &[&format!("{API}:{tag}")], more)
    }

    pub fn run(&self, tag: &str, more: &[&str]) -> Run {
        repo::run(&mut self.command(tag, more))
    }

    /// Runs, and checks that a pull request was made or is there. Gives the JSON.
    #[track_caller]
    pub fn propose(&self, tag: &str, more: &[&str]) -> Value {
        ended(&self.run(tag, more), 0, "proposed")
    }

    /// What a branch points at.
    #[track_caller]
    pub fn tip(&self, branch: &str) -> String {
        git(&self.world.bare, &["rev-parse", "--verify", &format!("refs/heads/{branch}")])
    }

    /// Every branch with its tip.
    pub fn branches(&self) -> Vec<String> {
        let told = git(&self.world.bare, &["for-each-ref", "--format=%(refname:lstrip=2) %(objectname)"]);
        told.lines().map(str::to_owned).collect()
    }

    /// The subjects of the commits that a branch has and main lacks, newest first.
    pub fn ahead(&self, branch: &str) -> Vec<String> {
        let range = format!("refs/heads/main..refs/heads/{branch}");
        let told = git(&self.world.bare, &["log", "--format=%s", &range]);
        told.lines().map(str::to_owned).collect()
    }

    /// The file with the image on a branch.
    pub fn file(&self, branch: &str) -> String {
        git(&self.world.bare, &["show", &format!("refs/heads/{branch}:{FILE}")])
    }

    /// The message of a branch's last commit.
    pub fn message(&self, branch: &str) -> String {
        git(&self.world.bare, &["log", "-1", "--format=%B", &format!("refs/heads/{branch}")])
    }

    /// The one pull request that is open.
    #[track_caller]
    pub fn pull(&self) -> Pull {
        let open = self.github.open_pulls();
        assert_eq!(open.len(), 1, "{open:#?}");
        open.into_iter().next().unwrap()
    }

    /// The state that a run that went well leaves: one open pull request from the branch to main with one
    /// commit, which brings the tag to the tip of main.
    #[track_caller]
    pub fn proposes(&self, head: &str, tag: &str) -> Pull {
        let pull = self.pull();
        assert_eq!((pull.head.as_str(), pull.base.as_str()), (head, "main"));
        assert_eq!(pull.head_sha, self.tip(head));
        assert_eq!(self.ahead(head), [format!("chore: update api image to {tag}")]);
        let parent = git(&self.world.bare, &["rev-parse", &format!("refs/heads/{head}^")]);
        assert_eq!(parent, self.tip("main"));
        assert!(self.file(head).contains(&format!("newTag: {tag} # by CI")), "{}", self.file(head));
        pull
    }

    /// How many requests there were that write something: pushes, and all that the API is asked to change.
    pub fn writes(&self) -> usize {
        let pushes = self.github.git.requests().into_iter().filter(|request| {
            request.method == "POST"
                && request.path.ends_with("/git-receive-pack")
                && request.status != Some(401)
        });
        let changes = self.github.calls().into_iter().filter(|call| {
            call.operation.is_none_or(|operation| operation != On::Query) && call.method != "GET"
        });
        pushes.count() + changes.count()
    }

    /// Somebody's commit on a branch, past the server; the branch is made on main where there is none.
    /// Gives its name.
    pub fn somebody_commits(&self, branch: &str, path: &str) -> String {
        somebody_commits(&self.world.bare, branch, path)
    }
}

/// Somebody's commit of a new file on a branch of a bare repository.
pub fn somebody_commits(bare: &Path, branch: &str, path: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "--quiet", bare.to_str().unwrap(), "theirs"]);
    let theirs = folder.path().join("theirs");
    let remote = format!("refs/remotes/origin/{branch}");
    let there = git(&theirs, &["for-each-ref", &remote]);
    git(&theirs, &["checkout", "--quiet", "--detach", if there.is_empty() { "HEAD" } else { &remote }]);
    let made = commit(&theirs, path, "theirs\n");
    git(&theirs, &["push", "--quiet", "origin", &format!("HEAD:refs/heads/{branch}")]);
    made
}

/// The token in every form that must not be shown.
pub fn token_forms() -> [String; 2] {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    [TOKEN.to_owned(), BASE64_STANDARD.encode(format!("{}:{TOKEN}", super::github::USER))]
}
