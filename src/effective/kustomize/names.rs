//! What a kustomization does to the names and labels of its objects. Patches further out are aimed at them.

use super::super::value::{Scalar, Value};
use super::Object;

/// Namespace, prefix, suffix, labels and annotations, in the order of `configureBuiltinTransformers`.
pub(super) fn apply(objects: &mut [Object], kustomization: &Value) {
    let text = |key| kustomization.text_at(&[key]).filter(|text| !text.is_empty());
    if let Some(namespace) = text("namespace") {
        objects.iter_mut().for_each(|object| set_namespace(object, namespace));
    }
    if let Some(prefix) = text("namePrefix") {
        objects.iter_mut().for_each(|object| rename(object, |name| format!("{prefix}{name}")));
    }
    if let Some(suffix) = text("nameSuffix") {
        objects.iter_mut().for_each(|object| rename(object, |name| format!("{name}{suffix}")));
    }
    let labels = kustomization.get("labels").map_or(&[][..], Value::items);
    let labels = labels.iter().filter_map(|item| item.get("pairs")).chain(kustomization.get("commonLabels"));
    labels.for_each(|labels| set_metadata(objects, "labels", labels));
    if let Some(annotations) = kustomization.get("commonAnnotations") {
        set_metadata(objects, "annotations", annotations);
    }
}

/// `NamespaceTransformerPlugin.Transform`; of a Namespace, it is the name (`builtinpluginconsts.namespaceFieldSpecs`).
fn set_namespace(object: &mut Object, namespace: &str) {
    object.store_id();
    let id = object.id();
    if (id.group.as_str(), id.version.as_str(), id.kind.as_str()) == ("", "v1", "Namespace") {
        set(&mut object.value, "name", Value::Scalar(Scalar::generated(namespace)));
    } else if !id.is_cluster_scoped() {
        set(&mut object.value, "namespace", Value::Scalar(Scalar::generated(namespace)));
    }
}

/// `PrefixTransformerPlugin.Transform`, and the same for suffixes
fn rename(object: &mut Object, rename: impl Fn(&str) -> String) {
    let id = object.original_id();
    let is_skipped = match id.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => id.group == "apiregistration.k8s.io",
        _ => false,
    };
    if !is_skipped {
        object.store_id();
        let name = rename(&object.id().name);
        set(&mut object.value, "name", Value::Scalar(Scalar::generated(name)));
    }
}

fn set_metadata(objects: &mut [Object], key: &str, labels: &Value) {
    for object in objects {
        let mut all = object.value.at(&["metadata", key]).cloned().unwrap_or_default();
        all.merge(labels.clone());
        set(&mut object.value, key, all);
    }
}

fn set(object: &mut Value, key: &str, value: Value) {
    match object.get_mut("metadata") {
        Some(metadata) => metadata.set(key, value),
        None => object.set("metadata", Value::Map(vec![(key.to_owned(), value)])),
    }
}
