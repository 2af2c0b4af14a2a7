//! What work on a file costs, counted in steps: never more than twice as much for twice as large a file.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use tagbump::manifest::{ManifestFile, references};
use tagbump::yaml::scan;

/// The steps that reading a file and finding its references takes.
fn steps(path: &str, text: &str) -> Option<u64> {
    let tape = scan(text.as_bytes()).ok()?;
    for is_values in [false, true] {
        references(&ManifestFile { path, text, tape: &tape, is_values });
    }
    tape.check().is_ok().then(|| tape.budget().spent())
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

#[test]
fn real_manifests_stay_far_below_the_limit() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut paths);
    let mut worst = Vec::new();
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Some(steps) = steps(path.to_str().unwrap(), &text) else { continue };
        worst.push((steps as f64 / text.len().max(1) as f64, steps, text.len(), path));
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    for w in worst.iter().take(12) { println!("{w:?}"); }
    println!("{:?}", worst[worst.len()/2]);
}
