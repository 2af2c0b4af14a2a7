//! Strategic merges, as kustomize does them (`kyaml/yaml/merge2`, `kyaml/yaml/walk`).

use std::collections::{HashMap, HashSet};

use super::super::value::{Scalar, Value};
use super::merge_shape::Shape;

/// A key that says what to do with a value instead of merging it.
const DIRECTIVE: &str = "$patch";

#[derive(Clone, Copy, PartialEq)]
enum MergeDirective {
    Merge,
    Replace,
    Delete,
}

/// How the items of a list are joined: the key that they have in common, and their shape.
type Joined = Option<(&'static str, Shape)>;

/// Merges a patch into an object. `false` if nothing of the object is left.
pub(super) fn merge_object(target: &mut Value, patch: &Value, shape: Shape) -> bool {
    merge(target, patch, shape, None)
}

/// `false` if the value is to be deleted.
fn merge(target: &mut Value, patch: &Value, shape: Shape, list: Joined) -> bool {
    match (&mut *target, patch, list) {
        (_, patch, _) if patch.is_null() => false,
        (Value::Map(pairs), Value::Map(over), _) => match directive_of_map(over) {
            MergeDirective::Delete => false,
            MergeDirective::Replace => replace(target, patch, shape, list),
            MergeDirective::Merge => {
                merge_pairs(pairs, over, shape);
                true
            }
        },
        (Value::List(items), Value::List(over), Some((key, item))) => match directive_of_list(over) {
            MergeDirective::Delete => false,
            MergeDirective::Replace => replace(target, patch, shape, list),
            MergeDirective::Merge => {
                join(items, over, key, item);
                true
            }
        },
        _ => replace(target, patch, shape, list),
    }
}

fn merge_pairs(pairs: &mut Vec<(String, Value)>, over: &[(String, Value)], shape: Shape) {
    let positions: HashMap<String, usize> =
        pairs.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
    let mut merged: Vec<(String, Option<Value>)> =
        std::mem::take(pairs).into_iter().map(|(key, value)| (key, Some(value))).collect();
    for (key, patch) in over.iter().filter(|(key, _)| key != DIRECTIVE) {
        let (below, list) = (shape.under(key), shape.joined_list(key));
        match positions.get(key) {
            Some(&at) => {
                let value = merged[at].1.take().filter(|value| !value.is_null());
                merged[at].1 = match value {
                    Some(mut value) => merge(&mut value, patch, below, list).then_some(value),
                    None => added(patch, below, list),
                };
            }
            None => merged.push((key.clone(), added(patch, below, list))),
        }
    }
    *pairs = merged.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
}

/// Joins the items of two lists: the patch's items come first.
fn join(items: &mut Vec<Value>, over: &[Value], key: &str, shape: Shape) {
    let positions = positions_by(items, key);
    let mut rest: Vec<Option<Value>> = std::mem::take(items).into_iter().map(Some).collect();
    let (mut joined, mut deleted) = (Vec::new(), HashSet::new());
    let mut keeps_named = true;
    // of two items with the same key, kustomize sees the first (`RNode.ElementList`)
    let first = positions_by(over, key);
    let counts = |at: usize| over[at].text_at(&[key]).is_none_or(|value| first.get(value) == Some(&at));
    for patch in (0..over.len()).filter(|&at| counts(at)).map(|at| &over[at]).filter(|patch| !patch.is_null())
    {
        let Some(wanted) = patch.text_at(&[key]) else {
            // an empty value stands for any, and what has it goes (`FieldMatcher.Filter`)
            if std::mem::take(&mut keeps_named) {
                rest.iter_mut().filter(|item| has_key(item, key)).for_each(|item| *item = None);
            }
            continue;
        };
        match positions.get(wanted).and_then(|&at| rest[at].take()) {
            Some(mut item) => match merge(&mut item, patch, shape, None) {
                true => joined.push(item),
                false => drop(deleted.insert(wanted)),
            },
            None => joined.extend(added(patch, shape, None).filter(|value| !value.pairs().is_empty())),
        }
    }
    let rest = rest.into_iter().flatten().filter(|item| is_kept(item, key, &deleted));
    // items of the other lists have further keys, or hold no image
    if key == "name" {
        set_by_name(&mut joined, rest)
    } else {
        joined.extend(rest)
    }
    *items = joined;
}

fn has_key(item: &Option<Value>, key: &str) -> bool {
    item.as_ref().is_some_and(|item| item.text_at(&[key]).is_some())
}

/// Whether no patch deletes an item.
fn is_kept(item: &Value, key: &str, deleted: &HashSet<&str>) -> bool {
    item.text_at(&[key]).is_none_or(|value| !deleted.contains(value))
}

/// Adds what a list had before to what was patched. Each item replaces the one that has its name, so of several with
/// the same name the last one is left, as it was before the patch; one without a name replaces all.
/// (kustomize, `walk.appendListNode`, `yaml.ElementSetter`.)
fn set_by_name(joined: &mut Vec<Value>, rest: impl Iterator<Item = Value>) {
    let mut positions = positions_by(joined, "name");
    let mut unnamed: Option<Value> = None;
    for mut item in rest {
        let name = item.text_at(&["name"]).map(str::to_owned);
        match name.as_ref().and_then(|name| positions.get(name)) {
            Some(&at) => {
                inherit(&mut item, &joined[at]);
                joined[at] = item;
            }
            None if name.is_none() => {
                unnamed.iter().for_each(|replaced| inherit(&mut item, replaced));
                unnamed = Some(item);
            }
            None => {
                positions.extend(name.map(|name| (name, joined.len())));
                joined.push(item);
            }
        }
    }
    if let Some(mut only) = unnamed {
        joined.drain(..).for_each(|replaced| inherit(&mut only, &replaced));
        joined.push(only);
    }
}

/// The first item with each value of a key.
fn positions_by(items: &[Value], key: &str) -> HashMap<String, usize> {
    let mut positions = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(value) = item.text_at(&[key]) {
            positions.entry(value.to_owned()).or_insert(at);
        }
    }
    positions
}

fn replace(target: &mut Value, patch: &Value, shape: Shape, list: Joined) -> bool {
    let Some(mut new) = added(patch, shape, list) else { return false };
    inherit(&mut new, target);
    *target = new;
    true
}

/// The value that a patch adds: without its directives, and without what it deletes.
fn added(patch: &Value, shape: Shape, list: Joined) -> Option<Value> {
    match (patch, list) {
        (Value::Scalar(Scalar { null: true, .. }), _) => None,
        (Value::Map(pairs), _) if directive_of_map(pairs) == MergeDirective::Delete => None,
        (Value::Map(pairs), _) => {
            let kept = pairs.iter().filter(|(key, _)| key != DIRECTIVE);
            let kept = kept.filter_map(|(key, value)| {
                Some((key.clone(), added(value, shape.under(key), shape.joined_list(key))?))
            });
            Some(Value::Map(kept.collect()))
        }
        (Value::List(items), Some(_)) if directive_of_list(items) == MergeDirective::Delete => None,
        (Value::List(items), Some((_, item))) => {
            let kept = items.iter().filter(|item| !is_directive(item));
            Some(Value::List(kept.filter_map(|value| added(value, item, None)).collect()))
        }
        (Value::Scalar(_) | Value::List(_), _) => Some(patch.clone()),
    }
}

fn directive_of_map(pairs: &[(String, Value)]) -> MergeDirective {
    pairs
        .iter()
        .find(|(key, _)| key == DIRECTIVE)
        .map_or(MergeDirective::Merge, |(_, value)| directive(value))
}

/// `determineSequenceNodePatchStrategy`
fn directive_of_list(items: &[Value]) -> MergeDirective {
    let item = items.iter().find(|item| is_directive(item)).and_then(|item| item.get(DIRECTIVE));
    item.map_or(MergeDirective::Merge, directive)
}

/// Whether an item of a list is nothing but a directive for the list.
fn is_directive(item: &Value) -> bool {
    item.pairs().len() == 1 && item.get(DIRECTIVE).is_some()
}

fn directive(value: &Value) -> MergeDirective {
    match value.text() {
        Some("delete") => MergeDirective::Delete,
        Some("replace") => MergeDirective::Replace,
        _ => MergeDirective::Merge,
    }
}

/// Lets each scalar of a value that replaces another remember what it replaces. Items of lists belong together if
/// they have the same name, or no names and the same position.
pub(super) fn inherit(new: &mut Value, old: &Value) {
    match (new, old) {
        (Value::Scalar(new), Value::Scalar(old)) => new.override_scalar(old),
        (Value::Map(pairs), Value::Map(old)) => {
            let old: HashMap<&String, &Value> = old.iter().map(|(key, value)| (key, value)).collect();
            for (key, value) in pairs {
                if let Some(old) = old.get(key) {
                    inherit(value, old);
                }
            }
        }
        (Value::List(items), Value::List(old)) => {
            let positions = positions_by(old, "name");
            for (at, item) in items.iter_mut().enumerate() {
                let same = match item.text_at(&["name"]) {
                    Some(name) => positions.get(name).map(|&at| &old[at]),
                    None => old.get(at).filter(|old| old.get("name").is_none()),
                };
                if let Some(old) = same {
                    inherit(item, old);
                }
            }
        }
        _ => {}
    }
}
