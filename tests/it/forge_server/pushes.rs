//! `--push` to Gitea: protected branches, and many at once.

use std::time::Instant;

use serde_json::json;

use super::people::{API, GitOps};
use crate::support::repo::{self, ended, failed};

#[test]
fn protected_branch_is_exit_5_with_giteas_words_and_the_cure() {
    let gitops = GitOps::new("protected");
    gitops
        .owner
        .client
        .post(&gitops.route("/branch_protections"), &json!({"rule_name": "main", "enable_push": false}));
    let failure = failed(&gitops.run(&format!("{API}:v1"), &["--push"]), 5);
    assert!(failure.contains("protected branch"), "{failure}");
    assert!(gitops.file("main").contains("v0"));
    // the way around it
    ended(&gitops.run(&format!("{API}:v1"), &["--pr"]), 0, "proposed");
}

/// All write to the same file, each another tag. Gitea gets all of their pushes at the same moment. `WRITERS` says how
/// many there are.
#[test]
fn writers_of_one_file_all_land() {
    let writers = std::env::var("WRITERS").map_or(16, |number| number.parse().unwrap());
    let gitops = GitOps::new("writers");
    let commands = (0..writers).map(|nth| {
        let mut command = gitops.command(&format!("{API}:w{nth}"), &["--push", "--if-older", "write"]);
        command.args(["--timeout", "10m"]);
        command
    });
    let start = Instant::now();
    let runs = repo::run_together(commands.collect());
    let seconds = start.elapsed().as_secs();
    let landed = runs.iter().filter(|run| run.exit == 0).count();
    assert_eq!(landed, writers, "{:?}", runs.iter().find(|run| run.exit != 0));
    assert_eq!(gitops.commits(), writers + 1);
    let tries: Vec<_> = runs.iter().map(|run| repo::json(run)["attempts"].as_u64().unwrap()).collect();
    let (all, most) = (tries.iter().sum::<u64>(), tries.iter().max().unwrap());
    eprintln!("{writers} writers, {all} tries, at most {most} each, in {seconds} s");
}
