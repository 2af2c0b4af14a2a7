//! Sorts references: groups them by image, or leaves them out with a reason.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::environment::DeployEnvironment;
use crate::image::{Field, ImageArg, full_name, short_name};
use crate::manifest::{COMPOSE, WORKLOAD};
use crate::plan::{ListedReference, Listing};
use crate::visible::inline;

/// An image, with the references to it that can be edited, by environment.
pub struct DeployedImage<'a> {
    /// As the first reference spells it.
    pub image: &'a str,
    pub places: BTreeMap<Option<DeployEnvironment>, Vec<&'a ListedReference>>,
    /// References that can't be edited.
    pub refused: Vec<&'a ListedReference>,
}

/// A reference that isn't in any service.
pub struct Unassigned<'a> {
    pub reference: &'a ListedReference,
    pub why: String,
}

/// All references, sorted.
pub struct SortedReferences<'a> {
    pub images: Vec<DeployedImage<'a>>,
    pub left: Vec<Unassigned<'a>>,
    /// References that a stronger place overrides.
    pub overridden: Vec<&'a ListedReference>,
}

/// Sorts the references of a listing.
pub fn sorted(listing: &Listing) -> SortedReferences<'_> {
    let renamed = renamed(listing);
    let mut images: BTreeMap<String, DeployedImage<'_>> = BTreeMap::new();
    let (mut left, mut weaker) = (Vec::new(), Vec::new());
    let winning = Winning::of(listing);
    for reference in listing.references.iter().chain(&listing.winning) {
        if winning.covers(reference) {
            continue;
        }
        if let Some(why) = obstacle(reference, &renamed) {
            left.push(Unassigned { reference, why });
        }
        if is_name(&reference.image) && !is_renamed(reference, &renamed) {
            if reference.reason.is_none() && reference.overridden.everywhere {
                weaker.push(reference);
                continue;
            }
            let image = images.entry(full_name(&reference.image));
            image.or_insert_with(|| DeployedImage::new(&reference.image)).take(reference);
        }
    }
    let mut images: Vec<_> = images.into_values().collect();
    let overridden = images.iter_mut().flat_map(DeployedImage::drop_overridden);
    let overridden = weaker.into_iter().chain(overridden).collect();
    images.retain(|image| !image.places.is_empty());
    images.iter_mut().for_each(DeployedImage::join_environments_of_a_digest);
    SortedReferences { images, left, overridden }
}

/// Where winning places are that no rule names.
struct Winning<'a> {
    lines: HashSet<(&'a str, usize)>,
    images: HashSet<String>,
}

impl<'a> Winning<'a> {
    fn of(listing: &'a Listing) -> Self {
        let editable = || listing.winning.iter().filter(|r| r.reason.is_none());
        Winning {
            lines: editable().map(|r| (r.file.as_str(), r.line)).collect(),
            images: editable().map(|r| full_name(&r.image)).collect(),
        }
    }

    /// Whether a bump sets one of them instead of a reference: of a tag without a name, or of an image whose variable
    /// has a value.
    fn covers(&self, reference: &ListedReference) -> bool {
        let is_nameless =
            reference.image.is_empty() && self.lines.contains(&(reference.file.as_str(), reference.line));
        let is_open = reference.kind == COMPOSE
            && !reference.wins
            && self.images.contains(&full_name(&reference.image));
        is_nameless || is_open
    }
}

/// Why a reference can't be in a service.
fn obstacle(reference: &ListedReference, renamed: &HashSet<String>) -> Option<String> {
    if reference.image.is_empty() {
        return Some(
            "the file doesn't name the image; list the file and path under a service's `fields`".to_owned(),
        );
    }
    if reference.reason.is_some() {
        return reference.reason.clone();
    }
    if is_renamed(reference, renamed) {
        return Some("a kustomization replaces it with another image".to_owned());
    }
    (!is_name(&reference.image)).then(|| "not a valid image name for a service".to_owned())
}

/// The names that kustomizations replace by other images.
fn renamed(listing: &Listing) -> HashSet<String> {
    let names = listing.references.iter().filter_map(|r| Some((full_name(r.sets.as_deref()?), r)));
    names.filter(|(name, r)| *name != full_name(&r.image)).map(|(name, _)| name).collect()
}

fn is_renamed(reference: &ListedReference, renamed: &HashSet<String>) -> bool {
    reference.kind == WORKLOAD && renamed.contains(&full_name(&reference.image))
}

/// Whether `tagbump.yaml` accepts it as an image name.
fn is_name(image: &str) -> bool {
    ImageArg::parse(image).is_ok_and(|parsed| parsed.name == image && parsed.new_name == Field::Unspecified)
}

impl<'a> DeployedImage<'a> {
    fn new(image: &'a str) -> Self {
        DeployedImage { image, places: BTreeMap::new(), refused: Vec::new() }
    }

    fn take(&mut self, reference: &'a ListedReference) {
        if reference.reason.is_some() {
            return self.refused.push(reference);
        }
        let found = DeployEnvironment::of(&reference.file, short_name(self.image));
        self.places.entry(found.map(|(environment, _)| environment)).or_default().push(reference);
    }

    /// Environments that have their digest from the same file can't be bumped one by one.
    fn join_environments_of_a_digest(&mut self) {
        let files = |places: &Vec<&'a ListedReference>| -> BTreeSet<&'a str> {
            places.iter().flat_map(|r| r.digest_files.iter().chain([&r.file])).map(String::as_str).collect()
        };
        let mut seen = BTreeSet::new();
        let has_digest = self.places.values().flatten().any(|r| !r.digest_files.is_empty());
        if has_digest && !self.places.values().flat_map(files).all(|file| seen.insert(file)) {
            let all = std::mem::take(&mut self.places).into_values().flatten().collect();
            self.places.insert(None, all);
        }
    }

    /// If a kustomization overrides the image, a bump skips workloads unless their file is named, and a service
    /// would name it. So they are removed, except those that win, and those in environments that have only workloads,
    /// which run the workloads' own tags.
    fn drop_overridden(&mut self) -> Vec<&'a ListedReference> {
        let sets = |r: &&ListedReference| r.sets.is_some();
        let is_set = self.places.values().flatten().chain(&self.refused).any(sets);
        let mut dropped = Vec::new();
        for (environment, places) in self.places.iter_mut().filter(|_| is_set) {
            if environment.is_none() || places.iter().any(sets) {
                dropped.extend(places.extract_if(.., |r| r.kind == WORKLOAD && !r.wins));
            }
        }
        self.places.retain(|_, places| !places.is_empty());
        dropped
    }
}

/// `file:line`.
pub fn place(reference: &ListedReference) -> String {
    format!("{}:{}", inline(&reference.file), reference.line)
}
