//! `--pr`: the bump goes to a branch of its own, with one pull request that is kept up to date.

use crate::support::git::git;
use crate::support::github::On;
use crate::support::hub::{HEAD, Hub, each_way};
use crate::support::repo::{self, API, FILE, actions, ended, kustomization, run};
use serde_json::json;

const SUBJECT: &str = "chore: update api image to v1";
const BODY: &str =
    "ghcr.io/acme/api: v0 -> v1 (k8s/kustomization.yaml)\n\nTagbump-Image: ghcr.io/acme/api:v1";

#[test]
fn first_run_creates_branch_commit_and_pull_request() {
    each_way(|hub| {
        let main = hub.tip("main");
        let told = hub.propose("v1", &[]);
        let pull = hub.proposes(HEAD, "v1");
        assert_eq!((pull.title.as_str(), pull.body.as_deref(), pull.draft), (SUBJECT, Some(BODY), false));
        assert_eq!(hub.tip("main"), main);
        assert_eq!(hub.branches().len(), 2);
        assert_eq!(hub.message(HEAD), format!("{SUBJECT}\n\n{BODY}"));
        assert_eq!(told["commit"], hub.tip(HEAD).as_str());
        assert_eq!((&told["branch"], &told["changed"]), (&json!(HEAD), &json!(true)));
        let url = format!("{}/acme/gitops/pull/1", hub.github.url());
        assert_eq!(told["pull_request"], json!({"number": 1, "url": url, "auto_merge": false}));
    });
}

#[test]
fn step_has_pull_request_in_its_outputs() {
    each_way(|hub| {
        let outputs = hub.world.path().join("outputs");
        let mut command = hub.command("v1", &[]);
        actions(&mut command, "acme/gitops", &hub.tip("main"));
        command.env("GITHUB_SERVER_URL", hub.github.url()).env("GITHUB_OUTPUT", &outputs);
        let told = run(&mut command);
        assert_eq!(told.exit, 0, "{}", told.output());
        let outputs = std::fs::read_to_string(outputs).unwrap();
        let url = format!("{}/acme/gitops/pull/1", hub.github.url());
        for (name, value) in [
            ("outcome", "proposed"),
            ("branch", HEAD),
            ("commit", &hub.tip(HEAD)),
            ("pull-request-number", "1"),
            ("pull-request-url", &url),
        ] {
            let start = format!("{name}<<");
            let shown = outputs.split_once(&start).and_then(|(_, rest)| rest.lines().nth(1));
            assert_eq!(shown, Some(value), "{name} in {outputs}");
        }
    });
}

#[test]
fn output_shows_link_of_pull_request() {
    each_way(|hub| {
        let told = hub.run("v1", &["--format", "text"]);
        let url = format!("{}/acme/gitops/pull/1", hub.github.url());
        assert!(told.exit == 0 && told.stdout.contains(&url), "{}", told.output());
    });
}

#[test]
fn second_run_changes_nothing() {
    each_way(|hub| {
        let first = hub.propose("v1", &["--label", "bump"]);
        let (writes, branches, pull) = (hub.writes(), hub.branches(), hub.pull());
        let second = hub.propose("v1", &["--label", "bump"]);
        assert_eq!(hub.writes(), writes);
        assert_eq!((hub.branches(), hub.pull()), (branches, pull));
        for field in ["commit", "branch", "pull_request", "changes"] {
            assert_eq!(second[field], first[field], "{field}");
        }
        let told = |run: &serde_json::Value| (run["changed"].clone(), run["attempts"].clone());
        assert_eq!(told(&first), (true.into(), 1.into()));
        assert_eq!(told(&second), (false.into(), 0.into()));
    });
}

#[test]
fn newer_tag_replaces_older_one() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let older = hub.pull();
        let told = hub.propose("v2", &[]);
        let pull = hub.proposes(HEAD, "v2");
        assert_eq!(pull.number, older.number);
        assert_eq!(pull.title, "chore: update api image to v2");
        assert_eq!(pull.body.unwrap(), BODY.replace("v1", "v2"));
        assert_eq!(told["changes"][0]["from"], "v0", "what main has, not the older proposal");
        assert_eq!(hub.github.count(On::UpdatePull), 1);
    });
}

/// From a shallow checkout and from a full one, both older than the base and up to date.
#[test]
fn branch_is_recreated_when_base_moved() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let older = hub.checkout();
        let full = hub.checkout();
        for (nth, folder) in [Some(older), Some(full), None].into_iter().enumerate() {
            hub.world.rival("README.md", &format!("newer {nth}\n"));
            let folder = folder.unwrap_or_else(|| hub.checkout());
            ended(&run(&mut hub.command_in(&folder, &[&format!("{API}:v1")], &[])), 0, "proposed");
            assert_eq!(hub.proposes(HEAD, "v1").number, 1, "{nth}");
        }
    });
}

/// As actions/checkout makes them: neither the old base nor the commit that the branch started from is available.
#[test]
fn branch_is_recreated_from_shallow_checkout_of_new_base() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        for nth in 0..2 {
            hub.world.rival("README.md", &format!("newer {nth}\n"));
        }
        hub.propose("v1", &[]);
        assert_eq!(hub.proposes(HEAD, "v1").number, 1);
    });
}

#[test]
fn pull_request_is_closed_from_shallow_checkout() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        hub.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v1"));
        ended(&hub.run("v1", &[]), 0, "already");
        assert!(!hub.github.pull(1).open);
    });
}

#[test]
fn bump_goes_on_top_when_branch_has_commits_of_others() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let theirs = hub.somebody_commits(HEAD, "theirs.txt");
        hub.propose("v2", &[]);
        assert_eq!(
            hub.ahead(HEAD),
            ["chore: update api image to v2", "change theirs.txt", "chore: update api image to v1"]
        );
        assert_eq!(git(&hub.world.bare, &["rev-parse", &format!("{HEAD}^")]), theirs);
        let pull = hub.pull();
        assert_eq!((pull.number, pull.title.as_str()), (1, "chore: update api image to v2"));
    });
}

#[test]
fn second_run_changes_nothing_when_branch_has_commits_of_others() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let theirs = hub.somebody_commits(HEAD, "theirs.txt");
        let (writes, pull) = (hub.writes(), hub.pull());
        let told = hub.propose("v1", &[]);
        assert_eq!(hub.tip(HEAD), theirs);
        assert_eq!((hub.writes(), hub.pull().title), (writes, pull.title));
        assert_eq!(told["pull_request"]["number"], 1);
    });
}

#[test]
fn pull_request_is_closed_when_base_has_tag() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        hub.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v1"));
        let told = ended(&hub.run("v1", &[]), 0, "already");
        assert!(!hub.github.pull(1).open);
        assert_eq!((&told["pull_request"]["number"], &told["commit"]), (&json!(1), &json!(null)));
        let notice = told["notices"][0].as_str().unwrap_or_default();
        assert!(notice.contains("/pull/1 was closed") && notice.contains("main"), "{told}");
        let writes = hub.writes();
        let told = ended(&hub.run("v1", &[]), 0, "already");
        assert_eq!((hub.writes(), &told["pull_request"]), (writes, &json!(null)), "once is enough");
    });
}

#[test]
fn no_api_request_is_sent_when_base_has_tag_and_branch_is_missing() {
    each_way(|hub| {
        let told = ended(&hub.run("v0", &[]), 0, "already");
        assert_eq!((hub.github.calls().len(), hub.writes()), (0, 0));
        assert_eq!((&told["pull_request"], &told["changed"]), (&json!(null), &json!(false)));
    });
}

/// Merged or squashed: in both cases the branch is left behind.
#[test]
fn next_tag_gets_new_pull_request_after_merge() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        git(&hub.world.bare, &["update-ref", "refs/heads/main", HEAD]);
        assert!(hub.github.pull(1).merged);
        hub.propose("v2", &[]);
        assert_eq!(hub.proposes(HEAD, "v2").number, 2);

        hub.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v2"));
        hub.github.close_pull(2);
        hub.propose("v3", &[]);
        assert_eq!(hub.proposes(HEAD, "v3").number, 3);
    });
}

#[test]
fn new_pull_request_is_opened_when_old_one_was_closed() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        hub.github.close_pull(1);
        hub.propose("v1", &[]);
        assert_eq!(hub.proposes(HEAD, "v1").number, 2);
        assert!(!hub.github.pull(1).open);
    });
}

#[test]
fn branch_of_others_gets_pull_request() {
    each_way(|hub| {
        let theirs = hub.somebody_commits(HEAD, "theirs.txt");
        hub.propose("v1", &[]);
        assert_eq!(hub.ahead(HEAD), [SUBJECT, "change theirs.txt"]);
        assert_eq!(git(&hub.world.bare, &["rev-parse", &format!("{HEAD}^")]), theirs);
        assert_eq!(hub.pull().title, SUBJECT);
    });
}

/// Even if there is nothing left to commit on it.
#[test]
fn branch_of_others_gets_pull_request_when_it_has_tag() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        hub.somebody_commits(HEAD, "theirs.txt");
        hub.github.close_pull(1);
        hub.propose("v1", &[]);
        let pull = hub.pull();
        assert_eq!((pull.number, pull.title.as_str(), pull.body.as_deref()), (2, SUBJECT, Some(BODY)));
    });
}

#[test]
fn pull_request_opened_by_hand_is_updated() {
    each_way(|hub| {
        hub.somebody_commits("deploy", "theirs.txt");
        hub.github.open_pull("deploy", "main", "My own");
        hub.propose("v1", &["--pr-branch", "deploy"]);
        let pull = hub.pull();
        assert_eq!((pull.number, pull.title.as_str(), pull.body.as_deref()), (1, SUBJECT, Some(BODY)));
    });
}

#[test]
fn pull_request_to_another_base_is_left_alone() {
    each_way(|hub| {
        git(&hub.world.bare, &["branch", "release", "main"]);
        hub.somebody_commits("deploy", "theirs.txt");
        hub.github.open_pull("deploy", "release", "My own");
        hub.propose("v1", &["--pr-branch", "deploy"]);
        assert_eq!(hub.github.pull(1).title, "My own");
        assert_eq!(hub.github.pull(2).base, "main");
    });
}

#[test]
fn pull_request_goes_to_named_base() {
    each_way(|hub| {
        git(&hub.world.bare, &["branch", "release/1.0", "main"]);
        let main = hub.tip("main");
        let told = hub.propose("v1", &["--branch", "release/1.0"]);
        assert_eq!(told["branch"], "tagbump/release/1.0/api");
        let pull = hub.pull();
        assert_eq!((pull.base.as_str(), pull.head.as_str()), ("release/1.0", "tagbump/release/1.0/api"));
        assert_eq!((hub.tip("main"), hub.tip("release/1.0")), (main.clone(), main));
    });
}

#[test]
fn several_images_share_one_pull_request() {
    let names = ["api", "web", "worker"].map(|name| format!("ghcr.io/acme/{name}"));
    for via in crate::support::hub::WAYS {
        let hub = Hub::with(*via, &[(FILE, &kustomization(&names))]);
        let images = names.each_ref().map(|name| format!("{name}:v1"));
        let images = images.each_ref().map(String::as_str);
        let told = ended(&run(&mut hub.command_in(&hub.checkout(), &images, &[])), 0, "proposed");
        let head = "tagbump/main/api-web-worker";
        assert_eq!(told["branch"], head);
        assert_eq!(hub.ahead(head), ["chore: update 3 images"]);
        assert_eq!(hub.file(head).matches("newTag: v1 # by CI").count(), 3);
        let pull = hub.pull();
        assert_eq!(pull.title, "chore: update 3 images");
        let trailers: String = names.iter().map(|name| format!("\nTagbump-Image: {name}:v1")).collect();
        assert!(pull.body.as_deref().unwrap().ends_with(&trailers), "{pull:?}");
    }
}

/// Two jobs bump different images on one branch: neither removes the other's proposal.
#[test]
fn images_proposed_by_other_jobs_stay_on_branch() {
    each_way(|hub| {
        let images = ["ghcr.io/acme/api".to_owned(), "ghcr.io/acme/web".to_owned()];
        let hub = Hub::with(hub.via, &[(FILE, &kustomization(&images))]);
        let bump = |image: &str, tag: &str| {
            let folder = hub.checkout();
            let more = ["--pr-branch", "deploy/all"];
            repo::run(&mut hub.command_in(&folder, &[&format!("{image}:{tag}")], &more))
        };
        ended(&bump(&images[0], "v1"), 0, "proposed");
        ended(&bump(&images[1], "v2"), 0, "proposed");
        ended(&bump(&images[0], "v3"), 0, "proposed");
        let file = hub.file("deploy/all");
        assert!(file.contains("newTag: v3") && file.contains("newTag: v2") && !file.contains("v0"), "{file}");
        assert_eq!(hub.github.open_pulls().len(), 1);
        hub.world.rival(FILE, &kustomization(&images).replacen("v0", "v3", 1));
        ended(&bump(&images[0], "v3"), 0, "already");
        assert_eq!(hub.github.open_pulls().len(), 1, "there is the other image to merge");
    });
}

/// People who amend our commit have put their own work into it.
#[test]
fn amended_commit_is_kept() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let theirs = hub.world.path().join("amends");
        git(hub.world.path(), &["clone", "--quiet", hub.world.bare.to_str().unwrap(), "amends"]);
        git(&theirs, &["checkout", "--quiet", HEAD]);
        std::fs::write(theirs.join("note.md"), "theirs\n").unwrap();
        git(&theirs, &["add", "note.md"]);
        git(
            &theirs,
            &[
                "-c",
                "user.name=Eve",
                "commit",
                "--quiet",
                "--amend",
                "--no-edit",
                "--date",
                "2005-04-07T22:13:13Z",
            ],
        );
        git(&theirs, &["push", "--quiet", "--force", "origin", &format!("HEAD:{HEAD}")]);
        let amended = hub.tip(HEAD);
        hub.propose("v2", &[]);
        assert_eq!(git(&hub.world.bare, &["rev-parse", &format!("{HEAD}^")]), amended);
    });
}
