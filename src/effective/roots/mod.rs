//! Which roots there are, and what they run.
//!
//! `deployments` renders what kustomize, Flux and Argo CD build, `releases` the charts that HelmReleases among the
//! rendered objects run. Charts and compose projects that nothing else uses are roots too.

mod deployments;
mod kustomizations;
mod pointers;
mod projects;
mod releases;
mod scene;

use super::files::Files;
use super::helm::chart_roots;
use super::root::Root;
use super::value::Value;
use crate::memory::free_beside;
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
}

/// The roots around an image.
pub fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let Deployments { all, charts: mut roots, mut used, declared } = Deployments::around(files, scene);
    roots.extend(releases::roots(files, &all, &declared, scene.url, &mut used));
    let (deployed, objects): (Vec<_>, Vec<_>) = all.into_iter().map(|one| (one.root, one.objects)).unzip();
    roots.extend(deployed);
    let charts = scene.chart_folders(files);
    roots.extend(chart_roots(files, &charts, &used));
    roots.extend(projects::roots(files, scene));
    free_beside((objects, declared));
    roots
}
