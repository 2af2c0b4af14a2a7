//! What the objects of a deployment run.

use super::super::files::Files;
use super::super::helm::{Around, Objects, Release, UsedCharts, release};
use super::super::images::object_images;
use super::super::root::Root;
use super::super::value::Value;
use super::Deployment;

/// The objects that any file of the repository declares.
pub(super) struct Repository<'a> {
    objects: Objects<'a>,
    url: Option<&'a str>,
}

impl<'a> Repository<'a> {
    pub fn new(declared: &'a [Value], deployments: &'a [Deployment], url: Option<&'a str>) -> Self {
        let deployed = deployments.iter().flat_map(|deployment| &deployment.objects);
        Repository { objects: Objects::new(declared.iter().chain(deployed)), url }
    }
}

/// The roots that a deployment makes, and the charts that they use.
#[derive(Default)]
pub(super) struct ObjectRoots {
    pub roots: Vec<Root>,
    pub used: UsedCharts,
}

/// The deployment itself with the images of its workloads, and a root for each release in it.
pub(super) fn roots(
    files: &mut Files<'_>,
    deployment: &Deployment,
    repository: &Repository<'_>,
) -> ObjectRoots {
    let own = Objects::new(&deployment.objects);
    let around = Around { root: &own, repository: &repository.objects, url: repository.url };
    let mut made = ObjectRoots::default();
    let mut root = deployment.root.clone();
    for object in &deployment.objects {
        match object.text_at(&["kind"]) {
            Some("HelmRelease") => made.add_release(object, release(files, object, &around), &root),
            _ => root.images.extend(object_images(object)),
        }
    }
    made.roots.push(root);
    made
}

impl ObjectRoots {
    fn add_release(&mut self, object: &Value, release: Release, around: &Root) {
        let name = object.text_at(&["metadata", "name"]).unwrap_or("without a name");
        self.used.charts.extend(release.chart);
        self.used.values_files.extend(release.values_files);
        self.roots.push(Root {
            name: format!("HelmRelease {name} in {}", around.name),
            images: release.images,
            unmatched: release.unmatched,
            files: release.files,
            unknown: release.unknown,
            uncertain: release.uncertain,
            stale: release.stale,
            ..Root::default()
        });
    }
}
