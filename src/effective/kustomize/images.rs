//! Which scalars of an object the entries of `images` can change.

use std::collections::BTreeSet;

use super::super::value::Value;
use super::ResourceId;
use super::field_paths::{FieldSpec, Steps};

/// The ways to the images in an object: those of `containers` and `initContainers` anywhere
/// (`imagetag.LegacyFilter`), and those at the paths (`imagetag.Filter`).
pub(super) fn image_scalars(object: &Value, paths: &[FieldSpec]) -> BTreeSet<Steps> {
    let id = ResourceId::of(object);
    let mut found = BTreeSet::new();
    if id.kind != "CustomResourceDefinition" {
        containers(object, &mut Vec::new(), &mut found);
        for path in paths {
            path.find(object, &id, &mut |steps| {
                found.insert(steps);
            });
        }
    }
    found
}

/// Values are as deep as a file can be, which is limited when it is read.
fn containers(value: &Value, steps: &mut Steps, found: &mut BTreeSet<Steps>) {
    match value {
        Value::Map(pairs) => {
            for (at, (key, value)) in pairs.iter().enumerate() {
                steps.push(at);
                containers(value, steps, found);
                if ["containers", "initContainers"].contains(&key.as_str()) {
                    items(value, steps, found);
                }
                steps.pop();
            }
        }
        Value::List(list) => {
            for (at, item) in list.iter().enumerate() {
                steps.push(at);
                containers(item, steps, found);
                steps.pop();
            }
        }
        Value::Scalar(_) => {}
    }
}

fn items(list: &Value, steps: &Steps, found: &mut BTreeSet<Steps>) {
    for (at, item) in list.items().iter().enumerate() {
        let image = item.pairs().iter().position(|(key, value)| key == "image" && value.text().is_some());
        if let Some(image) = image {
            found.insert(steps.iter().copied().chain([at, image]).collect());
        }
    }
}
