//! Argo CD's `Application` and `ApplicationSet`: the images that their sources set for kustomize and Helm.
//!
//! The fields follow Argo CD's application specification: `kustomize.images` are strings in the syntax of
//! `kustomize edit set image`, `helm.parameters` are names and values, `helm.valuesObject` holds Helm values.
//! The module `embedded` handles YAML in the text of `helm.values`.

use std::collections::{HashMap, HashSet};

use super::syntax::{self, BLOCKS, IN_IMAGE, ImageBlock, is_image_key};
use super::{Document, Reference, ReferenceSyntax, ValueLocation};
use crate::image::{ParsedReference, is_possible_name, shortened};
use crate::yaml::NodeId;

pub const KIND: &str = "argo-cd";

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    sources(doc).into_iter().flat_map(|source| in_source(doc, source)).collect()
}

fn sources(doc: &Document<'_>) -> Vec<NodeId> {
    let spec: &[&str] = match doc.kind() {
        _ if !doc.api_version().is_some_and(|version| version.starts_with("argoproj.io/")) => {
            return Vec::new();
        }
        Some("Application") => &["spec"],
        Some("ApplicationSet") => &["spec", "template", "spec"],
        _ => return Vec::new(),
    };
    let Some(spec) = doc.yaml.at(doc.root, spec) else { return Vec::new() };
    let several = doc.yaml.at(spec, &["sources"]).into_iter().flat_map(|list| doc.yaml.items(list));
    let single = [&["source"][..], &["sourceHydrator", "drySource"]];
    let single = single.into_iter().filter_map(|path| doc.yaml.at(spec, path));
    // a source that is used again through an alias is searched once
    let mut seen = HashSet::new();
    let all = single.chain(several);
    all.filter(|&source| seen.insert(doc.yaml.resolve(source))).collect()
}

fn in_source(doc: &Document<'_>, source: NodeId) -> Vec<Reference> {
    let images = doc.yaml.at(source, &["kustomize", "images"]).into_iter();
    let mut found: Vec<_> =
        images.flat_map(|list| doc.yaml.items(list)).filter_map(|item| override_string(doc, item)).collect();
    found.extend(
        doc.yaml.at(source, &["helm", "parameters"]).map(|list| parameters(doc, list)).unwrap_or_default(),
    );
    let values = doc.yaml.at(source, &["helm", "valuesObject"]);
    found.extend(values.map(|map| syntax::find(doc, map, KIND)).unwrap_or_default());
    found
}

fn override_string(doc: &Document<'_>, item: NodeId) -> Option<Reference> {
    let node = doc.yaml.resolve(item);
    let slot = ValueLocation { key: item, node, shared_by: (node != item).then_some(item) };
    let text = doc.yaml.text(node).filter(|text| !text.is_empty())?;
    let (name, rest) = text.split_once('=').map_or((None, text), |(name, rest)| (Some(name), rest));
    let written = ParsedReference::parse(rest);
    if !is_possible_name(written.name) || !is_possible_name(name.unwrap_or_default()) {
        return None;
    }
    // `name=*:tag` keeps the name, and so does `name=:tag`
    let runs = name.filter(|_| ["*", ""].contains(&written.name)).unwrap_or(written.name);
    Some(Reference {
        kind: KIND,
        at: slot.place(),
        image: runs.to_owned(),
        kustomize_name: Some(name.unwrap_or(written.name).to_owned()),
        tag: written.tag.map(shortened),
        digest: written.digest.map(shortened),
        syntax: ReferenceSyntax::Override(slot),
    })
}

/// Parameters with dotted names are flattened values: `image.repository` and `image.tag`.
fn parameters(doc: &Document<'_>, list: NodeId) -> Vec<Reference> {
    let by_name: HashMap<&str, ValueLocation> =
        doc.yaml.items(list).filter_map(|item| parameter(doc, item)).collect();
    let mut names: Vec<_> = by_name.keys().copied().collect();
    names.sort_unstable();
    names
        .into_iter()
        .filter_map(|name| block(doc, &by_name, name).or_else(|| string(doc, &by_name, name)))
        .collect()
}

fn parameter<'a>(doc: &Document<'a>, item: NodeId) -> Option<(&'a str, ValueLocation)> {
    let name = doc.yaml.at(item, &["name"]).and_then(|node| doc.yaml.text(node))?;
    Some((name, ValueLocation::from(doc.yaml.get(item, "value")?)))
}

/// The image block whose tag is this parameter.
fn block(doc: &Document<'_>, by_name: &HashMap<&str, ValueLocation>, name: &str) -> Option<Reference> {
    let (prefix, key) = split(name);
    let get = |key: &str| by_name.get(format!("{prefix}{key}").as_str()).copied();
    let text = |slot: ValueLocation| doc.yaml.text(slot.node).filter(|text| !text.is_empty());
    let tag = by_name.get(name).copied()?;
    if let Some(pair) = key.strip_suffix("ImageTag") {
        let repository = get(&format!("{pair}Image"))?;
        return ImageBlock { repository, registry: None, tag, digest: None }.reference(doc.yaml, KIND);
    }
    let in_image = prefix.trim_end_matches('.').rsplit('.').next().is_some_and(is_image_key);
    let mut names = BLOCKS.iter().filter(|keys| keys.1 == key && (in_image || **keys != IN_IMAGE));
    let (name_key, repository) = names.find_map(|(name_key, _)| Some((*name_key, get(name_key)?)))?;
    let hub = get("hub").filter(|_| name_key == "image").and_then(text);
    let own = get("registry").and_then(text);
    // as in values files, a global registry replaces a `registry`, but not a `hub`
    let global = || by_name.get("global.imageRegistry").copied().and_then(text);
    let registry = hub.or_else(|| own.map(|own| global().unwrap_or(own)));
    let registry = registry.map(|registry| registry.trim_end_matches('/').to_owned());
    let last_part = get("name").filter(|_| in_image && name_key.starts_with("repo")).and_then(|name| {
        let (before, last) = (text(repository)?, text(name)?);
        Some((name, Some(syntax::joined_prefix(registry.as_deref(), before, last)?)))
    });
    let (repository, registry) = last_part.unwrap_or((repository, registry));
    ImageBlock { repository, registry, tag, digest: syntax::digest_key(doc.yaml, &get) }
        .reference(doc.yaml, KIND)
}

/// A parameter with name and tag in one string, unless another parameter sets the tag.
fn string(doc: &Document<'_>, by_name: &HashMap<&str, ValueLocation>, name: &str) -> Option<Reference> {
    let (prefix, key) = split(name);
    let beside = |key: &str| by_name.contains_key(format!("{prefix}{key}").as_str());
    let in_pair = match key {
        "image" => beside("tag") || beside("imageTag"),
        _ => !key.ends_with("Image") || beside(&format!("{key}Tag")),
    };
    (!in_pair).then(|| syntax::string(doc.yaml, *by_name.get(name)?, KIND)).flatten()
}

/// Splits `image.tag` into `image.` and `tag`.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}
