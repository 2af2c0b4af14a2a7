//! `valuesFrom`: values that a HelmRelease takes from ConfigMaps and Secrets.

use std::collections::HashSet;

use super::super::files::Files;
use super::super::images::may_decide_image;
use super::super::place::Place;
use super::super::root::Doubt;
use super::super::second_reader::SecondReader;
use super::super::setting::{Fixed, Setting};
use super::super::value::{Scalar, Value};
use super::maps::{embedded_map, whole_file};
use super::merge::{PathStep, overlay, parse_path, set_path};
use super::source::Around;
use super::trail::Trail;

/// The values of a release, without those of its chart.
#[derive(Debug, Default)]
pub struct ReleaseValues {
    pub values: Value,
    /// The places in `spec.values` and in items with a `targetPath`: nothing is stronger.
    pub strongest: HashSet<Place>,
    /// Items that can't be read here, and why. They are stronger than the chart.
    pub missing: Vec<(Option<Place>, String)>,
    /// Items with a `targetPath` that can't be read here, and that may set a part of an image.
    pub unread: Vec<Doubt>,
}

/// Merges `valuesFrom` and `values`: items without a `targetPath` come first, then `values`, then the items with
/// one, in order. (Flux, `chartutil.ChartValuesFromReferences`.)
pub fn release_values(
    files: &mut Files<'_>,
    release: &Value,
    around: &Around<'_>,
    trail: &mut Trail,
) -> ReleaseValues {
    let items = release.at(&["spec", "valuesFrom"]).map(Value::items).unwrap_or_default();
    let namespace = release.text_at(&["metadata", "namespace"]);
    let references: Vec<ValuesReference<'_>> = items
        .iter()
        .filter_map(|item| ValuesReference::read(item, namespace))
        .filter(|reference| !reference.is_left_out(around))
        .collect();
    let mut result = ReleaseValues::default();
    for (at, reference) in references.iter().enumerate().filter(|(_, reference)| reference.target.is_none()) {
        match reference.map(files, around, trail) {
            Ok(values) => {
                doubt_earlier(&references[..at], &values, trail);
                overlay(&mut result.values, values);
            }
            Err(why) => result.missing.push((reference.at, why)),
        }
    }
    let own = release.at(&["spec", "values"]).cloned().unwrap_or_default();
    doubt_order(&references, &own, &result.values, trail);
    add_places(&own, &mut result.strongest);
    overlay(&mut result.values, own);
    set_targets(files, &references, around, &mut result, trail);
    result
}

/// Sets what the items with a `targetPath` set.
fn set_targets(
    files: &mut Files<'_>,
    references: &[ValuesReference<'_>],
    around: &Around<'_>,
    result: &mut ReleaseValues,
    trail: &mut Trail,
) {
    for reference in references {
        let Some(target) = reference.target else { continue };
        match (parse_path(target), reference.scalar(files, around)) {
            (Some(path), Ok(scalar)) => {
                result.strongest.extend(scalar.places());
                if let Some(place) = scalar.place {
                    files.note_second_reader(place, SecondReader::HelmSet);
                }
                set_path(files, &mut result.values, &path, Value::Scalar(scalar));
            }
            (Some(path), Err(why)) => {
                let what = format!("takes {target} from {why}");
                if may_set_image(&result.values, &path) {
                    result.unread.push(Doubt { at: reference.at, what: what.clone() });
                }
                if let Some(unread) = unread(at(&result.values, &path), &path, reference.at, what) {
                    set_path(files, &mut result.values, &path, Value::Scalar(unread));
                }
            }
            (None, _) => {
                trail.uncertain(reference.at, format!("has the targetPath {target}, which isn't valid"))
            }
        }
    }
}

/// One item of `valuesFrom`.
struct ValuesReference<'v> {
    at: Option<Place>,
    kind: &'v str,
    name: &'v str,
    namespace: Option<&'v str>,
    key: &'v str,
    target: Option<&'v str>,
    is_optional: bool,
}

impl<'v> ValuesReference<'v> {
    fn read(item: &'v Value, namespace: Option<&'v str>) -> Option<Self> {
        Some(ValuesReference {
            at: item.get("name").and_then(Value::place),
            kind: item.text_at(&["kind"])?,
            name: item.text_at(&["name"])?,
            namespace,
            key: item.text_at(&["valuesKey"]).filter(|key| !key.is_empty()).unwrap_or("values.yaml"),
            target: item.text_at(&["targetPath"]).filter(|path| !path.is_empty()),
            is_optional: item.text_at(&["optional"]) == Some("true"),
        })
    }

    /// Whether Flux ignores the item: it is optional, and the object is here, without the key.
    fn is_left_out(&self, around: &Around<'_>) -> bool {
        let has_key = |object: &Value| {
            ["data", "stringData", "binaryData"].iter().any(|field| object.at(&[field, self.key]).is_some())
        };
        // a Secret's keys may be elsewhere
        self.is_optional
            && self.kind == "ConfigMap"
            && around.find(self.kind, self.name, self.namespace).is_some_and(|object| !has_key(object))
    }

    /// The scalar with the text, or why it can't be read.
    fn scalar(&self, files: &Files<'_>, around: &Around<'_>) -> Result<Scalar, String> {
        let ValuesReference { kind, name, key, .. } = self;
        let found = around.find(kind, name, self.namespace);
        let object = found.ok_or_else(|| format!("the {kind} {name}, which is not in this repository"))?;
        let written =
            |field: &str| object.at(&[field, key]).and_then(Value::scalar).filter(|text| !text.null);
        let scalar = match *kind {
            // what is written in `data` is base64; what a generator puts there is a file
            "Secret" => written("stringData")
                .or_else(|| written("data").filter(|data| whole_file(files, data).is_some())),
            _ => written("data"),
        };
        let scalar = scalar.ok_or_else(|| format!("{key} of the {kind} {name}, which can't be read"))?;
        if scalar.text.starts_with("ENC[") {
            return Err(format!("{key} of the {kind} {name}, which is encrypted"));
        }
        Ok(scalar.clone())
    }

    /// The values in the text.
    fn map(&self, files: &mut Files<'_>, around: &Around<'_>, trail: &mut Trail) -> Result<Value, String> {
        let scalar = self.scalar(files, around)?;
        embedded_map(files, &scalar, trail).ok_or_else(|| {
            let ValuesReference { kind, name, key, .. } = self;
            format!("{key} of the {kind} {name}, which can't be read")
        })
    }
}

/// Flux sets an item with a `targetPath` in a map that it then merges with `values` again. If another item made
/// this map, or if the key is at the top, `values` win after all.
fn doubt_order(references: &[ValuesReference<'_>], own: &Value, weaker: &Value, trail: &mut Trail) {
    let mut made: HashSet<String> = weaker.pairs().iter().map(|(key, _)| key.clone()).collect();
    for reference in references {
        let path = reference.target.and_then(parse_path).unwrap_or_default();
        let Some(PathStep::Key(top)) = path.first() else { continue };
        let is_shared = path.len() == 1 || made.contains(top);
        if is_shared && has(own, &path) {
            let target = reference.target.unwrap_or_default();
            trail.uncertain(reference.at, format!("sets {target}, which the values set too"));
        }
        made.insert(top.clone());
    }
}

/// Flux lets an item win over an earlier one with a `targetPath`, unless `values` have a map there.
fn doubt_earlier(earlier: &[ValuesReference<'_>], values: &Value, trail: &mut Trail) {
    for reference in earlier {
        let Some(target) = reference.target else { continue };
        if parse_path(target).is_some_and(|path| has(values, &path)) {
            trail
                .uncertain(reference.at, format!("sets {target}, which a later item of valuesFrom sets too"));
        }
    }
}

fn has(values: &Value, path: &[PathStep]) -> bool {
    at(values, path).is_some()
}

fn at<'v>(values: &'v Value, path: &[PathStep]) -> Option<&'v Value> {
    path.iter().try_fold(values, |value, step| match step {
        PathStep::Key(key) => value.get(key),
        PathStep::Index(index) => value.items().get(*index),
    })
}

/// What stands for a value that can't be read: a name that it replaces is likely to stay, but a version isn't, and of a list
/// or map nothing is known.
fn unread(known: Option<&Value>, path: &[PathStep], at: Option<Place>, what: String) -> Option<Scalar> {
    let is_version = matches!(path.last(), Some(PathStep::Key(key)) if is_version_key(key));
    let mut scalar = match known {
        Some(Value::List(_) | Value::Map(_)) => return None,
        Some(Value::Scalar(known)) if !is_version => known.clone(),
        _ => Scalar { place: at, ..Scalar::default() },
    };
    let text = scalar.text.clone();
    scalar.set_image(Setting::Fixed { at, reason: Fixed::Unread { what } }, text);
    Some(scalar)
}

fn is_version_key(key: &str) -> bool {
    let key = key.to_lowercase();
    ["tag", "digest", "version", "sha"].iter().any(|word| key.contains(word))
}

/// Whether a value at this path can be part of an image, or replaces values that have one.
fn may_set_image(values: &Value, path: &[PathStep]) -> bool {
    let decides = |step: &PathStep| matches!(step, PathStep::Key(key) if may_decide_image(key));
    path.iter().any(decides) || at(values, path).is_some_and(|value| !matches!(value, Value::Scalar(_)))
}

fn add_places(value: &Value, places: &mut HashSet<Place>) {
    match value {
        Value::Scalar(scalar) => places.extend(scalar.place),
        Value::List(items) => items.iter().for_each(|item| add_places(item, places)),
        Value::Map(pairs) => pairs.iter().for_each(|(_, value)| add_places(value, places)),
    }
}
