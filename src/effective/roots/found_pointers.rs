//! Finds the objects that make a tool render something: Flux Kustomizations, Applications and ApplicationSets.

use super::super::flux::{self, BuildSource};
use super::super::helm::{Around, Objects};
use super::super::root::Doubt;
use super::super::value::Value;
use super::scene::Scene;
use super::{Deployment, DeploymentDoubts};

/// Where Flux takes a repository from.
pub(super) const GIT_REPOSITORY: &str = "GitRepository";

/// An object that makes a tool render something.
pub(super) struct FoundPointer {
    pub object: Value,
    /// The position of the deployment that it is among.
    pub deployer: usize,
    pub source: BuildSource,
    /// What may change it in a way that tagbump can't follow.
    pub doubts: Vec<Doubt>,
}

/// Those of a deployment, which is the one at `deployer`.
pub(super) fn pointers_in(
    deployment: &Deployment,
    deployer: usize,
    scene: &Scene<'_>,
    repositories: &Objects<'_>,
) -> Vec<FoundPointer> {
    let objects = &deployment.objects;
    let own = Objects::new(objects.iter().filter(|object| is_kind(object, GIT_REPOSITORY)));
    let around = Around { root: &own, repository: repositories, url: scene.url };
    let doubts = DeploymentDoubts::of(deployment);
    let pointers = objects.iter().filter(|object| is_pointer(object));
    let pointers = pointers.map(|object| (object, build_source(object, &around)));
    pointers
        .filter(|(_, source)| *source != BuildSource::Nowhere)
        .map(|(object, source)| FoundPointer {
            object: object.clone(),
            deployer,
            source,
            doubts: doubts.about(object),
        })
        .collect()
}

/// Where the files are that an object renders. (Applications find that out themselves.)
pub(super) fn build_source(object: &Value, around: &Around<'_>) -> BuildSource {
    if is_flux(object) { flux::build_source(object, around) } else { BuildSource::Here }
}

/// Whether an object makes a tool render something else.
fn is_pointer(object: &Value) -> bool {
    is_flux(object) || is_argo(object)
}

pub(super) fn is_kind(object: &Value, kind: &str) -> bool {
    object.text_at(&["kind"]) == Some(kind)
}

pub(super) fn is_any_kind(object: &Value, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| is_kind(object, kind))
}

pub(super) fn is_flux(object: &Value) -> bool {
    is_kind(object, "Kustomization")
        && object.text_at(&["apiVersion"]).is_some_and(|api| api.starts_with("kustomize.toolkit.fluxcd.io/"))
}

pub(super) fn is_argo(object: &Value) -> bool {
    (is_kind(object, "Application") || is_kind(object, "ApplicationSet"))
        && object.text_at(&["apiVersion"]).is_some_and(|api| api.starts_with("argoproj.io/"))
}
