//! kustomize's `images:` lists, in kustomizations and Components.
//!
//! The rules are those of kustomize's `types.Image` and its image transformer: `newName` replaces `name`, and
//! `newTag` and `digest` replace the workload's own.

use std::collections::HashSet;

use super::{Document, Reference, ReferenceSyntax, ValueLocation, file_name, syntax};
use crate::image::{ParsedReference, is_possible_name, shortened};
use crate::yaml::{NodeId, ParsedYaml};

pub const KIND: &str = "kustomization";

/// The API group that every `apiVersion` of a kustomization starts with.
pub const GROUP: &str = "kustomize.config.k8s.io/";

/// File names that kustomize recognises as kustomizations.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if !is_kustomization(doc.path, doc.yaml, doc.root) {
        return Vec::new();
    }
    // `imageTags` is the older name, which kustomize still reads
    let lists = ["images", "imageTags"].into_iter().filter_map(|key| doc.yaml.at(doc.root, &[key]));
    let mut found: Vec<Reference> = lists.flat_map(|images| entries(doc, images, KIND)).collect();
    found.extend(chart_values(doc));
    found
}

/// The images in the values that a kustomization gives to charts (`helmCharts[].valuesInline`).
fn chart_values(doc: &Document<'_>) -> Vec<Reference> {
    let charts = doc.yaml.at(doc.root, &["helmCharts"]).into_iter().flat_map(|list| doc.yaml.items(list));
    let values = charts.filter_map(|chart| doc.yaml.at(chart, &["valuesInline"]));
    // values that are used again through an alias are searched once
    let mut seen = HashSet::new();
    values.filter(|&map| seen.insert(map)).flat_map(|map| syntax::find(doc, map, KIND)).collect()
}

/// Decides by `apiVersion`, or by file name if there is none (Flux has a `Kustomization` too).
pub fn is_kustomization(path: &str, yaml: &ParsedYaml, root: NodeId) -> bool {
    match yaml.at(root, &["apiVersion"]).and_then(|node| yaml.text(node)) {
        Some(version) => version.starts_with(GROUP),
        None => is_kustomization_file(path) && yaml.is_map(root),
    }
}

/// Whether kustomize recognises the file as a kustomization by its name.
pub fn is_kustomization_file(path: &str) -> bool {
    FILE_NAMES.contains(&file_name(path))
}

/// The entries of a list in the syntax of kustomize's `images:`.
pub fn entries(doc: &Document<'_>, images: NodeId, kind: &'static str) -> Vec<Reference> {
    let items = doc.yaml.items(images);
    items.filter_map(|item| entry(doc, item, kind)).collect()
}

fn entry(doc: &Document<'_>, item: NodeId, kind: &'static str) -> Option<Reference> {
    let item = doc.yaml.resolve(item);
    let slot = |key| doc.yaml.get(item, key).map(ValueLocation::from);
    let text =
        |slot: Option<ValueLocation>| slot.and_then(|s| doc.yaml.text(s.node)).filter(|t| !t.is_empty());
    let name = slot("name")?;
    let (new_name, new_tag, digest) = (slot("newName"), slot("newTag"), slot("digest"));
    let original = doc.yaml.text(name.node)?;
    let image = text(new_name).unwrap_or(original);
    // kustomize takes the name literally, but people write tags into it
    let image = ParsedReference::parse(image).name;
    if !is_possible_name(image) || !is_possible_name(original) {
        return None;
    }
    Some(Reference {
        kind,
        at: new_tag.or(digest).unwrap_or(name).place(),
        image: image.to_owned(),
        kustomize_name: Some(original.to_owned()),
        tag: text(new_tag).map(shortened),
        digest: text(digest).map(shortened),
        syntax: ReferenceSyntax::Entry {
            name,
            new_name,
            new_tag,
            digest,
            tag_suffix: slot("tagSuffix").is_some(),
        },
    })
}
