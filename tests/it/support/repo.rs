//! A GitOps repository on a server of its own, and checkouts of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::bare::{self, bare_repo, commit_on_main};
use super::cli::{self, Run};
pub use super::files::write;
use super::git::git;
use super::git_server::{Builder, GitServer, On};

pub const USER: &str = "deployer";
pub const PASSWORD: &str = "s3cret-pa55word";
pub const API: &str = "ghcr.io/acme/api";
pub const FILE: &str = "k8s/kustomization.yaml";
/// As the server knows it; `acme/gitops` for GitHub.
pub const REPO: &str = "acme/gitops.git";

/// A kustomization with these images, all at `v0`, each with the tag on a line of its own.
pub fn kustomization(images: &[String]) -> String {
    let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n";
    let entry = |image: &String| format!("  - name: {image}\n    newTag: v0 # by CI\n");
    format!("{head}{}", images.iter().map(entry).collect::<String>())
}

/// The repository `acme/gitops` with two commits on main, served until it is dropped.
pub struct World {
    // dropped first: it serves the folder
    pub server: GitServer,
    pub bare: PathBuf,
    folder: TempDir,
}

impl World {
    /// With the api image alone, behind basic auth.
    pub fn new() -> Self {
        World::with(|server| server.basic_auth(USER, PASSWORD), &[(FILE, &kustomization(&[API.into()]))])
    }

    /// With the server as it is built, and these files.
    pub fn with(build: impl FnOnce(Builder) -> Builder, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("srv");
        std::fs::create_dir(&root).unwrap();
        let bare = bare_repo(&root, REPO);
        commit_on_main(&bare, &[("README.md", "older\n")], "change README.md");
        commit_on_main(&bare, files, "base");
        World { server: build(GitServer::builder(&root)).start(), bare, folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The repository's URL with the right user and password in it.
    pub fn url(&self) -> String {
        self.server.url_with(USER, PASSWORD, REPO)
    }

    /// Moves the repository on the server; gives its new URL.
    pub fn move_to(&mut self, path: &str) -> String {
        let moved = self.path().join("srv").join(path);
        std::fs::create_dir_all(moved.parent().unwrap()).unwrap();
        std::fs::rename(&self.bare, &moved).unwrap();
        self.bare = moved;
        self.server.url_with(USER, PASSWORD, path)
    }

    /// The server's `HOST:PORT`.
    pub fn server_address(&self) -> String {
        let url = self.server.url("");
        url.split_once("://").unwrap().1.trim_end_matches('/').to_owned()
    }

    /// The same as [`Self::url`], by the address of a line to the server.
    pub fn url_over(&self, line: &str) -> String {
        self.url().replace(&self.server_address(), line)
    }

    /// A checkout with somebody to make commits, cloned past the server; its remote is `url`.
    pub fn clone_of(&self, url: &str, name: &str, arguments: &[&str]) -> PathBuf {
        let source = format!("file://{}", self.bare.display());
        let ada = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        git(self.path(), &[&["clone", "--quiet"], &ada[..], arguments, &[&source, name]].concat());
        let folder = self.path().join(name);
        let mut config = git2::Config::open(&folder.join(".git/config")).unwrap();
        config.set_str("remote.origin.url", url).unwrap();
        folder
    }

    /// A checkout as actions/checkout makes it: one commit deep.
    pub fn shallow(&self, name: &str) -> PathBuf {
        self.clone_of(&self.url(), name, &["--depth", "1"])
    }

    pub fn full(&self, name: &str) -> PathBuf {
        self.clone_of(&self.url(), name, &[])
    }

    /// Somebody else's commit on main, past the server. Gives its name.
    pub fn rival(&self, path: &str, text: &str) -> String {
        rival(&self.bare, path, text)
    }

    /// What the branch main points at.
    pub fn tip(&self) -> String {
        bare::tip(&self.bare)
    }

    /// How many commits main has.
    pub fn commits(&self) -> usize {
        bare::commits(&self.bare)
    }

    /// A file on main.
    pub fn file(&self, path: &str) -> String {
        bare::file(&self.bare, path)
    }

    /// The whole message of main's last commit.
    pub fn message(&self) -> String {
        bare::message(&self.bare)
    }

    /// Something about main's last commit, in `git log`'s format.
    pub fn last(&self, format: &str) -> String {
        git(&self.bare, &["log", "-1", &format!("--format={format}"), "refs/heads/main"])
    }

    /// How many requests of a kind the server has had that were not turned away for want of credentials.
    pub fn count(&self, on: On) -> usize {
        let (method, end) = match on {
            On::InfoRefs(service) => ("GET", format!("service={}", name(service))),
            On::Post(service) => ("POST", name(service).to_owned()),
            On::Any => ("", String::new()),
        };
        let requests = self.server.requests();
        let fits = requests.iter().filter(|request| {
            let whole = format!("{}?{}", request.path, request.query);
            request.status != Some(401)
                && (method.is_empty() || request.method == method)
                && whole.trim_end_matches('?').ends_with(&end)
        });
        fits.count()
    }

    /// A hook of the repository.
    #[cfg(unix)]
    pub fn hook(&self, name: &str, script: &str) {
        script_at(&self.bare.join("hooks").join(name), script);
    }
}

fn name(service: super::git_server::Service) -> &'static str {
    match service {
        super::git_server::Service::UploadPack => "git-upload-pack",
        super::git_server::Service::ReceivePack => "git-receive-pack",
    }
}

/// Somebody else's commit on main of a bare repository. Gives its name.
pub fn rival(bare: &Path, path: &str, text: &str) -> String {
    commit_on_main(bare, &[(path, text)], &format!("change {path}"))
}

/// A commit of one file. Gives its name.
pub fn commit(folder: &Path, path: &str, text: &str) -> String {
    write(folder, path, text);
    git(folder, &["add", "--", path]);
    git(folder, &["commit", "--quiet", "--message", &format!("change {path}")]);
    git(folder, &["rev-parse", "HEAD"])
}

/// A shell script that can be run.
#[cfg(unix)]
pub fn script_at(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// `tagbump bump ghcr.io/acme/api:TAG --push --format json` in a folder, with more arguments.
pub fn push(folder: &Path, tag: &str, more: &[&str]) -> Command {
    let mut command = cli::command(folder);
    command.args(["bump", &format!("{API}:{tag}"), "--push", "--format", "json"]).args(more);
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    Run::of(&command.output().unwrap())
}

/// Starts all commands, then waits for them all.
pub fn run_together(commands: Vec<Command>) -> Vec<Run> {
    let start = |mut command: Command| {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = commands.into_iter().map(start).collect();
    running.into_iter().map(|child| Run::of(&child.wait_with_output().unwrap())).collect()
}

/// The one JSON object on stdout.
#[track_caller]
pub fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: exit {}\n{}", run.exit, run.output()))
}

/// Checks exit code and outcome, and gives the JSON.
#[track_caller]
pub fn ended(run: &Run, exit: i32, outcome: &str) -> Value {
    assert_eq!(run.exit, exit, "{}", run.output());
    let told = json(run);
    assert_eq!(told["outcome"], outcome, "{}", run.output());
    told
}

/// Checks that a run failed, and gives message and hint.
#[track_caller]
pub fn failed(run: &Run, exit: i32) -> String {
    let told = ended(run, exit, "failed");
    assert_eq!(told["error"]["exit"], exit, "{}", run.output());
    format!(
        "{}\n{}",
        told["error"]["message"].as_str().unwrap(),
        told["error"]["hint"].as_str().unwrap_or("")
    )
}

/// What a runner says of a push to a branch of a repository.
pub fn actions<'a>(command: &'a mut Command, repository: &str, sha: &str) -> &'a mut Command {
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_REF_NAME", "main")
        .env("GITHUB_REF_TYPE", "branch")
        .env("GITHUB_REPOSITORY", repository)
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_SHA", sha)
}

/// A repository without a remote and without a commit, with somebody who can make one.
pub fn local() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "w"]);
    let path = folder.path().join("w");
    git(&path, &["config", "user.name", "Ada"]);
    git(&path, &["config", "user.email", "ada@example.com"]);
    (folder, path)
}
