//! Hints name flags on the command line, and inputs in the action.

use std::path::Path;

use crate::support::cli::{Run, command};
use crate::support::files::write;

/// Two environments that run different tags.
fn environments() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, tag) in [("dev", "v2"), ("prod", "v1")] {
        let text = format!("images:\n- name: acme/api\n  newTag: {tag}\n");
        write(folder.path(), &format!("{name}/kustomization.yaml"), &text);
    }
    folder
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
