//! `.argocd-source.yaml` and `.argocd-source-APP.yaml`: files beside what a source renders, which change the source.

use super::super::files::{Files, join};
use super::super::helm::Trail;
use super::super::helm::maps::load_map;
use super::super::place::Place;
use super::super::value::Value;
use super::Application;

/// The fields of a source that such a file can't change.
const KEPT: [&str; 4] = ["chart", "path", "repoURL", "targetRevision"];

/// Lists whose items have names.
const NAMED_LISTS: [[&str; 2]; 2] = [["helm", "parameters"], ["kustomize", "images"]];

/// The name of a parameter or of an image.
fn name(item: &Value) -> Option<&str> {
    item.text_at(&["name"]).or_else(|| item.text()?.split(['=', ':', '@']).next())
}

/// Merges the files over the source, as JSON merge patches: a list replaces the list. Argo CD names an Application
/// outside of its own namespace `NAMESPACE_APP`. (Argo CD, `repository.mergeSourceParameters`.)
pub fn merge(
    files: &mut Files<'_>,
    folder: &str,
    application: &Application,
    source: &mut Value,
    trail: &mut Trail,
) {
    let Application { name, namespace, .. } = application;
    let mut names = vec![".argocd-source.yaml".to_owned()];
    if !name.is_empty() && !name.contains('/') {
        names.push(format!(".argocd-source-{name}.yaml"));
        names.extend(namespace.as_ref().map(|namespace| format!(".argocd-source-{namespace}_{name}.yaml")));
    }
    for path in names.iter().filter_map(|name| join(folder, name)) {
        let Some(mut over) = load_map(files, &path, trail) else { continue };
        KEPT.iter().for_each(|key| drop(over.remove(key)));
        note_overridden(source, &mut over);
        source.merge(over);
    }
}

/// A list that replaces another one overrides the items of the same name.
fn note_overridden(source: &Value, over: &mut Value) {
    for [outer, inner] in NAMED_LISTS {
        let old = source.at(&[outer, inner]).map(Value::items).unwrap_or_default();
        let Some(Value::List(new)) = over.get_mut(outer).and_then(|map| map.get_mut(inner)) else { continue };
        for item in new {
            let before = old.iter().find(|old| name(old).is_some() && name(old) == name(item));
            let places: Vec<Place> = before.and_then(tag_scalar).map(|old| old.places()).unwrap_or_default();
            match item {
                Value::Scalar(scalar) => scalar.overridden.extend(places),
                map => {
                    if let Some(Value::Scalar(scalar)) = map.get_mut("value") {
                        scalar.overridden.extend(places);
                    }
                }
            }
        }
    }
}

fn tag_scalar(item: &Value) -> Option<&super::super::value::Scalar> {
    item.scalar().or_else(|| item.get("value")?.scalar())
}
