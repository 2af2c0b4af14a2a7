//! `.argocd-source-APP.yaml` files of Applications that aren't written in this repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::files::{Files, folder_of};
use super::super::place::FileId;
use super::super::value::{Scalar, Value};
use crate::file_selection::file_name;

/// What the name of such a file starts with.
const START: &str = ".argocd-source";

/// An Application that a file beside its source tells of.
pub struct ImpliedApplication {
    /// The file.
    pub path: String,
    pub application: Value,
}

/// The Applications that files in or above the `reached` folders tell of, without those whose files are `known`. In the
/// folder of such files, `.argocd-source.yaml` is one for all of them.
pub fn implied_applications(
    files: &mut Files<'_>,
    reached: &BTreeSet<String>,
    known: &BTreeSet<FileId>,
) -> Vec<ImpliedApplication> {
    let mut by_folder: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for path in files.below("") {
        let suffix = file_name(path).strip_prefix(START).and_then(|rest| rest.strip_suffix(".yaml"));
        if let Some(suffix) = suffix.filter(|suffix| suffix.is_empty() || suffix.starts_with('-')) {
            by_folder.entry(folder_of(path)).or_default().push((path, suffix.trim_start_matches('-')));
        }
    }
    let mut implied = Vec::new();
    for (folder, found) in by_folder.into_iter().filter(|(folder, _)| has_file_below(reached, folder)) {
        let mut is_known = |path: &str| files.load(path).is_some_and(|file| known.contains(&file));
        let is_for_all = found.len() == 1;
        let own = found.into_iter().filter(|(path, app)| (is_for_all || !app.is_empty()) && !is_known(path));
        implied.extend(own.map(|(path, app)| ImpliedApplication {
            path: path.to_owned(),
            application: application(folder, if app.is_empty() { file_name(folder) } else { app }),
        }));
    }
    implied
}

fn has_file_below(paths: &BTreeSet<String>, folder: &str) -> bool {
    let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    paths.range(start.clone()..).next().is_some_and(|path| path.starts_with(&start))
}

/// An Application of a folder. Outside of Argo CD's own namespace, it is called `NAMESPACE_APP`.
fn application(folder: &str, name: &str) -> Value {
    let text = |text: &str| Value::Scalar(Scalar::generated(text));
    let (namespace, name) = name.split_once('_').map_or((None, name), |(space, name)| (Some(space), name));
    let mut metadata = Value::default();
    metadata.set("name", text(name));
    if let Some(namespace) = namespace {
        metadata.set("namespace", text(namespace));
    }
    let (mut object, mut spec, mut source) = (Value::default(), Value::default(), Value::default());
    source.set("path", text(if folder.is_empty() { "." } else { folder }));
    spec.set("source", source);
    object.set("apiVersion", text("argoproj.io/v1alpha1"));
    object.set("kind", text("Application"));
    object.set("metadata", metadata);
    object.set("spec", spec);
    object
}
