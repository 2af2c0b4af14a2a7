//! `--add`: an `images:` entry for a kustomization that lacks one, spelt as its workloads spell the image.
//!
//! kustomize compares the entry's `name` with the workload's text, so `nginx` does not match a workload
//! that says `docker.io/library/nginx`.

use super::kustomization;
use super::workload::CONTAINERS;
use crate::image::{Written, same_image};
use crate::yaml::{Change, NodeId, Pair, Shape, Tape};

/// The first document of a file that is a kustomization.
pub fn kustomization_root(path: &str, tape: &Tape) -> Option<NodeId> {
    tape.roots().iter().copied().find(|&root| kustomization::is_kustomization(path, tape, root))
}

/// The files and folders that a kustomization builds on, as it writes them.
pub fn resources(tape: &Tape, root: NodeId) -> Vec<&str> {
    let lists = ["resources", "bases", "components"].into_iter();
    let lists = lists.filter_map(|key| tape.at(root, &[key]));
    lists.flat_map(|list| tape.items(list)).filter_map(|item| tape.text(item)).collect()
}

/// The image's name as a workload in this file writes it.
pub fn spelling<'a>(tape: &'a Tape, image: &str) -> Option<&'a str> {
    let containers = (0..tape.len()).filter(|&id| tape.key_text(id) == Some("image"));
    let named = containers.filter(|&id| in_container(tape, id)).filter_map(|id| tape.text(id));
    named.map(|text| Written::parse(text).name).find(|name| same_image(name, image))
}

fn in_container(tape: &Tape, id: NodeId) -> bool {
    let list = tape.node(id).parent.and_then(|map| tape.node(map).parent);
    list.and_then(|list| tape.key_text(list)).is_some_and(|key| CONTAINERS.contains(&key))
}

/// The change that adds an entry; nothing where `images` is not a list that can take one.
pub fn entry(tape: &Tape, root: NodeId, pairs: Vec<Pair>) -> Option<Change> {
    match tape.get(root, "images") {
        None => Some(Change::AddList { map: root, key: "images", pairs }),
        Some(found) if found.shared_by.is_none() && tape.node(found.node).shape == Shape::Seq => {
            Some(Change::Append { seq: found.node, pairs })
        }
        Some(found) if found.shared_by.is_none() && tape.node(found.node).is_null() => {
            Some(Change::FillList { value: found.node, pairs })
        }
        Some(_) => None,
    }
}
