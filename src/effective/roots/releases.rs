//! What the HelmReleases among the deployed objects run.

use super::super::files::Files;
use super::super::helm::{Around, Objects, Release, UsedCharts, release};
use super::super::root::Root;
use super::super::value::Value;
use super::{Deployment, DeploymentDoubts};

/// A root for each release, once for each deployment that has it. Adds the charts that they use to `used`.
pub(super) fn roots(
    files: &mut Files<'_>,
    deployments: &[Deployment],
    declared: &[Value],
    url: Option<&str>,
    used: &mut UsedCharts,
) -> Vec<Root> {
    let deployed = deployments.iter().flat_map(|deployment| &deployment.objects);
    let repository = Objects::new(declared.iter().chain(deployed));
    let mut roots = Vec::new();
    for deployment in deployments {
        let own = Objects::new(&deployment.objects);
        let around = Around { root: &own, repository: &repository, url };
        let doubts = DeploymentDoubts::of(deployment);
        let releases = deployment.objects.iter();
        for object in releases.filter(|object| object.text_at(&["kind"]) == Some("HelmRelease")) {
            let release = release(files, object, &around);
            used.charts.extend(release.chart.clone());
            used.values_files.extend(release.values_files.clone());
            let written_in = object.place().map(|place| files.file(place.file).path.clone());
            let entry = deployment.root.entry.clone().or_file(written_in.as_deref());
            let mut root = root(object, release, &deployment.root.name);
            root.uncertain.extend(doubts.about(object));
            roots.push(Root { entry, ..root });
        }
    }
    roots
}

fn root(object: &Value, release: Release, deployment: &str) -> Root {
    let name = object.text_at(&["metadata", "name"]).unwrap_or("without a name");
    Root {
        name: format!("HelmRelease {name} in {deployment}"),
        images: release.images,
        unmatched: release.unmatched,
        files: release.files,
        unknown: release.unknown,
        uncertain: release.uncertain,
        stale: release.stale,
        may_render: release.may_render.into_iter().collect(),
        ..Root::default()
    }
}
