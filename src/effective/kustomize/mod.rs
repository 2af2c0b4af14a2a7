//! Renders a kustomization as kustomize does, as far as images go.
//!
//! [`build`] follows `api/internal/target/kusttarget.go` of kustomize: per level, it gathers the resources, then
//! runs the components and the transformers in kustomize's order, and hands the result to the next level outwards.
//! Each step has its own file.

mod all_files;
mod builder;
mod entries;
mod field_paths;
mod generators;
mod ids;
mod images;
mod json_patch;
mod labels;
mod merge;
mod merge_shape;
mod name_pattern;
mod names;
mod patches;
mod plugins;
mod replacements;
mod resources;
mod selector;
#[cfg(test)]
pub(super) mod tests;
mod value_paths;
mod variables;

use std::collections::BTreeSet;

pub use ids::ResourceId;

use super::files::Files;
use super::place::FileId;
use super::root::{Doubt, FedPlace, TestedPlace, UnmatchedEntry};
use super::setting::EffectiveImage;
use super::value::Value;
use crate::file_selection::in_folder;

/// What a tool appends to the kustomization that it builds. Paths are relative to the kustomization's folder.
#[derive(Clone, Debug, Default)]
pub struct Additions {
    /// Items of `components`.
    pub components: Vec<Value>,
    /// Items of `patches`.
    pub patches: Vec<Value>,
    /// Items of `patchesStrategicMerge`; a map is the patch itself.
    pub strategic_merges: Vec<Value>,
    /// Items of `patchesJson6902`; a list under `patch` is the patch itself.
    pub json_patches: Vec<Value>,
    /// Items of `images`: each is merged with the entry of the same name, or is appended.
    pub images: Vec<Value>,
    /// Argo CD's `kustomize.images`: `name[=newName][:tag][@digest]`. Each replaces the entry of that name.
    pub overrides: Vec<Value>,
}

impl Additions {
    pub fn is_empty(&self) -> bool {
        let Additions { components, patches, strategic_merges, json_patches, images, overrides } = self;
        let lists = [components, patches, strategic_merges, json_patches, images, overrides];
        lists.into_iter().all(Vec::is_empty)
    }

    /// Without what is in files beside the kustomization.
    fn without_files(&self) -> Additions {
        let is_inline = |item: &&Value| item.get("path").is_none();
        let inline = |list: &[Value]| list.iter().filter(is_inline).cloned().collect();
        Additions {
            components: Vec::new(),
            patches: inline(&self.patches),
            json_patches: inline(&self.json_patches),
            ..self.clone()
        }
    }
}

/// A rendered kustomization.
#[derive(Clone, Debug, Default)]
pub struct Build {
    pub objects: Vec<Object>,
    /// Entries of `images` lists that matched no container, at any level.
    pub unmatched: Vec<UnmatchedEntry>,
    /// Every file that it was made from.
    pub files: BTreeSet<FileId>,
    /// The folders of all kustomizations and components that it includes, without its own.
    pub includes: BTreeSet<String>,
    pub charts: Vec<InflatedChart>,
    /// The images of these charts, as the entries of all levels leave them.
    pub chart_images: Vec<EffectiveImage>,
    /// What takes variables, if Flux fills them in.
    pub fed: Vec<FedPlace>,
    /// What JSON patches test.
    pub tested: Vec<TestedPlace>,
    /// What it includes and tagbump can't render.
    pub unknown: Vec<Doubt>,
    /// What may change the images in a way that tagbump can't follow.
    pub uncertain: Vec<Doubt>,
}

/// An object that kustomize would write.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pub value: Value,
    /// The file that it comes from: for a generated object, the kustomization.
    pub file: Option<FileId>,
    /// The names that it had before prefixes, suffixes and namespaces, oldest first. Patches can use them.
    pub previous: Vec<ResourceId>,
    /// The names of the `vars` that stand for it.
    pub variables: Vec<String>,
    /// Only patches show it: the rest of it is in a base that can't be rendered.
    pub is_partial: bool,
}

/// An item of `helmCharts`.
#[derive(Clone, Debug)]
pub struct InflatedChart {
    /// The kustomization's folder, which the item's paths are relative to.
    pub folder: String,
    /// The folder of the chart, if it is in the repository.
    pub chart: Option<String>,
    pub item: Value,
    /// The values files that it uses.
    pub values_files: Vec<String>,
}

/// Renders the kustomization in a folder.
pub fn build(files: &mut Files<'_>, folder: &str, additions: &Additions) -> Build {
    builder::Builder::new(files).run(folder, additions)
}

/// Renders a folder without a kustomization file as Flux does: all YAML below it.
pub fn build_all(files: &mut Files<'_>, folder: &str, additions: &Additions) -> Build {
    let generated = all_files::kustomization(files, folder);
    builder::Builder::new(files).run_generated(folder, &generated, additions)
}

/// What a tool appends to a kustomization that isn't in this repository: as much of the objects as the patches show.
pub fn build_elsewhere(files: &mut Files<'_>, additions: &Additions) -> Build {
    builder::Builder::new(files).run_elsewhere(&additions.without_files())
}

/// Renders a kustomization that a tool makes around the objects of a chart. Not all of these can be seen: besides
/// `objects`, it has all the chart's images, and what the patches set.
pub(super) fn build_around_chart(
    files: &mut Files<'_>,
    kustomization: &Value,
    objects: Vec<Object>,
    images: Vec<EffectiveImage>,
) -> Build {
    builder::Builder::new(files).run_around_chart(kustomization, objects, images)
}

/// The kustomization file in a folder (`konfig.RecognizedKustomizationFileNames`).
pub fn kustomization_file(files: &mut Files<'_>, folder: &str) -> Option<FileId> {
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    names.iter().find_map(|name| files.load(&in_folder(folder, name)))
}
