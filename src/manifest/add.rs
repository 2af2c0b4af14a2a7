//! `--add`: creates the `images:` entry that a kustomization lacks.
//!
//! kustomize compares the entry's `name` with the workload's text, so `nginx` doesn't match a workload that
//! uses `docker.io/library/nginx`. The new entry therefore spells the image as the workloads do.

use super::kustomization;
use crate::image::{ParsedReference, same_image};
use crate::yaml::{Change, NewPair, NodeId, NodeKind, ParsedYaml};

/// The lists of containers that kustomize applies its entries to.
const REACHED: [&str; 2] = ["containers", "initContainers"];

/// The first document of a file that is a kustomization.
pub fn kustomization_root(path: &str, yaml: &ParsedYaml) -> Option<NodeId> {
    yaml.roots().iter().copied().find(|&root| kustomization::is_kustomization(path, yaml, root))
}

/// The files and folders that a kustomization builds on, as they are written there.
pub fn resources(yaml: &ParsedYaml, root: NodeId) -> Vec<&str> {
    let lists = ["resources", "bases", "components"].into_iter();
    let lists = lists.filter_map(|key| yaml.at(root, &[key]));
    lists.flat_map(|list| yaml.items(list)).filter_map(|item| yaml.text(item)).collect()
}

/// The image's name as a workload in this file spells it.
pub fn spelling<'a>(yaml: &'a ParsedYaml, image: &str) -> Option<&'a str> {
    let containers = (0..yaml.len()).filter(|&id| yaml.key_text(id) == Some("image"));
    let named = containers.filter(|&id| in_container(yaml, id)).filter_map(|id| yaml.text(id));
    named.map(|text| ParsedReference::parse(text).name).find(|name| same_image(name, image))
}

/// Whether kustomize applies its entries to the `image` here.
pub fn in_container(yaml: &ParsedYaml, id: NodeId) -> bool {
    let list = yaml.node(id).parent.and_then(|map| yaml.node(map).parent);
    list.and_then(|list| yaml.key_text(list)).is_some_and(|key| REACHED.contains(&key))
}

/// The change that adds an entry; `None` if `images` can't take one.
pub fn entry(yaml: &ParsedYaml, root: NodeId, pairs: Vec<NewPair>) -> Option<Change> {
    match yaml.get(root, "images") {
        None => Some(Change::AddList { map: root, key: "images", pairs }),
        Some(found) if found.shared_by.is_none() && yaml.node(found.node).kind == NodeKind::Seq => {
            Some(Change::Append { seq: found.node, pairs })
        }
        Some(found) if found.shared_by.is_none() && yaml.node(found.node).is_null() => {
            Some(Change::FillList { value: found.node, pairs })
        }
        Some(_) => None,
    }
}
