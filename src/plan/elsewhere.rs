//! Places that name a target's image, and that no rule covers. They are reported, never edited.

use std::collections::HashMap;
use std::fmt;

use super::files::ScannedFiles;
use super::parsed_file::ParsedFile;
use super::unparsed::UnparsedPlace;
use super::what_runs::FilePlace;
use super::{EnvironmentLimit, Request, TargetIndex, UpdateTarget};
use crate::image::{ParsedReference, same_image, short_name};
use crate::location::Location;
use crate::manifest::{ScalarPlace, UnknownPlace};
use crate::visible::inline;
use crate::yaml::FieldPath;

/// How many places a notice lists.
const LISTED: usize = 5;

/// A place that names an image, and that no rule covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsetPlace {
    pub at: Location,
    /// The kind of the object that it is in, if it is in one.
    pub object: Option<String>,
    /// The path of the field that sets it; `None` in a file that isn't valid YAML.
    pub field: Option<String>,
}

impl fmt::Display for UnsetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnsetPlace { at, object, field } = self;
        let object = object.as_deref().map(|kind| format!("{}, ", inline(kind))).unwrap_or_default();
        match field {
            Some(field) => write!(f, "{at}: {object}field {}", inline(field)),
            None => write!(f, "{at}: in a template, or another file that isn't valid YAML"),
        }
    }
}

/// The names of the targets.
pub(super) struct TargetNames<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> TargetNames<'a> {
    pub fn of(request: &'a Request) -> Self {
        let mut names: HashMap<_, Vec<_>> = HashMap::new();
        for UpdateTarget { name, .. } in &request.targets {
            names.entry(short_name(name)).or_default().push(name.as_str());
        }
        TargetNames(names)
    }

    pub fn has(&self, image: &str) -> bool {
        let names = self.0.get(short_name(image)).into_iter().flatten();
        names.into_iter().any(|name| same_image(name, image))
    }
}

/// Every place that names the image of a target that matches nothing.
pub(super) fn all(scanned: &ScannedFiles, request: &Request, target: TargetIndex) -> Vec<UnsetPlace> {
    let found = found(scanned, request, target);
    let parsed = found.into_iter().filter_map(|(file, place)| unset_place(file, &place));
    parsed.chain(unparsed(scanned, target).map(in_text)).collect()
}

/// The places of an image that a bump leaves at another tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacesElsewhere {
    pub image: String,
    /// The first of them.
    pub places: Vec<UnsetPlace>,
    /// How many more there are.
    pub more: usize,
}

/// For each target, the places that the bump leaves at another tag.
pub(super) fn beside(scanned: &ScannedFiles, request: &Request) -> Vec<PlacesElsewhere> {
    if request.targets.len() > MANY_IMAGES {
        return Vec::new();
    }
    let places = |target: TargetIndex| beside_target(scanned, request, target);
    TargetIndex::each(&request.targets).filter_map(|(target, _)| places(target)).collect()
}

/// With more images than this in one command, one notice says that other places aren't listed: looking through each
/// file for each image would take too long.
const MANY_IMAGES: usize = 16;

/// The notice that the places aren't listed.
pub(super) fn not_listed(request: &Request) -> Option<String> {
    (request.targets.len() > MANY_IMAGES).then(|| {
        format!("places that tagbump doesn't recognise aren't listed, because this sets more than {MANY_IMAGES} images")
    })
}

fn beside_target(scanned: &ScannedFiles, request: &Request, target: TargetIndex) -> Option<PlacesElsewhere> {
    let wanted = &request.targets[target];
    let tag = wanted.tag.as_ref().map(|tag| tag.as_str());
    let is_behind = |place: &UnknownPlace| !place.bare && (tag.is_none() || place.tag.as_deref() != tag);
    let found = found(scanned, request, target).into_iter().filter(|(_, place)| is_behind(place));
    let parsed = found.filter_map(|(file, place)| unset_place(file, &place));
    let unparsed = unparsed(scanned, target).filter(|place| !warns_of(request, place));
    let mut places: Vec<_> = parsed.chain(unparsed.map(in_text)).collect();
    let more = places.len().saturating_sub(LISTED);
    places.truncate(LISTED);
    (!places.is_empty()).then(|| PlacesElsewhere { image: wanted.name.clone(), places, more })
}

/// An image that templates of charts give to containers, as it is written in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInTemplates {
    pub image: String,
    /// The first of the lines, each with what is written there.
    pub places: Vec<(Location, String)>,
    /// How many more there are.
    pub more: usize,
}

/// For each target, the templates that go on giving it another tag: nothing but an edit of the template changes that.
pub(super) fn in_templates(scanned: &ScannedFiles, request: &Request) -> Vec<ImageInTemplates> {
    let of_target = |(target, wanted): (TargetIndex, &UpdateTarget)| {
        let behind = |image: &String| {
            let ParsedReference { tag, digest, .. } = ParsedReference::parse(image);
            tag != wanted.tag.as_ref().map(|tag| tag.as_str()) || digest.is_some()
        };
        let lines = unparsed(scanned, target).filter(|place| warns_of(request, place));
        let lines = lines.filter_map(|place| Some((place.at.clone(), place.runs.clone().filter(behind)?)));
        let mut places: Vec<_> = lines.collect();
        let more = places.len().saturating_sub(LISTED);
        places.truncate(LISTED);
        (!places.is_empty()).then(|| ImageInTemplates { image: wanted.name.clone(), places, more })
    };
    TargetIndex::each(&request.targets).filter_map(of_target).collect()
}

/// Whether a line is surely what a container gets. A chart of another environment isn't what the request is about.
fn warns_of(request: &Request, place: &UnparsedPlace) -> bool {
    place.runs.is_some() && !matches!(request.environments.limit, EnvironmentLimit::Only(_))
}

fn found<'a>(
    scanned: &'a ScannedFiles,
    request: &Request,
    target: TargetIndex,
) -> Vec<(&'a ParsedFile, UnknownPlace)> {
    let UpdateTarget { name, scope, .. } = &request.targets[target];
    let wanted = |image: &ParsedReference<'_>| same_image(image.name, name);
    let files = scanned.files.iter().filter_map(|file| Some((file, scope.match_level(&file.path)?)));
    let places = files.flat_map(|(file, match_level)| {
        file.unknown_places(match_level, &wanted).into_iter().map(move |place| (file, place))
    });
    // a patch, for example, is no reference by itself
    let is_known = |file: &ParsedFile, place: &UnknownPlace| {
        scanned
            .known_places
            .contains(&FilePlace::new(&file.path, ScalarPlace { inside: None, node: place.at }))
    };
    places.filter(|(file, place)| !is_known(file, place)).collect()
}

fn unset_place(file: &ParsedFile, place: &UnknownPlace) -> Option<UnsetPlace> {
    let field = FieldPath::to_node(&file.yaml, place.at)?;
    Some(UnsetPlace { at: file.place(place.at), object: place.object.clone(), field: Some(field) })
}

fn unparsed(scanned: &ScannedFiles, target: TargetIndex) -> impl Iterator<Item = &UnparsedPlace> {
    scanned.unparsed_places.iter().filter(move |place| place.target == target)
}

fn in_text(place: &UnparsedPlace) -> UnsetPlace {
    UnsetPlace { at: place.at.clone(), object: None, field: None }
}
