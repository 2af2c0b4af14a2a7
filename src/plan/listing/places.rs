//! What the roots say about the places of a listing: which win, and which are overridden.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::PlanError;
use super::super::what_runs::rendered_roots::RenderedRoots;
use super::super::what_runs::winning_place::kind;
use super::super::what_runs::{FilePlace, Overridden};
use crate::dotenv;
use crate::effective::{DigestAt, EffectiveImage, LoadedFile, Place, Setting};
use crate::file_selection::file_name;
use crate::location::Location;
use crate::manifest::{COMPOSE, RefusalReason, VALUES, has_mac, is_compose, is_values_file};

/// What the roots say about the places of a listing.
pub(super) struct ListedPlaces {
    /// Every place that is overridden in some root.
    pub overridden: HashMap<FilePlace, OverriddenPlace>,
    /// Every place that sets an image in some root.
    pub known: HashSet<FilePlace>,
    /// The same without the places of names.
    pub setting: HashSet<FilePlace>,
    /// The files of which every place is known that sets an image.
    pub followed: HashSet<String>,
    pub winning: Vec<ListedWinner>,
    /// Files that are too much work to read to their end.
    pub cut_off: Vec<String>,
    /// Whether each file of a root is in an environment that is listed.
    pub files: HashMap<String, bool>,
}

/// A place that sets what some root runs, and the image there.
pub(super) struct ListedWinner {
    pub at: Location,
    /// Its scalars in its own text.
    pub nodes: Vec<FilePlace>,
    /// The other files that its digest is in.
    pub digest_files: BTreeSet<String>,
    /// The entry files of the roots in which it wins.
    pub entries: BTreeSet<String>,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    pub kind: &'static str,
    /// Why it can't be edited.
    pub fixed: Option<String>,
    /// Why it can't be edited, if that is because of its digest.
    pub fixed_digest: Option<String>,
}

impl ListedPlaces {
    /// # Errors
    /// If a root is in two environments.
    pub fn of(roots: &RenderedRoots<'_>) -> Result<Self, PlanError> {
        if let Some(conflict) = &roots.conflict {
            return Err(PlanError::InTwoEnvironments(Box::new(conflict.clone())));
        }
        Ok(ListedPlaces {
            overridden: roots.overridden(),
            setting: roots.setting(),
            known: roots.known(),
            followed: roots.followed(),
            winning: roots.winners(),
            cut_off: roots.cut_off().collect(),
            files: roots.files_by_environment(),
        })
    }
}

/// A place that a stronger one overrides in some roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OverriddenPlace {
    /// It wins in no root.
    pub everywhere: bool,
    pub by: Vec<Overridden>,
}

/// A place that sets many roots keeps the entry files of this many, about.
const MOST_ENTRIES: usize = 32;

/// Why a place that wins can't be edited.
fn fixed(setting: &Setting) -> Option<String> {
    match setting {
        Setting::Fixed { reason, .. } => Some(reason.to_string()),
        Setting::Part(part) if part.holds.is_pinned() => {
            let reason = RefusalReason::DigestBehindVariable;
            Some(format!("{reason}; {}", reason.advice()))
        }
        _ => None,
    }
}

impl RenderedRoots<'_> {
    fn overridden(&self) -> HashMap<FilePlace, OverriddenPlace> {
        let winning = self.winning();
        let mut places: HashMap<FilePlace, OverriddenPlace> = HashMap::new();
        let listed: HashSet<&str> = self.counting().map(|root| root.name.as_str()).collect();
        let places_overridden = self.weaker().chain(self.renamed_entries());
        for (place, overridden) in places_overridden.filter(|(_, by)| listed.contains(by.root.as_str())) {
            let known = places.entry(self.file_place(place)).or_default();
            known.everywhere = !winning.contains(&place);
            if !known.by.contains(&overridden) {
                known.by.push(overridden);
            }
        }
        places
    }

    /// The entries that match nothing, because a weaker entry renames their image first.
    fn renamed_entries(&self) -> impl Iterator<Item = (Place, Overridden)> {
        let chains = self.images().flat_map(|(_, image)| &image.chain);
        let used: HashSet<Place> = chains.flat_map(|link| link.setting.places()).collect();
        let entries =
            self.roots.iter().flat_map(|root| root.unmatched.iter().map(move |entry| (root, entry)));
        entries.filter(move |(_, entry)| !used.contains(&entry.name)).filter_map(|(root, entry)| {
            let by = Some(self.files.location(entry.renamed_by?));
            let overridden =
                Overridden { root: root.name.clone(), by, renamed_at: None, image: String::new() };
            Some((entry.name, overridden))
        })
    }

    /// The winning places, each once for each image that it sets.
    fn winners(&self) -> Vec<ListedWinner> {
        let mut winners: BTreeMap<(Place, &str), ListedWinner> = BTreeMap::new();
        for (root, image) in
            self.counting().flat_map(|root| root.images.iter().map(move |image| (root, image)))
        {
            let Some((setting, place)) = image.winning().and_then(|s| Some((s, s.place()?))) else {
                continue;
            };
            let own = |other: &Place| other.file == place.file;
            let nodes = self.places_of_edit(setting).into_iter().filter(own);
            let winner = winners.entry((place, image.name.as_str())).or_insert_with(|| ListedWinner {
                at: self.exact_location(place),
                kind: self.kind(place, setting),
                nodes: nodes.map(|at| self.file_place(at)).collect(),
                digest_files: BTreeSet::new(),
                entries: BTreeSet::new(),
                image: image.name.clone(),
                tag: image.tag.clone(),
                digest: image.digest.clone(),
                fixed: fixed(setting).or_else(|| self.mac(place)),
                fixed_digest: None,
            });
            winner.fixed_digest = winner
                .fixed_digest
                .take()
                .or_else(|| self.fixed_digest(image))
                .or_else(|| self.tested(setting));
            if winner.entries.len() < MOST_ENTRIES {
                winner.entries.extend(root.entry.levels().flatten().cloned());
            }
            let digest = image.digest_place().filter(|at| !own(at));
            let digest = digest.map(|at| self.path(at.file)).filter(|path| *path != winner.at.file);
            winner.digest_files.extend(digest);
        }
        winners.into_values().collect()
    }

    /// Why nothing in a file can be edited, if that would break its MAC.
    fn mac(&self, place: Place) -> Option<String> {
        let LoadedFile { yaml, assignments, .. } = self.files.file(place.file);
        let has_mac = yaml.as_ref().is_some_and(has_mac)
            || assignments.iter().flatten().any(|assignments| dotenv::has_mac(assignments));
        let reason = RefusalReason::HasMac;
        has_mac.then(|| format!("{reason}; {}", reason.advice()))
    }

    /// Why a place can't be edited, if that is because a JSON patch tests it.
    fn tested(&self, setting: &Setting) -> Option<String> {
        let reason = RefusalReason::Tested { by: self.tested_by(setting)? };
        Some(format!("{reason}; {}", reason.advice()))
    }

    /// The operation of a JSON patch that expects the value of a place as it is.
    pub fn tested_by(&self, setting: &Setting) -> Option<Location> {
        let places = setting.version_places();
        let mut tested = self.roots.iter().flat_map(|root| &root.tested);
        tested.find(|tested| places.contains(&tested.place)).map(|tested| self.files.location(tested.by))
    }

    /// Why the tag of an image can't be edited, if that is because its digest can't.
    fn fixed_digest(&self, image: &EffectiveImage) -> Option<String> {
        let reason = match image.digest_at? {
            DigestAt::Unplaced => RefusalReason::DigestUnplaced,
            DigestAt::Place(place) => {
                let yaml = self.files.file(place.file).yaml.as_ref();
                yaml.filter(|yaml| has_mac(yaml))?;
                let why = Some(Box::new(RefusalReason::HasMac));
                RefusalReason::DigestElsewhere { at: self.files.location(place), why }
            }
        };
        Some(format!("{reason}; {}", reason.advice()))
    }

    fn files_by_environment(&self) -> HashMap<String, bool> {
        let mut files = HashMap::new();
        for (root, counts) in self.with_counts() {
            for file in &root.files {
                *files.entry(self.path(*file)).or_insert(false) |= counts;
            }
        }
        files
    }

    /// Where a place is, with its column if it is a scalar of the file itself.
    fn exact_location(&self, place: Place) -> Location {
        let file = self.files.file(place.file);
        let yaml = file.yaml.as_ref().filter(|_| file.inside.is_none());
        let column = yaml.map(|yaml| yaml.node(place.node).column);
        Location { column, ..self.files.location(place) }
    }

    /// What reports call a place: by the file that it is in, else by how it sets the image.
    pub fn kind(&self, place: Place, setting: &Setting) -> &'static str {
        let file = self.files.file(place.file);
        let variables = || self.roots.iter().flat_map(|root| &root.variables);
        match &file.assignments {
            None if is_compose(file_name(&file.path)) => COMPOSE,
            None if file.inside.is_none() && is_values_file(&file.path) => VALUES,
            None => kind(setting),
            Some(_) if variables().any(|(_, at)| at.file == place.file) => COMPOSE,
            Some(_) => "variables",
        }
    }

    /// Every place that sets an image, or is overridden, or takes a variable.
    pub fn setting(&self) -> HashSet<FilePlace> {
        let images = self.images().chain(self.defaults()).map(|(_, image)| image);
        let places = images.flat_map(|image| {
            let chain = image.chain.iter().flat_map(|link| link.setting.places());
            chain.chain(image.weaker())
        });
        let fed = self.roots.iter().flat_map(|root| &root.fed).map(|fed| fed.at);
        places.chain(fed).map(|place| self.file_place(place)).collect()
    }

    /// Every place that sets or names an image, or is overridden, or takes a variable.
    pub fn known(&self) -> HashSet<FilePlace> {
        let images = self.images().chain(self.defaults()).map(|(_, image)| image);
        let places = images.flat_map(EffectiveImage::places);
        let fed = self.roots.iter().flat_map(|root| &root.fed).map(|fed| fed.at);
        places.chain(fed).map(|place| self.file_place(place)).collect()
    }
}
