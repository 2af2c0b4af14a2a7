//! Fields that the user named with `--field`, in every document of a file.

use super::{Reference, ReferenceSyntax, ValueLocation};
use crate::image::{ParsedReference, same_image, shortened, split_tag};
use crate::yaml::{FieldPath, ParsedYaml};

const KIND: &str = "field";

/// Every value that a path leads to, as a reference to `image`.
pub fn field_references(yaml: &ParsedYaml, path: &FieldPath, image: &str) -> Vec<Reference> {
    let places = yaml.roots().iter().flat_map(|&root| path.find(yaml, root));
    places.map(|found| reference(yaml, found.into(), image)).collect()
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
