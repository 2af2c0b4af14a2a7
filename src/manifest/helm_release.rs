//! Flux `HelmRelease`: the values for the chart, and kustomize post-renderers.

use std::collections::HashSet;

use super::{Document, Reference, forms, kustomization};

const KIND: &str = "helm-release";

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if doc.kind() != Some("HelmRelease") {
        return Vec::new();
    }
    let values = doc.tape.at(doc.root, &["spec", "values"]);
    let mut found = values.map(|node| forms::find(doc, node, KIND)).unwrap_or_default();
    if let Some(renderers) = doc.tape.at(doc.root, &["spec", "postRenderers"]) {
        let images = doc.tape.items(renderers).filter_map(|r| doc.tape.at(r, &["kustomize", "images"]));
        // one that is used again by alias is searched once
        let mut seen = HashSet::new();
        let images = images.filter(|&list| seen.insert(list));
        found.extend(images.flat_map(|list| kustomization::entries(doc, list, KIND)));
    }
    found
}
