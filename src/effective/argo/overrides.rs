//! `.argocd-source.yaml` and `.argocd-source-APP.yaml`: files beside what a source renders, which change the source.

use std::collections::HashSet;

use super::super::files::{Files, join};
use super::super::helm::Trail;
use super::super::helm::maps::load_map;
use super::super::helm::merge::{parse_path, set_path};
use super::super::images::values_images;
use super::super::place::Place;
use super::super::setting::{EffectiveImage, Link, Setting};
use super::super::value::{Scalar, Value};
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
/// outside of its own namespace `NAMESPACE_APP`. Gives the images that were in a list and aren't any more.
/// (Argo CD, `repository.mergeSourceParameters`.)
pub fn merge(
    files: &mut Files<'_>,
    folder: &str,
    application: &Application,
    source: &mut Value,
    trail: &mut Trail,
) -> Vec<EffectiveImage> {
    let mut discarded = Vec::new();
    let Application { name, namespace, .. } = application;
    let mut names = vec![".argocd-source.yaml".to_owned()];
    if !name.is_empty() && !name.contains('/') {
        names.push(format!(".argocd-source-{name}.yaml"));
        names.extend(namespace.as_ref().map(|namespace| format!(".argocd-source-{namespace}_{name}.yaml")));
    }
    for path in names.iter().filter_map(|name| join(folder, name)) {
        let Some(mut over) = load_map(files, &path, trail) else { continue };
        KEPT.iter().for_each(|key| drop(over.remove(key)));
        discarded.extend(left_out(files, source, &over));
        note_overridden(source, &mut over);
        source.merge(over);
    }
    discarded
}

/// The images in the items of a list that its replacement leaves out.
fn left_out(files: &mut Files<'_>, source: &Value, over: &Value) -> Vec<EffectiveImage> {
    let [parameters, images] = NAMED_LISTS.map(|path| {
        let new = over.at(&path).map(|list| list.items().iter().filter_map(name).collect::<HashSet<_>>());
        let old = source.at(&path).map(Value::items).unwrap_or_default().iter();
        let is_out =
            |item: &&Value| new.as_ref().is_some_and(|new| name(item).is_none_or(|name| !new.contains(name)));
        old.filter(is_out).collect::<Vec<_>>()
    });
    let mut values = Value::default();
    for parameter in parameters {
        let path = name(parameter).and_then(parse_path);
        if let (Some(path), Some(value)) = (path, parameter.get("value")) {
            set_path(files, &mut values, &path, value.clone());
        }
    }
    values_images(&values).into_iter().chain(images.into_iter().filter_map(override_image)).collect()
}

/// `name[=newName][:tag][@digest]` as the image that it would make.
fn override_image(item: &Value) -> Option<EffectiveImage> {
    let scalar = item.scalar()?;
    let text = match scalar.text.split_once('=') {
        Some((name, rest)) => rest.strip_prefix('*').map_or(rest.to_owned(), |rest| format!("{name}{rest}")),
        None => scalar.text.clone(),
    };
    let link = Link::new(Setting::Override(scalar.place?), &text);
    let Link { name, tag, digest, .. } = link.clone();
    let (chain, overridden) = (vec![link], Vec::new());
    Some(EffectiveImage {
        name,
        tag,
        digest,
        chain,
        overridden,
        named_at: scalar.place,
        digest_at: None,
        app_version: None,
        other_name: None,
    })
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

fn tag_scalar(item: &Value) -> Option<&Scalar> {
    item.scalar().or_else(|| item.get("value")?.scalar())
}
