//! Helm values files: those next to a `Chart.yaml`, and those that the user names.

use super::{Document, Reference, compose, file_name, kustomization, syntax};
use crate::file_selection::is_own_file;

pub const KIND: &str = "values";

/// The file that makes a folder a chart.
pub const CHART: &str = "Chart.yaml";

/// Whether to read a file as values when the user names it by a pattern or a folder: its name or that of a folder says so,
/// as in `values/api.yaml`.
pub fn looks_like_values(path: &str) -> bool {
    path.contains("values")
}

/// Whether the name is that of a values file: `values.yaml`, `values-prod.yaml`, …
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

/// A document that declares its own kind isn't a values file, even if the user names it as one.
fn is_something_else(doc: &Document<'_>) -> bool {
    let is_object = doc.api_version().is_some() && doc.kind().is_some();
    is_object
        || kustomization::is_kustomization(doc.path, doc.yaml, doc.root)
        || compose::is_compose(doc.file_name())
        || is_own_file(doc.path)
}
