//! Which branch a bump lands on: the flag, the branch of `HEAD`, the event's, or the remote's default branch.

use std::path::PathBuf;
use std::process::Command;

use crate::support::git::git;
use crate::support::repo::{self, FILE, World, actions, ended, failed, push, write};

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const BUILT: &str = "acme/gitops";

/// A remote with the branches main, prod and trunk, of which trunk is the default; and a detached checkout of main.
struct Branches {
    world: World,
    folder: PathBuf,
}

impl Branches {
    fn new() -> Self {
        let world = World::new();
        git(&world.bare, &["branch", "prod", "main"]);
        git(&world.bare, &["branch", "trunk", "main"]);
        let folder = world.shallow("w");
        git(&world.bare, &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
        git(&folder, &["checkout", "--quiet", "--detach"]);
        Branches { world, folder }
    }

    fn push(&self, more: &[&str]) -> Command {
        push(&self.folder, "v1", more)
    }

    /// The command lands on this branch, and on no other.
    #[track_caller]
    fn lands_on(&self, command: &mut Command, branch: &str) {
        let names = ["main", "prod", "trunk"];
        let before = names.map(|name| git(&self.world.bare, &["rev-parse", name]));
        let told = ended(&repo::run(command), 0, "landed");
        assert_eq!(told["branch"], branch);
        for (name, before) in names.into_iter().zip(before) {
            let now = git(&self.world.bare, &["rev-parse", name]);
            let wanted = if name == branch { told["commit"].as_str().unwrap() } else { before.as_str() };
            assert_eq!(now, wanted, "{name}");
        }
    }

    /// The command fails because no branch is known, and nothing moves.
    #[track_caller]
    fn refused(&self, command: &mut Command, event: &str) {
        let before = git(&self.world.bare, &["for-each-ref"]);
        let told = failed(&repo::run(command), 2);
        assert!(told.contains(event) && told.contains("--branch"), "{told}");
        assert_eq!(git(&self.world.bare, &["for-each-ref"]), before);
        assert_eq!(self.world.server.requests().len(), 0, "nobody was asked");
    }
}

/// The runner's variables for an event with this name and ref.
fn event<'a>(command: &'a mut Command, name: &str, kind: &str, reference: &str) -> &'a mut Command {
    actions(command, BUILT, SHA);
    let full = match kind {
        "tag" => format!("refs/tags/{reference}"),
        _ if reference.contains("/merge") => format!("refs/pull/{reference}"),
        _ => format!("refs/heads/{reference}"),
    };
    command
        .env("GITHUB_EVENT_NAME", name)
        .env("GITHUB_REF_TYPE", kind)
        .env("GITHUB_REF_NAME", reference)
        .env("GITHUB_REF", full)
}

const WITHOUT_BRANCH: [(&str, &str); 5] = [
    ("pull_request", "7/merge"),
    ("pull_request_target", "main"),
    ("pull_request_review", "7/merge"),
    ("pull_request_review_comment", "7/merge"),
    ("merge_group", "gh-readonly-queue/main/pr-7-abc"),
];

#[test]
fn events_without_branch_are_refused() {
    let branches = Branches::new();
    for (name, reference) in WITHOUT_BRANCH {
        branches.refused(event(&mut branches.push(&[]), name, "branch", reference), name);
    }
    // even if the checkout is on a branch: that doesn't mean that the bump belongs there
    git(&branches.folder, &["checkout", "--quiet", "main"]);
    for (name, reference) in WITHOUT_BRANCH {
        branches.refused(event(&mut branches.push(&[]), name, "branch", reference), name);
        branches.refused(event(&mut branches.push(&["-n"]), name, "branch", reference), name);
    }
}

#[test]
fn named_branch_is_used_when_event_has_none() {
    for (name, reference) in WITHOUT_BRANCH {
        let branches = Branches::new();
        branches
            .lands_on(event(&mut branches.push(&["--branch", "prod"]), name, "branch", reference), "prod");
    }
}

/// Outside of Actions these variables mean nothing.
#[test]
fn event_variables_are_ignored_outside_of_actions() {
    let branches = Branches::new();
    git(&branches.folder, &["checkout", "--quiet", "main"]);
    let mut command = branches.push(&[]);
    event(&mut command, "pull_request", "branch", "7/merge").env_remove("GITHUB_ACTIONS");
    branches.lands_on(&mut command, "main");
}

#[test]
fn branch_event_lands_on_its_branch() {
    for name in ["push", "schedule", "workflow_dispatch", "workflow_run", "release"] {
        let branches = Branches::new();
        branches.lands_on(event(&mut branches.push(&[]), name, "branch", "prod"), "prod");
    }
    let branches = Branches::new();
    let mut command = branches.push(&[]);
    event(&mut command, "push", "branch", "prod").env("GITHUB_REPOSITORY", "Acme/GitOps");
    branches.lands_on(&mut command, "prod");
}

#[test]
fn tag_event_lands_on_default_branch() {
    let branches = Branches::new();
    // it doesn't mean a branch of that name
    git(&branches.folder, &["tag", "prod"]);
    branches.lands_on(event(&mut branches.push(&[]), "push", "tag", "prod"), "trunk");
}

#[test]
fn bump_lands_on_default_branch_of_another_repository() {
    let branches = Branches::new();
    let mut command = branches.push(&[]);
    event(&mut command, "push", "branch", "prod").env("GITHUB_REPOSITORY", "acme/api");
    branches.lands_on(&mut command, "trunk");
}

/// A repository's name is compared as a whole.
#[test]
fn repository_with_similar_name_is_another_one() {
    for repository in ["acme/gitops2", "acme/ops", "other/gitops", "gitops", "acme/gitops.git"] {
        let branches = Branches::new();
        let mut command = branches.push(&[]);
        event(&mut command, "push", "branch", "prod").env("GITHUB_REPOSITORY", repository);
        branches.lands_on(&mut command, "trunk");
    }
}

#[test]
fn bump_lands_on_default_branch_when_head_is_detached() {
    let branches = Branches::new();
    branches.lands_on(&mut branches.push(&[]), "trunk");
}

#[test]
fn branch_of_head_wins_over_event() {
    let branches = Branches::new();
    git(&branches.folder, &["checkout", "--quiet", "main"]);
    branches.lands_on(event(&mut branches.push(&[]), "push", "branch", "prod"), "main");
    let branches = Branches::new();
    git(&branches.folder, &["checkout", "--quiet", "main"]);
    branches.lands_on(event(&mut branches.push(&[]), "push", "tag", "v1"), "main");
}

#[test]
fn branch_flag_wins() {
    let branches = Branches::new();
    git(&branches.folder, &["checkout", "--quiet", "main"]);
    branches.lands_on(event(&mut branches.push(&["--branch", "prod"]), "push", "branch", "trunk"), "prod");
    let branches = Branches::new();
    branches.lands_on(branches.push(&[]).env("TAGBUMP_BRANCH", "prod"), "prod");
}

/// The event's branch has been deleted since: tagbump doesn't create it again.
#[test]
fn run_fails_when_branch_of_event_was_deleted() {
    let branches = Branches::new();
    let told = failed(&repo::run(event(&mut branches.push(&[]), "push", "branch", "gone")), 2);
    assert!(told.contains("gone") && told.contains("--branch"), "{told}");
    assert!(!git(&branches.world.bare, &["branch"]).contains("gone"));
}

/// The commit belongs to another history than the checkout: the tip counts, whatever is checked out.
#[test]
fn bump_edits_the_tip_when_checkout_differs() {
    let branches = Branches::new();
    write(&branches.folder, FILE, "not: yaml: at all\n");
    git(&branches.folder, &["commit", "--quiet", "--all", "--message", "broken here"]);
    branches.lands_on(&mut branches.push(&["--branch", "prod"]), "prod");
    assert!(git(&branches.world.bare, &["show", &format!("prod:{FILE}")]).contains("newTag: v1 "));
}

#[test]
fn invalid_branch_names_are_refused() {
    let branches = Branches::new();
    for name in ["-x", "a..b", "a b", "refs/heads/", "x.lock", "main:prod", "HEAD"] {
        let told = failed(&repo::run(&mut branches.push(&[&format!("--branch={name}")])), 2);
        assert!(told.contains("--branch"), "{name}: {told}");
    }
    assert_eq!(branches.world.server.requests().len(), 0, "all that was said without asking the server");
}
