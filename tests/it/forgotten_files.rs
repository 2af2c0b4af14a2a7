//! No file in `tests` is forgotten: each file is compiled, each suite behind a feature is a step of `.ci/run`, and no
//! attribute hides helpers that no test uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every file below a folder whose name has this ending.
fn files(folder: &Path, ending: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.insert(path);
        }
    }
    found
}

/// The name of the module that a line loads from another file.
fn declared_module(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").or(line.strip_prefix("pub(crate) ")).unwrap_or(line);
    line.strip_prefix("mod ")?.trim_end().strip_suffix(';')
}

/// A file, and every file that its `mod` lines lead to.
fn reachable(file: &Path) -> BTreeSet<PathBuf> {
    let stem = file.file_stem().unwrap().to_string_lossy();
    let is_root = ["main", "lib", "mod"].contains(&&*stem);
    let folder = if is_root { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    let mut found = BTreeSet::from([file.to_owned()]);
    for name in read(file).lines().filter_map(declared_module) {
        let [flat, nested] = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
        found.extend(reachable(if flat.exists() { &flat } else { &nested }));
    }
    found
}

#[test]
fn every_test_file_is_compiled() {
    let reached = reachable(&root().join("tests/it/main.rs"));
    assert!(reached.len() > 100, "{reached:?}");
    let forgotten: Vec<_> =
        files(&root().join("tests"), ".rs").into_iter().filter(|f| !reached.contains(f)).collect();
    assert!(forgotten.is_empty(), "no `mod` line leads from tests/it/main.rs to {forgotten:#?}");
}

#[test]
fn every_suite_behind_a_feature_is_run_by_ci() {
    let scripts = [".ci/run", ".ci/deployments", ".ci/forge"];
    let steps: String = scripts.iter().map(|script| read(&root().join(script))).collect();
    let main = read(&root().join("tests/it/main.rs"));
    let lines: Vec<_> = main.lines().collect();
    let gated = lines.windows(2).filter(|pair| pair[0].starts_with("#[cfg(feature"));
    let suites: Vec<_> = gated.map(|pair| declared_module(pair[1]).unwrap()).collect();
    assert!(suites.len() > 2, "{suites:?}");
    for suite in suites {
        assert!(steps.contains(&format!("{suite}::")), "no step of .ci/run runs {suite}::");
    }
}

/// For a helper that no test uses, the compiler gives a warning, which is an error in the step `lint`.
#[test]
fn unused_helpers_are_not_hidden() {
    for file in files(&root().join("tests"), ".rs") {
        for lint in ["dead_code", "unused"] {
            let allows = read(&file).contains(&format!("allow({lint}"));
            assert!(!allows, "{} allows {lint}", file.display());
        }
    }
}
