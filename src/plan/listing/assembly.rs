//! Puts the references of all files together, with what the roots say about each.

use std::collections::{HashMap, HashSet};

use super::super::what_runs::FilePlace;
use super::super::what_runs::judge::is_in_values;
use super::elsewhere::add_elsewhere;
use super::files::{FileListing, PlacedReferences};
use super::places::{ListedPlaces, ListedWinner, OverriddenPlace};
use super::{ListedReference, OverriddenBy, Overrides, PlacedReference};
use crate::file_selection::folder;
use crate::image::{full_name, has_registry, same_image};
use crate::yaml::is_placeholder;

/// Why a bump leaves a place unchanged.
const REPLACED_VALUE: &str = "isn't used by anything that tagbump renders";

/// The winning places, by scalar.
type Winners<'a> = HashMap<FilePlace, Vec<&'a ListedWinner>>;

/// The references of the files that were taken so far.
pub(super) struct Assembly<'a> {
    places: &'a ListedPlaces,
    winners: Winners<'a>,
    references: Vec<ListedReference>,
    /// Places that no rule covers; the first part says whether they hold an image for certain.
    elsewhere: Vec<(bool, ListedReference)>,
    /// The scalars of the references, each with the image's full name.
    named: HashSet<(FilePlace, String)>,
}

impl<'a> Assembly<'a> {
    pub fn new(places: &'a ListedPlaces) -> Self {
        let mut winners = Winners::new();
        for winner in &places.winning {
            winner.nodes.iter().for_each(|node| winners.entry(node.clone()).or_default().push(winner));
        }
        Assembly { places, winners, references: Vec::new(), elsewhere: Vec::new(), named: HashSet::new() }
    }

    /// Takes a file. `charts` are the folders with a chart.
    pub fn take_file(&mut self, file: FileListing, charts: &HashSet<String>) {
        let FileListing { path, with_chart, without_chart } = file;
        let is_in_chart = charts.contains(folder(&path));
        let mut taken = if is_in_chart { with_chart } else { without_chart };
        let is_replaced = |placed: &PlacedReference| {
            is_in_values(placed.reference.kind, is_in_chart)
                && placed.reference.sets.is_none()
                && self.places.followed.contains(&path)
                && !placed.is_in(&path, &self.places.known)
        };
        for placed in taken.by_rule.iter_mut().filter(|placed| is_replaced(placed)) {
            placed.reference.reason.get_or_insert_with(|| REPLACED_VALUE.to_owned());
        }
        self.take(&path, taken);
    }

    fn take(&mut self, path: &str, PlacedReferences { mut by_rule, elsewhere }: PlacedReferences) {
        by_rule.retain(|placed| !placed.has_only_a_part_of_its_name(path, &self.winners));
        self.named.extend(by_rule.iter().flat_map(|placed| placed.named_places(path)));
        let by_rule = by_rule.into_iter();
        let overridden = &self.places.overridden;
        self.references.extend(by_rule.map(|placed| placed.overridden_by(path, overridden, &self.winners)));
        let unknown = elsewhere.into_iter().filter(|(_, placed)| !placed.is_in(path, &self.places.setting));
        self.elsewhere.extend(unknown.map(|(certain, placed)| (certain, placed.reference)));
    }

    /// The references to `images`, or to all images if none is given, and the scalars of those that a rule finds, each with the
    /// image's full name.
    pub fn finish(self, images: &[String]) -> (Vec<ListedReference>, HashSet<(FilePlace, String)>) {
        let Assembly { mut references, elsewhere, named, .. } = self;
        add_elsewhere(&mut references, elsewhere, images);
        (references, named)
    }
}

impl PlacedReference {
    /// Its scalars, each with the image's full name.
    fn named_places(&self, path: &str) -> impl Iterator<Item = (FilePlace, String)> {
        let image = full_name(&self.reference.image);
        self.nodes.iter().map(move |node| (FilePlace::new(path, *node), image.clone()))
    }

    /// Whether roots run what it sets, but all of them under a name that has the registry of other values: then it is listed under
    /// that.
    fn has_only_a_part_of_its_name(&self, path: &str, winners: &Winners<'_>) -> bool {
        let image = &self.reference.image;
        let mut of_place = self.winners(path, winners).peekable();
        !image.is_empty()
            && !has_registry(image)
            && of_place.peek().is_some()
            && of_place.all(|winner| !same_image(&winner.image, image))
    }

    /// What its scalars set.
    fn winners<'w>(&self, path: &str, winners: &Winners<'w>) -> impl Iterator<Item = &'w ListedWinner> {
        let places = self.nodes.iter().map(|node| FilePlace::new(path, *node));
        places.filter_map(|place| winners.get(&place)).flatten().copied()
    }

    /// Whether a part of it is among these places.
    fn is_in(&self, path: &str, places: &HashSet<FilePlace>) -> bool {
        self.nodes.iter().any(|node| places.contains(&FilePlace::new(path, *node)))
    }

    /// The reference, with the stronger places that override it.
    fn overridden_by(
        self,
        path: &str,
        overridden: &HashMap<FilePlace, OverriddenPlace>,
        winners: &Winners<'_>,
    ) -> ListedReference {
        let mut places = self.nodes.iter().map(|node| FilePlace::new(path, *node));
        let overrides = places.find_map(|place| overridden.get(&place)).map(overrides);
        // a place that no root overrides and that none is rendered for is the only one
        let winner = self.winners(path, winners).next();
        let known = winner.filter(|winner| self.has_placeholder_for_tag_of(winner));
        let (wins, overridden) = (overrides.is_none() || winner.is_some(), overrides.unwrap_or_default());
        let digest_files = winner.map(|winner| winner.digest_files.clone()).unwrap_or_default();
        let fixed = winner.and_then(|winner| winner.fixed_digest.clone());
        let reason = self.reference.reason.clone().or(fixed);
        let entries = winner.map(|winner| winner.entries.clone()).unwrap_or_default();
        let found = ListedReference { overridden, wins, digest_files, entries, reason, ..self.reference };
        match known {
            Some(known) => ListedReference {
                tag: known.tag.clone(),
                digest: known.digest.clone(),
                reason: known.fixed_digest.clone(),
                ..found
            },
            None => found,
        }
    }

    /// Whether it has a placeholder for its tag, and the tag is in that, where a bump sets it.
    fn has_placeholder_for_tag_of(&self, winner: &ListedWinner) -> bool {
        let has_placeholder = self.reference.tag.as_deref().is_some_and(is_placeholder);
        let tag = winner.tag.as_deref().filter(|tag| !tag.is_empty() && !is_placeholder(tag));
        let is_same = same_image(&winner.image, &self.reference.image);
        has_placeholder && is_same && winner.fixed.is_none() && tag.is_some()
    }
}

fn overrides(place: &OverriddenPlace) -> Overrides {
    let by = place.by.iter().filter_map(|overridden| {
        let at = overridden.by.clone()?;
        Some(OverriddenBy { root: overridden.root.clone(), file: at.file, line: at.line })
    });
    Overrides { everywhere: place.everywhere, by: by.collect() }
}
