//! Which of the matched references win: those set what runs. Weaker ones stay unchanged and are reported.
//!
//! `surroundings` is what a search keeps of all files. From that, `rendered_roots` renders the roots around some of them, and
//! `summary` is what the roots say about the images of a request, with the places that win from `winners`. `winning` applies
//! that to the matches: `judge` says what becomes of each, `winning_place` turns a place that no rule finds into a match, and
//! `digests` changes the digests with the tags. `reports` and `doubts` make the messages; `naming_files` says which doubts
//! are about the image. `outside` finds what the rest of the repository overrides, if the bump is in one of its folders.

mod digests;
mod doubts;
pub(super) mod judge;
mod naming_files;
pub(super) mod outside;
pub(super) mod rendered_roots;
pub(super) mod reports;
mod summary;
pub(super) mod surroundings;
mod winners;
pub(super) mod winning;
pub(super) mod winning_place;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::files::ScannedFiles;
use super::prefilter::Prefilter;
use super::{FileSource, InTwoEnvironments, OtherPlace, OtherRoot, Request, TargetIndex};
use crate::effective::{SecondReader, Setting};
use crate::location::Location;
use crate::manifest::ScalarPlace;
use crate::yaml::NodeId;
use rendered_roots::{Renderer, read_part};
use summary::Summary;

/// Larger files are not followed.
pub(super) const MAX_FILE: usize = 10_000_000;

/// A scalar of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FilePlace {
    pub path: String,
    /// The block scalar that it is in, if it isn't a value of the file itself.
    pub inside: Option<NodeId>,
    pub node: NodeId,
}

impl FilePlace {
    pub fn new(path: &str, ScalarPlace { inside, node }: ScalarPlace) -> Self {
        FilePlace { path: path.to_owned(), inside, node }
    }
}

/// What the roots say about the images of a request.
#[derive(Default)]
pub(super) struct WhatRuns {
    pub winners: Vec<Winner>,
    /// Places that set the request's images only in roots of other environments.
    pub outside: Vec<Winner>,
    /// Places that set the tag of an image that the request renames.
    pub of_renamed: Vec<Winner>,
    /// The roots that each file is part of. Empty if the request is about all environments.
    pub file_roots: HashMap<String, FileRoots>,
    /// The environments that each file is part of, if a hold is about an environment.
    pub environments_of: HashMap<String, BTreeSet<String>>,
    pub conflict: Option<InTwoEnvironments>,
    /// Places that a stronger one overrides, and which.
    pub weaker: HashMap<FilePlace, Overridden>,
    /// The weaker places of the request's images, each with its target and where it is.
    pub reported: Vec<(TargetIndex, Location, Overridden)>,
    /// Places that set the tag of other images, although those are renamed by a stronger place.
    pub feeds: HashMap<FilePlace, Vec<FedImage>>,
    /// Entries of `images` lists that match no container, by the scalar with their name.
    pub unmatched: HashMap<FilePlace, UnusedEntry>,
    /// For each file, the roots that it is part of, by index.
    pub roots_of: HashMap<String, BTreeSet<usize>>,
    /// Every place that sets an image in some root, or would if no stronger one did.
    pub setting: HashSet<FilePlace>,
    /// The same, and the places of names.
    pub known: HashSet<FilePlace>,
    /// The block scalars with text that a root uses, by file and node.
    pub texts: HashSet<(String, NodeId)>,
    /// The files that several objects or places are made from: all but those on their own.
    pub covered: HashSet<String>,
    /// Those of them that are only in roots which tagbump can follow to the end.
    pub followed: HashSet<String>,
    /// The files that some root is made from.
    pub rendered: HashSet<String>,
    /// The files that a root reads as lines of `NAME=VALUE`, whatever they are called.
    pub assigning: HashSet<String>,
    /// The compose files of the roots.
    pub projects: HashSet<String>,
    /// Images without a tag that have a digest: where the name is, and where the digest.
    pub pinned: Vec<(FilePlace, FilePlace, Location)>,
    /// Images that run without a tag of their own.
    pub unset: Vec<UnsetTag>,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
}

/// A place that sets what one or more roots run.
pub(super) struct Winner {
    pub target: TargetIndex,
    pub path: String,
    /// The block scalar that it is in, if it isn't a value of the file itself.
    pub inside: Option<NodeId>,
    /// 1-based.
    pub line: usize,
    pub setting: Setting,
    /// What reports call the place.
    pub kind: &'static str,
    /// The tag is empty, and the one of the chart runs.
    pub is_empty_tag: bool,
    /// The operation of a JSON patch that expects the value as it is.
    pub tested_by: Option<Location>,
    /// The scalars that the edit is about.
    pub nodes: Vec<FilePlace>,
    /// The digest in the same map, if the values have one.
    pub digest_beside: Option<NodeId>,
    /// The digests that decide what runs in its roots.
    pub digests: Vec<DigestPlace>,
    /// A generator or a variable sets the digest in some root.
    pub has_unplaced_digest: bool,
    /// The version that runs.
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// The tags that run, if a weaker place sets them and roots differ.
    pub tags: BTreeSet<String>,
    /// The roots that it sets, by name.
    pub roots: Vec<String>,
    /// The roots of other environments that it sets too.
    pub outside: Vec<OtherRoot>,
    /// The environments of all of these, if a hold is about an environment.
    pub environments: BTreeSet<String>,
    /// Other images that it sets too.
    pub feeds: Vec<FedImage>,
    /// Who reads the tag a second time.
    pub second_reader: Option<SecondReader>,
}

impl Winner {
    pub fn location(&self) -> Location {
        Location { file: self.path.clone(), line: self.line, column: None }
    }

    /// What a report says about it if only roots of other environments use it.
    pub fn other_place(&self) -> (TargetIndex, OtherPlace) {
        let environment = self.outside.iter().find_map(|other| other.environment.clone());
        (self.target, OtherPlace { at: self.location(), environment })
    }

    /// Its scalars in its own text. The digest can be in another file, which other roots use too.
    pub fn own_nodes(&self) -> impl Iterator<Item = &FilePlace> {
        self.nodes.iter().filter(|place| self.is_own(place))
    }

    /// The digests in other places.
    pub fn digests_apart(&self) -> impl Iterator<Item = &DigestPlace> {
        self.digests.iter().filter(|digest| !digest.is_beside)
    }

    /// The digest, if it isn't in another place.
    pub fn own_digest(&self) -> Option<String> {
        self.digest.clone().filter(|_| self.digests_apart().next().is_none())
    }

    pub fn is_own(&self, place: &FilePlace) -> bool {
        place.path == self.path && place.inside == self.inside
    }

    /// In a text inside a text.
    pub fn is_nested(&self) -> bool {
        self.nodes.iter().any(|place| place.node == NodeId::MAX)
    }
}

/// The digest of an image, in a scalar of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DigestPlace {
    pub place: FilePlace,
    /// 1-based.
    pub line: usize,
    /// In the map that the tag is in.
    pub is_beside: bool,
    /// The other images that have their digest from there.
    pub feeds: Vec<FedImage>,
}

/// The roots that a file is part of.
#[derive(Clone, Debug, Default)]
pub(super) struct FileRoots {
    /// One of them is in an environment that the request is about.
    pub counts: bool,
    /// Those that are not.
    pub outside: Vec<OtherRoot>,
}

/// An image of the request that runs without a tag of its own: with that of its chart, or by its digest.
pub(super) struct UnsetTag {
    pub image: String,
    /// The scalar with its name. If a bump adds a tag there, and nothing empties it, that is the tag.
    pub named_at: Option<FilePlace>,
    /// The empty tag, and where that is.
    pub empty_tag: Option<(FilePlace, Location)>,
    /// The `appVersion` that runs, which a field can set.
    pub app_version: Option<FilePlace>,
    pub warning: String,
}

/// How many images or roots a sentence lists: a compose project can have many files that each make another one.
const LISTED: usize = 5;

/// Roots, or what else a sentence lists.
pub(super) fn some_of(others: &[String]) -> String {
    let shown = others.get(..LISTED).unwrap_or(others).join(", ");
    match others.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

/// An image that a place sets too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FedImage {
    /// With its tag, if it has one.
    pub image: String,
    /// Where it runs.
    pub root: String,
}

/// Each image once, with some of the roots that run it.
pub(super) fn some_images(others: &[FedImage]) -> String {
    let mut roots: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for FedImage { image, root } in others {
        roots.entry(image).or_default().push(root.clone());
    }
    let images: Vec<String> =
        roots.into_iter().map(|(image, roots)| format!("{image} in {}", some_of(&roots))).collect();
    let shown = images.get(..LISTED).unwrap_or(&images).join("; ");
    match images.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// `1 more place`, `3 more places`.
fn more_places(count: usize) -> String {
    format!("{count} more {}", if count == 1 { "place" } else { "places" })
}

/// Who overrides a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overridden {
    pub root: String,
    pub by: Option<Location>,
    /// Where the image gets its new name, if the stronger place renames it.
    pub renamed_at: Option<Location>,
    /// The image that runs instead.
    pub image: String,
}

/// An entry that matches no container.
pub(super) struct UnusedEntry {
    /// Where its name is.
    pub at: Location,
    pub may_match: bool,
    /// The targets that run in its root without it.
    pub running: BTreeSet<TargetIndex>,
    pub renamed_by: Option<Location>,
}

impl WhatRuns {
    /// Renders the roots that have to do with the request's images.
    pub fn new(source: &dyn FileSource, request: &Request, scanned: &ScannedFiles) -> Self {
        let names = Prefilter::of(request);
        let names_image = |bytes: &[u8]| names.lets_pass(bytes);
        let renderer = Renderer {
            around: &scanned.around,
            read: &|path| read_part(source, path),
            url: request.repository_url.as_deref(),
            environments: &request.environments,
            cancellation: &request.cancellation,
        };
        let reach = renderer.reach(&names_image);
        let reached = scanned.files.iter().filter(|file| reach.has(&file.path));
        let parsed = reached.filter_map(|file| Some((file.path.clone(), file.content()?))).collect();
        let sees_outside = source.repository().is_some();
        renderer.render(&reach, parsed, |roots| Summary::new(roots, request, sees_outside).what_runs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_lists_few_images_of_many() {
        let all: Vec<String> = (0..7).map(|nth| format!("a{nth} in r")).collect();
        assert_eq!(some_of(&all), "a0 in r, a1 in r, a2 in r, a3 in r, a4 in r, and 2 more");
        assert_eq!(some_of(&all[..2]), "a0 in r, a1 in r");
        let fed = |image: &str, root: &str| FedImage { image: image.to_owned(), root: root.to_owned() };
        let all: Vec<FedImage> =
            (0..7).flat_map(|nth| [fed(&format!("a{nth}"), "r"), fed("a0", &format!("q{nth}"))]).collect();
        let first = "a0 in r, q0, q1, q2, q3, and 3 more";
        assert_eq!(some_images(&all), format!("{first}; a1 in r; a2 in r; a3 in r; a4 in r; and 2 more"));
        assert_eq!(some_images(&all[..2]), "a0 in r, q0");
    }
}
