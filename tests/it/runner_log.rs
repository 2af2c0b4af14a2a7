//! CI systems read tagbump's log and look for commands in it: text from elsewhere is never a command, and tagbump's own
//! commands always are, in whatever order the lines of the two streams arrive.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use crate::support::cli::{Run, command};
use crate::support::files::write;

/// Lines in a file that try to be commands.
const COMMANDS: [&str; 12] = [
    "::set-output name=EVIL::x",
    "::add-mask::EVIL",
    "::error::EVIL",
    "::stop-commands::EVIL",
    "::EVIL::",
    "::endgroup::EVIL",
    "##[add-mask]EVIL",
    "x ##[set-env name=EVIL]y",
    "##[stop-commands]EVIL",
    "\u{a0}\u{2003}::add-path::EVIL",
    "##vso[task.setvariable variable=EVIL]y",
    "##teamcity[setParameter name='EVIL' value='y']",
];

/// A log line as the GitHub Actions runner reads it (actions/runner, `ActionCommand.cs`): the command's name and
/// its data. A name counts only if the runner knows it; so does the word that ends a stop.
fn parsed<'a>(line: &'a str, word: Option<&str>) -> Option<(&'a str, &'a str)> {
    const KNOWN: [&str; 14] = [
        "warning",
        "notice",
        "error",
        "group",
        "endgroup",
        "debug",
        "echo",
        "add-mask",
        "add-path",
        "set-env",
        "set-output",
        "save-state",
        "add-matcher",
        "stop-commands",
    ];
    let is_known = |name: &str| KNOWN.contains(&name) || word == Some(name);
    let name = |info: &'a str| info.split(' ').next().unwrap_or(info);
    let second = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
    let second = second.map(|(info, data)| (name(info), data)).filter(|(name, _)| is_known(name));
    let first = || {
        let (info, data) = line.split_once("##[")?.1.split_once(']')?;
        Some((name(info), data)).filter(|(name, _)| is_known(name))
    };
    second.or_else(first)
}

/// How the runner reads the next line: the word that it waits for afterwards, and the command that it runs.
fn obeyed<'a>(line: &'a str, word: Option<&'a str>) -> (Option<&'a str>, Option<&'a str>) {
    match (parsed(line, word), word) {
        (Some((name, _)), Some(word)) if name == word => (None, None),
        (Some(("stop-commands", data)), None) => (Some(data), Some("stop-commands")),
        (Some((name, _)), None) => (None, Some(name)),
        (_, word) => (word, None),
    }
}

/// Every line that runs as a command in some order of the two streams, and every line that doesn't in some order.
fn in_any_order<'a>(out: &[&'a str], err: &[&'a str]) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let (mut done, mut passed) = (BTreeSet::new(), BTreeSet::new());
    let mut states = vec![(0, 0, None)];
    let mut seen: HashSet<_> = states.iter().copied().collect();
    while let Some((at_out, at_err, word)) = states.pop() {
        let next = [(out.get(at_out), at_out + 1, at_err), (err.get(at_err), at_out, at_err + 1)];
        for (line, at_out, at_err) in next {
            let Some(&line) = line else { continue };
            let (word, command) = obeyed(line, word);
            if command.is_some() { &mut done } else { &mut passed }.insert(line);
            if seen.insert((at_out, at_err, word)) {
                states.push((at_out, at_err, word));
            }
        }
    }
    (done, passed)
}

/// Whether a line is one of tagbump's own commands, by how it starts.
fn is_own(line: &str) -> bool {
    let names = [
        "::warning::",
        "::notice::",
        "::notice file=",
        "::error::",
        "::error file=",
        "::group::details",
        "::endgroup::",
    ];
    names.iter().any(|name| line.starts_with(name)) && !COMMANDS.contains(&line)
}

#[track_caller]
fn check(run: &Run) {
    let lines =
        |text: &'static str| text.split(['\n', '\r']).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let (out, err) = (lines(leaked(&run.stdout)), lines(leaked(&run.stderr)));
    let (done, passed) = in_any_order(&out, &err);
    let foreign: Vec<_> = done.iter().filter(|line| !is_own(line)).collect();
    assert!(foreign.is_empty(), "obeyed: {foreign:#?}\n{}", run.output());
    let ignored: Vec<_> = passed.iter().filter(|line| is_own(line)).collect();
    assert!(ignored.is_empty(), "ignored: {ignored:#?}\n{}", run.output());
    for line in out.iter().chain(&err) {
        assert!(!line.contains("##vso[") && !line.contains("##teamcity["), "{line}");
    }
}

fn pod(image: &str) -> String {
    let lines: String = COMMANDS.iter().map(|command| format!("        {command}\n")).collect();
    let argument = format!("      args:\n      - |\n{lines}");
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{argument}      image: {image}\n")
        .replace("      args", "    - args")
}

/// Files whose lines and names are commands; one of them can't be edited, and one can't be read.
fn hostile(root: &Path) {
    write(root, "a.yaml", &pod("app:v1").replace("        ", "       "));
    for (nth, command) in COMMANDS.iter().enumerate().filter(|(_, command)| !command.contains('/')) {
        write(root, &format!("{command} {nth}.yaml"), &pod("app:${TAG}"));
        write(root, &format!("{nth}\n{command}.yaml"), "a: [\n");
    }
    let values: String =
        COMMANDS.iter().enumerate().map(|(n, c)| format!("k{n}: {{image: \"app\\n{c}:v1\"}}\n")).collect();
    write(root, "values.yaml", &values);
}

fn in_actions(root: &Path, arguments: &[&str]) -> Run {
    Run::of(&command(root).args(arguments).env("GITHUB_ACTIONS", "true").output().unwrap())
}

/// The model runs the same commands as the runner.
#[test]
fn model_of_the_runner_obeys_commands() {
    for command in
        COMMANDS.iter().filter(|c| !c.starts_with("::EVIL") && !c.contains("vso[") && !c.contains("teamcity"))
    {
        assert!(obeyed(command, None).1.is_some(), "{command}");
        assert_eq!(obeyed(command, Some("w")), (Some("w"), None), "{command}");
    }
    assert_eq!(obeyed("::w::", Some("w")), (None, None));
    // two words on two streams: the end of one would let the other one's text through
    let (out, err) =
        (["::stop-commands::a", "x", "::a::"], ["::stop-commands::b", "::add-mask::EVIL", "::b::"]);
    assert!(in_any_order(&out, &err).0.contains("::add-mask::EVIL"));
}

#[test]
fn diffs_and_warnings_are_no_commands() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let run = in_actions(folder.path(), &["bump", "app:v2", "-n", "-v"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stdout.contains("+      image: app:v2") && run.stdout.contains("EVIL"), "{}", run.stdout);
    assert!(run.stderr.contains("EVIL") && run.stderr.lines().any(is_own), "{}", run.stderr);
    check(&run);
    check(&in_actions(folder.path(), &["bump", "app:v2", "-n", "-v", "--color", "always"]));
    check(&in_actions(folder.path(), &["bump", "app:v2", "-n", "-v", "--format", "json"]));
}

#[test]
fn lists_and_errors_are_no_commands() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    for arguments in [
        &["scan", "-v"][..],
        &["scan", "--format", "json"],
        &["bump", "app:v2", "-f", "::error::EVIL 2.yaml"],
        &["bump", "nothing:v2"],
        &["bump", "::error::EVIL"],
        &["init"],
    ] {
        check(&in_actions(folder.path(), arguments));
    }
}

/// Azure Pipelines and TeamCity look for commands too.
#[test]
fn other_systems_get_no_commands_either() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    for (name, value) in [("TF_BUILD", "True"), ("TEAMCITY_VERSION", "2025.03")] {
        for arguments in [
            &["bump", "app:v2", "-n", "-v"][..],
            &["scan", "-v"],
            &["bump", "##vso[x]y"],
            &["bump", "--##vso[x]"],
        ] {
            let run = Run::of(&command(folder.path()).args(arguments).env(name, value).output().unwrap());
            for command in ["##vso[", "##teamcity["] {
                assert!(!run.output().contains(command), "{}", run.output());
            }
        }
    }
}
