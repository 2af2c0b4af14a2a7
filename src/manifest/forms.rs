//! The ways in which values write an image: the block form (`repository` and `tag`) and the string form
//! (`image: a:b`).
//!
//! In Helm values both stand at any depth. The keys are those that charts use by convention; there is no
//! standard for them.

use std::collections::{HashMap, HashSet};

use super::{Document, Form, Reference, Slot};
use crate::image::{NAME_LENGTH, Written, is_possible_name, shortened, split_tag};
use crate::yaml::{NodeId, Shape, Style, Tape, needs_quotes};

/// Name key and tag key of a block, most specific first.
pub const BLOCKS: [(&str, &str); 6] = [
    ("repository", "tag"),
    ("repository", "imageTag"),
    ("repo", "tag"),
    ("repo", "imageTag"),
    ("image", "tag"),
    ("image", "imageTag"),
];

/// Every reference below `root`, the values' top map.
pub fn find(doc: &Document<'_>, root: NodeId, kind: &'static str) -> Vec<Reference> {
    let finder = Finder { doc, kind, registry: global_registry(doc, root) };
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut ranges = vec![doc.tape.resolve(root)];
    while let Some(start) = ranges.pop() {
        if !seen.insert(start) {
            continue;
        }
        let mut next = start;
        while next < doc.tape.node(start).end {
            // an anchored map inside of one that was looked at needs no second look
            let known = next != start && !seen.insert(next);
            next = if known { doc.tape.node(next).end } else { finder.visit(next, &mut found, &mut ranges) };
        }
    }
    // one place can be reached twice, as a map and through an alias to what is around it
    let mut places = HashSet::new();
    found.retain(|r: &Reference| places.insert(r.at));
    found
}

/// `global.imageRegistry` replaces every block's `registry` (a convention of Bitnami's charts).
fn global_registry(doc: &Document<'_>, root: NodeId) -> Option<String> {
    let node = doc.tape.at(root, &["global", "imageRegistry"])?;
    doc.tape.text(node).filter(|text| !text.is_empty()).map(str::to_owned)
}

struct Finder<'a> {
    doc: &'a Document<'a>,
    kind: &'static str,
    registry: Option<String>,
}

impl Finder<'_> {
    /// Looks at one node; gives the next one to look at. Aliased maps are looked at where they stand.
    fn visit(&self, id: NodeId, found: &mut Vec<Reference>, ranges: &mut Vec<NodeId>) -> NodeId {
        let tape = self.doc.tape;
        let scalar = |id| matches!(tape.node(id).shape, Shape::Scalar { .. });
        match tape.node(id).shape {
            // annotations hold image names that run nothing
            Shape::Map if tape.key_text(id).is_some_and(is_annotations) => return tape.node(id).end,
            Shape::Map => self.map(id, found),
            Shape::Alias(target) if !scalar(target) => ranges.push(target),
            Shape::Alias(_) | Shape::Seq | Shape::Scalar { .. } => {}
        }
        id + 1
    }

    fn map(&self, map: NodeId, found: &mut Vec<Reference>) {
        let block = self.block(map).or_else(|| self.untagged(map));
        let block_key = block.as_ref().map(|(key, _)| *key);
        found.extend(block.map(|(_, reference)| reference));
        // a Ceph volume's `image` is no container image
        if self.doc.tape.key_text(map) != Some("rbd") {
            self.strings(map, block_key, found);
        }
    }

    /// The map as a block; with the key that holds the name, which is then no string form.
    fn block(&self, map: NodeId) -> Option<(NodeId, Reference)> {
        let tape = self.doc.tape;
        let get = |key: &str| tape.get(map, key).map(Slot::from);
        BLOCKS.iter().find_map(|&(name_key, tag_key)| {
            let (name, tag) = (get(name_key)?, get(tag_key)?);
            let hub = (name_key == "image").then(|| get("hub")).flatten();
            let prefix = hub.or_else(|| get("registry"));
            // what is merged in whole is found where it is written
            let own = |slot: Slot| tape.node(slot.key).parent == Some(map);
            let any_own = own(name) || own(tag) || prefix.is_some_and(own);
            let written = Written::parse(tape.text(name.node)?);
            if !any_own || written.tag.is_some() || written.digest.is_some() {
                return None;
            }
            let registry = self.prefix(prefix, hub.is_some());
            let parts = Block { repository: name, registry, tag, digest: get("digest") };
            Some((name.key, parts.reference(tape, self.kind)?))
        })
    }

    /// `repository` alone runs the chart's tag; `--add` can give it one.
    fn untagged(&self, map: NodeId) -> Option<(NodeId, Reference)> {
        let get = |key: &str| self.doc.tape.get(map, key).map(Slot::from);
        let own = |slot: &Slot| self.doc.tape.node(slot.key).parent == Some(map);
        if get("tag").is_some() || get("imageTag").is_some() {
            return None;
        }
        let repository = get("repository").or_else(|| get("repo")).filter(own)?;
        let registry = self.prefix(get("registry"), false);
        let digest = get("digest");
        let form = Form::Untagged { repository, registry: registry.clone(), digest };
        let reference = Reference {
            kind: self.kind,
            at: repository.place(),
            image: full_name(self.doc.tape, repository, registry.as_deref())?,
            original: None,
            tag: None,
            digest: digest.and_then(|d| written(self.doc.tape, d)).map(shortened),
            form,
        };
        Some((repository.key, reference))
    }

    /// What stands before the repository. A global registry replaces a block's own one.
    fn prefix(&self, own: Option<Slot>, is_hub: bool) -> Option<String> {
        let own = own?;
        let global = self.registry.as_deref().filter(|_| !is_hub);
        let text = global.or_else(|| written(self.doc.tape, own))?.trim_end_matches('/');
        // a name that is too long stays so with one character more than is possible
        Some(text.get(..=NAME_LENGTH).unwrap_or(text).to_owned())
    }

    /// `image: name:tag@digest`, also `xImage:`; with `xImageTag` beside it, the tag is there.
    fn strings(&self, map: NodeId, block_key: Option<NodeId>, found: &mut Vec<Reference>) {
        let tape = self.doc.tape;
        let text = |key| tape.text(key).unwrap_or_default();
        let pairs = || tape.pairs(map).filter(|&(key, _)| Some(key) != block_key);
        let tags: HashMap<_, _> =
            pairs().filter(|&(k, _)| text(k).ends_with("ImageTag")).map(|p| (text(p.0), p)).collect();
        for (key, value) in pairs() {
            let name = text(key);
            if name != "image" && !name.ends_with("Image") {
                continue;
            }
            let tag = if tags.is_empty() { None } else { tags.get(format!("{name}Tag").as_str()) };
            let (repository, tag) = (self.slot(key, value), tag.map(|&(key, tag)| self.slot(key, tag)));
            let reference = match tag {
                Some(tag) => {
                    Block { repository, registry: None, tag, digest: None }.reference(tape, self.kind)
                }
                None => string(tape, repository, self.kind),
            };
            let in_block = name == "image" && block_key.is_some();
            found.extend(reference.map(|r| if in_block { beside_block(r) } else { r }));
        }
    }

    fn slot(&self, key: NodeId, value: NodeId) -> Slot {
        let node = self.doc.tape.resolve(value);
        Slot { key, node, shared_by: (node != value).then_some(value) }
    }
}

/// The string form: `name[:tag][@digest]` in one scalar.
pub fn string(tape: &Tape, slot: Slot, kind: &'static str) -> Option<Reference> {
    if is_no_string(tape, slot.node) {
        return None;
    }
    let written = Written::parse(tape.text(slot.node)?);
    is_name(written.name).then(|| Reference {
        kind,
        at: slot.place(),
        image: written.name.to_owned(),
        original: None,
        tag: written.tag.map(shortened),
        digest: written.digest.map(shortened),
        form: Form::Text(slot),
    })
}

/// An `image` without a tag, beside a block's repository and tag, is a part of its name, in ways that charts
/// differ in.
fn beside_block(reference: Reference) -> Reference {
    match reference.form {
        Form::Text(slot) if reference.tag.is_none() && reference.digest.is_none() => {
            Reference { form: Form::BesideBlock(slot), ..reference }
        }
        _ => reference,
    }
}

/// The block form: name and tag in scalars of their own.
pub struct Block {
    pub repository: Slot,
    /// What stands before the repository's text, where something does.
    pub registry: Option<String>,
    pub tag: Slot,
    pub digest: Option<Slot>,
}

impl Block {
    /// Nothing where the repository is no name, or the tag no scalar.
    pub fn reference(self, tape: &Tape, kind: &'static str) -> Option<Reference> {
        let Block { repository, registry, tag, digest } = self;
        let (text, in_tag) = split_tag(tape.text(tag.node)?);
        let own = digest.and_then(|d| written(tape, d));
        Some(Reference {
            kind,
            at: tag.place(),
            image: full_name(tape, repository, registry.as_deref())?,
            original: None,
            tag: Some(text).filter(|t| !t.is_empty()).map(shortened),
            digest: own.or(in_tag).map(shortened),
            form: Form::Block { repository, registry, tag, digest },
        })
    }
}

/// A number or a boolean: `pullImage: true`.
fn is_no_string(tape: &Tape, id: NodeId) -> bool {
    let plain = matches!(tape.node(id).shape, Shape::Scalar { style: Style::Plain, .. });
    plain && tape.text(id).is_some_and(|text| needs_quotes(text, false))
}

fn written(tape: &Tape, slot: Slot) -> Option<&str> {
    tape.text(slot.node).filter(|text| !text.is_empty())
}

fn full_name(tape: &Tape, name: Slot, registry: Option<&str>) -> Option<String> {
    let name = written(tape, name).filter(|text| is_name(text))?;
    match registry {
        Some(registry) => is_possible_name(registry).then(|| format!("{registry}/{name}")),
        None => Some(name.to_owned()),
    }
}

pub fn is_annotations(key: &str) -> bool {
    key == "annotations" || key.ends_with("Annotations")
}

/// Whether a string can be an image's name at all; whether it is the one looked for is seen later.
fn is_name(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    !text.is_empty() && is_possible_name(text) && !text.contains(blank) && !text.contains("://")
}
