//! Flux's `Kustomization`: its `spec.images` override the images of everything it builds.

use super::{Document, Reference, kustomization};

pub const KIND: &str = "flux-kustomization";

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if !doc.is_of("kustomize.toolkit.fluxcd.io", "Kustomization") {
        return Vec::new();
    }
    let images = doc.yaml.at(doc.root, &["spec", "images"]);
    images.map(|list| kustomization::entries(doc, list, KIND)).unwrap_or_default()
}
