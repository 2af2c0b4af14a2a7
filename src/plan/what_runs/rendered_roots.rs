//! Renders the roots around some files, and says which of their places win.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::environments::{Environments, InTwoEnvironments, NamedEnvironment};
use super::super::{FileContent, FileSource};
use super::surroundings::Surroundings;
use super::{FilePlace, MAX_FILE, Overridden};
use crate::effective::{
    EffectiveImage, FileId, Files, Mentions, ParsedContent, Place, ReadFile, Root, Scene, Setting,
    overriders, roots,
};
use crate::manifest::{CHART, is_kustomization_file};
use crate::memory::drop_in_background;
use crate::yaml::{Cancellation, NodeId};

/// What is generated from what is generated is followed this far.
const MAX_GENERATED: usize = 16;

/// Whether the bytes of a file may name an image.
pub(super) type NamesImage<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Renders the roots around some files.
#[derive(Clone, Copy)]
pub struct Renderer<'a> {
    pub around: &'a Surroundings,
    /// Gives the content of a file that is not in `around`.
    pub read: ReadFile<'a>,
    pub url: Option<&'a str>,
    pub environments: &'a Environments,
    pub cancellation: &'a Cancellation,
}

/// The files that some roots are made from.
pub struct Reach {
    /// The files from which mentions lead to a seed, with the seeds.
    reached: BTreeSet<String>,
    /// The files that declare what those, and what they include, refer to by name.
    declarations: BTreeSet<String>,
}

impl Reach {
    fn new(mentions: &mut Mentions<'_>, seeds: &BTreeSet<String>) -> Self {
        let (mut reached, mut declarations) = (mentions.reaching(seeds), BTreeSet::new());
        for _ in 0..MAX_GENERATED {
            // what a reached file includes can refer to declarations too
            declarations = mentions.declarations_of(&mentions.included(&reached));
            // kustomize generates what it declares only where it builds the kustomization
            let generating = declarations.iter().filter(|path| is_kustomization_file(path));
            let new: BTreeSet<String> = generating.filter(|path| !reached.contains(*path)).cloned().collect();
            if new.is_empty() {
                break;
            }
            reached.extend(mentions.reaching(&new));
        }
        Reach { reached, declarations }
    }

    /// Whether the roots are found by way of a file.
    pub fn has(&self, path: &str) -> bool {
        self.reached.contains(path)
    }
}

/// The files around those that may override something.
pub struct Overridable<'a> {
    mentions: Mentions<'a>,
    seeds: BTreeSet<String>,
    /// A place is overridden in every root only if no other root uses it: this counts for the images in these files.
    pub included: BTreeSet<String>,
}

impl Overridable<'_> {
    /// Finds the roots around the places that may be overridden. `naming` are files that name an image.
    pub fn reach(mut self, naming: impl Iterator<Item = String>) -> Reach {
        self.seeds.extend(naming.filter(|path| self.included.contains(path)));
        Reach::new(&mut self.mentions, &self.seeds)
    }
}

impl<'a> Renderer<'a> {
    /// Finds the roots that may run an image.
    pub fn reach(&self, names_image: NamesImage<'_>) -> Reach {
        let mut mentions = self.mentions();
        // those that are mentioned are looked at here, and the templates of charts that aren't called like YAML
        let templates = self.around.other.iter().filter(|path| self.is_template(path)).cloned();
        let unsearched = mentions
            .unsearched_files()
            .into_iter()
            .chain(templates)
            .filter(|path| self.read(path).is_some_and(|bytes| names_image(&bytes)));
        let seeds = self.around.seeds.iter().cloned().chain(unsearched).collect();
        Reach::new(&mut mentions, &seeds)
    }

    /// Whether a file that isn't YAML is a template of a chart.
    fn is_template(&self, path: &str) -> bool {
        let is_in_chart = |(at, _)| self.around.paths.contains(&format!("{}{CHART}", &path[..at]));
        path.ends_with(".tpl") && path.match_indices("templates/").any(is_in_chart)
    }

    /// Finds the files in which any place may override another.
    pub fn overridable(&self) -> Overridable<'a> {
        let around = self.around;
        let mut mentions = self.mentions();
        if self.environments.is_limited() {
            // every root may be in the environment
            return Overridable { mentions, seeds: BTreeSet::new(), included: around.paths.clone() };
        }
        let mut seeds =
            overriders(&around.structural, &around.paths, &mentions, &|path: &str| self.read(path));
        seeds.extend(around.variables.iter().cloned());
        let reached = mentions.reaching(&seeds);
        let included = mentions.included(&reached);
        Overridable { mentions, seeds, included }
    }

    /// Renders the roots, and looks at them. `parsed` are files that needn't be parsed again, by path.
    pub fn render<T>(
        &self,
        reach: &Reach,
        parsed: HashMap<String, ParsedContent>,
        look: impl FnOnce(&RenderedRoots<'_>) -> T,
    ) -> T {
        let read = |path: &str| self.read(path);
        let files = Files::new(&self.around.paths, &read, self.cancellation.clone());
        let mut files = files.with_parsed(parsed).with_other(&self.around.other);
        let scene = Scene { reached: &reach.reached, declarations: &reach.declarations, url: self.url };
        let roots = roots(&mut files, &scene);
        let seen = look(&RenderedRoots::new(&files, &roots, self.environments));
        files.drop_in_background();
        drop_in_background(self.around.paths.len(), roots);
        seen
    }

    fn mentions(&self) -> Mentions<'a> {
        let Surroundings { structural, paths, declarations, .. } = self.around;
        Mentions::new(structural, paths, declarations)
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let known = self.around.structural.get(path);
        known.map_or_else(|| (self.read)(path), |file| Some(file.bytes.clone()))
    }
}

/// Reads a file that a root is made from; `None` if there is none, or if it is too large.
pub fn read_part(source: &dyn FileSource, path: &str) -> Option<Vec<u8>> {
    source.read(path, MAX_FILE).ok().flatten().and_then(FileContent::bytes)
}

/// The roots, with the files that they are made from.
pub struct RenderedRoots<'a> {
    pub files: &'a Files<'a>,
    pub roots: &'a [Root],
    environments: &'a Environments,
    /// The environment of each root.
    of_roots: Vec<Option<&'a NamedEnvironment>>,
    /// A root that is in two environments.
    pub conflict: Option<InTwoEnvironments>,
}

impl<'a> RenderedRoots<'a> {
    fn new(files: &'a Files<'a>, roots: &'a [Root], environments: &'a Environments) -> Self {
        let (mut of_roots, mut conflict) = (Vec::new(), None);
        for root in roots {
            let environment = environments.of_root(root).unwrap_or_else(|found| {
                conflict.get_or_insert(*found);
                None
            });
            of_roots.push(environment);
        }
        RenderedRoots { files, roots, environments, of_roots, conflict }
    }

    /// Every root, with whether the environments that the request is about have it.
    pub fn with_counts(&self) -> impl Iterator<Item = (&'a Root, bool)> {
        let counts = self.of_roots.iter().map(|environment| self.environments.counts(*environment));
        self.roots.iter().zip(counts)
    }

    /// The roots of the environments that the request is about.
    pub fn counting(&self) -> impl Iterator<Item = &'a Root> {
        self.with_counts().filter(|(_, counts)| *counts).map(|(root, _)| root)
    }

    pub fn path(&self, file: FileId) -> String {
        self.files.file(file).path.clone()
    }

    /// The scalar at a place.
    pub fn text(&self, place: Place) -> Option<&'a str> {
        self.files.file(place.file).yaml.as_ref()?.text(place.node)
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

    /// The files that several objects or places are made from: all but those on their own.
    pub fn covered(&self) -> HashSet<String> {
        let roots = self.roots.iter().filter(|root| root.files.len() > 1);
        roots.flat_map(|root| &root.files).map(|file| self.path(*file)).collect()
    }

    /// Those of them that are only in roots which tagbump can follow to the end.
    pub fn followed(&self) -> HashSet<String> {
        if self.files.is_exhausted() {
            return HashSet::new();
        }
        let mut followed = self.covered();
        let uncertain = self.roots.iter().filter(|root| root.doubts().next().is_some());
        for file in uncertain.flat_map(|root| &root.files) {
            followed.remove(&self.path(*file));
        }
        followed
    }

    /// The scalars that the edit of a winning place is about. The digest of a weaker place is edited apart.
    pub fn places_of_edit(&self, setting: &Setting) -> Vec<Place> {
        let is_weaker = |place: &Place| match setting {
            Setting::Parts { tag, digest: Some(digest), .. } => {
                digest == place && digest.file == tag.file && !self.are_in_one_map(*tag, *digest)
            }
            _ => false,
        };
        setting.version_places().into_iter().filter(|place| !is_weaker(place)).collect()
    }

    /// Whether two values are in the same map of the same text.
    pub fn are_in_one_map(&self, one: Place, other: Place) -> bool {
        let parent = |place: Place| self.files.file(place.file).yaml.as_ref()?.node(place.node).parent;
        one.file == other.file && parent(one) == parent(other)
    }

    /// Every scalar that is part of a winning place. An empty tag counts: a chart's `appVersion` runs because of it.
    pub fn winning(&self) -> HashSet<Place> {
        let empty_tags = self.images().filter_map(|(_, image)| image.emptied_by()?.place());
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
        let weaker = self.images().chain(self.defaults()).flat_map(|(root, image)| {
            let location = |place| self.files.location(place);
            let by = image.deciding_place().map(location);
            let is_other = |name: &Place| self.text(*name) != Some(image.name.as_str());
            let renamed_at = image.winning().and_then(Setting::entry_name).filter(is_other).map(location);
            image.weaker().map(move |place| {
                let (root, image) = (root.name.clone(), image.name.clone());
                (place, Overridden { root, by: by.clone(), renamed_at: renamed_at.clone(), image })
            })
        });
        weaker.chain(without_effect)
    }
}
