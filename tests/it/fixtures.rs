//! Every folder `fixtures/<kind>/<case>` is a case: `cmd` (the arguments, one per line) runs on a copy of
//! `in`, which must then equal `out`, byte for byte. Without `out`, nothing may change. `expect` lists what else
//! is required: `exit N` (0 if not given), and texts that the output must contain, one per line; after `without `, a
//! text that it must not contain.
//!
//! `runs` is for `what_runs`, which renders the case.
//!
//! A case with `out` runs three more times: before, as a dry run, which must change nothing and announce
//! exactly that change; and afterwards, when there must be nothing left to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::cli::{Run, tagbump};
use crate::support::files::{copy, snapshot};

#[test]
fn every_case_gives_its_out_folder() {
    let cases = cases();
    assert!(cases.len() > 1, "no cases in {}", root().display());
    let failed = failures(&cases);
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n\n")
    );
}

/// Checks several cases at once, since each waits for the processes that it starts.
fn failures(cases: &[PathBuf]) -> Vec<String> {
    let check_all =
        |some: &[PathBuf]| -> Vec<String> { some.iter().filter_map(|case| check(case).err()).collect() };
    std::thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let running: Vec<_> = parts.map(|part| scope.spawn(move || check_all(part))).collect();
        running.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// There are no files next to the cases, and each case has an expected result.
#[test]
fn every_fixture_belongs_to_a_case() {
    let parts: BTreeSet<_> = cases()
        .iter()
        .flat_map(|case| ["cmd", "expect", "in", "out", "runs"].map(|part| case.join(part)))
        .collect();
    for (name, _) in snapshot(&root()) {
        let file = root().join(&name);
        assert!(file.ancestors().any(|folder| parts.contains(folder)), "fixtures/{name} belongs to no case");
    }
    for case in cases() {
        let name = case.display();
        assert!(case.join("cmd").is_file(), "{name}: no cmd");
        assert!(case.join("in").is_dir(), "{name}: no in");
        let says = case.join("out").is_dir() || case.join("expect").is_file();
        assert!(says, "{name}: neither out nor expect");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn cases() -> Vec<PathBuf> {
    folders(&root()).iter().flat_map(|kind| folders(kind)).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    found
}

fn check(case: &Path) -> Result<(), String> {
    let told = |what: String| format!("{}: {what}", case.display());
    let arguments = std::fs::read_to_string(case.join("cmd")).map_err(|e| told(format!("cmd: {e}")))?;
    let arguments: Vec<&str> = arguments.lines().filter(|line| !line.is_empty()).collect();
    let expect = std::fs::read_to_string(case.join("expect")).unwrap_or_default();
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    copy(&case.join("in"), &work);
    let before = snapshot(&work);
    let changes = case.join("out").is_dir();
    if changes {
        let dry = tagbump(&work, &[&arguments[..], &["--dry-run", "--exit-code"]].concat());
        targets(&dry, 10, &["--- a/", "+++ b/"]).map_err(|e| told(format!("dry run: {e}")))?;
        same(&before, &snapshot(&work)).map_err(|e| told(format!("the dry run wrote: {e}")))?;
    }
    let run = tagbump(&work, &arguments);
    let exit = expect.lines().find_map(|line| line.strip_prefix("exit ")).map_or(0, |n| n.parse().unwrap());
    let texts: Vec<&str> = expect.lines().filter(|line| !line.starts_with("exit ")).collect();
    targets(&run, exit, &texts).map_err(&told)?;
    let after = if changes { snapshot(&case.join("out")) } else { before };
    same(&after, &snapshot(&work)).map_err(&told)?;
    if changes {
        let again = tagbump(&work, &arguments);
        targets(&again, 0, &["already"]).map_err(|e| told(format!("second run: {e}")))?;
        same(&after, &snapshot(&work)).map_err(|e| told(format!("second run: {e}")))?;
    }
    Ok(())
}

fn targets(run: &Run, exit: i32, texts: &[&str]) -> Result<(), String> {
    if run.exit != exit {
        return Err(format!("exit {} instead of {exit}\n{}", run.exit, run.output()));
    }
    let output = run.output();
    for text in texts {
        match text.strip_prefix("without ") {
            Some(unwanted) if output.contains(unwanted) => return Err(format!("{unwanted:?} in\n{output}")),
            None if !output.contains(text) => return Err(format!("no {text:?} in\n{output}")),
            _ => {}
        }
    }
    Ok(())
}

fn same(wanted: &[(String, Vec<u8>)], got: &[(String, Vec<u8>)]) -> Result<(), String> {
    for (name, bytes) in wanted {
        let Some((_, found)) = got.iter().find(|(n, _)| n == name) else {
            return Err(format!("{name} is gone"));
        };
        if bytes != found {
            let (wanted, found) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(found));
            return Err(format!("{name} is\n{found:?}\ninstead of\n{wanted:?}"));
        }
    }
    match got.iter().find(|(name, _)| wanted.iter().all(|(n, _)| n != name)) {
        Some((extra, _)) => Err(format!("{extra} is new")),
        None => Ok(()),
    }
}
