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

/// The release workflow replaces this text, see "Pin the release in the README" in `.github/workflows/release.yml`.
#[test]
fn readme_pins_one_release() {
    let readme = readme();
    let pin = regex::Regex::new(r"tagbump/tagbump@(COMMIT|[0-9a-f]{40}) # v([0-9.]+)").unwrap();
    let pinned: Vec<_> = pin.captures_iter(&readme).map(|found| found[2].to_owned()).collect();
    assert_eq!(pinned.len(), 1, "{pinned:?}");
    assert_eq!(pinned[0].split('.').next(), Some(env!("CARGO_PKG_VERSION_MAJOR")), "{pinned:?}");
}

#[test]
fn version_is_the_same_everywhere() {
    let read =
        |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(read("action/VERSION").trim(), version);
    assert!(read("CHANGELOG.md").contains(&format!("\n## [{version}] - ")));
    assert!(read("docs/comparison.md").contains(&format!("| tagbump | {version} |")));
    assert_eq!(
        readme().matches("tagbump/tagbump@v").count(),
        readme().matches("tagbump/tagbump@v1\n").count()
    );
}
