//! Which lists a strategic merge joins by key: those of pods in the kinds that Kubernetes itself defines.
//!
//! The keys are the `x-kubernetes-patch-merge-key` of the OpenAPI schema that is built into kustomize
//! (`kyaml/openapi/kubernetesapi`). For all other kinds, kustomize has no schema, so a list replaces the list.

use super::ResourceId;

/// What is known about a value from where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Nothing: lists below it are replaced.
    Other,
    /// The keys that still lead to the pod's spec.
    Above(&'static [&'static str]),
    PodSpec,
    Container,
}

const TEMPLATE: &[&str] = &["spec", "template", "spec"];

impl Shape {
    pub fn of(id: &ResourceId) -> Self {
        let path: &[&str] = match (id.group.as_str(), id.version.as_str(), id.kind.as_str()) {
            ("apps", "v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => TEMPLATE,
            ("batch", "v1", "Job") | ("", "v1", "ReplicationController") => TEMPLATE,
            ("batch", "v1" | "v1beta1", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
            ("", "v1", "Pod") => &["spec"],
            ("", "v1", "PodTemplate") => &["template", "spec"],
            _ => return Shape::Other,
        };
        Shape::Above(path)
    }

    /// The shape of the value under a key.
    pub fn under(self, key: &str) -> Self {
        match self {
            Shape::Above([last]) if *last == key => Shape::PodSpec,
            Shape::Above([first, rest @ ..]) if *first == key => Shape::Above(rest),
            _ => Shape::Other,
        }
    }

    /// For a list under a key: the key that joins its items, and their shape. `None` if it is replaced.
    pub fn joined_list(self, key: &str) -> Option<(&'static str, Shape)> {
        match (self, key) {
            (Shape::PodSpec, "containers" | "initContainers" | "ephemeralContainers") => {
                Some(("name", Shape::Container))
            }
            (Shape::PodSpec, "volumes" | "imagePullSecrets") => Some(("name", Shape::Other)),
            (Shape::PodSpec, "hostAliases") => Some(("ip", Shape::Other)),
            (Shape::PodSpec, "topologySpreadConstraints") => Some(("topologyKey", Shape::Other)),
            (Shape::Container, "env") => Some(("name", Shape::Other)),
            (Shape::Container, "ports") => Some(("containerPort", Shape::Other)),
            (Shape::Container, "volumeMounts") => Some(("mountPath", Shape::Other)),
            (Shape::Container, "volumeDevices") => Some(("devicePath", Shape::Other)),
            _ => None,
        }
    }
}
