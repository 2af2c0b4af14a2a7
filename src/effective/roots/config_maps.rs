//! The ConfigMaps that Flux Kustomizations take variables from. Several clusters can each have one with the same name.

use std::collections::{BTreeSet, HashMap};

use super::super::files::Files;
use super::super::helm::Objects;
use super::super::value::Value;
use super::Deployment;
use super::pointers::RenderedPointers;

/// Of more ConfigMaps with the same name, the others aren't looked at.
const MAX_OTHERS: usize = 1000;

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

    /// The ConfigMaps that a Flux Kustomization names, which is among the objects of the deployment at `nth`: its own, or else those
    /// that other objects of that deployment make, or else those that are written closest to it.
    pub fn named_by(
        &self,
        kustomization: &Value,
        nth: usize,
        (deployments, rendered): (&[Deployment], &RenderedPointers),
        files: &mut Files<'_>,
    ) -> NamedConfigMaps {
        let sources =
            kustomization.at(&["spec", "postBuild", "substituteFrom"]).map_or(&[][..], Value::items);
        let names: BTreeSet<&str> = sources.iter().filter_map(|source| source.text_at(&["name"])).collect();
        let mut named = NamedConfigMaps::default();
        for name in names {
            let closest = self.closest(name, kustomization, nth, (deployments, rendered), files);
            let mut sources = sources.iter().filter(|source| source.text_at(&["name"]) == Some(name));
            let Some(first) = closest.first() else {
                named.is_incomplete |= sources.any(is_config_map);
                continue;
            };
            named.is_ambiguous |= closest.iter().any(|other| other.get("data") != first.get("data"));
            if files.spend(first.size()) {
                named.found.push((*first).clone());
            }
        }
        named
    }

    /// Whether another deployment may build a ConfigMap later that a Flux Kustomization names, which is among the objects of the
    /// deployment at `nth`.
    pub fn may_be_built_later(&self, kustomization: &Value, nth: usize) -> bool {
        let sources =
            kustomization.at(&["spec", "postBuild", "substituteFrom"]).map_or(&[][..], Value::items);
        let is_own = |name: &str| {
            self.built.get(name).is_some_and(|built| built.iter().any(|(deployment, _)| *deployment == nth))
        };
        let mut names = sources
            .iter()
            .filter(|source| is_config_map(source))
            .filter_map(|source| source.text_at(&["name"]));
        names.any(|name| !is_own(name))
    }

    /// The ConfigMaps of a name that may be meant: several if none of them is closer than the others.
    fn closest<'o>(
        &'o self,
        name: &str,
        kustomization: &Value,
        nth: usize,
        (deployments, rendered): (&'o [Deployment], &RenderedPointers),
        files: &Files<'_>,
    ) -> Vec<&'o Value> {
        let namespace = kustomization.text_at(&["metadata", "namespace"]);
        let fits = |object: &&Value| {
            let own = object.text_at(&["metadata", "namespace"]);
            own.is_none() || namespace.is_none() || own == namespace
        };
        let built = || self.built.get(name).into_iter().flatten();
        let object = |&(deployment, at): &(usize, usize)| &deployments[deployment].objects[at];
        if let Some(own) = built().filter(|(deployment, _)| *deployment == nth).map(object).find(fits) {
            return vec![own];
        }
        let of_siblings = || built().filter(|(deployment, _)| rendered.is_made_by(nth, *deployment));
        if of_siblings().map(object).any(|object| fits(&object)) {
            return of_siblings().take(MAX_OTHERS).map(object).filter(fits).collect();
        }
        let others =
            built().map(object).filter(fits).chain(self.declared.named("ConfigMap", name, namespace));
        let mut others: Vec<_> = others.take(MAX_OTHERS).collect();
        let path = |object: &Value| object.place().map(|place| files.file(place.file).path.as_str());
        let closeness = |object: &Value| shared_folders(path(object), path(kustomization));
        let best = others.iter().map(|object| closeness(object)).max().unwrap_or_default();
        others.retain(|object| closeness(object) == best);
        // what a deployment built comes first, and its written form isn't another one
        let mut places = BTreeSet::new();
        others.retain(|object| {
            object.get("data").and_then(Value::place).is_none_or(|place| places.insert(place))
        });
        others
    }
}

/// Whether a source of variables is a ConfigMap.
fn is_config_map(source: &Value) -> bool {
    source.text_at(&["kind"]) != Some("Secret")
}

/// The ConfigMaps that a Flux Kustomization names.
#[derive(Default)]
pub(super) struct NamedConfigMaps {
    pub found: Vec<Value>,
    /// For one of the names, it isn't known which of several is meant.
    pub is_ambiguous: bool,
    /// One of them isn't known, or not yet.
    pub is_incomplete: bool,
}

/// How many folders two paths have in common.
fn shared_folders(one: Option<&str>, other: Option<&str>) -> usize {
    let (Some(one), Some(other)) = (one, other) else { return 0 };
    one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other).count()
}
