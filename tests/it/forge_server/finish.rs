//! Reviewers, assignees and auto-merge on the real Gitea.

use serde_json::{Value, json};

use super::client::until;
use super::people::{API, GitOps, Person, number};
use crate::support::repo::{ended, failed};

const HEAD: &str = "tagbump/main/api";

fn logins(people: &Value) -> Vec<&str> {
    people.as_array().into_iter().flatten().map(|person| person["login"].as_str().unwrap()).collect()
}

/// Main waits for the status `ci` from now on.
fn require_status(gitops: &GitOps) {
    let rule = json!({"rule_name": "main", "enable_status_check": true, "status_check_contexts": ["ci"]});
    gitops.owner.client.post(&gitops.route("/branch_protections"), &rule);
}

fn turn_green(gitops: &GitOps, told: &Value) {
    let commit = told["commit"].as_str().unwrap();
    let status = json!({"state": "success", "context": "ci"});
    gitops.owner.client.post(&gitops.route(&format!("/statuses/{commit}")), &status);
}

#[test]
fn people_and_teams_are_asked_once() {
    let gitops = GitOps::of_organisation("asking", "asking-org");
    let bea = Person::new(&gitops.server, "bea");
    let team = json!({
        "name": "platform", "permission": "write", "includes_all_repositories": true,
        "units": ["repo.code", "repo.pulls"],
    });
    gitops.owner.client.post("/orgs/asking-org/teams", &team);
    gitops.owner.client.put(&gitops.route("/collaborators/bea"), &json!({"permission": "write"}));
    let asked = ["--reviewer", "bea", "--reviewer", "asking-org/platform", "--assignee", "bea"];
    let told = gitops.propose(&format!("{API}:v1"), &asked);
    assert_eq!(told["warnings"], json!([]));
    let pull = gitops.get("/pulls/1");
    assert_eq!(logins(&pull["requested_reviewers"]), ["bea"]);
    assert_eq!(pull["requested_reviewers_teams"][0]["name"], "platform");
    assert_eq!(logins(&pull["assignees"]), [bea.name.as_str()]);
    // bea declines; the next bump doesn't ask again
    let people = json!({"reviewers": ["bea"]});
    gitops.owner.client.until_done("DELETE", &gitops.route("/pulls/1/requested_reviewers"), &people);
    gitops.owner.client.patch(&gitops.route("/issues/1"), &json!({"assignees": []}));
    gitops.propose(&format!("{API}:v2"), &asked);
    let pull = gitops.get("/pulls/1");
    assert_eq!((logins(&pull["requested_reviewers"]), logins(&pull["assignees"])), (vec![], vec![]));
}

#[test]
fn reviewer_who_is_not_a_collaborator_is_a_warning() {
    let gitops = GitOps::new("no-collaborator");
    gitops.owner.client.patch(&gitops.route(""), &json!({"private": true}));
    Person::new(&gitops.server, "carl");
    let told = gitops.propose(&format!("{API}:v1"), &["--reviewer", "carl", "--assignee", "carl"]);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("no review was requested from carl"), "{warnings}");
    assert!(warnings.contains("not assigned to carl"), "{warnings}");
    assert_eq!(gitops.pulls()[0].1, "open");
}

#[test]
fn request_is_merged_when_its_status_turns_green() {
    let gitops = GitOps::new("auto-merge");
    require_status(&gitops);
    let told = gitops.propose(&format!("{API}:v1"), &["--auto-merge=squash"]);
    assert_eq!(told["pull_request"]["auto_merge"], true);
    assert!(told["warnings"].to_string().contains("can't pin a scheduled merge"), "{told}");
    assert_eq!(gitops.pulls()[0].1, "open");
    turn_green(&gitops, &told);
    until(|| match gitops.get("/pulls/1")["merged"] == true {
        true => Ok(()),
        false => Err("it stays open".to_owned()),
    });
    assert!(gitops.file("main").contains("name: ghcr.io/acme/api\n    newTag: v1"));
}

#[test]
fn newer_tag_of_a_scheduled_request_is_scheduled_too() {
    let gitops = GitOps::new("auto-merge-twice");
    require_status(&gitops);
    gitops.propose(&format!("{API}:v1"), &["--auto-merge"]);
    let told = gitops.propose(&format!("{API}:v2"), &["--auto-merge"]);
    assert_eq!((number(&told), &told["pull_request"]["auto_merge"]), (1, &json!(true)));
    turn_green(&gitops, &told);
    until(|| match gitops.get("/pulls/1")["merged"] == true {
        true => Ok(()),
        false => Err("it stays open".to_owned()),
    });
    assert!(gitops.file("main").contains("name: ghcr.io/acme/api\n    newTag: v2"));
}

#[test]
fn request_to_a_branch_without_rules_stays_open() {
    let gitops = GitOps::new("no-rules");
    let told = gitops.propose(&format!("{API}:v1"), &["--auto-merge=squash"]);
    assert_eq!(told["pull_request"]["auto_merge"], false);
    assert!(
        told["warnings"].to_string().contains("requires neither a status check nor an approval"),
        "{told}"
    );
    assert_eq!(gitops.pulls()[0].1, "open");
    assert!(gitops.file("main").contains("newTag: v0"));
}

#[test]
fn request_with_a_persons_commit_stays_open() {
    let gitops = GitOps::new("auto-merge-person");
    require_status(&gitops);
    gitops.propose(&format!("{API}:v1"), &[]);
    gitops.owner_commits(HEAD, "by-hand.txt");
    let told = gitops.propose(&format!("{API}:v2"), &["--auto-merge"]);
    assert_eq!(told["pull_request"]["auto_merge"], false);
    assert!(told["warnings"].to_string().contains("has commits besides this bump's"), "{told}");
    turn_green(&gitops, &told);
    assert_eq!(gitops.pulls()[0].1, "open");
}

#[test]
fn merge_that_gitea_refuses_is_a_warning() {
    let gitops = GitOps::new("no-squash");
    require_status(&gitops);
    gitops.owner.client.patch(&gitops.route(""), &json!({"allow_squash_merge": false}));
    let mut stranger = gitops.command(&format!("{API}:v1"), &["--pr", "--auto-merge=squash"]);
    let told = ended(&crate::support::repo::run(&mut stranger), 0, "proposed");
    assert_eq!(gitops.pulls()[0].1, "open", "{told}");
    let draft = gitops.run(&format!("{API}:v2"), &["--pr", "--draft", "--auto-merge"]);
    assert!(failed(&draft, 2).contains("a draft can't be merged"));
}
