//! Places of a listing that no rule covers.

use std::collections::HashSet;

use super::super::parsed_file::ParsedFile;
use super::{ListedReference, PlacedReference};
use crate::file_selection::MatchLevel;
use crate::image::{ParsedReference, Tag, full_name, same_image};
use crate::manifest::{Reference, ScalarPlace, UnknownPlace};
use crate::yaml::{FieldPath, NodeId};

/// The kind of a reference that no rule covers, as it appears in reports.
const ELSEWHERE: &str = "elsewhere";

/// How many such places of one file are listed.
const MOST_ELSEWHERE: usize = 50;

/// Places that no rule covers: those that name one of `images`, or any image.
pub(super) fn elsewhere(
    parsed: &ParsedFile,
    match_level: MatchLevel,
    images: &[String],
) -> Vec<(bool, PlacedReference)> {
    let is_version = |image: &ParsedReference<'_>| {
        image.digest.is_some() || image.tag.is_some_and(|tag| Tag::parse(tag).is_ok())
    };
    let wanted = |image: &ParsedReference<'_>| match images {
        [] => is_version(image),
        images => images.iter().any(|name| same_image(name, image.name)),
    };
    let found = parsed.unknown_places(match_level, &wanted).into_iter().filter(|place| !place.bare);
    let slots = parsed.would_be_values(match_level).flat_map(Reference::slots);
    let values: HashSet<NodeId> = slots.map(|slot| slot.place()).collect();
    found
        .take(MOST_ELSEWHERE)
        .filter_map(|place| {
            let may_be_values = values.contains(&place.at);
            Some((place.certain || may_be_values, one_elsewhere(parsed, place, may_be_values)?))
        })
        .collect()
}

fn one_elsewhere(parsed: &ParsedFile, place: UnknownPlace, may_be_values: bool) -> Option<PlacedReference> {
    let field = FieldPath::to_node(&parsed.yaml, place.at)?;
    let node = parsed.yaml.node(place.at);
    let reason = match may_be_values {
        true => "is in a file that tagbump reads as Helm values only if you name it".to_owned(),
        false => format!("is in a place that tagbump doesn't recognise; set it through the field {field}"),
    };
    let reference = ListedReference {
        file: parsed.path.clone(),
        line: node.line,
        column: node.column,
        kind: ELSEWHERE,
        image: place.image,
        tag: place.tag.filter(|tag| !tag.is_empty()),
        digest: place.digest,
        reason: Some(reason),
        ..ListedReference::default()
    };
    Some(PlacedReference { reference, nodes: vec![ScalarPlace { inside: None, node: place.at }] })
}

/// Adds the places that hold an image for certain, that were asked for, or that name an image which is listed anyway.
pub(super) fn add_elsewhere(
    references: &mut Vec<ListedReference>,
    found: Vec<(bool, ListedReference)>,
    images: &[String],
) {
    let known: HashSet<String> = references.iter().map(|r| full_name(&r.image)).collect();
    let listed = |certain: bool, r: &ListedReference| {
        certain || !images.is_empty() || known.contains(&full_name(&r.image))
    };
    let found = found.into_iter().filter(|(certain, reference)| listed(*certain, reference));
    references.extend(found.map(|(_, reference)| reference));
    references.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
}
