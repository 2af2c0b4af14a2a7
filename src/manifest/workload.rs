//! Workloads: the containers and image volumes of every kind that creates pods.
//!
//! The fields follow the Kubernetes API reference (`PodSpec`), Argo Rollouts' `Rollout` and Knative's
//! `Service`.

use super::{Document, Reference, ValueLocation, syntax};
use crate::yaml::NodeId;

pub const KIND: &str = "workload";

/// The keys of a pod that list its containers.
pub const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    let Some(pod) = pod_spec(doc) else { return Vec::new() };
    let lists = CONTAINERS.into_iter().filter_map(|key| doc.yaml.at(pod, &[key]));
    let containers = lists.flat_map(|list| doc.yaml.items(list));
    let images = containers.filter_map(|container| slot(doc, container, "image"));
    let volumes = doc.yaml.at(pod, &["volumes"]).into_iter().flat_map(|list| doc.yaml.items(list));
    let volumes = volumes.filter_map(|volume| doc.yaml.at(volume, &["image"]));
    let references = volumes.filter_map(|image| slot(doc, image, "reference"));
    images.chain(references).filter_map(|slot| syntax::string(doc.yaml, slot, KIND)).collect()
}

fn pod_spec(doc: &Document<'_>) -> Option<NodeId> {
    let path: &[&str] = match doc.kind()? {
        "Pod" => &["spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "Rollout" => {
            &["spec", "template", "spec"]
        }
        "Service" if doc.is_of("serving.knative.dev", "Service") => &["spec", "template", "spec"],
        _ => return None,
    };
    doc.yaml.at(doc.root, path)
}

fn slot(doc: &Document<'_>, map: NodeId, key: &str) -> Option<ValueLocation> {
    doc.yaml.get(map, key).map(|found| ValueLocation::where_written(doc.yaml, found))
}
