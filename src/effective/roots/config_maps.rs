//! The ConfigMaps that Flux Kustomizations take variables from. Several clusters can each have one with the same name.

use std::collections::HashMap;

use super::super::files::Files;
use super::super::helm::Objects;
use super::super::value::Value;
use super::Deployment;

/// The ConfigMaps of a repository.
pub(super) struct ConfigMaps<'a> {
    /// As they are written.
    declared: &'a Objects<'a>,
    /// Those of the deployments that were seen, as these build them: the positions of the deployment and the object.
    built: HashMap<String, Vec<(usize, usize)>>,
    /// How many deployments were seen.
    seen: usize,
}

impl<'a> ConfigMaps<'a> {
    pub fn new(declared: &'a Objects<'a>) -> Self {
        ConfigMaps { declared, built: HashMap::new(), seen: 0 }
    }

    /// Takes the ConfigMaps of the deployments that were found since the last time.
    pub fn see(&mut self, deployments: &[Deployment]) {
        for (nth, deployment) in deployments.iter().enumerate().skip(self.seen) {
            for (at, object) in deployment.objects.iter().enumerate() {
                let name = object.text_at(&["metadata", "name"]);
                if let (Some("ConfigMap"), Some(name)) = (object.text_at(&["kind"]), name) {
                    self.built.entry(name.to_owned()).or_default().push((nth, at));
                }
            }
        }
        self.seen = deployments.len();
    }

    /// The ConfigMaps that a Flux Kustomization names, which is among the objects of the deployment at `nth`: its own, or else the
    /// one that is written closest to it.
    pub fn named_by(
        &self,
        kustomization: &Value,
        nth: usize,
        deployments: &[Deployment],
        files: &Files<'_>,
    ) -> Vec<Value> {
        let sources = kustomization.at(&["spec", "postBuild", "substituteFrom"]);
        let namespace = kustomization.text_at(&["metadata", "namespace"]);
        let path = |object: &Value| object.place().map(|place| files.file(place.file).path.as_str());
        let closeness = |object: &Value| shared_folders(path(object), path(kustomization));
        let names =
            sources.map_or(&[][..], Value::items).iter().filter_map(|source| source.text_at(&["name"]));
        let found = names.filter_map(|name| {
            let fits = |(_, object): &(usize, &Value)| {
                let own = object.text_at(&["metadata", "namespace"]);
                own.is_none() || namespace.is_none() || own == namespace
            };
            let places = || self.built.get(name).into_iter().flatten();
            let built = || places().map(|&(nth, at)| (nth, &deployments[nth].objects[at])).filter(fits);
            let own = built().find(|(deployment, _)| *deployment == nth).map(|(_, object)| object);
            let others = built().map(|(_, object)| object);
            let all = others.chain(self.declared.named("ConfigMap", name, namespace)).collect::<Vec<_>>();
            // of equally close ones, the first is what a deployment built
            own.or_else(|| all.into_iter().rev().max_by_key(|object| closeness(object)))
        });
        found.cloned().collect()
    }
}

/// How many folders two paths have in common.
fn shared_folders(one: Option<&str>, other: Option<&str>) -> usize {
    let (Some(one), Some(other)) = (one, other) else { return 0 };
    one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other).count()
}
