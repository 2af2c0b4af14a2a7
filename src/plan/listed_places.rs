//! What the roots say about the places of a listing: which win, and which are overridden.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::rendered_roots::RenderedRoots;
use super::what_runs::{FilePlace, Overridden};
use super::winning_place::kind;
use crate::dotenv::is_dotenv;
use crate::effective::{Place, Setting};
use crate::file_selection::file_name;
use crate::location::Location;
use crate::manifest::{COMPOSE, is_compose};

/// What the roots say about the places of a listing.
pub(super) struct ListedPlaces {
    /// Every place that is overridden in some root.
    pub overridden: HashMap<FilePlace, OverriddenPlace>,
    /// Every place that sets an image in some root.
    pub known: HashSet<FilePlace>,
    pub winning: Vec<ListedWinner>,
    /// Files that are too much work to read to their end.
    pub cut_off: Vec<String>,
}

/// A place that sets what some root runs, and the image there.
pub(super) struct ListedWinner {
    pub at: Location,
    pub nodes: Vec<FilePlace>,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    pub kind: &'static str,
    /// Why it can't be edited.
    pub fixed: Option<String>,
}

impl ListedPlaces {
    pub fn of(roots: &RenderedRoots<'_>) -> Self {
        ListedPlaces {
            overridden: roots.overridden(),
            known: roots.known(),
            winning: roots.winners(),
            cut_off: roots.cut_off().collect(),
        }
    }
}

/// A place that a stronger one overrides in some roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OverriddenPlace {
    /// It wins in no root.
    pub everywhere: bool,
    pub by: Vec<Overridden>,
}

impl RenderedRoots<'_> {
    fn overridden(&self) -> HashMap<FilePlace, OverriddenPlace> {
        let winning = self.winning();
        let mut places: HashMap<FilePlace, OverriddenPlace> = HashMap::new();
        for (place, overridden) in self.weaker().chain(self.renamed_entries()) {
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
        for (_, image) in self.images() {
            let Some((setting, place)) = image.winning().and_then(|s| Some((s, s.place()?))) else {
                continue;
            };
            winners.entry((place, image.name.as_str())).or_insert_with(|| ListedWinner {
                at: self.exact_location(place),
                kind: self.kind(place, setting),
                nodes: setting.version_places().into_iter().map(|place| self.file_place(place)).collect(),
                image: image.name.clone(),
                tag: image.tag.clone(),
                digest: image.digest.clone(),
                fixed: match setting {
                    Setting::Fixed { reason, .. } => Some(reason.to_string()),
                    _ => None,
                },
            });
        }
        winners.into_values().collect()
    }

    /// Where a place is, with its column if it is a scalar of the file itself.
    fn exact_location(&self, place: Place) -> Location {
        let file = self.files.file(place.file);
        let yaml = file.yaml.as_ref().filter(|_| file.inside.is_none());
        let column = yaml.map(|yaml| yaml.node(place.node).column);
        Location { column, ..self.files.location(place) }
    }

    fn kind(&self, place: Place, setting: &Setting) -> &'static str {
        let path = &self.files.file(place.file).path;
        let is_compose = is_dotenv(path) || is_compose(file_name(path));
        if is_compose { COMPOSE } else { kind(setting) }
    }

    /// Every place that sets an image, or is overridden.
    pub fn known(&self) -> HashSet<FilePlace> {
        let images = self.images().chain(self.defaults()).map(|(_, image)| image);
        let places = images.flat_map(|image| {
            let chain = image.chain.iter().flat_map(|link| link.setting.places());
            chain.chain(image.weaker())
        });
        places.map(|place| self.file_place(place)).collect()
    }
}
