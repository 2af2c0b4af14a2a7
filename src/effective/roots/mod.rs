//! Which roots there are, and what they run.
//!
//! `deployments` renders what kustomize, Flux and Argo CD build: `found_pointers` finds the objects that say so, and
//! `config_maps` their variables. `releases` renders the charts that HelmReleases among the rendered objects run, `helmfiles`
//! those of Helmfile. Charts and compose projects that nothing else uses are roots too, and `templates` may make more.

mod config_maps;
mod deployments;
mod found_pointers;
mod helmfiles;
mod kustomizations;
mod pointers;
mod projects;
mod releases;
mod scene;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::files::Files;
use super::helm::chart_roots;
use super::place::FileId;
use super::root::{Doubt, Root};
use super::value::Value;
use crate::memory::drop_in_background;
use deployments::Deployments;

pub use scene::{FileMarks, FileRole, Scene};

/// Objects that are deployed together.
#[derive(Debug, Default)]
struct Deployment {
    /// With the images of its workloads.
    root: Root,
    objects: Vec<Value>,
    /// A single file that nothing includes.
    is_file: bool,
    /// The file that tells of an Application that isn't written here, if this holds nothing else.
    implied_by: Option<FileId>,
}

/// What tagbump can't follow in a deployment.
#[derive(Default)]
struct DeploymentDoubts {
    all: Vec<Doubt>,
    /// The files of its objects.
    files: BTreeSet<FileId>,
}

impl DeploymentDoubts {
    fn of(deployment: &Deployment) -> Self {
        let all: Vec<Doubt> = deployment.root.doubts().cloned().collect();
        if all.is_empty() {
            return DeploymentDoubts::default();
        }
        let files = deployment.objects.iter().filter_map(|object| object.place()).map(|place| place.file);
        DeploymentDoubts { all, files: files.collect() }
    }

    /// Those that may change an object: doubts about the whole, and about the object itself.
    fn about(&self, object: &Value) -> Vec<Doubt> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let own = object.place().map(|place| place.file);
        let concerns = |doubt: &&Doubt| {
            let at = doubt.at.map(|place| place.file);
            at == own || at.is_none_or(|file| !self.files.contains(&file))
        };
        self.all.iter().filter(concerns).cloned().collect()
    }
}

/// The roots around an image.
pub fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let Deployments { all, charts: mut roots, mut used, declared } = Deployments::around(files, scene);
    roots.extend(releases::roots(files, &all, &declared, scene.url, &mut used));
    let (deployed, objects): (Vec<_>, Vec<_>) =
        all.into_iter().map(|deployment| (deployment.root, deployment.objects)).unzip();
    roots.extend(deployed);
    roots.extend(helmfiles::roots(files, scene, &mut used));
    let charts = scene.chart_folders(files);
    roots.extend(chart_roots(files, &charts, &used));
    roots.extend(projects::roots(files, scene));
    roots.extend(templates::roots(files, scene));
    drop_in_background(objects.iter().map(Vec::len).sum(), (objects, declared));
    roots
}
