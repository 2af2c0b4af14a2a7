//! A root: what a controller or a person renders as one.

use std::collections::BTreeSet;

use super::entry_files::EntryFiles;
use super::folder_pattern::FolderPattern;
use super::place::{FileId, Place};
use super::setting::EffectiveImage;

/// A rendered root.
#[derive(Clone, Debug, Default)]
pub struct Root {
    /// As messages call it: `kustomization apps/prod`, `chart charts/api with values-prod.yaml`.
    pub name: String,
    pub entry: EntryFiles,
    pub images: Vec<EffectiveImage>,
    /// Images of a chart whose tag is only a default: it floats (`latest`, `main`), and a values file, a release or
    /// a parent chart is there to set it. This root doesn't run them.
    pub defaults: Vec<EffectiveImage>,
    /// What would set an image here, but another list replaces the list that it is in.
    pub discarded: Vec<EffectiveImage>,
    /// Entries of `images` lists that matched no container here.
    pub unmatched: Vec<UnmatchedEntry>,
    /// Every file that the root was made from.
    pub files: BTreeSet<FileId>,
    /// What the root includes and tagbump can't render: remote bases, generators, charts. What is rendered is
    /// still right, but there may be more containers.
    pub unknown: Vec<Doubt>,
    /// What may change the images in a way that tagbump can't follow. The images may be wrong.
    pub uncertain: Vec<Doubt>,
    /// Folders that it may render, too, but in a way that tagbump can't follow. It may override what is set there.
    pub may_render: Vec<FolderPattern>,
    /// Winning places, and digests, in charts that Flux doesn't pack again by itself.
    pub stale: Vec<StaleChart>,
    /// What takes variables that are written in other places.
    pub fed: Vec<FedPlace>,
    /// What the build compares with a value, and ends if it is another.
    pub tested: Vec<TestedPlace>,
    /// The variables whose value in the environment (a shell, CI) replaces what is written at a place.
    pub variables: Vec<(String, Place)>,
}

/// An entry of an `images` list that matches no container of its root.
#[derive(Clone, Debug, PartialEq)]
pub struct UnmatchedEntry {
    /// The scalar that names the entry.
    pub name: Place,
    /// Something that the root can't render may use it.
    pub may_match: bool,
    /// The weaker entry that renamed the image, if this one would match without it.
    pub renamed_by: Option<Place>,
}

/// A place that takes the value of a variable: it changes with it, whether it holds an image or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FedPlace {
    pub variable: Place,
    /// The variable's name.
    pub name: String,
    pub at: Place,
}

/// A place whose value an operation `test` of a JSON patch expects as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestedPlace {
    pub place: Place,
    /// The operation.
    pub by: Place,
}

/// Something that tagbump can't follow, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    pub at: Option<Place>,
    /// The rest of a sentence that starts with the place: `includes a remote base`.
    pub what: String,
}

/// A component whose path leaves the folder that is read.
pub(super) const COMPONENT_OUTSIDE: &str = "includes a component outside of the folder that tagbump reads";

/// A component that isn't where its path leads.
pub(super) const COMPONENT_MISSING: &str = "includes a component that isn't in this repository";

/// Behind the line of a chart's template.
pub(super) const NAMELESS_IMAGE: &str = "has an image whose name tagbump can't read";

impl Root {
    /// What may change its images, whatever they are called.
    pub fn doubts(&self) -> impl Iterator<Item = &Doubt> {
        self.uncertain.iter().filter(|doubt| !doubt.is_of_nameless_image())
    }

    /// The lines of charts' templates that give images with names that aren't known.
    pub fn nameless_images(&self) -> impl Iterator<Item = &Doubt> {
        self.uncertain.iter().filter(|doubt| doubt.is_of_nameless_image())
    }
}

impl Doubt {
    /// Whether it is about an image with a name that isn't known. Its root's other images are as they seem.
    pub fn is_of_nameless_image(&self) -> bool {
        self.what.ends_with(NAMELESS_IMAGE)
    }

    /// Whether it is about a component outside of the folder that is read.
    pub fn is_of_component_outside(&self) -> bool {
        self.what == COMPONENT_OUTSIDE
    }

    /// Whether it is about a component that can't be read.
    pub fn is_of_component(&self) -> bool {
        self.what == COMPONENT_MISSING || self.is_of_component_outside()
    }
}

/// A winning place in a chart that Flux packs again only when the chart's version changes. An edit has no effect
/// before.
#[derive(Clone, Debug, PartialEq)]
pub struct StaleChart {
    pub place: Place,
    /// The chart's folder.
    pub chart: String,
}
