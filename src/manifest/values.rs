//! Helm values files: those by a `Chart.yaml`, and those that the user names.

use super::{Document, Reference, file_name, forms};

pub const KIND: &str = "values";

/// The file that makes a folder a chart.
pub const CHART: &str = "Chart.yaml";

/// A values file by its name: `values.yaml`, `values-prod.yaml`, …
pub fn is_values_file(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("values") && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    let is_object = doc.api_version().is_some() && doc.kind().is_some();
    if is_object || !doc.is_values {
        return Vec::new();
    }
    forms::find(doc, doc.root, KIND)
}
