//! The kustomization that Flux generates for a folder without one (`Generator.generateKustomization`).

use std::collections::{BTreeSet, HashMap};

use super::super::files::{Files, folder_of};
use super::super::value::{Scalar, Value};
use super::kustomization_file;

/// Includes every file below the folder. For a folder that has a kustomization, it includes that instead.
pub(super) fn kustomization(files: &mut Files<'_>, folder: &str) -> Value {
    let mut known = HashMap::new();
    let mut resources = BTreeSet::new();
    for path in files.below(folder) {
        let base = outermost_kustomization(files, folder, path, &mut known);
        let from = if folder.is_empty() { 0 } else { folder.len() + 1 };
        resources.insert(base.as_deref().unwrap_or(path)[from..].to_owned());
    }
    let resources = resources.into_iter().map(|path| Value::Scalar(Scalar::generated(path)));
    Value::Map(vec![("resources".to_owned(), Value::List(resources.collect()))])
}

/// The outermost folder between `folder` and the file that has a kustomization.
fn outermost_kustomization(
    files: &mut Files<'_>,
    folder: &str,
    path: &str,
    known: &mut HashMap<String, bool>,
) -> Option<String> {
    let above = std::iter::successors(Some(folder_of(path)), |inner| Some(folder_of(inner)));
    let above: Vec<&str> = above.take_while(|inner| inner.len() > folder.len()).collect();
    let outermost = above.into_iter().rev().find(|inner| {
        *known.entry((*inner).to_owned()).or_insert_with(|| kustomization_file(files, inner).is_some())
    });
    outermost.map(str::to_owned)
}
