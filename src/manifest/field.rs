//! Fields that the user named with `--field`, in every document of a file.

use super::{Holds, Reference, ReferenceSyntax, ValueLocation};
use crate::image::{ParsedReference, same_image, shortened, split_tag};
use crate::yaml::{FieldPath, NodeId, ParsedYaml};

const KIND: &str = "field";

/// Every value that a path leads to, as a reference to `image`.
pub fn field_references(yaml: &ParsedYaml, path: &FieldPath, image: &str) -> Vec<Reference> {
    let places = yaml.roots().iter().flat_map(|&root| path.find(yaml, root));
    places.map(|found| reference(yaml, found.into(), image)).collect()
}

/// The value of a variable as a reference to `image`; `node` is its scalar.
pub fn assignment_reference(yaml: &ParsedYaml, node: NodeId, image: &str) -> Reference {
    let slot = ValueLocation { key: node, node, shared_by: None };
    let field = reference(yaml, slot, image);
    let text = yaml.text(node).unwrap_or_default();
    if text.contains('$') {
        return field;
    }
    let holds = match same_image(ParsedReference::parse(text).name, image) {
        true => Holds::Image,
        false => Holds::Tag { prefix: String::new(), suffix: String::new() },
    };
    Reference { syntax: ReferenceSyntax::Part { slot, range: 0..text.len(), holds }, ..field }
}

fn reference(yaml: &ParsedYaml, slot: ValueLocation, image: &str) -> Reference {
    let text = yaml.text(slot.node).unwrap_or_default();
    let written = ParsedReference::parse(text);
    let (tag, digest) = if same_image(written.name, image) {
        (written.tag, written.digest)
    } else {
        let (tag, digest) = split_tag(text);
        (Some(tag), digest)
    };
    Reference {
        kind: KIND,
        at: slot.place(),
        image: image.to_owned(),
        kustomize_name: None,
        tag: tag.filter(|t| !t.is_empty()).map(shortened),
        digest: digest.map(shortened),
        syntax: ReferenceSyntax::Field(slot),
    }
}
