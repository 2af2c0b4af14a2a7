//! Workloads: the containers and image volumes of every object that creates pods, whatever its kind.
//!
//! Kubernetes' own kinds (`PodSpec` in the API reference) and custom resources that hold a pod, or a part of one, spell
//! containers alike, so any object is searched for them. Tekton's and Argo's kinds have more places: their fields
//! follow Tekton's `Task` (`steps`, `sidecars`, `stepTemplate`) and Argo Workflows' `Template` (`container`, `script`,
//! `sidecars`).

use super::walk::{Next, walk};
use super::{Document, Reference, ValueLocation, syntax};
use crate::yaml::{NodeId, NodeKind};

pub const KIND: &str = "workload";

/// The keys of a pod that list its containers.
pub const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The keys that list containers in Tekton's and Argo's kinds.
const STEPS: [&str; 2] = ["steps", "sidecars"];

/// The keys of a single container in these kinds.
const STEP: [&str; 2] = ["stepTemplate", "script"];

/// Kinds of Kubernetes that are searched even if the document has no `apiVersion`.
const BUILT_IN: [&str; 7] = ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"];

/// API groups, with all groups below them, whose objects have steps.
const WITH_STEPS: [&str; 2] = ["tekton.dev", "argoproj.io"];

/// API groups, with all groups below them, whose objects say which images may run. They run none.
const POLICIES: [&str; 2] = ["kyverno.io", "gatekeeper.sh"];

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    let Some(search) = ContainerSearch::of(doc) else { return Vec::new() };
    let mut found = Vec::new();
    walk(doc.yaml, doc.root, |id| search.visit(id, &mut found));
    found
}

struct ContainerSearch<'a> {
    doc: &'a Document<'a>,
    /// Steps and scripts are containers too.
    has_steps: bool,
    /// The key of Helm values, which are searched by their own rules.
    values: Option<&'static str>,
}

impl<'a> ContainerSearch<'a> {
    /// The search of an object; `None` for documents that run no containers.
    fn of(doc: &'a Document<'a>) -> Option<Self> {
        let (kind, version) = (doc.kind()?, doc.api_version());
        let is_below = |group: &&str| is_below(version.unwrap_or_default(), group);
        let is_object = version.is_some() || BUILT_IN.contains(&kind);
        if !is_object || kind == "CustomResourceDefinition" || POLICIES.iter().any(is_below) {
            return None;
        }
        let values = match kind {
            "HelmRelease" => Some("values"),
            "Application" | "ApplicationSet" => Some("valuesObject"),
            _ => None,
        };
        Some(ContainerSearch { doc, has_steps: WITH_STEPS.iter().any(is_below), values })
    }

    fn visit(&self, id: NodeId, found: &mut Vec<Reference>) -> Next {
        let yaml = self.doc.yaml;
        let Some(key) = yaml.key_text(id) else { return Next::Inside };
        if self.values == Some(key) || self.doc.is_aside(id, key) {
            return Next::Past;
        }
        match yaml.node(yaml.resolve(id)).kind {
            NodeKind::Seq if self.lists_containers(key) => {
                found.extend(yaml.items(id).filter_map(|item| self.image(item, "image")));
            }
            NodeKind::Seq if key == "volumes" => {
                let images = yaml.items(id).filter_map(|volume| yaml.at(volume, &["image"]));
                found.extend(images.filter_map(|image| self.image(image, "reference")));
            }
            NodeKind::Map if self.is_container(key) => found.extend(self.image(id, "image")),
            _ => {}
        }
        Next::Inside
    }

    fn lists_containers(&self, key: &str) -> bool {
        CONTAINERS.contains(&key) || (self.has_steps && STEPS.contains(&key))
    }

    fn is_container(&self, key: &str) -> bool {
        key == "container" || (self.has_steps && STEP.contains(&key))
    }

    /// The image under a key of a map, unless it is a pattern.
    fn image(&self, map: NodeId, key: &str) -> Option<Reference> {
        let yaml = self.doc.yaml;
        let slot = ValueLocation::where_written(yaml, yaml.get(map, key)?);
        let is_pattern =
            |r: &Reference| r.image.contains('*') || r.tag.as_ref().is_some_and(|t| t.contains('*'));
        syntax::string(yaml, slot, KIND).filter(|reference| !is_pattern(reference))
    }
}

/// Whether an `apiVersion` is of this group, or of one below it: `triggers.tekton.dev` is below `tekton.dev`.
fn is_below(api_version: &str, group: &str) -> bool {
    let own = api_version.split_once('/').and_then(|(own, _)| own.strip_suffix(group));
    own.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use crate::manifest::{ManifestFile, references};
    use crate::yaml::scan;

    /// The images of all workload references in a file.
    fn images(text: &str) -> Vec<String> {
        let yaml = scan(text.as_bytes()).unwrap();
        let file = ManifestFile { path: "x.yaml", text, yaml: &yaml, is_values: false };
        let found = references(&file).into_iter().filter(|r| r.kind == super::KIND);
        found.map(|r| r.image).collect()
    }

    #[test]
    fn containers_are_found_anywhere_in_an_object() {
        let text = "apiVersion: x.io/v1\nkind: X\nspec:\n  a:\n  - b: {containers: [{image: one:v1}]}\n  initContainers: [{image: two:v1}]\n  c: {container: {image: three:v1}}\n  volumes: [{image: {reference: four:v1}}]\n";
        assert_eq!(images(text), ["one", "two", "three", "four"]);
    }

    #[test]
    fn steps_are_containers_only_in_tekton_and_argo() {
        let text = |version: &str| {
            format!(
                "apiVersion: {version}\nkind: X\nspec:\n  steps: [{{image: a:v1}}]\n  sidecars: [{{image: b:v1}}]\n  stepTemplate: {{image: c:v1}}\n  script: {{image: d:v1}}\n"
            )
        };
        for version in ["tekton.dev/v1", "argoproj.io/v1alpha1", "triggers.tekton.dev/v1"] {
            assert_eq!(images(&text(version)), ["a", "b", "c", "d"], "{version}");
        }
        for version in ["nottekton.dev/v1", "v1"] {
            assert!(images(&text(version)).is_empty(), "{version}");
        }
    }

    #[test]
    fn places_that_run_nothing_are_left_out() {
        let with = |head: &str, key: &str| format!("{head}\n{key}:\n  containers: [{{image: a:v1}}]\n");
        assert_eq!(images(&with("apiVersion: v1\nkind: X", "spec")), ["a"]);
        for (head, key) in [
            ("apiVersion: v1\nkind: X", "status"),
            ("apiVersion: v1\nkind: X", "annotations"),
            ("apiVersion: v1\nkind: X", "podAnnotations"),
            ("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition", "spec"),
            ("apiVersion: kyverno.io/v1\nkind: ClusterPolicy", "spec"),
            ("apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy", "spec"),
            ("apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: X", "spec"),
            ("kind: X", "spec"),
            ("apiVersion: v1", "spec"),
        ] {
            assert!(images(&with(head, key)).is_empty(), "{head} {key}");
        }
    }

    #[test]
    fn status_that_is_not_the_objects_is_searched() {
        let text = "apiVersion: v1\nkind: X\nspec:\n  status: {containers: [{image: a:v1}]}\n  template:\n    kind: Y\n    status: {containers: [{image: b:v1}]}\n";
        assert_eq!(images(text), ["a"]);
    }

    #[test]
    fn pattern_is_no_image() {
        assert!(images("apiVersion: v1\nkind: X\nspec: {containers: [{image: 'acme/*:v1'}]}\n").is_empty());
    }

    #[test]
    fn helm_values_are_searched_by_their_own_rules_only() {
        let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values: {containers: [{image: a:v1}]}\n  postRenderers: [{kustomize: {patchesStrategicMerge: [{containers: [{image: b:v1}]}]}}]\n";
        assert_eq!(images(release), ["b"]);
        let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: {helm: {valuesObject: {containers: [{image: a:v1}]}}}\n";
        assert!(images(application).is_empty());
    }

    #[test]
    fn container_that_many_lists_share_is_found_once() {
        let text =
            "apiVersion: v1\nkind: X\nx: &c {image: a:v1}\na: {containers: [*c, *c]}\nb: {container: *c}\n";
        assert_eq!(images(text), ["a"]);
    }
}
