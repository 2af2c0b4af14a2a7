//! Which roots there are, and what they run.
//!
//! `kustomizations` renders what kustomize and Flux build, `objects` what the rendered objects stand for: a
//! HelmRelease runs its chart, a workload itself. Charts and compose projects that nothing else uses are roots too.

mod kustomizations;
mod objects;
mod projects;
mod scene;

use super::files::Files;
use super::helm::{UsedCharts, chart_roots};
use super::root::Root;
use super::value::Value;
use objects::{ObjectRoots, Repository};

pub use scene::{Scene, declares_sources, is_structural};

/// Objects that are deployed together, before releases and Applications among them are followed.
#[derive(Default)]
struct Deployment {
    /// Without images: those of its objects are added.
    root: Root,
    objects: Vec<Value>,
}

/// The roots around an image.
pub fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let mut deployments = kustomizations::deployments(files, scene);
    deployments.extend(scene.files_alone(files, &deployments));
    let declared = scene.declared_objects(files);
    let repository = Repository::new(&declared, &deployments, scene.url);
    let mut roots = Vec::new();
    let mut used = UsedCharts::default();
    for deployment in &deployments {
        let ObjectRoots { roots: more, used: charts } = objects::roots(files, deployment, &repository);
        roots.extend(more);
        used.extend(charts);
    }
    let charts = scene.chart_folders(files);
    roots.extend(chart_roots(files, &charts, &used));
    roots.extend(projects::roots(files, scene));
    roots
}
