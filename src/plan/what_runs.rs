//! Which of the matched references win: those set what runs. Weaker ones stay unchanged and are reported.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::surroundings::Surroundings;
use super::{FileSource, Request, UpdateTarget};
use crate::effective::{
    EffectiveImage, FileId, Files, Mentions, Place, Root, Scene, Setting, StaleChart, roots,
};
use crate::image::{Field, same_image};
use crate::location::Location;
use crate::manifest::{ScalarPlace, is_compose};
use crate::yaml::{Cancellation, NodeId};

/// Larger files are not followed.
const MAX_FILE: usize = 10_000_000;

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
    /// Places that a stronger one overrides, and which.
    pub weaker: HashMap<FilePlace, Overridden>,
    /// Entries of `images` lists that match no container, by the scalar with their name.
    pub unmatched: HashMap<FilePlace, UnusedEntry>,
    /// The compose files of the roots.
    pub projects: HashSet<String>,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
}

/// A place that sets what one or more roots run.
pub(super) struct Winner {
    pub target: usize,
    pub path: String,
    /// The block scalar that it is in, if it isn't a value of the file itself.
    pub inside: Option<NodeId>,
    /// 1-based.
    pub line: usize,
    pub setting: Setting,
    /// The scalars that the edit is about.
    pub nodes: Vec<FilePlace>,
    /// The version that runs.
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// The roots that it sets, by name.
    pub roots: Vec<String>,
    /// Other images that it sets too.
    pub feeds: Vec<String>,
}

/// Who overrides a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overridden {
    pub root: String,
    pub by: Option<Location>,
    /// The image that runs instead.
    pub image: String,
}

/// An entry that matches no container.
pub(super) struct UnusedEntry {
    pub may_match: bool,
    pub renamed_by: Option<Location>,
}

impl WhatRuns {
    /// Renders the roots that have to do with the request's images.
    pub fn new(source: &dyn FileSource, request: &Request, around: &Surroundings) -> Self {
        with_roots(source, around, &request.cancellation, |roots| Summary { roots, request }.what_runs())
    }
}

/// Every place that is overridden in some root, for a listing.
pub(super) fn overridden_places(
    source: &dyn FileSource,
    around: &Surroundings,
) -> HashMap<FilePlace, OverriddenPlace> {
    with_roots(source, around, &Cancellation::default(), |roots| roots.overridden())
}

/// Renders the roots around the seeds, and looks at them.
fn with_roots<T>(
    source: &dyn FileSource,
    around: &Surroundings,
    cancellation: &Cancellation,
    look: impl FnOnce(&RenderedRoots<'_>) -> T,
) -> T {
    let read = |path: &str| match around.structural.get(path) {
        Some(bytes) => Some(bytes.clone()),
        None => source.read(path, MAX_FILE + 1).ok().flatten().filter(|bytes| bytes.len() <= MAX_FILE),
    };
    let mentions = Mentions::new(&around.structural, &around.paths);
    let reached = mentions.reaching(&around.seeds);
    let mut files = Files::new(&around.paths, &read, cancellation.clone());
    let scene = Scene { reached: &reached, declarations: &around.declarations, url: None };
    let roots = roots(&mut files, &scene);
    look(&RenderedRoots { files: &files, roots: &roots })
}

/// The roots, with the files that they are made from.
struct RenderedRoots<'a> {
    files: &'a Files<'a>,
    roots: &'a [Root],
}

impl RenderedRoots<'_> {
    fn path(&self, file: FileId) -> String {
        self.files.file(file).path.clone()
    }

    fn file_place(&self, place: Place) -> FilePlace {
        let inside = self.files.file(place.file).inside.map(|outer| outer.node);
        FilePlace { path: self.path(place.file), inside, node: place.node }
    }

    fn images(&self) -> impl Iterator<Item = (&Root, &EffectiveImage)> {
        self.roots.iter().flat_map(|root| root.images.iter().map(move |image| (root, image)))
    }

    /// What charts set only as a default.
    fn defaults(&self) -> impl Iterator<Item = (&Root, &EffectiveImage)> {
        self.roots.iter().flat_map(|root| root.defaults.iter().map(move |image| (root, image)))
    }

    /// Every scalar that is part of a winning place.
    fn winning(&self) -> HashSet<Place> {
        self.images().filter_map(|(_, image)| image.winning()).flat_map(Setting::version_places).collect()
    }

    /// Every place that a stronger one overrides, with the root and the stronger one.
    fn weaker(&self) -> impl Iterator<Item = (Place, Overridden)> {
        let defaults = self.defaults().filter_map(|(root, image)| {
            let overridden = Overridden { root: root.name.clone(), by: None, image: image.name.clone() };
            Some((image.winning()?.place()?, overridden))
        });
        let weaker = self.images().flat_map(|(root, image)| {
            let by = image.winning().and_then(Setting::place).map(|place| self.files.location(place));
            image.weaker().map(move |place| {
                let (root, image) = (root.name.clone(), image.name.clone());
                (place, Overridden { root, by: by.clone(), image })
            })
        });
        weaker.chain(defaults)
    }

    fn overridden(&self) -> HashMap<FilePlace, OverriddenPlace> {
        let winning = self.winning();
        let mut places: HashMap<FilePlace, OverriddenPlace> = HashMap::new();
        for (place, overridden) in self.weaker() {
            let known = places.entry(self.file_place(place)).or_default();
            known.everywhere = !winning.contains(&place);
            if !known.by.contains(&overridden) {
                known.by.push(overridden);
            }
        }
        places
    }
}

/// A place that a stronger one overrides in some roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OverriddenPlace {
    /// It wins in no root.
    pub everywhere: bool,
    pub by: Vec<Overridden>,
}

struct Summary<'a> {
    roots: &'a RenderedRoots<'a>,
    request: &'a Request,
}

impl Summary<'_> {
    fn what_runs(&self) -> WhatRuns {
        let winners = (0..self.request.targets.len()).flat_map(|target| self.winners(target));
        WhatRuns {
            winners: winners.collect(),
            weaker: self.weaker(),
            unmatched: self.unmatched(),
            projects: self.projects(),
            warnings: self.warnings(),
            notices: self.variables(),
        }
    }

    /// The places that set a target's image, each once.
    fn winners(&self, target: usize) -> Vec<Winner> {
        let wanted = &self.request.targets[target];
        if wanted.new_name != Field::Unspecified {
            return Vec::new();
        }
        let mut winners: BTreeMap<Place, Winner> = BTreeMap::new();
        let images = self.roots.images().chain(self.defaults());
        for (root, image) in images.filter(|(_, image)| same_image(&image.name, &wanted.name)) {
            let Some((setting, place)) = image.winning().and_then(|s| Some((s, s.place()?))) else {
                continue;
            };
            let winner = winners.entry(place).or_insert_with(|| Winner {
                target,
                path: self.roots.path(place.file),
                inside: self.roots.file_place(place).inside,
                line: self.roots.files.location(place).line,
                setting: setting.clone(),
                nodes: setting
                    .version_places()
                    .into_iter()
                    .map(|place| self.roots.file_place(place))
                    .collect(),
                tag: image.tag.clone(),
                digest: image.digest.clone(),
                roots: Vec::new(),
                feeds: self.other_images(place, wanted),
            });
            if !winner.roots.contains(&root.name) {
                winner.roots.push(root.name.clone());
            }
        }
        winners.into_values().collect()
    }

    /// The floating defaults of charts, if every place is to be set.
    fn defaults(&self) -> impl Iterator<Item = (&Root, &EffectiveImage)> {
        self.roots.defaults().filter(|_| self.request.all)
    }

    /// The other images that get their tag from a place, and that the request doesn't set to the same tag.
    fn other_images(&self, place: Place, wanted: &UpdateTarget) -> Vec<String> {
        let others =
            self.roots.images().filter(|(_, image)| image.feeder().and_then(Setting::place) == Some(place));
        let others = others.filter(|(_, image)| !self.is_set_to_same(&image.name, wanted));
        let mut others: Vec<_> =
            others.map(|(root, image)| format!("{} in {}", image.name, root.name)).collect();
        others.sort();
        others.dedup();
        others
    }

    fn is_set_to_same(&self, name: &str, wanted: &UpdateTarget) -> bool {
        let same = |target: &&UpdateTarget| target.tag == wanted.tag && target.digest == wanted.digest;
        self.request.targets.iter().filter(same).any(|target| same_image(&target.name, name))
    }

    /// Every place that is overridden in some root and wins in none.
    fn weaker(&self) -> HashMap<FilePlace, Overridden> {
        let winning = self.roots.winning();
        let weaker = self.roots.weaker().filter(|(place, _)| !winning.contains(place));
        let defaults: HashSet<Place> = self
            .defaults()
            .filter_map(|(_, image)| image.winning())
            .flat_map(Setting::version_places)
            .collect();
        let weaker = weaker.filter(|(place, _)| !defaults.contains(place));
        weaker.map(|(place, overridden)| (self.roots.file_place(place), overridden)).collect()
    }

    /// The entries that match no container in any root.
    fn unmatched(&self) -> HashMap<FilePlace, UnusedEntry> {
        let used: HashSet<Place> = self
            .roots
            .images()
            .flat_map(|(_, image)| &image.chain)
            .flat_map(|link| link.setting.places())
            .collect();
        let entries = self.roots.roots.iter().flat_map(|root| &root.unmatched);
        let mut unmatched: HashMap<FilePlace, UnusedEntry> = HashMap::new();
        for entry in entries.filter(|entry| !used.contains(&entry.name)) {
            let known = unmatched.entry(self.roots.file_place(entry.name)).or_insert(UnusedEntry {
                may_match: false,
                renamed_by: entry.renamed_by.map(|place| self.roots.files.location(place)),
            });
            known.may_match |= entry.may_match;
        }
        unmatched
    }

    fn projects(&self) -> HashSet<String> {
        let files = self.roots.roots.iter().flat_map(|root| &root.files).map(|file| self.roots.path(*file));
        files.filter(|path| is_compose(path.rsplit('/').next().unwrap_or(path))).collect()
    }

    /// One notice for the variables that would override a winning place if they were exported.
    fn variables(&self) -> Vec<String> {
        let winners = (0..self.request.targets.len()).flat_map(|target| self.winners(target));
        let places: HashSet<FilePlace> = winners.flat_map(|winner| winner.nodes).collect();
        let variables = self.roots.roots.iter().flat_map(|root| &root.variables);
        let variables = variables.filter(|(_, place)| places.contains(&self.roots.file_place(*place)));
        let names: BTreeSet<&str> = variables.map(|(name, _)| name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        match names.as_slice() {
            [] => Vec::new(),
            [name] => vec![format!("{name} overrides this if it is exported in the shell or in CI")],
            names => {
                vec![format!("{} override this if they are exported in the shell or in CI", names.join(", "))]
            }
        }
    }

    /// A warning for each root that runs one of the images and does something that tagbump can't follow.
    fn warnings(&self) -> Vec<String> {
        let runs = |root: &&Root| root.images.iter().any(|image| self.is_wanted(image));
        let doubts = self
            .roots
            .roots
            .iter()
            .filter(runs)
            .flat_map(|root| root.uncertain.iter().map(move |d| (root, d)));
        let mut warnings: Vec<_> = doubts
            .map(|(root, doubt)| {
                let at = doubt
                    .at
                    .map(|place| format!("{}: ", self.roots.files.location(place)))
                    .unwrap_or_default();
                format!("{at}{}, which tagbump can't follow; check what {} runs", doubt.what, root.name)
            })
            .collect();
        warnings.extend(self.stale());
        warnings.sort();
        warnings.dedup();
        warnings
    }

    /// A warning for each place of a request's image in a chart that Flux doesn't pack again by itself.
    fn stale(&self) -> impl Iterator<Item = String> {
        let runs = |place: Place, root: &Root| {
            let at_place = |image: &&EffectiveImage| image.winning().and_then(Setting::place) == Some(place);
            root.images.iter().filter(at_place).any(|image| self.is_wanted(image))
        };
        let stale =
            self.roots.roots.iter().flat_map(|root| root.stale.iter().map(move |stale| (root, stale)));
        stale.filter(move |(root, stale)| runs(stale.place, root)).map(|(_, StaleChart { place, chart })| {
            let at = self.roots.files.location(*place);
            format!(
                "{at}: Flux ignores this until the version in {chart}/Chart.yaml changes; change that too, or set \
                 reconcileStrategy: Revision"
            )
        })
    }

    fn is_wanted(&self, image: &EffectiveImage) -> bool {
        self.request.targets.iter().any(|target| same_image(&target.name, &image.name))
    }
}
