//! kustomize's `images:` lists, in kustomizations and Components.
//!
//! Rules: kustomize's `types.Image` and its image transformer: `newName` replaces `name`, `newTag` and
//! `digest` replace what the workload says.

use super::{Document, Form, Reference, Slot};
use crate::image::Written;
use crate::yaml::NodeId;

const KIND: &str = "kustomization";

/// File names that kustomize takes for a kustomization.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if !is_kustomization(doc) {
        return Vec::new();
    }
    match doc.tape.at(doc.root, &["images"]) {
        Some(images) => entries(doc, images, KIND),
        None => Vec::new(),
    }
}

/// By `apiVersion`, or by file name where the file does not say otherwise (Flux has a Kustomization too).
pub fn is_kustomization(doc: &Document<'_>) -> bool {
    match doc.api_version() {
        Some(version) => version.starts_with("kustomize.config.k8s.io/"),
        None => FILE_NAMES.contains(&doc.file_name()) && doc.tape.is_map(doc.root),
    }
}

/// The entries of an `images:` list, wherever kustomize's form of it is used.
pub fn entries(doc: &Document<'_>, images: NodeId, kind: &'static str) -> Vec<Reference> {
    let items = doc.tape.items(images);
    items.filter_map(|item| entry(doc, item, kind)).collect()
}

fn entry(doc: &Document<'_>, item: NodeId, kind: &'static str) -> Option<Reference> {
    let item = doc.tape.resolve(item);
    let slot = |key| doc.tape.get(item, key).map(Slot::from);
    let text = |slot: Option<Slot>| slot.and_then(|s| doc.tape.text(s.node)).filter(|t| !t.is_empty());
    let name = slot("name")?;
    let (new_name, new_tag, digest) = (slot("newName"), slot("newTag"), slot("digest"));
    let original = doc.tape.text(name.node)?;
    let image = text(new_name).unwrap_or(original);
    // kustomize takes the name whole, but people write tags into it
    let image = Written::parse(image).name.to_owned();
    Some(Reference {
        kind,
        at: new_tag.or(digest).unwrap_or(name).place(),
        image,
        original: Some(original.to_owned()),
        tag: text(new_tag).map(str::to_owned),
        digest: text(digest).map(str::to_owned),
        form: Form::Entry { name, new_name, new_tag, digest, tag_suffix: slot("tagSuffix").is_some() },
    })
}
