//! Renders the roots around some files, and says which of their places win.

use std::collections::{HashMap, HashSet};

use super::environments::{Environments, InTwoEnvironments, NamedEnvironment};
use super::parse_ahead::parse_ahead;
use super::surroundings::Surroundings;
use super::what_runs::{FilePlace, MAX_FILE, Overridden};
use super::{FileContent, FileSource};
use crate::effective::{
    EffectiveImage, FileId, Files, Mentions, ParsedContent, Place, Root, Scene, Setting, roots,
};
use crate::yaml::{Cancellation, NodeId};

/// Whether the bytes of a file may name an image.
pub(super) type NamesImage<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Which roots to render.
pub(super) struct RenderedScope<'a> {
    pub around: &'a Surroundings,
    pub url: Option<&'a str>,
    /// Whether a file may name one of the images; `None` for the roots in which any place overrides another.
    pub names_image: Option<NamesImage<'a>>,
    pub environments: &'a Environments,
    pub cancellation: &'a Cancellation,
}

impl RenderedScope<'_> {
    /// Renders the roots around the seeds, and looks at them. `parsed` are files that needn't be parsed again, by path.
    pub fn with_roots<T>(
        &self,
        source: &dyn FileSource,
        mut parsed: HashMap<String, ParsedContent>,
        look: impl FnOnce(&RenderedRoots<'_>) -> T,
    ) -> T {
        let RenderedScope { around, url, names_image, environments, cancellation } = *self;
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
            // every root may be in the environment
            None if environments.is_limited() => around.seeds.clone(),
            None => around.overridable(&mut mentions, &read),
        };
        let reached = mentions.reaching(&seeds);
        // what a reached file includes can refer to declarations too
        let included = mentions.included(&reached);
        let declarations = mentions.declarations_of(&included);
        // with images, few of these are rendered
        if names_image.is_none() {
            let missing = included.iter().filter(|path| !parsed.contains_key(*path)).map(String::as_str);
            parsed.extend(parse_ahead(&missing.collect::<Vec<_>>(), &read, cancellation));
        }
        let mut files = Files::new(&around.paths, &read, cancellation.clone()).with_parsed(parsed);
        let scene = Scene { reached: &reached, declarations: &declarations, url };
        let roots = roots(&mut files, &scene);
        look(&RenderedRoots::new(&files, &roots, environments))
    }
}

/// The roots, with the files that they are made from.
pub(super) struct RenderedRoots<'a> {
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
