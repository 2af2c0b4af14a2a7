//! `--pr`: one request for each image, kept up to date, whatever happens to it in between.

use serde_json::json;

use super::people::{API, GitOps, WEB, number};
use crate::support::repo;

const HEAD: &str = "tagbump/main/api";

#[test]
fn two_images_three_runs_each_give_two_requests() {
    let gitops = GitOps::new("two-images");
    for tag in ["v1", "v2", "v3"] {
        for (image, expected) in [(API, 1), (WEB, 2)] {
            let told = gitops.propose(&format!("{image}:{tag}"), &[]);
            assert_eq!(number(&told), expected, "{image}:{tag}");
            let url = format!("{}/two-images/gitops/pulls/{expected}", gitops.server.url());
            assert_eq!(told["pull_request"]["url"], url.as_str());
        }
    }
    let pull = |number: u64, name: &str| {
        let title = format!("chore: update {name} image to v3");
        (number, "open".to_owned(), title, format!("tagbump/main/{name}"))
    };
    assert_eq!(gitops.pulls(), [pull(1, "api"), pull(2, "web")]);
    assert_eq!(gitops.ahead(HEAD), ["chore: update api image to v3"]);
    let body = gitops.get("/pulls/1")["body"].as_str().unwrap().to_owned();
    assert!(body.ends_with("Tagbump-Image: ghcr.io/acme/api:v3"), "{body}");
    assert!(gitops.file(HEAD).contains("name: ghcr.io/acme/api\n    newTag: v3"));
    assert!(gitops.file("main").contains("name: ghcr.io/acme/api\n    newTag: v0"));
}

#[test]
fn second_run_changes_nothing() {
    let gitops = GitOps::new("second-run");
    let first = gitops.propose(&format!("{API}:v1"), &[]);
    let updated = gitops.get("/pulls/1")["updated_at"].clone();
    let second = gitops.propose(&format!("{API}:v1"), &[]);
    assert_eq!(second["commit"], first["commit"]);
    assert_eq!(gitops.get("/pulls/1")["updated_at"], updated);
}

#[test]
fn bump_after_a_squash_merge_opens_the_next_request() {
    let gitops = GitOps::new("squash");
    gitops.propose(&format!("{API}:v1"), &[]);
    gitops.owner.client.until_done("POST", &gitops.route("/pulls/1/merge"), &json!({"Do": "squash"}));
    repo::ended(&gitops.run(&format!("{API}:v1"), &["--pr"]), 0, "already");
    assert_eq!(number(&gitops.propose(&format!("{API}:v2"), &[])), 2);
    assert_eq!(gitops.ahead(HEAD), ["chore: update api image to v2"]);
}

#[test]
fn bump_after_the_request_was_closed_by_hand_opens_the_next_one() {
    let gitops = GitOps::new("closed");
    gitops.propose(&format!("{API}:v1"), &[]);
    gitops.owner.client.patch(&gitops.route("/pulls/1"), &json!({"state": "closed"}));
    assert_eq!(number(&gitops.propose(&format!("{API}:v2"), &[])), 2);
    assert_eq!(number(&gitops.propose(&format!("{API}:v3"), &[])), 2);
    let states: Vec<String> = gitops.pulls().into_iter().map(|(_, state, ..)| state).collect();
    assert_eq!(states, ["closed", "open"]);
}

#[test]
fn bump_goes_on_top_of_a_persons_commit() {
    let gitops = GitOps::new("persons-commit");
    gitops.propose(&format!("{API}:v1"), &[]);
    gitops.owner_commits(HEAD, "by-hand.txt");
    assert_eq!(number(&gitops.propose(&format!("{API}:v2"), &[])), 1);
    assert_eq!(
        gitops.ahead(HEAD),
        ["chore: update api image to v2", "change by-hand.txt", "chore: update api image to v1"]
    );
}

#[test]
fn request_is_closed_when_its_change_is_on_the_base() {
    let gitops = GitOps::new("on-the-base");
    gitops.propose(&format!("{API}:v1"), &[]);
    repo::ended(&gitops.run(&format!("{API}:v1"), &["--push"]), 0, "landed");
    let told = repo::ended(&gitops.run(&format!("{API}:v1"), &["--pr"]), 0, "already");
    assert_eq!(number(&told), 1);
    assert_eq!(gitops.pulls()[0].1, "closed");
}

#[test]
fn request_of_the_same_branch_to_another_base_is_not_ours() {
    let gitops = GitOps::new("other-base");
    gitops.propose(&format!("{API}:v1"), &[]);
    let dev = json!({"new_branch_name": "dev", "old_branch_name": "main"});
    gitops.owner.client.post(&gitops.route("/branches"), &dev);
    gitops.owner.client.patch(&gitops.route("/pulls/1"), &json!({"base": "dev"}));
    assert_eq!(number(&gitops.propose(&format!("{API}:v2"), &[])), 2);
    let told = gitops.propose(&format!("{API}:v3"), &["--pr-branch", HEAD, "--branch", "dev"]);
    assert_eq!(number(&told), 1);
}

#[test]
fn draft_stays_as_people_leave_it() {
    let gitops = GitOps::new("draft");
    gitops.propose(&format!("{API}:v1"), &["--draft"]);
    assert_eq!(gitops.get("/pulls/1")["draft"], true);
    gitops.owner.client.patch(&gitops.route("/pulls/1"), &json!({"title": "ready"}));
    gitops.propose(&format!("{API}:v2"), &["--draft"]);
    let pull = gitops.get("/pulls/1");
    assert_eq!((&pull["draft"], &pull["title"]), (&json!(false), &json!("chore: update api image to v2")));
}

#[test]
fn labels_of_repository_and_organisation_are_set_and_a_missing_one_is_reported() {
    let gitops = GitOps::of_organisation("labels", "labels-org");
    let label = |name: &str| json!({"name": name, "color": "#00aabb"});
    gitops.owner.client.post(&gitops.route("/labels"), &label("bump"));
    gitops.owner.client.post("/orgs/labels-org/labels", &label("deploy"));
    let labels = ["--label", "Bump", "--label", "deploy", "--label", "nightly"];
    let told = gitops.propose(&format!("{API}:v1"), &labels);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("no label nightly") && !warnings.contains("deploy"), "{warnings}");
    let labels = gitops.get("/pulls/1")["labels"].clone();
    let mut names: Vec<&str> =
        labels.as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["bump", "deploy"]);
    // a person takes one away; the next run doesn't bring it back
    gitops.owner.client.put(&gitops.route("/issues/1/labels"), &json!({"labels": []}));
    gitops.propose(&format!("{API}:v2"), &["--label", "bump"]);
    assert_eq!(gitops.get("/pulls/1")["labels"], json!([]));
}

/// More requests than the server lists at once, and ours is the oldest.
#[test]
fn request_is_found_among_many() {
    let gitops = GitOps::new("many");
    gitops.propose(&format!("{API}:v1"), &[]);
    for nth in 0..6 {
        let branch = format!("b{nth}");
        let file = json!({"content": "eA==", "message": "x", "new_branch": branch, "branch": "main"});
        gitops.owner.client.post(&gitops.route(&format!("/contents/{branch}.txt")), &file);
        let pull = json!({"head": branch, "base": "main", "title": branch});
        gitops.owner.client.post(&gitops.route("/pulls"), &pull);
    }
    assert_eq!(number(&gitops.propose(&format!("{API}:v2"), &[])), 1);
}
