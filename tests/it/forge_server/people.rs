//! People on the server, their repositories, and the jobs that run tagbump.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Client, until};
use super::server::{PASSWORD, Server};
use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::repo::{self, FILE, commit, kustomization, write};

pub const API: &str = repo::API;
pub const WEB: &str = "ghcr.io/acme/web";
/// What a token needs for pull requests with labels.
pub const SCOPES: [&str; 2] = ["write:repository", "write:issue"];

/// Someone with an account. Names are a test's own, because tests share the server.
pub struct Person {
    pub name: String,
    pub token: String,
    pub client: Client,
    server: String,
}

impl Person {
    pub fn new(server: &Server, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let account =
            json!({"username": name, "email": email, "password": PASSWORD, "must_change_password": false});
        server.admin().post("/admin/users", &account);
        let token = new_token(&server.url(), name, &["all"]);
        let client = Client::new(&server.url(), &format!("token {token}"));
        Person { name: name.to_owned(), token, client, server: server.url() }
    }

    /// A token for this much.
    pub fn token_for(&self, scopes: &[&str]) -> String {
        new_token(&self.server, &self.name, scopes)
    }
}

fn new_token(server: &str, name: &str, scopes: &[&str]) -> String {
    let client = Client::basic(server, name, PASSWORD);
    let token =
        client.post(&format!("/users/{name}/tokens"), &json!({"name": scopes.join(" "), "scopes": scopes}));
    token["sha1"].as_str().unwrap().to_owned()
}

/// A GitOps repository on the server: its owner's, or an organisation's.
pub struct GitOps {
    pub server: Arc<Server>,
    pub owner: Person,
    /// `owner/name`.
    pub slug: String,
    folder: TempDir,
    clones: Cell<usize>,
}

impl GitOps {
    /// The repository `NAME/gitops` with both images at v0.
    pub fn new(name: &str) -> Self {
        let server = Server::shared();
        let owner = Person::new(&server, name);
        owner.client.post("/user/repos", &json!({"name": "gitops", "default_branch": "main"}));
        GitOps::filled(server, owner, format!("{name}/gitops"))
    }

    /// The same in an organisation of the owner's.
    pub fn of_organisation(name: &str, organisation: &str) -> Self {
        let server = Server::shared();
        let owner = Person::new(&server, name);
        owner.client.post("/orgs", &json!({"username": organisation}));
        let repository = json!({"name": "gitops", "default_branch": "main"});
        owner.client.post(&format!("/orgs/{organisation}/repos"), &repository);
        GitOps::filled(server, owner, format!("{organisation}/gitops"))
    }

    fn filled(server: Arc<Server>, owner: Person, slug: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let first = folder.path().join("first");
        git(folder.path(), &["init", "--quiet", "--initial-branch", "main", "first"]);
        identify(&first);
        write(&first, FILE, &kustomization(&[API.into(), WEB.into()]));
        git(&first, &["add", "."]);
        git(&first, &["commit", "--quiet", "--message", "base"]);
        let gitops = GitOps { server, owner, slug, folder, clones: Cell::default() };
        git(&first, &["push", "--quiet", &gitops.url_with(&gitops.owner), "main"]);
        // a repository without commits has no pull requests, and Gitea takes note of the push a little later
        until(|| match gitops.get("")["empty"] == false {
            true => Ok(()),
            false => Err("the repository stays empty".to_owned()),
        });
        gitops
    }

    fn url(&self) -> String {
        format!("{}/{}.git", self.server.url(), self.slug)
    }

    /// For git, with a person's token in it.
    fn url_with(&self, person: &Person) -> String {
        let with = format!("http://{}:{}@", person.name, person.token);
        self.url().replacen("http://", &with, 1)
    }

    /// A checkout of main without credentials.
    pub fn checkout(&self) -> PathBuf {
        self.clones.set(self.clones.get() + 1);
        let folder = self.folder.path().join(format!("w{}", self.clones.get()));
        let to = folder.to_str().unwrap();
        git(self.folder.path(), &["clone", "--quiet", "--depth", "1", &self.url_with(&self.owner), to]);
        git(&folder, &["remote", "set-url", "origin", &self.url()]);
        identify(&folder);
        folder
    }

    /// `tagbump bump IMAGE` in a checkout, with a token of the owner's.
    pub fn command(&self, image: &str, more: &[&str]) -> Command {
        let mut command = cli::command(&self.checkout());
        command.args(["bump", image, "--format", "json"]).args(more);
        command.env("TAGBUMP_TOKEN", &self.owner.token);
        command
    }

    pub fn run(&self, image: &str, more: &[&str]) -> Run {
        repo::run(&mut self.command(image, more))
    }

    /// Runs with `--pr`. Gives the JSON.
    #[track_caller]
    pub fn propose(&self, image: &str, more: &[&str]) -> Value {
        repo::ended(&self.run(image, &[&["--pr"], more].concat()), 0, "proposed")
    }

    /// A route of the repository's API.
    pub fn route(&self, end: &str) -> String {
        format!("/repos/{}{end}", self.slug)
    }

    pub fn get(&self, end: &str) -> Value {
        self.owner.client.get(&self.route(end))
    }

    /// Number, state, title and branch of all pull requests, oldest first.
    pub fn pulls(&self) -> Vec<(u64, String, String, String)> {
        let mut pulls = self.get("/pulls?state=all").as_array().unwrap().clone();
        pulls.reverse();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |pull: &Value| {
            let (state, title, head) = (&pull["state"], &pull["title"], &pull["head"]["ref"]);
            (pull["number"].as_u64().unwrap(), text(state), text(title), text(head))
        };
        pulls.iter().map(row).collect()
    }

    /// The file with the images on a branch.
    pub fn file(&self, branch: &str) -> String {
        self.text(branch, FILE)
    }

    pub fn text(&self, branch: &str, path: &str) -> String {
        git(&self.mirror(), &["show", &format!("{branch}:{path}")])
    }

    /// How many commits main has.
    pub fn commits(&self) -> usize {
        git(&self.mirror(), &["rev-list", "--count", "main"]).parse().unwrap()
    }

    /// What main points at.
    pub fn tip(&self) -> String {
        git(&self.mirror(), &["rev-parse", "main"])
    }

    /// The subjects of the commits that a branch has and main lacks, newest first.
    pub fn ahead(&self, branch: &str) -> Vec<String> {
        let listed = git(&self.mirror(), &["log", "--format=%s", &format!("main..{branch}")]);
        listed.lines().map(str::to_owned).collect()
    }

    /// The owner's second repository, with this many commits on main. Gives their names, oldest first.
    pub fn with_source(&self, name: &str, commits: usize) -> Vec<String> {
        self.owner.client.post("/user/repos", &json!({"name": name, "default_branch": "main"}));
        let folder = self.folder.path().join(name);
        git(self.folder.path(), &["init", "--quiet", "--initial-branch", "main", name]);
        identify(&folder);
        let made = (0..commits).map(|nth| commit(&folder, "src.txt", &format!("{name} {nth}\n"))).collect();
        let url = self.url_with(&self.owner).replace("/gitops.git", &format!("/{name}.git"));
        git(&folder, &["push", "--quiet", &url, "main"]);
        made
    }

    fn mirror(&self) -> PathBuf {
        self.clones.set(self.clones.get() + 1);
        let folder = self.folder.path().join(format!("m{}", self.clones.get()));
        let to = folder.to_str().unwrap();
        git(self.folder.path(), &["clone", "--quiet", "--bare", &self.url_with(&self.owner), to]);
        folder
    }

    /// The owner commits these files to main.
    pub fn owner_adds(&self, files: &[(&str, &str)]) {
        let folder = self.checkout();
        for (path, text) in files {
            write(&folder, path, text);
        }
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message", "add environments"]);
        git(&folder, &["push", "--quiet", &self.url_with(&self.owner), "HEAD:main"]);
    }

    /// The owner commits a file to a branch that is there.
    pub fn owner_commits(&self, branch: &str, path: &str) {
        let folder = self.checkout();
        let url = self.url_with(&self.owner);
        git(&folder, &["fetch", "--quiet", &url, branch]);
        git(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
        commit(&folder, path, "by hand\n");
        git(&folder, &["push", "--quiet", &url, &format!("HEAD:refs/heads/{branch}")]);
    }
}

fn identify(folder: &Path) {
    git(folder, &["config", "user.name", "Ada"]);
    git(folder, &["config", "user.email", "ada@example.com"]);
}

/// Number of the pull request in a run's JSON.
pub fn number(told: &Value) -> u64 {
    told["pull_request"]["number"].as_u64().unwrap_or_else(|| panic!("no pull request in {told}"))
}
