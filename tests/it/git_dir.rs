//! The variables that say where git's repository is: `GIT_DIR` and `GIT_WORK_TREE`.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli;
use crate::support::git::{self, git};
use crate::support::repo::{API, FILE, World, ended, failed, push, run};

/// A checkout whose git directory is elsewhere, under another name. Gives the work tree and the git directory.
fn apart(world: &World) -> (PathBuf, PathBuf) {
    let tree = world.shallow("tree");
    let git_dir = world.path().join("store.git");
    std::fs::rename(tree.join(".git"), &git_dir).unwrap();
    (tree, git_dir)
}

/// What git says in the same place with the same variables.
fn status(folder: &Path, variables: &[(&str, &str)]) -> Result<String, String> {
    let output = git::command(folder)
        .envs(variables.iter().copied())
        .args(["status", "--short", "--untracked-files=no"])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn commit(folder: &Path, tag: &str) -> Command {
    let mut command = cli::command(folder);
    command.args(["bump", &format!("{API}:{tag}"), "--commit", "--format", "json"]);
    command
}

#[test]
fn repository_in_variable_is_used() {
    let world = World::new();
    let (tree, git_dir) = apart(&world);
    let path = git_dir.to_str().unwrap();
    for (nth, (folder, variables)) in [
        (tree.clone(), vec![("GIT_DIR", path)]),
        (tree.clone(), vec![("GIT_DIR", "../store.git")]),
        (tree.join("k8s"), vec![("GIT_DIR", "../../store.git"), ("GIT_WORK_TREE", "..")]),
        (tree.join("k8s"), vec![("GIT_DIR", path), ("GIT_WORK_TREE", tree.to_str().unwrap())]),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(status(&folder, &variables), Ok(String::new()));
        ended(&run(push(&folder, &format!("v{nth}a"), &[]).envs(variables.clone())), 0, "landed");
        assert!(world.file(FILE).contains(&format!("newTag: v{nth}a")), "{nth}");
        // git fast-forwarded the work tree, and a commit leaves it clean too
        assert_eq!(status(&folder, &variables), Ok(String::new()), "{nth}");
        ended(&run(commit(&folder, &format!("v{nth}b")).envs(variables.clone())), 0, "committed");
        assert_eq!(status(&folder, &variables), Ok(String::new()), "{nth}");
        git(&git_dir, &["reset", "--soft", "--quiet", "HEAD~"]);
        git(&tree, &["--git-dir", path, "--work-tree", ".", "reset", "--hard", "--quiet"]);
    }
}

#[test]
fn work_tree_in_variable_or_configuration_is_used() {
    let world = World::new();
    let (tree, git_dir) = apart(&world);
    let outer = world.path().join("outer");
    std::fs::create_dir(&outer).unwrap();
    std::fs::rename(&tree, outer.join("tree")).unwrap();
    std::fs::rename(&git_dir, outer.join(".git")).unwrap();
    let tree = outer.join("tree");
    let variables = [("GIT_WORK_TREE", tree.to_str().unwrap())];
    assert_eq!(status(&tree, &variables), Ok(String::new()));
    ended(&run(push(&tree, "v1", &[]).envs(variables)), 0, "landed");
    assert_eq!(status(&tree, &variables), Ok(String::new()));
    git(&outer, &["config", "core.worktree", "../tree"]);
    assert_eq!(status(&tree, &[]), Ok(String::new()));
    ended(&run(&mut push(&tree, "v2", &[])), 0, "landed");
    assert_eq!(status(&tree, &[]), Ok(String::new()));
    assert!(std::fs::read_to_string(tree.join(FILE)).unwrap().contains("newTag: v2"));
}

#[test]
fn variables_that_cannot_be_respected_are_errors() {
    let world = World::new();
    let folder = world.shallow("w");
    let bare = world.bare.to_str().unwrap();
    let none = world.path().to_str().unwrap();
    for (variables, word) in [
        (vec![("GIT_DIR", none)], "GIT_DIR names"),
        (vec![("GIT_DIR", ".")], "GIT_DIR names"),
        (vec![("GIT_DIR", bare)], "bare"),
        (vec![("GIT_WORK_TREE", "k8s")], "outside of the repository's work tree"),
        (vec![("GIT_WORK_TREE", "missing")], "GIT_WORK_TREE names"),
        (vec![("GIT_COMMON_DIR", ".git")], "GIT_COMMON_DIR"),
        (vec![("GIT_OBJECT_DIRECTORY", ".git/objects")], "GIT_OBJECT_DIRECTORY"),
        (vec![("GIT_NAMESPACE", "x")], "GIT_NAMESPACE"),
        (vec![("GIT_INDEX_FILE", "other")], "GIT_INDEX_FILE"),
    ] {
        let message = failed(&run(push(&folder, "v1", &[]).envs(variables.iter().copied())), 2);
        assert!(message.contains(word), "{variables:?}: {message}");
    }
    assert_eq!((world.commits(), world.server.requests().len()), (2, 0));
    // as git sets them for its hooks
    let usual = [("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index"), ("GIT_PREFIX", "")];
    ended(&run(push(&folder, "v1", &[]).envs(usual)), 0, "landed");
}

#[test]
fn ceiling_hides_repositories_above_it() {
    let world = World::new();
    let folder = world.shallow("w");
    let ceiling = |path: &Path| [("GIT_CEILING_DIRECTORIES", path.to_str().unwrap().to_owned())];
    let inner = folder.join("k8s");
    for (start, hidden, found) in [(&inner, &folder, false), (&folder, &folder, true), (&inner, &inner, true)]
    {
        let variables = ceiling(hidden);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(status(start, &variables).is_ok(), found, "{} {}", start.display(), hidden.display());
        let ran = run(push(start, "v1", &["--dry-run"]).envs(variables));
        assert_eq!(ran.exit == 0, found, "{}", ran.output());
    }
}

/// A program from a repository's configuration runs only if the repository belongs to the user.
#[cfg(feature = "root-tests")]
#[test]
fn repository_of_another_user_is_refused_in_variable_too() {
    let world = World::new();
    let (tree, git_dir) = apart(&world);
    std::os::unix::fs::chown(&git_dir, Some(12345), Some(12345)).unwrap();
    let message = failed(&run(push(&tree, "v1", &[]).env("GIT_DIR", &git_dir)), 1);
    assert!(message.contains("belongs to another user"), "{message}");
}
