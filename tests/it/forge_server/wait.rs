//! `tagbump wait` on a real Gitea: the statuses are posted as Flux posts them.

use serde_json::json;

use super::people::{API, GitOps, WEB};
use crate::support::repo::ended;
use crate::support::waiting::{Steps, Waited, wait};

/// A repository with a bump that landed.
fn landed(name: &str) -> (GitOps, String) {
    let gitops = GitOps::new(name);
    let told = ended(&gitops.run(&format!("{API}:v1"), &["--push"]), 0, "landed");
    let commit = told["commit"].as_str().unwrap().to_owned();
    (gitops, commit)
}

fn posts(gitops: &GitOps, commit: &str, state: &str) {
    let status =
        json!({"context": "kustomization/apps/1a2b3c4d", "state": state, "description": "reconciliation"});
    gitops.owner.client.post(&gitops.route(&format!("/statuses/{commit}")), &status);
}

fn waits(gitops: &GitOps, more: &[&str], clock: &Steps<'_>) -> Waited {
    let arguments = [&[API, "--status", "kustomization/*"], more].concat();
    wait(&gitops.checkout(), &arguments, &[("TAGBUMP_TOKEN", &gitops.owner.token)], clock)
}

#[test]
fn live_by_a_status_of_the_commit() {
    let (gitops, commit) = landed("waits");
    let clock = Steps::none()
        .then(|| posts(&gitops, &commit, "pending"))
        .then(|| posts(&gitops, &commit, "failure"))
        .then(|| posts(&gitops, &commit, "success"));
    let waited = waits(&gitops, &["--rev", &commit], &clock);
    waited.ends(0, "live");
    assert_eq!(waited.json["wait"]["commit"], commit);
    assert_eq!(clock.sleeps().len(), 3);
}

#[test]
fn live_by_a_status_of_a_later_commit() {
    let (gitops, commit) = landed("waitslater");
    let later = ended(&gitops.run(&format!("{WEB}:v2"), &["--push"]), 0, "landed");
    let later = later["commit"].as_str().unwrap();
    posts(&gitops, later, "success");
    let waited = waits(&gitops, &[], &Steps::none());
    waited.ends(0, "live");
    assert_eq!(
        (&waited.json["wait"]["commit"], &waited.json["wait"]["statuses"][0]["commit"]),
        (&commit.into(), &later.into())
    );
}

#[test]
fn never_live() {
    let (gitops, commit) = landed("waitsnever");
    waits(&gitops, &["--wait-timeout", "2m"], &Steps::none()).ends(7, "failed");
    posts(&gitops, &commit, "failure");
    let waited = waits(&gitops, &["--rev", &commit[..10]], &Steps::none());
    waited.ends(7, "failed");
    assert!(waited.error().contains("these failed: kustomization/apps/1a2b3c4d"), "{}", waited.error());
}

#[test]
fn superseded_by_another_tag() {
    let (gitops, commit) = landed("waitsnewer");
    let clock = Steps::none().then(|| {
        ended(&gitops.run(&format!("{API}:v2"), &["--push"]), 0, "landed");
        posts(&gitops, &commit, "success");
    });
    waits(&gitops, &["--rev", &commit], &clock).ends(0, "superseded");
}

#[test]
fn token_that_may_not_read_is_exit_5() {
    let (gitops, _) = landed("waitstoken");
    let token = gitops.owner.token_for(&["read:user"]);
    let folder = gitops.checkout();
    let waited = wait(&folder, &[API, "--status", "*"], &[("TAGBUMP_TOKEN", &token)], &Steps::none());
    waited.ends(5, "failed");
    assert!(!waited.error().contains(&token), "{}", waited.error());
}
