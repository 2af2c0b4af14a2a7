//! `--reviewer`, `--assignee`, `--label` and `--auto-merge` on GitHub: once, when the request is opened; a refusal is a warning.

use crate::support::github::{Fault, On};
use crate::support::hub::{HEAD, Hub, Via, each_way};
use crate::support::repo::failed;
use serde_json::{Value, json};

fn warnings(told: &Value) -> String {
    told["warnings"].to_string()
}

fn check() -> Value {
    json!({
        "type": "required_status_checks",
        "parameters": {"required_status_checks": [{"context": "ci"}], "strict_required_status_checks_policy": false},
        "ruleset_source_type": "Repository", "ruleset_source": "acme/gitops", "ruleset_id": 7,
    })
}

/// Main waits for a check.
fn ruled(via: Via) -> Hub {
    let hub = Hub::new(via);
    hub.github.rules(&[check()]);
    hub
}

#[test]
fn everyone_is_asked_once_with_one_call_each() {
    let asked = ["--reviewer", "@ann", "--reviewer", "acme/platform", "--assignee", "bob", "--label", "bump"];
    each_way(|hub| {
        let told = hub.propose("v1", &asked);
        assert_eq!(told["warnings"], json!([]));
        let pull = hub.pull();
        assert_eq!(
            (pull.reviewers, pull.assignees, pull.labels),
            (vec!["ann".to_owned(), "platform".to_owned()], vec!["bob".to_owned()], vec!["bump".to_owned()])
        );
        assert_eq!(
            hub.github.calls_of(On::RequestReviewers)[0].body,
            json!({"reviewers": ["ann"], "team_reviewers": ["platform"]})
        );
        hub.propose("v1", &asked);
        hub.propose("v2", &asked);
        let counts = [On::RequestReviewers, On::Assign, On::AddLabels].map(|on| hub.github.count(on));
        assert_eq!(counts, [1, 1, 1], "a second run asks nobody again");
    });
}

#[test]
fn refusals_are_warnings_with_the_cure() {
    let hub = Hub::new(Via::Git);
    let asked = ["--reviewer", "stranger", "--reviewer", "other/platform", "--assignee", "stranger"];
    let told = hub.propose("v1", &[&asked[..], &["--label", "nightly"]].concat());
    let warnings = warnings(&told);
    for part in [
        "no review was requested from stranger",
        "no review was requested from other/platform: only a team of acme/gitops's owner",
        "not a collaborator",
        "read:org",
        "was not assigned to stranger",
        "has no label nightly",
    ] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    assert_eq!(
        (hub.github.count(On::AddLabels), hub.proposes(HEAD, "v1").labels.len()),
        (0, 0),
        "no label is made"
    );
}

#[test]
fn token_without_the_right_to_label_opens_the_request() {
    let hub = Hub::new(Via::Git);
    hub.github.fault(On::AddLabels, Fault::Forbidden("Resource not accessible by integration"));
    let warnings = warnings(&hub.propose("v1", &["--label", "bump"]));
    assert!(warnings.contains("not accessible") && warnings.contains("pull-requests: write"), "{warnings}");
    hub.proposes(HEAD, "v1");
}

#[test]
fn new_request_that_github_does_not_know_yet_is_asked_about_again() {
    let hub = Hub::new(Via::Git);
    hub.github.fault(On::RequestReviewers, Fault::Unprocessable("Could not resolve to a node"));
    hub.github.fault(On::Assign, Fault::Status(502));
    let told = hub.propose("v1", &["--reviewer", "ann", "--assignee", "bob"]);
    assert_eq!(told["warnings"], json!([]));
    assert_eq!((hub.pull().reviewers.len(), hub.pull().assignees.len()), (1, 1));
}

#[test]
fn auto_merge_is_enabled_for_the_head_that_was_pushed() {
    for (flag, method) in [("--auto-merge=rebase", "REBASE"), ("--auto-merge", "SQUASH")] {
        let hub = ruled(Via::Git);
        let told = hub.propose("v1", &[flag]);
        assert_eq!(told["pull_request"]["auto_merge"], true);
        assert_eq!(hub.pull().auto_merge.as_deref(), Some(method));
        let asked = hub.github.calls_of(On::EnableAutoMerge)[0].body["variables"]["input"].clone();
        assert_eq!(asked["expectedHeadOid"], hub.tip(HEAD).as_str());
        assert!(told["notices"].to_string().contains("starts no workflows"), "{told}");
    }
}

#[test]
fn auto_merge_that_an_earlier_run_enabled_counts() {
    let hub = ruled(Via::Git);
    hub.propose("v1", &["--auto-merge"]);
    hub.github.merging(|merging| merging.refusal = Some("Pull request Auto merge is already enabled"));
    let told = hub.propose("v2", &["--auto-merge"]);
    assert_eq!(told["pull_request"]["auto_merge"], true);
    assert!(warnings(&told).contains("didn't pin it to the new commit"), "{told}");
}

#[test]
fn repeated_auto_merge_changes_nothing() {
    for refusal in [None, Some("Pull request Auto merge is already enabled")] {
        let hub = ruled(Via::Git);
        assert_eq!(hub.propose("v1", &["--auto-merge"])["changed"], true);
        hub.github.merging(|merging| merging.refusal = refusal);
        let told = hub.propose("v1", &["--auto-merge"]);
        assert_eq!((&told["changed"], &told["pull_request"]["auto_merge"]), (&json!(false), &json!(true)));
    }
    let hub = ruled(Via::Git);
    hub.propose("v1", &[]);
    for flag in ["--auto-merge=squash", "--auto-merge=rebase"] {
        assert_eq!(hub.propose("v1", &[flag])["changed"], true, "{flag}");
    }
}

#[test]
fn merge_queue_gets_no_method() {
    let hub = ruled(Via::Git);
    hub.github.merging(|merging| merging.queue = true);
    hub.propose("v1", &["--auto-merge=squash"]);
    assert_eq!(hub.pull().auto_merge.as_deref(), Some(""));
}

#[test]
fn review_that_a_classic_protection_requires_is_a_rule() {
    let hub = Hub::new(Via::Git);
    hub.github.merging(|merging| merging.classic_reviews = 1);
    assert_eq!(hub.propose("v1", &["--auto-merge"])["pull_request"]["auto_merge"], true);
}

#[test]
fn request_whose_rules_are_met_is_merged_with_its_head_pinned() {
    let hub = ruled(Via::Git);
    hub.github.merging(|merging| merging.refusal = Some("Pull request Pull request is in clean status"));
    let told = hub.propose("v1", &["--auto-merge=squash"]);
    assert_eq!(told["pull_request"]["auto_merge"], true);
    let asked = hub.github.calls_of(On::MergePull)[0].body.clone();
    assert_eq!(asked, json!({"sha": told["commit"], "merge_method": "squash"}));
    assert!(hub.github.pull(1).merged);
}

#[test]
fn request_stays_open_when_something_is_in_the_way() {
    let stays_open = |hub: &Hub, why: &str| {
        let told = hub.propose("v1", &["--auto-merge=squash"]);
        assert!(warnings(&told).contains("stays open") && warnings(&told).contains(why), "{why}: {told}");
        assert_eq!(told["pull_request"]["auto_merge"], false);
        assert_eq!((hub.pull().auto_merge, hub.github.count(On::MergePull)), (None, 0));
    };
    stays_open(&Hub::new(Via::Git), "requires neither a status check nor a review");
    let unreadable = Hub::new(Via::Git);
    unreadable.github.fault(On::BranchRules, Fault::Status(404));
    stays_open(&unreadable, "stays open, because the rules of main can't be read: ");
    let refused = ruled(Via::Git);
    refused.github.merging(|merging| {
        merging.refusal = Some("Pull request Auto merge is not allowed for this repository");
    });
    stays_open(&refused, "not allowed for this repository");
}

#[test]
fn request_with_a_persons_commit_is_not_merged() {
    let hub = ruled(Via::Git);
    hub.propose("v1", &[]);
    hub.somebody_commits(HEAD, "theirs.txt");
    let told = hub.propose("v2", &["--auto-merge"]);
    assert!(warnings(&told).contains("has commits besides this bump's"), "{told}");
    assert_eq!(hub.github.count(On::EnableAutoMerge), 0);
}

#[test]
fn request_whose_head_moved_is_not_merged() {
    let hub = ruled(Via::Git);
    let bare = hub.world.bare.clone();
    hub.github.before(On::BranchRules, move || {
        crate::support::hub::somebody_commits(&bare, HEAD, "theirs.txt");
    });
    let told = hub.propose("v1", &["--auto-merge"]);
    assert!(warnings(&told).contains("stays open"), "{told}");
    assert_eq!(hub.pull().auto_merge, None);
}

#[test]
fn draft_can_not_be_merged() {
    let hub = Hub::new(Via::Git);
    let failure = failed(&hub.run("v1", &["--draft", "--auto-merge"]), 2);
    assert!(failure.contains("a draft can't be merged"), "{failure}");
}

#[test]
fn variable_takes_true_and_false_too() {
    for (value, expected) in [("true", Some("SQUASH")), ("merge", Some("MERGE")), ("false", None), ("", None)]
    {
        let hub = ruled(Via::Git);
        let mut command = hub.command("v1", &[]);
        command.env("TAGBUMP_AUTO_MERGE", value).env("TAGBUMP_REVIEWER", "ann\nbob");
        crate::support::repo::ended(&crate::support::repo::run(&mut command), 0, "proposed");
        assert_eq!((hub.pull().auto_merge.as_deref(), hub.pull().reviewers.len()), (expected, 2), "{value}");
    }
}
