//! Hints name flags on the command line, and inputs in the action.

use std::path::Path;

use crate::support::cli::{Run, command};
use crate::support::files::write;
use crate::support::repo::{REPO, World};

/// Two environments that run different tags.
fn environments() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, tag) in [("dev", "v2"), ("prod", "v1")] {
        let text = format!("images:\n- name: acme/api\n  newTag: {tag}\n");
        write(folder.path(), &format!("{name}/kustomization.yaml"), &text);
    }
    folder
}

fn pod(tag: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: acme/api:{tag}\n")
}

/// As action/run.sh does.
fn in_action(folder: &Path, arguments: &[&str], inputs: &[(&str, &str)]) -> Run {
    let mut command = command(folder);
    command.args(arguments).env("TAGBUMP_ACTION_COMMAND", "bump").envs(inputs.iter().copied());
    Run::of(&command.output().unwrap())
}

fn typed(folder: &Path, arguments: &[&str]) -> Run {
    Run::of(&command(folder).args(arguments).output().unwrap())
}

#[test]
fn hint_names_inputs_in_action() {
    let folder = environments();
    let run = typed(folder.path(), &["bump", "acme/api:v3"]);
    let hint = "hint: choose files with -f, or use --all (every place) or --expect N (exactly N places)\n";
    assert!(run.exit == 3 && run.stderr.ends_with(hint), "{}", run.stderr);
    let run = in_action(folder.path(), &["bump", "acme/api:v3"], &[]);
    let hint = "hint: choose files with the input \"file\", or use all: true (every place) or expect: N (exactly N places)\n";
    assert!(run.exit == 3 && run.stderr.ends_with(hint), "{}", run.stderr);
}

/// `-f prod` and `-f 'prod/**'` where the folder is further down.
#[test]
fn hint_names_the_pattern_that_would_match() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["apps/prod/a.yaml", "apps/prod/b/c.yaml", "values.yaml"] {
        write(folder.path(), file, "image: acme/api:v1\n");
    }
    for (typed_pattern, wider) in
        [("prod", "'**/prod/**' would match 2 files"), ("prod/*.yaml", "'**/prod/*.yaml' would match 1 file")]
    {
        let run = typed(folder.path(), &["bump", "acme/api:v2", "-n", "-f", typed_pattern]);
        let hint = format!("hint: -f {wider}\n");
        assert!(run.exit == 3 && run.stderr.ends_with(&hint), "{}", run.stderr);
    }
    let run = typed(folder.path(), &["scan", "-f", "prod"]);
    assert!(
        run.exit == 3 && run.stderr.ends_with("hint: -f '**/prod/**' would match 2 files\n"),
        "{}",
        run.stderr
    );
    let run = typed(folder.path(), &["bump", "acme/api:v2", "-n", "-f", "nowhere"]);
    assert!(run.exit == 3 && run.stderr.contains("hint: paths in -f"), "{}", run.stderr);
}

/// In every command, and where the files hold references.
#[test]
fn every_command_names_the_pattern_that_would_match() {
    let world = World::with(|server| server, &[("apps/prod/pod.yaml", &pod("v1"))]);
    let folder = world.clone_of(&world.server.url(REPO), "w", &[]);
    let commands: [&[&str]; 6] = [
        &["bump", "acme/api:v3"],
        &["bump", "acme/api:v3", "--push"],
        &["rollback", "acme/api"],
        &["history", "acme/api"],
        &["hold", "acme/api", "--reason", "x"],
        &["wait", "acme/api", "--status", "flux"],
    ];
    for (typed_pattern, wider) in [("prod/**", "**/prod/**"), ("prod", "**/prod/**")] {
        for arguments in commands {
            let run = typed(&folder, &[arguments, &["-f", typed_pattern]].concat());
            let hint = format!("hint: -f '{wider}' would match 1 file\n");
            assert!(run.exit == 3 && run.stderr.ends_with(&hint), "{arguments:?}: {}", run.stderr);
        }
    }
}

/// The file that decides what runs wasn't named: the name is spelt right.
#[test]
fn no_command_blames_the_spelling_of_a_name_that_another_file_has() {
    let world = World::with(
        |server| server,
        &[
            ("base/pod.yaml", &pod("v1")),
            ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("prod/kustomization.yaml", "resources: [../base]\n"),
        ],
    );
    let folder = world.clone_of(&world.server.url(REPO), "w", &[]);
    let commands: [&[&str]; 4] = [
        &["bump", "acme/api:v3"],
        &["rollback", "acme/api"],
        &["history", "acme/api"],
        &["hold", "acme/api", "--reason", "x"],
    ];
    for arguments in commands {
        let run = typed(&folder, &[arguments, &["-f", "prod"]].concat());
        assert!(run.exit == 3 && !run.stderr.contains("spelling"), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("base/pod.yaml:5"), "{arguments:?}: {}", run.stderr);
    }
}

/// Only a bump adds an entry.
#[test]
fn hint_of_another_command_names_the_bump_that_has_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "base/pod.yaml", &pod("v1"));
    write(folder.path(), "base/kustomization.yaml", "resources: [pod.yaml]\n");
    write(folder.path(), "values.yaml", "image:\n  repository: acme/web\n");
    let run = typed(folder.path(), &["rollback", "acme/web", "-f", "values.yaml"]);
    assert!(run.stderr.ends_with("hint: tagbump bump IMAGE:TAG --add adds the tag\n"), "{}", run.stderr);
}

#[test]
fn json_has_hint_of_action_too() {
    let folder = environments();
    let run = in_action(folder.path(), &["bump", "acme/api:v3"], &[("TAGBUMP_FORMAT", "json")]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let hint = report["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("all: true") && !hint.contains("--"), "{hint}");
}

#[test]
fn message_about_value_names_input_in_action() {
    let folder = environments();
    let run = typed(folder.path(), &["bump", "acme/api:v3", "--push", "--timeout", "soon"]);
    assert!(
        run.exit == 2 && run.stderr.starts_with("error: --timeout soon: not a duration\n"),
        "{}",
        run.stderr
    );
    let run = in_action(folder.path(), &["bump", "acme/api:v3"], &[("TAGBUMP_TIMEOUT", "soon")]);
    assert!(
        run.exit == 2 && run.stderr.starts_with("error: timeout: soon: not a duration\n"),
        "{}",
        run.stderr
    );
}
