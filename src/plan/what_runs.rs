//! Which of the matched references win: those set what runs. Weaker ones stay unchanged and are reported.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::parse_ahead::parse_ahead;
use super::prefilter::Prefilter;
use super::surroundings::Surroundings;
use super::{FileContent, FileSource, Request, TargetIndex, UpdateTarget};
use crate::effective::TextPart;
use crate::effective::{EffectiveImage, FileId, Files, Holds, Mentions, Place, Root, Scene, Setting, roots};
use crate::image::{Field, Tag, same_image};
use crate::location::Location;
use crate::manifest::{ScalarPlace, is_compose};
use crate::yaml::{Cancellation, NodeId};

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
    /// Places that a stronger one overrides, and which.
    pub weaker: HashMap<FilePlace, Overridden>,
    /// The weaker places of the request's images, each with its target and where it is.
    pub reported: Vec<(TargetIndex, Location, Overridden)>,
    /// Places that set the tag of other images, although those are renamed by a stronger place.
    pub feeds: HashMap<FilePlace, Vec<String>>,
    /// Entries of `images` lists that match no container, by the scalar with their name.
    pub unmatched: HashMap<FilePlace, UnusedEntry>,
    /// For each file, the roots that it is part of, by index.
    pub roots_of: HashMap<String, BTreeSet<usize>>,
    /// Every place that sets an image in some root, or would if no stronger one did.
    pub known: HashSet<FilePlace>,
    /// The block scalars with text that a root uses, by file and node.
    pub texts: HashSet<(String, NodeId)>,
    /// The files that several objects or places are made from: all but those on their own.
    pub covered: HashSet<String>,
    /// The files that some root is made from.
    pub rendered: HashSet<String>,
    /// The compose files of the roots.
    pub projects: HashSet<String>,
    /// Images that run with the tag of their chart.
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
    /// The scalars that the edit is about.
    pub nodes: Vec<FilePlace>,
    /// The version that runs.
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// The tags that run, if a weaker place sets them and roots differ.
    pub tags: BTreeSet<String>,
    /// The roots that it sets, by name.
    pub roots: Vec<String>,
    /// Other images that it sets too.
    pub feeds: Vec<String>,
}

impl Winner {
    pub fn location(&self) -> Location {
        Location { file: self.path.clone(), line: self.line, column: None }
    }

    /// In a text inside a text.
    pub fn is_nested(&self) -> bool {
        self.nodes.iter().any(|place| place.node == NodeId::MAX)
    }
}

/// An image of the request that runs with its chart's `appVersion` as the tag.
pub(super) struct UnsetTag {
    /// The scalars with its name and its empty tag. If a bump sets one of them, there is a tag.
    pub places: Vec<FilePlace>,
    /// Those of `places` that are an empty tag.
    pub empty_tag: Option<FilePlace>,
    pub warning: String,
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
    pub fn new(source: &dyn FileSource, request: &Request, around: &Surroundings) -> Self {
        let names = Prefilter::of(request);
        let names_image = |bytes: &[u8]| names.lets_pass(bytes);
        let scope = RenderedScope {
            around,
            url: request.repository_url.as_deref(),
            names_image: Some(&names_image),
            cancellation: &request.cancellation,
        };
        scope.with_roots(source, |roots| Summary::new(roots, request).what_runs())
    }
}

/// Whether the bytes of a file may name an image.
pub(super) type NamesImage<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Which roots to render.
pub(super) struct RenderedScope<'a> {
    pub around: &'a Surroundings,
    pub url: Option<&'a str>,
    /// Whether a file may name one of the images; `None` for the roots in which any place overrides another.
    pub names_image: Option<NamesImage<'a>>,
    pub cancellation: &'a Cancellation,
}

impl RenderedScope<'_> {
    /// Renders the roots around the seeds, and looks at them.
    pub fn with_roots<T>(&self, source: &dyn FileSource, look: impl FnOnce(&RenderedRoots<'_>) -> T) -> T {
        let RenderedScope { around, url, names_image, cancellation } = *self;
        let read = |path: &str| match around.structural.get(path) {
            Some(file) => Some(file.bytes.clone()),
            None => source.read(path, MAX_FILE).ok().flatten().and_then(FileContent::bytes),
        };
        let mut mentions = Mentions::new(&around.structural, &around.paths, &around.declarations);
        let seeds = match names_image {
            Some(names_image) => {
                // a search finds no JSON files, so those that are mentioned are looked at here
                let patches = mentions
                    .json_files()
                    .into_iter()
                    .filter(|path| read(path).is_some_and(|bytes| names_image(&bytes)));
                around.seeds.iter().cloned().chain(patches).collect()
            }
            None => around.overridable(&mut mentions, &read),
        };
        let reached = mentions.reaching(&seeds);
        // what a reached file includes can refer to declarations too
        let included = mentions.included(&reached);
        let declarations = mentions.declarations_of(&included);
        // with images, few of these are rendered
        let parsed = match names_image {
            Some(_) => HashMap::new(),
            None => parse_ahead(&included, &read, cancellation),
        };
        let mut files = Files::new(&around.paths, &read, cancellation.clone()).with_parsed(parsed);
        let scene = Scene { reached: &reached, declarations: &declarations, url };
        let roots = roots(&mut files, &scene);
        look(&RenderedRoots { files: &files, roots: &roots })
    }
}

/// The roots, with the files that they are made from.
pub(super) struct RenderedRoots<'a> {
    pub files: &'a Files<'a>,
    pub roots: &'a [Root],
}

impl<'a> RenderedRoots<'a> {
    pub fn path(&self, file: FileId) -> String {
        self.files.file(file).path.clone()
    }

    pub fn file_place(&self, place: Place) -> FilePlace {
        let mut inside = self.files.file(place.file).inside;
        // a text in a text can't be edited; the outermost block scalar stands for it
        let is_nested = inside.is_some_and(|outer| self.files.file(outer.file).inside.is_some());
        while let Some(outer) = inside.and_then(|outer| self.files.file(outer.file).inside) {
            inside = Some(outer);
        }
        let node = if is_nested { NodeId::MAX } else { place.node };
        FilePlace { path: self.path(place.file), inside: inside.map(|outer| outer.node), node }
    }

    pub fn images(&self) -> impl Iterator<Item = (&'a Root, &'a EffectiveImage)> + use<'a> {
        self.roots.iter().flat_map(|root| root.images.iter().map(move |image| (root, image)))
    }

    /// What charts set only as a default.
    pub fn defaults(&self) -> impl Iterator<Item = (&Root, &EffectiveImage)> {
        self.roots.iter().flat_map(|root| root.defaults.iter().map(move |image| (root, image)))
    }

    /// Every scalar that is part of a winning place. An empty tag counts: a chart's `appVersion` runs because of it.
    pub fn winning(&self) -> HashSet<Place> {
        let empty_tags = self.images().filter_map(|(_, image)| image.app_version.as_ref()?.empty_tag);
        let winning = self.images().filter_map(|(_, image)| image.winning());
        winning.flat_map(Setting::version_places).chain(empty_tags).collect()
    }

    /// Every place that a stronger one overrides, with the root and the stronger one.
    pub fn weaker(&self) -> impl Iterator<Item = (Place, Overridden)> {
        let discarded =
            self.roots.iter().flat_map(|root| root.discarded.iter().map(move |image| (root, image)));
        let without_effect = self.defaults().chain(discarded).filter_map(|(root, image)| {
            let (root, image_name) = (root.name.clone(), image.name.clone());
            let overridden = Overridden { root, by: None, renamed_at: None, image: image_name };
            Some((image.winning()?.place()?, overridden))
        });
        let weaker = self.images().flat_map(|(root, image)| {
            let location = |place| self.files.location(place);
            let by = image.winning().and_then(Setting::place).map(location);
            let renamed_at = image.winning().and_then(Setting::entry_name).map(location);
            image.weaker().map(move |place| {
                let (root, image) = (root.name.clone(), image.name.clone());
                (place, Overridden { root, by: by.clone(), renamed_at: renamed_at.clone(), image })
            })
        });
        weaker.chain(without_effect)
    }
}

pub(super) struct Summary<'a> {
    pub roots: &'a RenderedRoots<'a>,
    request: &'a Request,
    /// The images that get their tag from a place.
    fed: HashMap<Place, Vec<(&'a Root, &'a EffectiveImage)>>,
}

impl<'a> Summary<'a> {
    fn new(roots: &'a RenderedRoots<'a>, request: &'a Request) -> Self {
        let mut fed: HashMap<Place, Vec<_>> = HashMap::new();
        for (root, image) in roots.images() {
            let place = image.feeder().and_then(Setting::place);
            place.into_iter().for_each(|place| fed.entry(place).or_default().push((root, image)));
        }
        Summary { roots, request, fed }
    }
}

impl Summary<'_> {
    fn what_runs(&self) -> WhatRuns {
        let winners = TargetIndex::each(&self.request.targets).flat_map(|(target, _)| self.winners(target));
        WhatRuns {
            winners: winners.collect(),
            weaker: self.weaker().map(|(place, by)| (self.roots.file_place(place), by)).collect(),
            reported: self.reported(),
            feeds: self.feeds(),
            roots_of: self.roots_of(),
            unmatched: self.unmatched(),
            known: self.roots.known(),
            texts: self.texts(),
            covered: self.covered(),
            rendered: self.rendered(),
            projects: self.projects(),
            unset: self.unset().collect(),
            warnings: self.warnings(),
            notices: self.variables(),
        }
    }

    /// The places that set a target's image, each once.
    fn winners(&self, target: TargetIndex) -> Vec<Winner> {
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
                tags: BTreeSet::new(),
                roots: Vec::new(),
                feeds: self.other_images(place, wanted),
            });
            winner.tags.extend(image.tag.clone());
            // the same variable can have other text around it, as in `${V}-a` and `${V}-b`
            let other = (winner.setting != *setting && matches!(setting, Setting::Part(_)))
                .then(|| format!("{}:{} in {}", image.name, image.tag.as_deref().unwrap_or(""), root.name));
            winner.feeds.extend(other.filter(|other| !winner.feeds.contains(other)));
            if !winner.roots.contains(&root.name) {
                winner.roots.push(root.name.clone());
            }
        }
        winners.into_values().collect()
    }

    /// The floating defaults of charts, if they are to be set too.
    fn defaults(&self) -> impl Iterator<Item = (&Root, &EffectiveImage)> {
        self.roots.defaults().filter(|_| self.request.floating)
    }

    /// The other images that get their tag from a place, and that the request doesn't set to the same tag.
    fn other_images(&self, place: Place, wanted: &UpdateTarget) -> Vec<String> {
        let fed = self.fed.get(&place).into_iter().flatten();
        let others = fed.filter(|(_, image)| {
            !self.is_set_to_same(&image.name, wanted) || !fits(image.feeder(), wanted.tag.as_ref())
        });
        let mut others: Vec<_> =
            others.map(|(root, image)| format!("{} in {}", with_tag(image), root.name)).collect();
        others.sort();
        others.dedup();
        others
    }

    fn is_set_to_same(&self, name: &str, wanted: &UpdateTarget) -> bool {
        let same = |target: &&UpdateTarget| target.tag == wanted.tag && target.digest == wanted.digest;
        self.request.targets.iter().filter(same).any(|target| same_image(&target.name, name))
    }

    /// Every place that is overridden in some root and wins in none.
    fn weaker(&self) -> impl Iterator<Item = (Place, Overridden)> {
        let winning = self.roots.winning();
        let defaults: HashSet<Place> = self
            .defaults()
            .filter_map(|(_, image)| image.winning())
            .flat_map(Setting::version_places)
            .collect();
        self.roots.weaker().filter(move |(place, _)| !winning.contains(place) && !defaults.contains(place))
    }

    fn reported(&self) -> Vec<(TargetIndex, Location, Overridden)> {
        let mut seen = HashSet::new();
        let weaker: Vec<_> = self.weaker().filter(|(place, _)| seen.insert(*place)).collect();
        let targets = TargetIndex::each(&self.request.targets);
        let mut reported: Vec<_> = targets
            .flat_map(|(target, wanted)| {
                let of_target = weaker.iter().filter(|(_, by)| same_image(&by.image, &wanted.name));
                of_target.map(move |(place, by)| (target, self.roots.files.location(*place), by.clone()))
            })
            .collect();
        reported.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        reported
    }

    /// The places that set the tag of an image that a stronger place renames.
    fn feeds(&self) -> HashMap<FilePlace, Vec<String>> {
        let mut feeds: HashMap<FilePlace, Vec<String>> = HashMap::new();
        for (root, image) in self.roots.images() {
            let (winning, feeder) = (image.winning().and_then(Setting::place), image.feeder());
            let places = feeder.filter(|feeder| feeder.place() != winning).map(Setting::version_places);
            for place in places.into_iter().flatten() {
                feeds
                    .entry(self.roots.file_place(place))
                    .or_default()
                    .push(format!("{} in {}", image.name, root.name));
            }
        }
        feeds
    }

    /// Which roots each file is part of. Only needed to add entries.
    fn roots_of(&self) -> HashMap<String, BTreeSet<usize>> {
        let mut roots_of: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (nth, root) in self.roots.roots.iter().enumerate().filter(|_| self.request.add) {
            for file in &root.files {
                roots_of.entry(self.roots.path(*file)).or_default().insert(nth);
            }
        }
        roots_of
    }

    /// The entries that match no container in any root.
    fn unmatched(&self) -> HashMap<FilePlace, UnusedEntry> {
        let chains = self.roots.images().flat_map(|(_, image)| &image.chain);
        let used: HashSet<Place> = chains.flat_map(|link| link.setting.places()).collect();
        let mut unmatched: HashMap<FilePlace, UnusedEntry> = HashMap::new();
        for root in self.roots.roots {
            for entry in root.unmatched.iter().filter(|entry| !used.contains(&entry.name)) {
                let location = |place| self.roots.files.location(place);
                let known =
                    unmatched.entry(self.roots.file_place(entry.name)).or_insert_with(|| UnusedEntry {
                        at: location(entry.name),
                        may_match: false,
                        running: BTreeSet::new(),
                        renamed_by: entry.renamed_by.map(location),
                    });
                // a kustomization that includes nothing may be a part of something else
                known.may_match |= entry.may_match || root.files.len() == 1;
                known.running.extend(self.running(root));
            }
        }
        unmatched
    }

    /// The targets that run in a root.
    fn running(&self, root: &Root) -> impl Iterator<Item = TargetIndex> {
        let runs =
            |target: &UpdateTarget| root.images.iter().any(|image| same_image(&image.name, &target.name));
        let targets = TargetIndex::each(&self.request.targets);
        targets.filter(move |(_, target)| runs(target)).map(|(nth, _)| nth).collect::<Vec<_>>().into_iter()
    }

    fn texts(&self) -> HashSet<(String, NodeId)> {
        let places = self.roots.known().into_iter();
        places.filter_map(|place| Some((place.path, place.inside?))).collect()
    }

    fn covered(&self) -> HashSet<String> {
        let roots = self.roots.roots.iter().filter(|root| root.files.len() > 1);
        roots.flat_map(|root| &root.files).map(|file| self.roots.path(*file)).collect()
    }

    fn rendered(&self) -> HashSet<String> {
        let files = self.roots.roots.iter().flat_map(|root| &root.files);
        files.map(|file| self.roots.path(*file)).collect()
    }

    fn projects(&self) -> HashSet<String> {
        let files = self.roots.roots.iter().flat_map(|root| &root.files).map(|file| self.roots.path(*file));
        files.filter(|path| is_compose(path.rsplit('/').next().unwrap_or(path))).collect()
    }

    /// One notice for the variables that would override a winning place if they were exported.
    fn variables(&self) -> Vec<String> {
        let winners = TargetIndex::each(&self.request.targets).flat_map(|(target, _)| self.winners(target));
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

    /// Whether an image is one of the request's.
    pub fn is_wanted(&self, image: &EffectiveImage) -> bool {
        self.request.targets.iter().any(|target| same_image(&target.name, &image.name))
    }
}

/// Whether a place can give its image this tag: a variable with text around it can't give every tag.
fn fits(setting: Option<&Setting>, tag: Option<&Tag>) -> bool {
    match (setting, tag) {
        (Some(Setting::Part(TextPart { holds: Holds::Tag { prefix, suffix }, .. })), Some(tag)) => {
            tag.as_str().starts_with(prefix.as_str()) && tag.as_str().ends_with(suffix.as_str())
        }
        _ => true,
    }
}

fn with_tag(image: &EffectiveImage) -> String {
    match &image.tag {
        Some(tag) => format!("{}:{tag}", image.name),
        None => image.name.clone(),
    }
}
