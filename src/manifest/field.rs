//! Fields that the user named with `--field`, in every document of a file.

use std::borrow::Cow;

use super::{Holds, PartOfText, Reference, ReferenceSyntax, ValueLocation};
use crate::image::{ParsedReference, same_image, shortened, split_tag};
use crate::yaml::{FieldPath, NodeId, ParsedYaml};

const KIND: &str = "field";

/// Every value that a path leads to, as a reference to `image`. Of a value that is read in part, that part.
pub fn field_references(
    yaml: &ParsedYaml,
    path: &FieldPath,
    part: Option<&PartOfText>,
    image: &str,
) -> Vec<Reference> {
    let places = yaml.roots().iter().flat_map(|&root| path.find(yaml, root));
    places.filter_map(|found| reference(yaml, found.into(), part, image)).collect()
}

/// The value of a variable, or a part of it, as a reference to `image`; `node` is its scalar.
pub fn assignment_reference(
    yaml: &ParsedYaml,
    node: NodeId,
    part: Option<&PartOfText>,
    image: &str,
) -> Option<Reference> {
    let slot = ValueLocation { key: node, node, shared_by: None };
    let field = reference(yaml, slot, part, image)?;
    let text = yaml.text(node).unwrap_or_default();
    if part.is_some() || text.contains('$') {
        return Some(field);
    }
    let holds = match same_image(ParsedReference::parse(text).name, image) {
        true => Holds::Image,
        false => Holds::whole_tag(),
    };
    Some(Reference { syntax: ReferenceSyntax::Part { slot, range: 0..text.len(), holds }, ..field })
}

/// A value as a reference; `None` if it doesn't have the part.
fn reference(
    yaml: &ParsedYaml,
    slot: ValueLocation,
    part: Option<&PartOfText>,
    image: &str,
) -> Option<Reference> {
    let whole = yaml.text(slot.node).unwrap_or_default();
    let (text, syntax) = match part {
        None => (Cow::Borrowed(whole), ReferenceSyntax::Field(slot)),
        Some(part) => {
            let range = part.range_in(whole)?;
            let holds = part.holds.clone();
            (part.version(&whole[range.clone()]), ReferenceSyntax::Part { slot, range, holds })
        }
    };
    let written = ParsedReference::parse(&text);
    let (tag, digest) = if same_image(written.name, image) {
        (written.tag, written.digest)
    } else {
        let (tag, digest) = split_tag(&text);
        (Some(tag), digest)
    };
    Some(Reference {
        kind: KIND,
        at: slot.place(),
        image: image.to_owned(),
        kustomize_name: None,
        tag: tag.filter(|t| !t.is_empty()).map(shortened),
        digest: digest.map(shortened),
        syntax,
    })
}
