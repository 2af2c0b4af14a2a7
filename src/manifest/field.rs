//! Fields that the user named with `--field`, in every document of a file.

use super::{Form, Reference, Slot};
use crate::image::{Written, same_image, shortened, split_tag};
use crate::yaml::{FieldPath, Tape};

const KIND: &str = "field";

/// The places that a path leads to, as references to `image`.
pub fn field_references(tape: &Tape, path: &FieldPath, image: &str) -> Vec<Reference> {
    let places = tape.roots().iter().flat_map(|&root| path.find(tape, root));
    places.map(|found| reference(tape, found.into(), image)).collect()
}

fn reference(tape: &Tape, slot: Slot, image: &str) -> Reference {
    let text = tape.text(slot.node).unwrap_or_default();
    let written = Written::parse(text);
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
        original: None,
        tag: tag.filter(|t| !t.is_empty()).map(shortened),
        digest: digest.map(shortened),
        form: Form::Field(slot),
    }
}
