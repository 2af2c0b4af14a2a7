//! Flux's `HelmRelease`: the chart's values, and kustomize post-renderers.

use std::collections::HashSet;

use super::{Document, Reference, kustomization, syntax};

pub const KIND: &str = "helm-release";

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if doc.kind() != Some("HelmRelease") {
        return Vec::new();
    }
    let values = doc.yaml.at(doc.root, &["spec", "values"]);
    let mut found = values.map(|node| syntax::find(doc, node, KIND)).unwrap_or_default();
    if let Some(renderers) = doc.yaml.at(doc.root, &["spec", "postRenderers"]) {
        let images = doc.yaml.items(renderers).filter_map(|r| doc.yaml.at(r, &["kustomize", "images"]));
        // a list that is used again through an alias is searched once
        let mut seen = HashSet::new();
        let images = images.filter(|&list| seen.insert(list));
        found.extend(images.flat_map(|list| kustomization::entries(doc, list, KIND)));
    }
    found
}
