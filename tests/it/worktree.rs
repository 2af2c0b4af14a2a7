//! Bumps of a working tree: which files are read, how they are replaced, and what is reported.

use std::fs;
use std::path::Path;

use crate::support::cli::{Run, command, tagbump};
use crate::support::files::{snapshot, write};
use crate::support::git::git;

const ENTRY: &str =
    "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nimages:\n- name: app\n  newTag: v1\n";

fn is_bumped(folder: &Path, path: &str) -> bool {
    fs::read_to_string(folder.join(path)).unwrap().contains("newTag: v2")
}

fn with_env(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    Run::of(&command(folder).args(arguments).envs(variables.iter().copied()).output().unwrap())
}

#[test]
fn gitignore_rules_apply_when_git_is_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["a.yaml", "ignored/b.yaml", ".hidden/c.yml", "sub/d.yaml", "sub/keep/e.yaml", ".git/f.yaml"]
    {
        write(root, path, ENTRY);
    }
    write(root, ".gitignore", "ignored/\n");
    write(root, "sub/.gitignore", "*.yaml\n!keep/*.yaml\n");
    write(root, ".ignore", "a.yaml\n");
    let run = tagbump(root, &["bump", "app:v2"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    for (path, bumped) in [
        ("a.yaml", true),
        ("ignored/b.yaml", false),
        (".hidden/c.yml", true),
        ("sub/d.yaml", false),
        ("sub/keep/e.yaml", true),
        (".git/f.yaml", false),
    ] {
        assert_eq!(is_bumped(root, path), bumped, "{path}");
    }
    let named = tagbump(root, &["bump", "app:v2", "-f", "ignored/b.yaml"]);
    assert_eq!(named.exit, 0, "a named file is meant: {}", named.output());
    assert!(is_bumped(root, "ignored/b.yaml"));
}

#[test]
fn tracked_files_are_not_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "k/tracked.yaml", ENTRY);
    write(root, "k/left.yaml", ENTRY);
    write(root, ".gitignore", "*.yaml\n");
    git(root, &["init", "--quiet"]);
    git(root, &["add", "--force", "k/tracked.yaml"]);
    for below in ["", "k"] {
        let run = tagbump(&root.join(below), &["bump", "app:v2", "-n"]);
        assert!(run.stdout.contains("tracked.yaml") && !run.stdout.contains("left.yaml"), "{}", run.output());
    }
    assert_eq!(tagbump(root, &["bump", "app:v2"]).exit, 0);
    assert!(is_bumped(root, "k/tracked.yaml") && !is_bumped(root, "k/left.yaml"));
}

#[test]
fn ignore_files_above_apply_inside_of_repository_only() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, ".gitignore", "a.yaml\n");
    write(root, "sub/a.yaml", ENTRY);
    write(root, "repo/sub/a.yaml", ENTRY);
    write(root, "repo/.gitignore", "a.yaml\n");
    git(&root.join("repo"), &["init", "--quiet"]);
    assert_eq!(tagbump(&root.join("sub"), &["bump", "app:v2"]).exit, 0);
    assert_eq!(tagbump(&root.join("repo/sub"), &["bump", "app:v2"]).exit, 3);
    assert_eq!(
        tagbump(root, &["bump", "app:v2", "-f", "repo/**"]).exit,
        3,
        "a repository inside is not entered"
    );
}

/// The folder may be writable for everyone.
#[test]
fn ignore_files_above_repository_do_not_apply() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for file in ["a.yaml", "b.yaml"] {
        write(root, &format!("repo/sub/{file}"), ENTRY);
    }
    write(root, ".gitignore", "*.yaml\n");
    write(root, "repo/.gitignore", "b.yaml\n");
    git(&root.join("repo"), &["init", "--quiet"]);
    let run = tagbump(&root.join("repo/sub"), &["bump", "app:v2"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(is_bumped(root, "repo/sub/a.yaml") && !is_bumped(root, "repo/sub/b.yaml"));
}

#[cfg(unix)]
#[test]
fn edit_keeps_mode_and_leaves_symlinks() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", ENTRY);
    fs::set_permissions(root.join("a.yaml"), fs::Permissions::from_mode(0o751)).unwrap();
    write(outside.path(), "x.yaml", ENTRY);
    symlink(outside.path().join("x.yaml"), root.join("link.yaml")).unwrap();
    symlink(outside.path(), root.join("folder")).unwrap();
    symlink(root, root.join("loop")).unwrap();
    assert_eq!(tagbump(root, &["bump", "app:v2"]).exit, 0);
    assert!(is_bumped(root, "a.yaml"));
    assert_eq!(fs::metadata(root.join("a.yaml")).unwrap().permissions().mode() & 0o777, 0o751);
    assert!(!is_bumped(outside.path(), "x.yaml"));
    for path in ["link.yaml", "folder/x.yaml"] {
        let run = tagbump(root, &["bump", "app:v2", "-f", path]);
        assert_eq!(run.exit, 2, "{path}: {}", run.output());
        assert!(run.stderr.contains("symlink"), "{}", run.stderr);
    }
    assert!(fs::symlink_metadata(root.join("link.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_dir(root).unwrap().count(), 4, "nothing is left behind");
}

#[test]
fn paths_that_leave_the_root_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "x.yaml", ENTRY);
    write(root, "in/a.yaml", ENTRY);
    let absolute = root.join("x.yaml");
    for path in ["../x.yaml", "a/../../x.yaml", absolute.to_str().unwrap()] {
        let run = tagbump(&root.join("in"), &["bump", "app:v2", "-f", path]);
        assert_eq!(run.exit, 2, "{path}: {}", run.output());
    }
    assert!(!is_bumped(root, "x.yaml"));
    let missing = tagbump(root, &["bump", "app:v2", "-f", "no.yaml"]);
    assert_eq!(missing.exit, 3, "{}", missing.output());
}

#[test]
fn invalid_yaml_is_a_warning_unless_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", ENTRY);
    write(root, "bad.yaml", "a: [\n");
    write(root, "worse.yaml", "{{- if x }}\n");
    let run = tagbump(root, &["bump", "app:v2", "-v"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stderr.contains("warning: skipped 2 files that aren't valid YAML"), "{}", run.stderr);
    assert!(run.stderr.contains("bad.yaml:"), "{}", run.stderr);
    assert!(is_bumped(root, "a.yaml"));
    let named = tagbump(root, &["bump", "app:v3", "-f", "bad.yaml", "-f", "a.yaml"]);
    assert_eq!(named.exit, 1, "{}", named.output());
    assert!(named.stderr.contains("bad.yaml:2:1: "), "{}", named.stderr);
    assert!(is_bumped(root, "a.yaml"), "nothing was written");
}

#[test]
fn nothing_is_written_when_one_reference_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", ENTRY);
    write(root, "b.yaml", &ENTRY.replace("app", "other").replace("newTag: v1", "newTag: ${TAG}"));
    let before = snapshot(root);
    let run = tagbump(root, &["bump", "app:v2", "other:v2"]);
    assert_eq!(run.exit, 6, "{}", run.output());
    assert!(run.stderr.contains("b.yaml:5:11: newTag is a placeholder"), "{}", run.stderr);
    assert_eq!(snapshot(root), before);
}

#[test]
fn git_applies_the_diff_of_dry_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", ENTRY);
    write(root, "b.yaml", ENTRY.trim_end());
    let dry = tagbump(root, &["bump", "app:v2", "-n"]);
    assert_eq!(dry.exit, 0);
    assert_eq!(dry.stdout.lines().filter(|line| line.starts_with("+ ") || line.starts_with("- ")).count(), 4);
    assert_eq!(tagbump(root, &["bump", "app:v2", "-n", "--exit-code"]).exit, 10);
    assert_eq!(tagbump(root, &["bump", "app:v1", "-n", "--exit-code"]).exit, 0);
    assert!(!is_bumped(root, "a.yaml"));
    fs::write(root.join("x.diff"), &dry.stdout).unwrap();
    git(root, &["init", "--quiet"]);
    git(root, &["apply", "x.diff"]);
    assert!(is_bumped(root, "a.yaml") && is_bumped(root, "b.yaml"));
    assert_eq!(tagbump(root, &["bump", "app:v2"]).stdout, "already  app:v2\n");
}

#[test]
fn colors_follow_flag_and_no_color() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.yaml", ENTRY);
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let arguments = [&["bump", "app:v2", "-n"], arguments].concat();
        with_env(folder.path(), &arguments, variables).stdout.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]), "a pipe is no terminal");
    assert!(colored(&["--color", "always"], &[]));
    assert!(colored(&[], &[("TAGBUMP_COLOR", "always")]));
    assert!(!colored(&["--color", "always"], &[("NO_COLOR", "1")]));
}

#[test]
fn json_has_the_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", ENTRY);
    let json = |run: &Run| -> serde_json::Value { serde_json::from_str(&run.stdout).unwrap() };
    let run = tagbump(root, &["bump", "app:v2", "--format", "json"]);
    let told = json(&run);
    assert_eq!(
        (&told["schema"], &told["outcome"], &told["changed"]),
        (&1.into(), &"edited".into(), &true.into())
    );
    let change = serde_json::json!({
        "file": "a.yaml", "line": 5, "kind": "kustomization", "image": "app", "from": "v1", "to": "v2",
        "source": null, "compare": null, "commits": []
    });
    assert_eq!(told["changes"], serde_json::json!([change]));
    let image = serde_json::json!({"name": "app", "tag": "v2", "digest": null, "verified": null});
    assert_eq!(told["images"], serde_json::json!([image]));
    let again = json(&tagbump(root, &["bump", "app:v2", "--format", "json"]));
    assert_eq!((&again["outcome"], &again["changed"]), (&"already".into(), &false.into()));
    let missing = tagbump(root, &["bump", "apple:v2", "--format", "json"]);
    let told = json(&missing);
    assert_eq!((missing.exit, &told["outcome"], &told["error"]["exit"]), (3, &"failed".into(), &3.into()));
    assert!(told["error"]["message"].as_str().unwrap().contains("app (a.yaml:5)"), "{told}");
    let usage = json(&tagbump(root, &["bump", "--format", "json"]));
    assert_eq!(usage["error"]["exit"], 2);
    let unknown = json(&tagbump(root, &["bump", "app:v2", "--no-such-flag", "--format", "json"]));
    assert!(unknown["error"]["message"].as_str().unwrap().contains("--no-such-flag"), "{unknown}");
}

#[test]
fn flags_win_over_environment() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", ENTRY);
    git(root, &["init", "--quiet"]);
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "--message", "one"]);
    let author = ["--author", "A <a@b.c>"];
    let commit = [&["bump", "app:v2", "--commit"][..], &author].concat();
    let run = with_env(root, &commit, &[("TAGBUMP_PUSH", "1"), ("TAGBUMP_NO_SKIP_CI", "1")]);
    assert_eq!(run.exit, 0, "there is no remote to push to: {}", run.output());
    let marked = [&["bump", "app:v3", "--commit", "--skip-ci", "-v"][..], &author].concat();
    let run = with_env(root, &marked, &[("TAGBUMP_NO_SKIP_CI", "1"), ("TAGBUMP_QUIET", "1")]);
    assert_eq!(run.exit, 0, "{}", run.output());
    let subjects = git(root, &["log", "--format=%s"]);
    assert_eq!(
        subjects.trim(),
        "chore: update app image to v3 [skip ci]\nchore: update app image to v2\none"
    );
}

#[test]
fn rename_changes_only_references_with_old_name() {
    let folder = tempfile::tempdir().unwrap();
    let values = "kind: HelmRelease\nspec: {values: {a: {image: \"app:v1\"}, b: {image: \"acme/api:v1\"}}}\n";
    write(folder.path(), "a.yaml", values);
    let run = tagbump(folder.path(), &["bump", "app=acme/api:v2"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stdout.contains("acme/api  app:v1 -> v2"), "{}", run.stdout);
    let after = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    assert_eq!(after, values.replace("app:v1", "acme/api:v2"));
}

#[test]
fn environment_sets_flags() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a/x.yaml", ENTRY);
    write(root, "b/x.yaml", &ENTRY.replace("v1", "v0"));
    let both = with_env(root, &["bump", "app"], &[("TAGBUMP_TAG", "v2"), ("TAGBUMP_FILE", "")]);
    assert_eq!(both.exit, 3, "an empty variable is none, and the tags differ: {}", both.output());
    let variables = [("TAGBUMP_TAG", "v9"), ("TAGBUMP_FILE", "a/**\nno/**\n"), ("TAGBUMP_DRY_RUN", "false")];
    let run = with_env(root, &["bump", "app", "--tag", "v2"], &variables);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(is_bumped(root, "a/x.yaml") && !is_bumped(root, "b/x.yaml"));
}

#[test]
fn wrong_usage_is_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.yaml", ENTRY);
    for arguments in [
        &["bump"][..],
        &["bump", "app:v2", "--tag", ""],
        &["bump", ""],
        &["bump", "a b:v2"],
        &["bump", "app:v 2"],
        &["bump", "app=NaoMauss/App:v2"],
        &["bump", "app:*"],
        &["bump", "app:v2", "app:v3"],
        &["bump", "app:v2", "--field", "a.b"],
        &["bump", "app:v2", "--field", "a..b", "-f", "a.yaml"],
        &["bump", "app:v2", "--digest", "sha256:12"],
        &["bump", "app:v2", "--expect", "x"],
        &["bump", "app:v2", "--timeout", "x"],
        &["bump", "app:v2", "-f", "a["],
        &["bump", "app:v2", "-C", "nowhere"],
        &["bump", "app:v2", "--commit"],
        &["bump", "app:v2", "--push", "--author", "me"],
        &["bump", "app:v2", "--no-such-flag"],
        &["bump", "app"],
    ] {
        let run = tagbump(folder.path(), arguments);
        assert_eq!(run.exit, 2, "{arguments:?}: {}", run.output());
    }
    assert!(!is_bumped(folder.path(), "a.yaml"));
}

#[test]
fn completions_and_man_pages_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = tagbump(folder.path(), &["completions", shell]);
        assert!(run.exit == 0 && run.stdout.contains("--tag-template"), "{shell}");
    }
    assert_eq!(tagbump(folder.path(), &["man", "."]).exit, 0);
    let page = fs::read_to_string(folder.path().join("tagbump-bump.1")).unwrap();
    assert!(page.contains("tag\\-template"), "{page}");
}
