//! Text from files and commits that would affect a terminal: every output shows it, and none of it takes effect.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::support::cli::{Run, command, tagbump};
use crate::support::files::write;
use crate::support::past::Past;
use tempfile::TempDir;

/// Clears the screen, sets colours, changes the direction, hides text, goes back and deletes.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{9b}1m\u{8}\u{7f}\u{202e}txet\u{2066}\u{200b}\u{200d}\u{ad}\u{feff}\u{e0041}";
const SHOWN: &str = r"\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{9b}1m\u{8}\u{7f}\u{202e}txet\u{2066}\u{200b}\u{200d}\u{ad}\u{feff}\u{e0041}";

/// Characters that a terminal interprets, or that a reader doesn't see.
fn is_hidden(c: char) -> bool {
    let ranges = [
        "\0\u{1f}",
        "\u{7f}\u{9f}",
        "\u{ad}\u{ad}",
        "\u{200b}\u{200f}",
        "\u{2028}\u{202e}",
        "\u{2060}\u{206f}",
        "\u{feff}\u{feff}",
        "\u{e0000}\u{e007f}",
    ];
    ranges.iter().any(|ends| (ends.chars().next()..=ends.chars().last()).contains(&Some(c)))
}

fn pod(image: &str, comment: &str) -> String {
    format!(
        "# {comment}\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {image} # {comment}\n"
    )
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(path, text)| write(folder.path(), path, text));
    folder
}

/// Without the colours that tagbump itself prints.
fn without_color(text: &str) -> String {
    let mut plain = text.to_owned();
    for code in ["0", "1", "2", "31", "32", "33", "34", "36"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    plain
}

/// Runs twice, with and without colours: both must show the same, and nothing hidden. Returns the output.
#[track_caller]
fn shown(folder: &Path, arguments: &[&str]) -> Run {
    let run = |color: &str| tagbump(folder, &[arguments, &["--color", color]].concat());
    let (colored, plain) = (run("always"), run("never"));
    for (colored, plain) in [(&colored.stdout, &plain.stdout), (&colored.stderr, &plain.stderr)] {
        assert_eq!(without_color(colored), *plain);
        let hidden = |c: char| is_hidden(c) && c != '\n' && c != '\t';
        assert!(!plain.contains(hidden), "{plain:?}");
    }
    plain
}

#[test]
fn diffs_show_hidden_characters_in_the_lines_of_the_file() {
    let folder = folder(&[("a.yaml", &pod("app:v1", "\tx"))]);
    // YAML allows few of them, even in comments; those that it allows are enough to fool a reader
    let hidden = "\u{85}\u{9b}1m\u{7f}\u{8}\u{202e}\u{200b}\u{1b}[8m";
    let mut texts = Vec::new();
    for c in hidden.chars() {
        let text = pod("app:v1", &format!("a{c}b\tc"));
        fs::write(folder.path().join("a.yaml"), &text).unwrap();
        let run = shown(folder.path(), &["bump", "app:v2", "-n"]);
        if run.exit == 0 {
            texts.push(c);
            let visible = if is_hidden(c) { c.escape_unicode().to_string() } else { c.to_string() };
            let changed =
                format!("-    - image: app:v1 # a{visible}b\tc\n+    - image: app:v2 # a{visible}b\tc\n");
            assert!(run.stdout.contains(&changed), "{}", run.stdout);
        }
    }
    assert!(
        texts.contains(&'\u{1b}') && texts.contains(&'\u{202e}') && texts.contains(&'\u{9b}'),
        "{texts:?}"
    );
}

#[test]
fn diffs_show_carriage_returns() {
    let crlf = pod("app:v1", "x").replace('\n', "\r\n");
    let folder = folder(&[
        ("crlf.yaml", &crlf),
        ("inside.yaml", &pod("app:v1", "x")),
        ("cr.yaml", &crlf.replace('\n', "")),
    ]);
    let run = shown(folder.path(), &["bump", "app:v2", "-n", "-f", "crlf.yaml"]);
    assert!(
        run.stdout.contains("-    - image: app:v1 # x^M\n+    - image: app:v2 # x^M\n"),
        "{}",
        run.stdout
    );
    let run = shown(folder.path(), &["bump", "app:v2", "-n", "-f", "cr.yaml"]);
    assert!(
        run.stdout.contains("-    - image: app:v1 # x^M\n+    - image: app:v2 # x^M\n"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains('\r'));
}

#[test]
fn hidden_characters_in_file_names_are_shown() {
    let name = format!("a{HOSTILE}\nwarning: b.yaml");
    let place = format!(r"a{SHOWN}\nwarning: b.yaml");
    let folder = folder(&[(&name, &pod("app:v1", "x")), ("other.yaml", &pod("app:${TAG}", "x"))]);
    let run = shown(folder.path(), &["bump", "app:v2", "-n"]);
    assert!(run.stdout.contains(&format!("--- a/{place}\n+++ b/{place}\n")), "{}", run.stdout);
    let run = shown(folder.path(), &["scan"]);
    assert!(run.stdout.contains(&format!("{place}:6  ")), "{}", run.stdout);
    let run = shown(folder.path(), &["bump", "nothing:v2"]);
    assert_eq!(run.exit, 3, "{}", run.output());
    write(folder.path(), &name, "a: [");
    let run = shown(folder.path(), &["scan", "-v"]);
    assert!(run.stderr.contains(&format!("detail: not valid YAML: {place}:2:1:")), "{}", run.stderr);
    let run = shown(folder.path(), &["bump", "app:v2", "-f", &name]);
    assert_eq!(run.exit, 2, "a [ makes it a pattern: {}", run.output());
    assert!(run.stderr.starts_with(&format!("error: -f a{SHOWN}: ")), "{}", run.stderr);
}

/// Hidden characters in a double-quoted scalar, as YAML can escape them.
#[test]
fn hidden_characters_in_images_and_tags_are_shown() {
    let quoted = |text: &str| {
        let escaped: String = text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
        format!("\"{escaped}\"")
    };
    let values = format!(
        "x: {{repository: {}, tag: v1}}\ny: {{repository: app, tag: {}}}\n",
        quoted("acme/\u{202e}ppa\u{200b}"),
        quoted(HOSTILE),
    );
    let folder =
        folder(&[("Chart.yaml", "name: x\n"), ("values.yaml", &values), ("a.yaml", &pod("app:v1", "x"))]);
    let run = shown(folder.path(), &["scan"]);
    assert!(run.stdout.contains(SHOWN), "{}", run.stdout);
    assert!(run.stdout.contains(r"acme/\u{202e}ppa\u{200b}"), "{}", run.stdout);
    let run = shown(folder.path(), &["bump", "app:v2", "--all", "-n"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    let run = shown(folder.path(), &["bump", "app:v2"]);
    assert_eq!(run.exit, 3, "{}", run.output());
    assert!(run.stderr.contains(SHOWN), "{}", run.stderr);
    let run = tagbump(folder.path(), &["bump", "app:v2", "--all"]);
    assert!(run.stdout.contains(&format!("values.yaml:2  app  {SHOWN} -> v2\n")), "{}", run.stdout);
}

#[test]
fn json_escapes_hidden_characters() {
    let name = format!("a{HOSTILE}.yaml");
    let folder = folder(&[(&name, &pod("app:v1", "x"))]);
    for arguments in [&["scan", "--format", "json"][..], &["bump", "app:v2", "-n", "--format", "json"]] {
        let run = shown(folder.path(), arguments);
        let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let list = if arguments[0] == "scan" { "references" } else { "changes" };
        assert_eq!(told[list][0]["file"], name, "{}", run.stdout);
    }
}

/// Nothing that `init` shows or writes contains a hidden character, and what it writes still names the file.
#[test]
fn new_files_have_no_hidden_characters() {
    let name = "a\u{202e}\u{200b}\u{ad}.yaml";
    let folder = folder(&[
        (name, &pod("ghcr.io/acme/app:v1", "x")),
        ("left\u{2066}\u{7f}.yaml", &pod("ghcr.io/acme/other:${TAG}", "x")),
    ]);
    let run = shown(folder.path(), &["init"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert_eq!(tagbump(folder.path(), &["init", "--yes"]).exit, 0);
    let written = fs::read_to_string(folder.path().join("tagbump.yaml")).unwrap();
    assert!(!written.contains(|c| is_hidden(c) && c != '\n'), "{written:?}");
    assert!(written.contains(r"left\u{2066}\u{7f}.yaml"), "{written}");
    let run = tagbump(folder.path(), &["bump", "app:v2", "-n"]);
    assert!(run.stdout.contains("+    - image: ghcr.io/acme/app:v2"), "{}", run.output());
}

#[test]
fn history_shows_hidden_characters_of_authors_and_files() {
    let past = Past::new();
    past.write(
        crate::support::repo::FILE,
        &crate::support::repo::kustomization(&[crate::support::repo::API.into()]),
    );
    past.commit(&format!("Eve {HOSTILE} Adams"), "v1");
    let run = shown(&past.path, &["history", crate::support::repo::API]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stdout.contains(&format!("Eve {SHOWN} Adams")), "{}", run.stdout);
}

/// An argument can come from elsewhere too: `tagbump bump "$BRANCH"`.
#[test]
fn wrong_usage_shows_hidden_characters_of_argument() {
    let folder = tempfile::tempdir().unwrap();
    let run =
        Run::of(&command(folder.path()).args(["bump", "app:v1", &format!("--x{HOSTILE}")]).output().unwrap());
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains(SHOWN), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\u{202e}'), "{:?}", run.stderr);
}
