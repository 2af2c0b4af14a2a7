//! `--pr`: names, texts, labels and drafts as requested.

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::github::{Fault, On};
use crate::support::hub::{HEAD, Hub, WAYS, each_way};
use crate::support::repo::{API, FILE, actions, commit, ended, failed, kustomization, local, run, write};
use serde_json::json;
use std::process::Command;

const TRAILER: &str = "Tagbump-Image: ghcr.io/acme/api:v1";

/// Nothing was written, neither with git nor through the API.
#[track_caller]
fn untouched(hub: &Hub) {
    assert_eq!((hub.writes(), hub.branches().len(), hub.github.pulls().len()), (0, 1, 0));
}

#[test]
fn templates_set_branch_title_and_body() {
    each_way(|hub| {
        let words = [
            ["--pr-branch", "deploy/{base}-{name}"],
            ["--pr-title", "{name}: {old_tag} to {tag}"],
            ["--pr-body", "New in {files}:\n{images}"],
        ];
        let told = hub.propose("v1", &words.concat());
        assert_eq!(told["branch"], "deploy/main-api");
        let pull = hub.pull();
        assert_eq!((pull.head.as_str(), pull.title.as_str()), ("deploy/main-api", "api: v0 to v1"));
        assert_eq!(pull.body.unwrap(), format!("New in {FILE}:\nghcr.io/acme/api:v1\n\n{TRAILER}"));
        assert_eq!(hub.ahead("deploy/main-api"), ["chore: update api image to v1"]);
        let writes = hub.writes();
        hub.propose("v1", &words.concat());
        assert_eq!(hub.writes(), writes, "the same again");
    });
}

#[test]
fn message_of_commit_sets_title_and_body() {
    each_way(|hub| {
        hub.propose("v1", &["-m", "deploy: {name}\n\nWhy: because\n"]);
        let pull = hub.pull();
        assert_eq!(pull.title, "deploy: api");
        assert_eq!(pull.body.unwrap(), format!("Why: because\n{TRAILER}"));
    });
}

#[test]
fn title_is_one_line() {
    each_way(|hub| {
        hub.propose("v1", &["--pr-title", "one\ntwo"]);
        assert_eq!(hub.pull().title, "one");
    });
}

#[test]
fn service_names_branch_and_title() {
    each_way(|hub| {
        let service = format!("services:\n  backend:\n    image: {API}\n");
        hub.world.rival("tagbump.yaml", &service);
        let mut command = hub.command_in(&hub.checkout(), &["backend"], &["--tag", "v1"]);
        assert_eq!(ended(&run(&mut command), 0, "proposed")["branch"], "tagbump/main/backend");
        assert_eq!(hub.pull().title, "chore: update backend image to v1");
    });
}

#[test]
fn invalid_templates_are_refused() {
    each_way(|hub| {
        for flag in ["--pr-branch", "--pr-title", "--pr-body"] {
            for template in ["{nope}", "{", "{pr}"] {
                let told = failed(&hub.run("v1", &[flag, template]), 2);
                assert!(told.contains(flag) && told.contains(template), "{flag} {template}: {told}");
            }
        }
        untouched(&hub);
    });
}

#[test]
fn invalid_branches_are_refused() {
    each_way(|hub| {
        for branch in ["main", "{base}", "a..b", "a.lock", "-x", "/a", "a//b", "a/", "@", ".a"] {
            let told = failed(&hub.run("v1", &[&format!("--pr-branch={branch}")]), 2);
            assert!(told.contains("--pr-branch"), "{branch}: {told}");
        }
        untouched(&hub);
    });
}

/// The event of a tag has no branch: the base is the server's default branch.
#[test]
fn default_branch_is_base_when_event_has_none() {
    each_way(|hub| {
        let folder = hub.checkout();
        git(&folder, &["checkout", "--quiet", "--detach"]);
        let image = format!("{API}:v1");
        let told = failed(&run(&mut hub.command_in(&folder, &[&image], &["--pr-branch", "main"])), 2);
        assert!(told.contains("--pr-branch"), "{told}");
        untouched(&hub);
        let told = ended(&run(&mut hub.command_in(&folder, &[&image], &[])), 0, "proposed");
        assert_eq!(told["branch"], HEAD);
        hub.proposes(HEAD, "v1");
    });
}

/// Each touches only its own branch, also the second time.
#[test]
fn branches_with_odd_names_are_used() {
    for (base, head) in [
        ("feat/x#1&y", "tagbump/feat/x#1&y/api"),
        ("a%41?b", "tagbump/a%41-b/api"),
        ("über", "tagbump/über/api"),
        ("1.0+rc;'\"", "tagbump/1.0+rc;'\"/api"),
        ("$(id)`x`", "tagbump/$(id)`x`/api"),
    ] {
        for via in WAYS {
            let hub = Hub::new(*via);
            let base = base.replace('?', "-");
            // what they would be if some layer in between misread them
            for name in [base.as_str(), "feat/x", "tagbump/feat/x", "aA-b", "tagbump/aA-b/api"] {
                git(&hub.world.bare, &["branch", name, "main"]);
            }
            let before = hub.branches();
            for tag in ["v1", "v2"] {
                assert_eq!(hub.propose(tag, &["--branch", &base])["branch"], head);
                let pull = hub.pull();
                assert_eq!((pull.base.as_str(), pull.head.as_str()), (base.as_str(), head));
                assert_eq!(pull.head_sha, hub.tip(head));
                let mut after = hub.branches();
                after.retain(|told| !told.starts_with(&format!("{head} ")));
                assert_eq!(after, before, "{head}");
            }
        }
    }
}

#[test]
fn invalid_characters_of_branch_become_dashes() {
    each_way(|hub| {
        assert_eq!(hub.propose("v1", &["--pr-branch", "feat/x#1 y:z"])["branch"], "feat/x#1-y-z");
        assert_eq!(hub.pull().head, "feat/x#1-y-z");
    });
}

#[test]
fn labels_are_added() {
    each_way(|hub| {
        hub.propose("v1", &["--label", "bump", "--label", "in prod, now"]);
        assert_eq!(hub.github.labels(1), ["bump", "in prod, now"]);
        assert_eq!(hub.github.count(On::AddLabels), 1);
        assert_eq!(hub.github.calls_of(On::AddLabels)[0].body, json!({"labels": ["bump", "in prod, now"]}));
        // only a new pull request gets labels: a person may have taken one away
        hub.propose("v2", &["--label", "Bump", "--label", "in prod, now"]);
        assert_eq!(hub.github.count(On::AddLabels), 1);
    });
}

#[test]
fn flags_for_pull_request_without_one_cause_a_warning() {
    let (_parent, folder) = local();
    commit(&folder, FILE, &kustomization(&[API.into()]));
    let image = format!("{API}:v1");
    let asked = ["bump", &image, "-n", "--label", "bump", "--auto-merge"];
    let warned = |command: &mut Command| Run::of(&command.output().unwrap()).stderr;
    let told = warned(cli::command(&folder).args(asked));
    assert!(told.contains("warning: --label and --auto-merge have no effect without --pr\n"), "{told}");
    let variables = [("TAGBUMP_REVIEWER", "ann"), ("TAGBUMP_LABEL", "bump"), ("TAGBUMP_AUTO_MERGE", "false")];
    let told = warned(cli::command(&folder).args(&asked[..3]).envs(variables));
    assert!(!told.contains("effect"), "the environment is meant for other runs too: {told}");
    let told =
        warned(cli::command(&folder).args(&asked[..3]).envs(variables).env("TAGBUMP_ACTION_COMMAND", "bump"));
    let named = "the input \"label\" and the input \"reviewer\" have no effect without pr: true";
    assert!(told.contains(named), "{told}");
}

#[test]
fn labels_are_retried_when_new_pull_request_is_not_found() {
    each_way(|hub| {
        const UNKNOWN: &str = "Could not resolve to a node with the global id of 'PR_kwDOABPHjc0001'.";
        for _ in 0..2 {
            hub.github.fault(On::AddLabels, Fault::Unprocessable(UNKNOWN));
        }
        hub.propose("v1", &["--label", "bump"]);
        assert_eq!((hub.github.labels(1), hub.github.count(On::AddLabels)), (vec!["bump".to_owned()], 3));
        hub.proposes(HEAD, "v1");
    });
}

#[test]
fn draft_flag_opens_draft() {
    each_way(|hub| {
        hub.propose("v1", &["--draft"]);
        assert!(hub.pull().draft);
        hub.propose("v2", &[]);
        assert!(hub.pull().draft, "what somebody has to say of it is left alone");
    });
}

/// On a pull request's head, the mark would leave required checks pending forever.
#[test]
fn skip_mark_is_left_out_unless_requested() {
    each_way(|hub| {
        let outcome = |arguments: &[&str]| {
            let mut command = hub.command("v1", arguments);
            actions(&mut command, "acme/gitops", &hub.tip("main"));
            ended(&run(command.env("GITHUB_SERVER_URL", hub.github.url())), 0, "proposed");
            (hub.ahead(HEAD), hub.pull().title)
        };
        let plain = "chore: update api image to v1";
        let marked = format!("{plain} [skip ci]");
        assert_eq!(outcome(&[]), (vec![plain.to_owned()], plain.to_owned()));
        assert_eq!(outcome(&["--skip-ci"]), (vec![marked.clone()], marked));
    });
}

/// The base's file as it is on the server, not the one in the checkout.
#[test]
fn dry_run_shows_diff_and_changes_nothing() {
    each_way(|hub| {
        let folder = hub.checkout();
        write(&folder, FILE, "local: change\n");
        hub.world.rival("README.md", "newer\n");
        let dry = |arguments: &[&str]| {
            let text = ["-n", "--label", "bump", "--format", "text"];
            run(&mut hub.command_in(&folder, &[&format!("{API}:v1")], &[&text, arguments].concat()))
        };
        for (arguments, exit) in [(&[][..], 0), (&["--exit-code"], 10)] {
            let told = dry(arguments);
            assert_eq!(told.exit, exit, "{}", told.output());
            assert!(told.stdout.contains("-    newTag: v0 # by CI\n+    newTag: v1 # by CI\n"), "{told:?}");
        }
        untouched(&hub);
        assert!(hub.github.calls().iter().all(|call| call.method == "GET"));
        assert_eq!(git(&folder, &["status", "--porcelain"]), format!(" M {FILE}"));

        hub.propose("v1", &[]);
        let (writes, branches) = (hub.writes(), hub.branches());
        assert_eq!(dry(&["--exit-code"]).exit, 10, "main lacks it still");
        hub.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v1"));
        assert_eq!(dry(&["--exit-code"]).exit, 0);
        assert_eq!((hub.writes(), hub.branches()[1..].to_vec()), (writes, branches[1..].to_vec()));
        assert!(hub.github.pull(1).open);
    });
}

#[test]
fn dry_run_names_branch_of_pull_request() {
    each_way(|hub| {
        assert_eq!(ended(&hub.run("v1", &["-n"]), 0, "planned")["branch"], HEAD);
    });
}
