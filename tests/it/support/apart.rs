//! Builds whose sources are on the fake GitHub.
//!
//! Beside `support` and `github`, as it needs both.

use std::path::PathBuf;
use std::process::Command;

use super::bare::bare_repo;
use super::cli::{self, Run};
use super::git::git;
use super::github::GitHub;
use super::mono::{Mono, back_in, job_in, tag_in};
use super::repo::{self, API, FILE, kustomization, rival};

/// The sources on GitHub, the manifests in a repository somewhere else.
pub struct Apart {
    // dropped first: it serves the folder
    pub github: GitHub,
    pub mono: Mono,
    pub target: PathBuf,
}

impl Apart {
    pub fn new(builds: usize) -> Self {
        let mono = Mono::new(builds);
        let target = bare_repo(&mono.world.path().join("srv"), "acme/deploy.git");
        rival(&target, FILE, &kustomization(&[API.into()]));
        Apart { github: GitHub::start(&mono.world.bare), mono, target }
    }

    pub fn job(&self, sha: &str, more: &[&str]) -> Command {
        let name = format!("d-{}", fastrand::u32(..));
        git(self.mono.world.path(), &["clone", "--quiet", self.target.to_str().unwrap(), &name]);
        let mut command = job_in(&self.mono.world.path().join(name), sha, more);
        self.github.env(&mut command);
        command
    }

    /// Somebody takes the api image back, in a clone of so many commits.
    pub fn rollback(&self, depth: &str) -> Run {
        let folder = self.clone(&["--depth", depth]);
        repo::run(&mut back_in(&folder, &["--author", "Ada <ada@example.com>"]))
    }

    /// The job of a build that clones the manifests, so many commits of them.
    pub fn shallow_job(&self, sha: &str, depth: &str, more: &[&str]) -> Command {
        let mut command = job_in(&self.clone(&["--depth", depth]), sha, more);
        self.github.env(&mut command);
        command
    }

    fn clone(&self, arguments: &[&str]) -> PathBuf {
        let (name, source) =
            (format!("c-{}", fastrand::u32(..)), format!("file://{}", self.target.display()));
        git(self.mono.world.path(), &[&["clone", "--quiet"], arguments, &[&source, &name]].concat());
        self.mono.world.path().join(name)
    }

    pub fn tag(&self) -> String {
        tag_in(&git(&self.target, &["show", &format!("main:{FILE}")]))
    }
}

/// Sources and manifests in one repository on GitHub.
pub struct Hosted {
    // dropped first: it serves the folder
    pub github: GitHub,
    pub mono: Mono,
}

impl Hosted {
    pub fn new(builds: usize) -> Self {
        let mono = Mono::new(builds);
        Hosted { github: GitHub::start(&mono.world.bare), mono }
    }

    pub fn job(&self, nth: usize, more: &[&str]) -> Command {
        let sha = &self.mono.builds[nth];
        let folder = self.mono.checkout(&format!("h-{}", fastrand::u32(..)), sha);
        git(&folder, &["remote", "set-url", "origin", &self.github.git_url()]);
        let mut command = cli::command(&folder);
        command.args(["bump", API, "--format", "json"]).args(more);
        repo::actions(&mut command, "acme/gitops", sha);
        self.github.env(&mut command);
        command
    }

    /// Somebody takes the api image back, in a checkout of the tip.
    pub fn rollback(&self, more: &[&str]) -> Command {
        let folder = self.mono.checkout(&format!("r-{}", fastrand::u32(..)), &self.mono.world.tip());
        git(&folder, &["remote", "set-url", "origin", &self.github.git_url()]);
        let mut command = cli::command(&folder);
        command.args(["rollback", API, "--format", "json"]).args(more);
        self.github.env(&mut command);
        command
    }

    pub fn proposed(&self) -> String {
        tag_in(&git(&self.mono.world.bare, &["show", &format!("tagbump/main/api:{FILE}")]))
    }
}
