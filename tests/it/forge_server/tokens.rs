//! Tokens of several people, with several scopes.

use serde_json::json;

use super::people::{API, GitOps, Person, SCOPES, number};
use crate::support::repo::{self, ended, failed};

#[test]
fn token_needs_no_more_than_two_scopes() {
    let gitops = GitOps::new("scopes");
    gitops.owner.client.post(&gitops.route("/labels"), &json!({"name": "bump", "color": "#00aabb"}));
    let mut command = gitops.command(&format!("{API}:v1"), &["--pr", "--label", "bump"]);
    let told =
        ended(&repo::run(command.env("TAGBUMP_TOKEN", gitops.owner.token_for(&SCOPES))), 0, "proposed");
    assert_eq!((number(&told), &told["warnings"]), (1, &json!([])));
}

#[test]
fn token_without_the_scope_for_labels_opens_the_request_with_a_warning() {
    let gitops = GitOps::new("no-issue-scope");
    let token = gitops.owner.token_for(&["write:repository"]);
    let mut command = gitops.command(&format!("{API}:v1"), &["--pr", "--label", "bump"]);
    let told = ended(&repo::run(command.env("TAGBUMP_TOKEN", token)), 0, "proposed");
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("write:issue"), "{warnings}");
    assert_eq!(gitops.pulls().len(), 1);
}

#[test]
fn token_that_only_reads_is_exit_5_and_leaves_nothing() {
    let gitops = GitOps::new("only-reads");
    let token = gitops.owner.token_for(&["read:repository"]);
    let mut command = gitops.command(&format!("{API}:v1"), &["--pr"]);
    failed(&repo::run(command.env("TAGBUMP_TOKEN", token)), 5);
    assert_eq!(gitops.get("/branches").as_array().unwrap().len(), 1);
}

#[test]
fn stranger_may_not_propose_and_collaborator_may() {
    let gitops = GitOps::new("several-users");
    let ann = Person::new(&gitops.server, "ann");
    let run = |image: &str| repo::run(gitops.command(image, &["--pr"]).env("TAGBUMP_TOKEN", &ann.token));
    failed(&run(&format!("{API}:v1")), 5);
    let may = json!({"permission": "write"});
    gitops.owner.client.put(&gitops.route("/collaborators/ann"), &may);
    let told = ended(&run(&format!("{API}:v1")), 0, "proposed");
    assert_eq!(gitops.get("/pulls/1")["user"]["login"], "ann");
    // another user's run updates the same request
    assert_eq!(number(&gitops.propose(&format!("{API}:v2"), &[])), number(&told));
}
