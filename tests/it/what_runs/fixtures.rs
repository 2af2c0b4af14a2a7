//! Every case in `fixtures/what-runs` says in `runs` which images run in which root, before and after. The tools must
//! say the same of its folders `in` and `out`; that tagbump makes `out` of `in` is checked with all other fixtures.
//!
//! `WRITE_RUNS=1` writes the files `runs` anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::containers::{Containers, take};
use super::deploy::{Deployed, deploy};
use super::files::Files;
use crate::deployments::tools::Tools;
use crate::support::files::snapshot;

#[test]
fn fixture_runs_what_it_says() {
    let tools = Tools::all();
    let failed: Vec<_> = cases().iter().filter_map(|case| check(case, &tools).err()).collect();
    assert!(failed.is_empty(), "{} cases failed:\n\n{}", failed.len(), failed.join("\n\n"));
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/what-runs");
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 30, "the cases are found");
    cases
}

fn check(case: &Path, tools: &[Tools]) -> Result<(), String> {
    for tools in tools {
        let told = |what: String| format!("{} (by {}): {what}", case.display(), tools.label());
        let before = deploy(&read(&case.join("in")), tools).map_err(told)?;
        let out = case.join("out");
        let after = if out.is_dir() { deploy(&read(&out), tools).map_err(told)? } else { before.clone() };
        let runs = compare(before, after).map_err(told)?;
        if std::env::var_os("WRITE_RUNS").is_some() {
            std::fs::write(case.join("runs"), &runs).unwrap();
        }
        let wanted = std::fs::read_to_string(case.join("runs")).unwrap_or_default();
        if runs != wanted {
            return Err(told(format!("it runs\n{runs}instead of\n{wanted}")));
        }
    }
    Ok(())
}

pub fn read(folder: &Path) -> Files {
    let text = |(path, bytes): (String, Vec<u8>)| (path, String::from_utf8(bytes).unwrap());
    snapshot(folder).into_iter().map(text).collect()
}

/// What runs before and after, root by root; what else differs is an error.
fn compare(before: Deployed, after: Deployed) -> Result<String, String> {
    let (before, after) = (apart(before), apart(after));
    let mut told = String::new();
    for (root, (was, rest)) in &before {
        let (is, rest_after) = after.get(root).ok_or_else(|| format!("{root} is gone"))?;
        if rest != rest_after {
            return Err(format!("{root}: more than images changed"));
        }
        writeln!(told, "{root}").unwrap();
        for (place, image) in was {
            let new = is.get(place).ok_or_else(|| format!("{root}: {place} is gone"))?;
            match image == new {
                true => writeln!(told, "  {image}").unwrap(),
                false => writeln!(told, "  {image} -> {new}").unwrap(),
            }
        }
    }
    match after.keys().find(|root| !before.contains_key(*root)) {
        Some(root) => Err(format!("{root} is new")),
        None => Ok(told),
    }
}

fn apart(deployed: Deployed) -> BTreeMap<String, (Containers, Vec<Value>)> {
    let parts = deployed.into_iter().map(|(root, mut objects)| (root, (take(&mut objects), objects)));
    parts.collect()
}
