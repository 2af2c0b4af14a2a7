//! `--pr` looks for the forge before it pushes: a server without pull requests gets no branch.

use std::path::Path;
use std::process::Command;

use crate::support::cli;
use crate::support::git::git;
use crate::support::git_server::{Reply, Request, Response};
use crate::support::github::{Fault, On, TOKEN};
use crate::support::hub::{HEAD, Hub, Via, each_way};
use crate::support::repo::{self, API, FILE, World, failed, kustomization};

/// A server for git alone, or with an API that answers everything with this.
fn server(answer: Option<(u16, &'static str)>) -> World {
    let reply = move |request: &Request| {
        let (status, body) = answer.filter(|_| request.path.starts_with("/api/"))?;
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Some(Reply::Whole(Response { status, headers, body: body.as_bytes().to_vec() }))
    };
    World::with(|server| server.api(Box::new(reply)), &[(FILE, &kustomization(&[API.into()]))])
}

fn propose(folder: &Path) -> Command {
    let mut command = cli::command(folder);
    command.args(["bump", &format!("{API}:v1"), "--pr", "--format", "json"]).env("TAGBUMP_TOKEN", TOKEN);
    command
}

fn branches(bare: &Path) -> String {
    git(bare, &["for-each-ref", "--format=%(refname:lstrip=2)"])
}

#[test]
fn nothing_is_pushed_to_server_without_forge() {
    // a plain git server, GitLab's, one that answers Gitea's clients only after they log in, and a login page
    for answer in [
        None,
        Some((404, r#"{"error":"404 Not Found"}"#)),
        Some((404, r#"{"errors":null,"message":"not found","url":"https://docs.gitea.com/api/swagger"}"#)),
        Some((200, "<html>log in</html>")),
    ] {
        let world = server(answer);
        let folder = world.clone_of(&world.server.url(repo::REPO), "w", &["--depth", "1"]);
        let failure = failed(&repo::run(&mut propose(&folder)), 2);
        assert!(failure.contains("no forge") && failure.contains("--push"), "{answer:?}: {failure}");
        assert_eq!(branches(&world.bare), "main", "{answer:?}");
        let requests = world.server.requests();
        let probes: Vec<_> = requests.iter().filter(|request| request.path.starts_with("/api/")).collect();
        assert!(!probes.is_empty(), "{answer:?}: the server was asked");
        assert!(probes.iter().all(|probe| probe.authorization.is_none()), "a probe carries no credentials");
    }
}

#[test]
fn remote_of_one_part_is_refused_before_any_request() {
    let world = server(None);
    let short = world.bare.parent().unwrap().with_file_name("gitops.git");
    std::fs::rename(&world.bare, &short).unwrap();
    let folder = world.path().join("w");
    git(world.path(), &["clone", "--quiet", short.to_str().unwrap(), "w"]);
    for (key, value) in [
        ("remote.origin.url", &*world.server.url("gitops.git")),
        ("user.name", "Ada"),
        ("user.email", "a@b.c"),
    ] {
        git(&folder, &["config", key, value]);
    }
    let failure = failed(&repo::run(&mut propose(&folder)), 2);
    assert!(failure.contains("doesn't name a repository") && failure.contains("OWNER/NAME"), "{failure}");
    assert_eq!(branches(&short), "main");
    assert!(world.server.requests().is_empty(), "{:?}", world.server.requests());
}

/// A GitHub server of one's own, outside of its runner.
#[test]
fn forge_is_found_by_its_answer() {
    each_way(|hub| {
        let mut command = hub.command("v1", &[]);
        for name in
            ["GITHUB_SERVER_URL", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN"]
        {
            command.env_remove(name);
        }
        repo::ended(&repo::run(command.env("TAGBUMP_TOKEN", TOKEN)), 0, "proposed");
        hub.proposes(HEAD, "v1");
    });
}

#[test]
fn nothing_is_pushed_when_token_does_not_see_the_repository() {
    each_way(|hub| {
        hub.github.fault(On::ListPulls, Fault::Status(404));
        let failure = failed(&hub.run("v1", &[]), 5);
        assert!(failure.contains("404"), "{failure}");
        assert_eq!((hub.writes(), hub.branches().len()), (0, 1));
    });
}

#[test]
fn forge_is_asked_again_when_it_is_busy() {
    let hub = Hub::new(Via::Git);
    hub.github.fault(On::ListPulls, Fault::Status(502));
    hub.propose("v1", &[]);
    hub.proposes(HEAD, "v1");
    assert!(hub.github.faults_left().is_empty());
}

#[test]
fn nothing_is_pushed_without_a_token_for_the_api() {
    let world = server(Some((
        401,
        r#"{"message":"Requires authentication","documentation_url":"https://docs.github.com/rest"}"#,
    )));
    let folder = world.clone_of(&world.server.url(repo::REPO), "w", &["--depth", "1"]);
    let failure = failed(&repo::run(propose(&folder).env_remove("TAGBUMP_TOKEN")), 5);
    assert!(failure.contains("no token for GitHub's API"), "{failure}");
    assert_eq!(branches(&world.bare), "main");
}
