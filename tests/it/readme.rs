//! The README's examples show what really happens.

use std::path::Path;

use crate::support::cli::tagbump;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The fenced block after a text.
fn block<'a>(readme: &'a str, after: &str) -> &'a str {
    let rest = &readme[readme.find(after).unwrap()..];
    let block = rest.split("```").nth(1).unwrap();
    block.split_once('\n').unwrap().1
}

#[test]
fn demo_prints_the_diff_of_the_readme() {
    let readme = readme();
    let demo = block(&readme, "<!-- command: demo -->");
    let arguments: Vec<&str> = demo.split_once("-- ").unwrap().1.split_whitespace().collect();
    let run = tagbump(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments);
    let diff = &readme[readme.find("```diff\n").unwrap() + "```diff\n".len()..];
    assert_eq!(run.exit, 0, "{}", run.output());
    assert_eq!(run.stdout, diff.split("```").next().unwrap());
}

#[test]
fn every_flag_of_the_readme_exists() {
    let readme = readme();
    let help = |command| tagbump(Path::new(env!("CARGO_MANIFEST_DIR")), &[command, "--help"]).stdout;
    let help = ["bump", "tag", "history", "rollback", "wait"].map(help).concat();
    let words = readme.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let flags: Vec<&str> = words.filter(|w| w.starts_with("--") && w.len() > 3).collect();
    assert!(flags.len() > 10, "{flags:?}");
    for flag in flags
        .iter()
        .filter(|f| !["--quiet", "--rebase", "--release", "--example", "--locked", "--git"].contains(*f))
    {
        assert!(help.contains(*flag), "{flag} is in the README alone");
    }
}

#[test]
fn readme_is_short() {
    assert!(readme().lines().count() < 150);
}
