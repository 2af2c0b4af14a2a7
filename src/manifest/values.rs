//! Helm values files: those by a `Chart.yaml`, and those that the user names.

use super::{Document, Reference, compose, file_name, kustomization, syntax};
use crate::file_selection::CONFIG_PATHS;

pub const KIND: &str = "values";

/// The file that makes a folder a chart.
pub const CHART: &str = "Chart.yaml";

/// What may be a values file where the user points at it with a pattern or a folder.
pub fn looks_like_values(path: &str) -> bool {
    file_name(path).contains("values")
}

/// A values file by its name: `values.yaml`, `values-prod.yaml`, …
pub fn is_values_file(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("values") && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if !doc.is_values || is_something_else(doc) {
        return Vec::new();
    }
    syntax::find(doc, doc.root, KIND)
}

/// Whatever says what it is, is no values file, whoever points at it.
fn is_something_else(doc: &Document<'_>) -> bool {
    let is_object = doc.api_version().is_some() && doc.kind().is_some();
    is_object
        || kustomization::is_kustomization(doc.path, doc.yaml, doc.root)
        || compose::is_compose(doc.file_name())
        || CONFIG_PATHS.contains(&doc.path)
}
