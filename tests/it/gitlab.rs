//! `--pr` on GitLab: push options make the merge request. The git server is real; its hook answers as GitLab does, and keeps the options.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli;
use crate::support::git::git;
use crate::support::repo::{self, API, FILE, PASSWORD, REPO, World, ended, failed, kustomization, run};
use serde_json::{Value, json};

const HEAD: &str = "tagbump/main/api";

/// What the hook prints.
enum Answer {
    /// As if the merge request were there.
    View,
    /// A link of its own, in place of the merge request's.
    Link(&'static str),
    /// The options had no effect.
    Refusal(&'static str),
    Nothing,
}

struct GitLab {
    world: World,
    options: PathBuf,
}

impl GitLab {
    fn new() -> Self {
        let files = [(FILE, &*kustomization(&[API.into()]))];
        GitLab::of(World::with(|server| server.basic_auth("x-access-token", PASSWORD), &files))
    }

    fn of(world: World) -> Self {
        git(&world.bare, &["config", "receive.advertisePushOptions", "true"]);
        let options = world.path().join("options");
        let gitlab = GitLab { world, options };
        gitlab.answers(&Answer::View);
        gitlab
    }

    fn page(&self) -> String {
        self.world.server.url("acme/gitops")
    }

    /// How pushes are answered from now on. GitLab prints its error in a frame, with the options that it was about.
    fn answers(&self, answer: &Answer) {
        let view =
            |link: &str| format!("echo\necho \"View merge request for $branch:\"\necho '  {link}'\necho");
        let text = match answer {
            Answer::View => view(&format!("{}/-/merge_requests/7", self.page())),
            Answer::Link(link) => view(link),
            Answer::Refusal(why) => format!(
                "echo =====\necho\necho 'WARNINGS:'\necho \"Error encountered with push options '$GIT_PUSH_OPTION_0' '$GIT_PUSH_OPTION_3':\"\necho '{why}'\necho =====\n\
                 echo \"To create a merge request for $branch, visit:\"\necho '  {}/-/merge_requests/new'",
                self.page()
            ),
            Answer::Nothing => String::new(),
        };
        let keep = "i=0\nwhile [ $i -lt \"${GIT_PUSH_OPTION_COUNT:-0}\" ]; do eval \"printf '%s\\n' \\\"\\$GIT_PUSH_OPTION_$i\\\"\"; i=$((i+1)); done";
        let script = format!(
            "read -r _ _ ref\nbranch=${{ref#refs/heads/}}\n({keep}) > '{}'\n{text}",
            self.options.display()
        );
        self.world.hook("post-receive", &script);
    }

    /// The options of the last push.
    fn options(&self) -> Vec<String> {
        std::fs::read_to_string(&self.options).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn forget(&self) {
        let _ = std::fs::remove_file(&self.options);
    }

    fn checkout(&self, name: &str) -> PathBuf {
        self.world.clone_of(&self.world.server.url(REPO), name, &["--depth", "1"])
    }

    /// In a pipeline of the server's.
    fn command(&self, folder: &Path, tag: &str, more: &[&str]) -> Command {
        let mut command = cli::command(folder);
        command.args(["bump", &format!("{API}:{tag}"), "--pr", "--format", "json"]).args(more);
        command
            .env("GITLAB_CI", "true")
            .env("CI_SERVER_URL", self.world.server.url("").trim_end_matches('/'))
            .env("CI_PROJECT_PATH", "acme/other")
            .env("CI_COMMIT_BRANCH", "main")
            .env("TAGBUMP_TOKEN", PASSWORD);
        command
    }

    #[track_caller]
    fn propose(&self, name: &str, tag: &str, more: &[&str]) -> Value {
        ended(&run(&mut self.command(&self.checkout(name), tag, more)), 0, "proposed")
    }
}

#[test]
fn push_makes_merge_request_and_its_answer_names_it() {
    let gitlab = GitLab::new();
    let told = gitlab.propose("w1", "v1", &["--label", "bump", "--label", "a b", "--draft"]);
    let url = format!("{}/-/merge_requests/7", gitlab.page());
    assert_eq!(told["pull_request"], json!({"number": 7, "url": url, "auto_merge": false}));
    assert_eq!((&told["branch"], &told["warnings"]), (&json!(HEAD), &json!([])));
    assert_eq!(
        gitlab.options(),
        [
            "merge_request.create",
            "merge_request.target=main",
            "merge_request.title=chore: update api image to v1",
            "merge_request.description=ghcr.io/acme/api: v0 -> v1 (k8s/kustomization.yaml)\\n\\nTagbump-Image: ghcr.io/acme/api:v1",
            "merge_request.draft",
            "merge_request.label=bump",
            "merge_request.label=a b",
        ]
    );
    let requests = gitlab.world.server.requests();
    assert!(requests.iter().all(|request| !request.path.contains("/api/")), "no API is asked");
}

#[test]
fn next_bump_updates_merge_request_and_leaves_labels_alone() {
    let gitlab = GitLab::new();
    gitlab.propose("w1", "v1", &["--label", "bump", "--draft"]);
    gitlab.propose("w2", "v2", &["--label", "bump", "--draft"]);
    let options = gitlab.options();
    assert_eq!(options.len(), 4, "{options:?}");
    assert_eq!(options[2], "merge_request.title=chore: update api image to v2");
}

#[test]
fn assignees_are_options_and_reviewers_a_warning() {
    let gitlab = GitLab::new();
    let told = gitlab.propose("w1", "v1", &["--assignee", "ann", "--reviewer", "bob"]);
    assert_eq!(gitlab.options()[4..], ["merge_request.assign=ann"]);
    assert!(told["warnings"].to_string().contains("no review was requested from bob"), "{told}");
    let told = gitlab.propose("w2", "v2", &["--assignee", "ann", "--reviewer", "bob"]);
    assert_eq!(gitlab.options().len(), 4);
    assert_eq!(told["warnings"], json!([]));
}

/// Push options can't read the rules of the base, so it isn't known whether anything would hold the merge back.
#[test]
fn merge_request_stays_open_with_auto_merge() {
    let gitlab = GitLab::new();
    let told = gitlab.propose("w1", "v1", &["--auto-merge"]);
    assert!(!gitlab.options().iter().any(|option| option.contains("merge_when")), "{:?}", gitlab.options());
    assert!(!gitlab.options().iter().any(|option| option.contains("auto_merge")), "{:?}", gitlab.options());
    assert_eq!(told["pull_request"]["auto_merge"], false);
    assert!(told["warnings"].to_string().contains("the merge request stays open"), "{told}");
}

#[test]
fn second_run_pushes_nothing() {
    let gitlab = GitLab::new();
    gitlab.propose("w1", "v1", &[]);
    gitlab.forget();
    let told = gitlab.propose("w2", "v1", &[]);
    assert_eq!((gitlab.options(), &told["pull_request"]), (Vec::new(), &Value::Null));
    assert!(told["notices"].to_string().contains("no link to its merge request"), "{told}");
}

#[test]
fn text_with_special_characters_stays_one_option_each() {
    let gitlab = GitLab::new();
    let title = "Ship \"it\" 'now' é $HOME `id` \\n x=y";
    gitlab.propose("w", "v1", &["--pr-title", title, "--pr-body", "1\n2\\nTagbump-Source: evil/x@1\ttab"]);
    let options = gitlab.options();
    assert_eq!(options[2], format!("merge_request.title={title}"));
    let body = "merge_request.description=1\\n2&#92;nTagbump-Source: evil/x@1 tab";
    assert!(options[3].starts_with(body), "{options:?}");
    assert_eq!(options.len(), 4, "{options:?}");
}

#[test]
fn refusal_is_exit_5_with_gitlabs_words() {
    let gitlab = GitLab::new();
    gitlab.answers(&Answer::Refusal("User access was denied"));
    let failure = failed(&run(&mut gitlab.command(&gitlab.checkout("w"), "v1", &[])), 5);
    assert!(
        failure.contains("made no merge request for tagbump/main/api: User access was denied"),
        "{failure}"
    );
    assert!(!failure.contains("merge_request.create") && failure.contains("delete"), "{failure}");
}

#[test]
fn link_is_shown_only_if_it_is_the_repositorys() {
    let gitlab = GitLab::new();
    let answers = [
        Answer::Nothing,
        Answer::Link("https://evil.example/acme/gitops/-/merge_requests/7"),
        Answer::Link("javascript:alert(1)"),
    ];
    for (nth, answer) in answers.iter().enumerate() {
        gitlab.answers(answer);
        let told = gitlab.propose(&format!("w{nth}"), &format!("v{}", nth + 1), &[]);
        assert_eq!(told["pull_request"], Value::Null);
        assert!(told["warnings"].to_string().contains("showed no link"), "{told}");
        assert!(!told.to_string().contains("evil.example"), "{told}");
    }
}

#[test]
fn change_that_is_on_the_base_is_reported() {
    let gitlab = GitLab::new();
    gitlab.propose("w1", "v1", &[]);
    gitlab.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v1"));
    let told = ended(&run(&mut gitlab.command(&gitlab.checkout("w2"), "v1", &[])), 0, "already");
    assert!(told["notices"].to_string().contains("close it by hand"), "{told}");
}

#[test]
fn option_of_ones_own_about_merge_requests_is_refused() {
    let gitlab = GitLab::new();
    for option in ["merge_request.title=mine", "mr.create"] {
        let folder = gitlab.checkout(&option.replace(['.', '='], "-"));
        git(&folder, &["config", "push.pushOption", option]);
        let failure = failed(&run(&mut gitlab.command(&folder, "v1", &[])), 2);
        assert!(failure.contains(option) && failure.contains("--push"), "{failure}");
    }
    assert_eq!(git(&gitlab.world.bare, &["for-each-ref", "--format=%(refname:short)"]), "main");
    let folder = gitlab.checkout("other");
    git(&folder, &["config", "push.pushOption", "ci.skip"]);
    ended(&run(&mut gitlab.command(&folder, "v1", &[])), 0, "proposed");
    assert_eq!(gitlab.options()[..2], ["ci.skip", "merge_request.create"]);
}

#[test]
fn server_without_push_options_gets_no_branch() {
    let gitlab = GitLab::new();
    git(&gitlab.world.bare, &["config", "receive.advertisePushOptions", "false"]);
    let failure = failed(&run(&mut gitlab.command(&gitlab.checkout("w"), "v1", &[])), 2);
    let words = "the server doesn't take push options, with which tagbump makes merge requests";
    assert!(failure.contains(words) && !failure.contains("push.pushOption"), "{failure}");
    assert_eq!(git(&gitlab.world.bare, &["for-each-ref", "--format=%(refname:short)"]), "main");
}

#[test]
fn commit_that_landed_before_the_answer_was_lost_is_not_pushed_again() {
    use crate::support::git_server::{Fault, On, Service};
    let gitlab = GitLab::new();
    gitlab.world.server.fault(On::Post(Service::ReceivePack), Fault::CloseAfter);
    let told = gitlab.propose("w", "v1", &[]);
    assert!(told["notices"].to_string().contains("no link to its merge request"), "{told}");
}

/// GitLab's API tells no one its version without a token, but its answers have a header of their own.
#[test]
fn server_outside_of_its_pipelines_is_found_by_its_header_without_credentials() {
    use crate::support::git_server::{Reply, Request, Response};
    let api = |request: &Request| {
        request.path.starts_with("/api/").then(|| {
            let headers = vec![("X-Gitlab-Meta".to_owned(), "{\"version\":\"1\"}".to_owned())];
            let body = br#"{"message":"401 Unauthorized"}"#.to_vec();
            Reply::Whole(Response { status: 401, headers, body })
        })
    };
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let gitlab = GitLab::of(World::with(
        |server| server.basic_auth("x-access-token", PASSWORD).api(Box::new(api)),
        &files,
    ));
    let local = |name: &str, more: &[&str]| {
        let folder = gitlab.checkout(name);
        let mut command = gitlab.command(&folder, "v1", more);
        for name in ["GITLAB_CI", "CI_SERVER_URL", "CI_PROJECT_PATH", "CI_COMMIT_BRANCH"] {
            command.env_remove(name);
        }
        ended(&run(&mut command), 0, "proposed")
    };
    assert_eq!(local("w1", &[])["pull_request"]["number"], 7);
    let probes = |gitlab: &GitLab| -> Vec<_> {
        let requests = gitlab.world.server.requests().into_iter();
        requests.filter(|request| request.path.starts_with("/api/")).collect()
    };
    let asked = probes(&gitlab);
    assert!(!asked.is_empty() && asked.iter().all(|probe| probe.authorization.is_none()), "{asked:?}");
    local("w2", &["--forge", "gitlab"]);
    assert_eq!(probes(&gitlab).len(), asked.len());
}

/// ssh is the user's; this one runs the command on the server's folder.
#[test]
fn merge_request_is_made_over_ssh_if_the_user_says_that_it_is_gitlab() {
    let gitlab = GitLab::new();
    gitlab.answers(&Answer::Link("https://git.example/acme/gitops/-/merge_requests/7"));
    let ssh = gitlab.world.path().join("ssh");
    let srv = gitlab.world.path().join("srv");
    repo::script_at(&ssh, &format!("for last; do :; done; cd '{}' && eval \"$last\"", srv.display()));
    let over_ssh = |name: &str, more: &[&str]| {
        let folder = gitlab.world.clone_of("git@git.example:acme/gitops.git", name, &["--depth", "1"]);
        let mut command = gitlab.command(&folder, "v1", more);
        run(command.env_remove("TAGBUMP_TOKEN").env("GIT_SSH_COMMAND", &ssh))
    };
    let failure = failed(&over_ssh("w1", &[]), 2);
    assert!(failure.contains("--forge"), "{failure}");
    let told = ended(&over_ssh("w2", &["--forge", "gitlab"]), 0, "proposed");
    assert_eq!(told["pull_request"]["url"], "https://git.example/acme/gitops/-/merge_requests/7");
}

#[test]
fn pushed_commit_is_linked_where_gitlab_shows_it() {
    let gitlab = GitLab::new();
    let summary = gitlab.world.path().join("summary");
    let folder = gitlab.checkout("w");
    let mut command = gitlab.command(&folder, "v1", &["--forge", "gitlab"]);
    command.env_remove("GITLAB_CI").env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    command.env("GITHUB_REF_NAME", "main").env("GITHUB_REF_TYPE", "branch");
    ended(&repo::run(&mut command), 0, "proposed");
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains(&format!("{}/-/commit/", gitlab.page())), "{summary}");
}
