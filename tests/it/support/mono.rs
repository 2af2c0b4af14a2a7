//! Sources and manifests in one repository, and the jobs that build its commits.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::cli::{self, Run};
use super::git::git;
use super::repo::{self, API, FILE, World};

/// A repository with the sources and the manifests: `count` commits of the sources, oldest first.
pub struct Mono {
    pub world: World,
    pub builds: Vec<String>,
}

impl Mono {
    pub fn new(count: usize) -> Self {
        let world = World::new();
        // what actions/checkout needs for a commit that is no branch's tip, and GitHub allows
        git(&world.bare, &["config", "uploadpack.allowReachableSHA1InWant", "true"]);
        let builds = (0..count).map(|nth| world.rival("src/main.rs", &format!("// {nth}\n"))).collect();
        Mono { world, builds }
    }

    /// A clone with the whole history, whose remote is the bare repository itself.
    pub fn sources(&self) -> PathBuf {
        self.world.clone_of(self.world.bare.to_str().unwrap(), "sources", &[])
    }

    /// A checkout of one commit, as actions/checkout makes it.
    pub fn checkout(&self, name: &str, sha: &str) -> PathBuf {
        git(self.world.path(), &["init", "--quiet", name]);
        let folder = self.world.path().join(name);
        let mut config = git2::Config::open(&folder.join(".git/config")).unwrap();
        for (key, value) in [
            ("remote.origin.url", &*self.world.url()),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
            ("user.name", "Ada"),
            ("user.email", "ada@example.com"),
        ] {
            config.set_str(key, value).unwrap();
        }
        let (source, refspec) =
            (self.world.bare.to_str().unwrap(), format!("+{sha}:refs/remotes/origin/main"));
        git(&folder, &["fetch", "--quiet", "--no-tags", "--depth", "1", source, &refspec]);
        git(&folder, &["checkout", "--quiet", "-B", "main", "refs/remotes/origin/main"]);
        folder
    }

    /// The job that built a commit.
    pub fn job(&self, sha: &str, more: &[&str]) -> Command {
        let folder = self.checkout(&format!("w-{}-{}", &sha[..7], fastrand::u32(..)), sha);
        job_in(&folder, sha, more)
    }

    /// Somebody takes the api image back, in a checkout of the tip, one commit deep.
    pub fn rollback(&self, more: &[&str]) -> Run {
        let folder = self.checkout(&format!("r-{}", fastrand::u32(..)), &self.world.tip());
        repo::run(&mut back_in(&folder, more))
    }

    pub fn tag(&self) -> String {
        tag_in(&self.world.file(FILE))
    }
}

pub fn tag_in(text: &str) -> String {
    let line = text.lines().find(|line| line.contains("newTag")).unwrap();
    line.split_whitespace().nth(1).unwrap().trim_matches('"').to_owned()
}

/// `tagbump bump API --push` in the job of a push of a commit to acme/gitops; the tag is the commit's.
pub fn job_in(folder: &Path, sha: &str, more: &[&str]) -> Command {
    let mut command = cli::command(folder);
    command.args(["bump", API, "--push", "--format", "json"]).args(more);
    repo::actions(&mut command, "acme/gitops", sha);
    command
}

/// `tagbump rollback API --push` in a folder.
pub fn back_in(folder: &Path, more: &[&str]) -> Command {
    let mut command = cli::command(folder);
    command.args(["rollback", API, "--push", "--format", "json"]).args(more);
    command
}

pub fn notices(told: &Value) -> String {
    told["notices"].to_string()
}
