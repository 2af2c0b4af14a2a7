//! Scalars marked for Flux's image automation: `tag: v1 # {"$imagepolicy": "flux-system:api:tag"}`.
//!
//! A marked scalar is a reference anywhere in a file, unless another rule has found it already. The comment
//! belongs to the last value on its line (Flux: "Configure image updates").

use std::collections::{BTreeMap, HashMap, HashSet};

use super::syntax::{self, BLOCKS, IN_IMAGE, ImageBlock};
use super::{ManifestFile, Reference, ReferenceSyntax, ValueLocation};
use crate::image::split_tag;
use crate::yaml::{NodeId, NodeKind, ParsedYaml, ScalarStyle};

const KIND: &str = "image-policy";
const MARK: &str = "$imagepolicy";

/// Which part of an image a marked scalar holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum PolicyPart {
    Whole,
    Name,
    Tag,
    Digest,
}

struct MarkedScalar {
    slot: ValueLocation,
    policy: String,
    part: PolicyPart,
}

/// Marked scalars that are not yet in `found`.
pub fn find(file: &ManifestFile<'_>, found: &[Reference]) -> Vec<Reference> {
    if !file.text.contains(MARK) {
        return Vec::new();
    }
    let known: HashSet<NodeId> = found.iter().flat_map(Reference::slots).map(|slot| slot.node).collect();
    let marked = marked(file);
    let mut of_policy: HashMap<_, PolicyScalars> = HashMap::new();
    for scalar in &marked {
        of_policy.entry((scalar.policy.as_str(), scalar.part)).or_default().add(file.yaml, scalar.slot);
    }
    let new = marked.iter().filter(|m| !known.contains(&m.slot.node));
    let reference = |m: &MarkedScalar| match m.part {
        PolicyPart::Whole => syntax::string(file.yaml, m.slot, KIND),
        PolicyPart::Tag => {
            let beside = |part| of_policy.get(&(m.policy.as_str(), part))?.beside(file.yaml, m.slot);
            let marked = beside(PolicyPart::Name).map(|repository| ImageBlock {
                repository,
                registry: None,
                tag: m.slot,
                digest: beside(PolicyPart::Digest),
            });
            let block = marked.or_else(|| block_around(file.yaml, m.slot));
            block.and_then(|block| block.reference(file.yaml, KIND)).or_else(|| nameless(file.yaml, m.slot))
        }
        PolicyPart::Name | PolicyPart::Digest => None,
    };
    new.filter_map(reference).collect()
}

/// The marked scalars with the same policy and part, in document order, and by the map that they are in.
#[derive(Default)]
struct PolicyScalars {
    all: Vec<ValueLocation>,
    by_map: HashMap<NodeId, ValueLocation>,
}

impl PolicyScalars {
    fn add(&mut self, yaml: &ParsedYaml, slot: ValueLocation) {
        self.all.push(slot);
        self.by_map.extend(yaml.node(slot.key).parent.map(|map| (map, slot)));
    }

    /// The scalar that belongs to a tag: one in the same map, or else the nearest.
    fn beside(&self, yaml: &ParsedYaml, tag: ValueLocation) -> Option<ValueLocation> {
        let in_map = yaml.node(tag.key).parent.and_then(|map| self.by_map.get(&map));
        let behind = self.all.partition_point(|slot| slot.place() < tag.place());
        let around = self.all[behind.saturating_sub(1)..].iter().take(2);
        let nearest = || around.min_by_key(|slot| slot.place().abs_diff(tag.place()));
        in_map.or_else(nearest).copied()
    }
}

/// A tag whose image is named only by the policy's repository. No IMAGE argument can match it, but it is
/// reported.
fn nameless(yaml: &ParsedYaml, slot: ValueLocation) -> Option<Reference> {
    let (tag, digest) = split_tag(yaml.text(slot.node)?);
    Some(Reference {
        kind: KIND,
        at: slot.place(),
        image: String::new(),
        kustomize_name: None,
        tag: Some(tag.to_owned()),
        digest: digest.map(str::to_owned),
        syntax: ReferenceSyntax::Field(slot),
    })
}

/// The image block that a tag belongs to, from the keys next to it.
fn block_around(yaml: &ParsedYaml, tag: ValueLocation) -> Option<ImageBlock> {
    let map = yaml.node(tag.key).parent.filter(|&map| yaml.is_map(map))?;
    let is_tag = |key: &str| BLOCKS.iter().any(|(_, tag_key)| *tag_key == key);
    if !yaml.text(tag.key).is_some_and(is_tag) {
        return None;
    }
    let get = |key: &str| yaml.get(map, key).map(ValueLocation::from);
    let text = |slot: ValueLocation| yaml.text(slot.node).filter(|text| !text.is_empty()).map(str::to_owned);
    let in_image = syntax::is_image(yaml, map);
    let mut names = BLOCKS.iter().filter(|keys| in_image || **keys != IN_IMAGE);
    let repository = names.find_map(|(name, _)| get(name))?;
    let (repository, registry) = syntax::last_part(yaml, map, repository, get("registry").and_then(text));
    Some(ImageBlock { repository, registry, tag, digest: syntax::digest_key(yaml, &get) })
}

/// Every marked scalar, in document order.
fn marked(file: &ManifestFile<'_>) -> Vec<MarkedScalar> {
    let marks = marks(file.text);
    let mut last: HashMap<usize, NodeId> = HashMap::new();
    for id in 0..file.yaml.len() {
        let node = file.yaml.node(id);
        let is_value = match node.kind {
            NodeKind::Scalar { style: ScalarStyle::Block, .. } | NodeKind::Scalar { missing: true, .. } => {
                false
            }
            NodeKind::Scalar { .. } | NodeKind::Alias(_) => true,
            NodeKind::Map | NodeKind::Seq => false,
        };
        // the next mark, if it is on the same line
        let mark = marks.range(node.start..).next().filter(|_| is_value);
        if let Some((&at, _)) = mark.filter(|(_, mark)| mark.line_start <= node.start) {
            last.insert(at, id);
        }
    }
    let mut marked: Vec<MarkedScalar> = marks
        .into_iter()
        .filter_map(|(at, mark)| {
            let id = *last.get(&at)?;
            let node = file.yaml.resolve(id);
            let slot =
                ValueLocation { key: key_of(file.yaml, id)?, node, shared_by: (node != id).then_some(id) };
            Some(MarkedScalar { slot, policy: mark.policy, part: mark.part })
        })
        .collect();
    marked.sort_by_key(|m| m.slot.place());
    marked
}

/// The key of a value in a map, or the item itself in a list. `None` for a key.
fn key_of(yaml: &ParsedYaml, id: NodeId) -> Option<NodeId> {
    let node = yaml.node(id);
    let in_map = node.parent.is_some_and(|parent| matches!(yaml.node(parent).kind, NodeKind::Map));
    if in_map { node.key } else { Some(id) }
}

struct PolicyMark {
    line_start: usize,
    policy: String,
    part: PolicyPart,
}

/// The marks in a text, by the offset of their comments.
fn marks(text: &str) -> BTreeMap<usize, PolicyMark> {
    let mut line_start = 0;
    let mut found = BTreeMap::new();
    // split lines as the parser does: a lone CR is a line break too
    for line in text.split_inclusive(['\n', '\r']) {
        if let Some((at, policy, part)) = mark(line) {
            found.insert(line_start + at, PolicyMark { line_start, policy, part });
        }
        line_start += line.len();
    }
    found
}

/// Parses a mark: the offset of its comment, its policy, and the part that it marks.
fn mark(line: &str) -> Option<(usize, String, PolicyPart)> {
    let named = line.find(MARK)?;
    let at = line[..named].rfind('#').filter(|&at| line[..at].ends_with([' ', '\t']))?;
    let json: HashMap<String, String> = serde_json::from_str(line[at + 1..].trim()).ok()?;
    let setting = json.get(MARK)?;
    let (policy, part) = match setting.rsplit_once(':') {
        Some((policy, "tag")) => (policy, PolicyPart::Tag),
        Some((policy, "name")) => (policy, PolicyPart::Name),
        Some((policy, "digest")) => (policy, PolicyPart::Digest),
        _ => (setting.as_str(), PolicyPart::Whole),
    };
    Some((at, policy.to_owned(), part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(line: &str) -> Option<(usize, String)> {
        mark(line).map(|(at, policy, _)| (at, policy))
    }

    #[test]
    fn comments_with_a_mark() {
        assert_eq!(policy("tag: a #{\"$imagepolicy\": \"f:x:tag\"}\r\n"), Some((7, "f:x".to_owned())));
        assert_eq!(policy("tag: a # { \"$imagepolicy\":\"f:x\" } \n"), Some((7, "f:x".to_owned())));
        for none in ["tag: a#{\"$imagepolicy\": \"f:x\"}", "a: '$imagepolicy'", "a # $imagepolicy f:x"] {
            assert_eq!(policy(none), None, "{none}");
        }
    }
}
