//! How Helm puts values together.

use std::collections::HashMap;

use super::super::files::Files;
use super::super::value::{Scalar, Value};

/// The most keys in a path of `--set`. (Helm, `strvals.MaxNestedNameLevel`.)
const MAX_STEPS: usize = 30;

/// The highest index in a path. Helm allows 65,536; no list of values is that long.
const MAX_INDEX: usize = 1024;

/// Puts values on top of others: maps are merged, everything else replaces. A null stays, and remembers the scalar that it
/// replaces: Helm removes the key when the values meet the chart's own, which has the same effect.
/// (Helm, `values.mergeMaps`; Flux, `chartutil.MergeMaps`.)
pub fn overlay(weaker: &mut Value, stronger: Value) {
    match (weaker, stronger) {
        (Value::Map(pairs), Value::Map(over)) => {
            let known: HashMap<String, usize> =
                pairs.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
            for (key, value) in over {
                match known.get(&key) {
                    Some(&at) => overlay(&mut pairs[at].1, value),
                    None => pairs.push((key, value)),
                }
            }
        }
        (weaker, over) => weaker.merge(over),
    }
}

/// Comparing this many keys counts as one value.
const KEYS_OF_A_VALUE: usize = 20;

/// One step of a path such as `containers[0].image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    Key(String),
    Index(usize),
}

/// Reads a path as `helm --set` reads it: dots separate keys, a backslash escapes one, `[n]` is an item of a list.
/// `None` if Helm refuses it. (Helm, `strvals.parser.key` and `listItem`.)
pub fn parse_path(text: &str) -> Option<Vec<PathStep>> {
    let mut steps = Vec::new();
    let mut key = String::new();
    let mut after_index = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '.' | '[' if after_index => {}
            '.' | '[' => push_key(&mut steps, &mut key)?,
            '\\' => key.push(chars.next()?),
            '=' | ',' => return None,
            _ if after_index => return None,
            _ => key.push(c),
        }
        after_index = c == '[';
        if after_index {
            steps.push(PathStep::Index(index(&mut chars)?));
        }
        if steps.len() > MAX_STEPS {
            return None;
        }
    }
    if !after_index {
        push_key(&mut steps, &mut key)?;
    }
    Some(steps)
}

fn push_key(steps: &mut Vec<PathStep>, key: &mut String) -> Option<()> {
    (!key.is_empty()).then(|| steps.push(PathStep::Key(std::mem::take(key))))
}

/// The number up to the `]`.
fn index(chars: &mut std::str::Chars<'_>) -> Option<usize> {
    let (number, rest) = chars.as_str().split_once(']')?;
    let index = number.parse().ok()?;
    *chars = rest.chars();
    (index <= MAX_INDEX).then_some(index)
}

/// Sets the value at a path. What isn't there yet is made, if the files' budget allows it. (Helm, `strvals.ParseInto`.)
pub fn set_path(files: &mut Files<'_>, values: &mut Value, path: &[PathStep], value: Value) {
    let made: usize = path.iter().map(cost).sum();
    if files.is_exhausted() || !files.spend(made + compared(values, path) / KEYS_OF_A_VALUE) {
        return;
    }
    let place = path.iter().fold(values, child);
    match place {
        Value::Scalar(_) => place.merge(value),
        Value::Map(_) | Value::List(_) => *place = value,
    }
}

/// How many keys are compared on the way along a path, at most.
fn compared(values: &Value, path: &[PathStep]) -> usize {
    let (mut at, mut keys) = (Some(values), 0);
    for step in path {
        let Some(value) = at else { break };
        keys += value.pairs().len();
        at = match step {
            PathStep::Key(key) => value.get(key),
            PathStep::Index(index) => value.items().get(*index),
        };
    }
    keys
}

/// How many values a step may make. A list is filled up to its index.
fn cost(step: &PathStep) -> usize {
    match step {
        PathStep::Key(_) => 1,
        PathStep::Index(index) => index + 1,
    }
}

fn child<'v>(parent: &'v mut Value, step: &PathStep) -> &'v mut Value {
    match step {
        PathStep::Key(key) => {
            if parent.get(key).is_none() {
                parent.set(key, Value::default());
            }
        }
        PathStep::Index(index) => extend(parent, *index),
    }
    match (parent, step) {
        (Value::Map(pairs), PathStep::Key(key)) => {
            let at = pairs.iter().position(|(k, _)| k == key).unwrap_or_default();
            &mut pairs[at].1
        }
        (Value::List(items), PathStep::Index(index)) => &mut items[*index],
        (other, _) => other,
    }
}

/// Makes the value a list that has this index.
fn extend(value: &mut Value, index: usize) {
    if !matches!(value, Value::List(_)) {
        *value = Value::List(Vec::new());
    }
    if let Value::List(items) = value {
        let null = Value::Scalar(Scalar { null: true, ..Scalar::default() });
        let length = items.len().max(index + 1);
        items.resize(length, null);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::place::FileId;
    use super::super::super::testing::with_files;
    use super::*;
    use crate::yaml::scan;

    fn read(text: &str) -> Value {
        let yaml = scan(text.as_bytes()).unwrap();
        Value::read(&yaml, yaml.roots()[0], FileId::new(0))
    }

    #[test]
    fn null_in_user_values_stays_until_it_meets_the_chart() {
        let mut user = read("image: null\n");
        overlay(&mut user, read("image: {tag: v2}\n"));
        let mut chart = read("image: {repository: api, tag: v1}\n");
        chart.merge(user);
        assert_eq!(chart.text_at(&["image", "repository"]), Some("api"));
        assert_eq!(chart.text_at(&["image", "tag"]), Some("v2"));

        let mut user = read("image: {tag: v2}\n");
        overlay(&mut user, read("image: null\n"));
        let mut chart = read("image: {repository: api, tag: v1}\n");
        chart.merge(user);
        assert_eq!(chart.get("image"), None);
    }

    #[test]
    fn overlay_remembers_the_scalars_that_it_replaces() {
        let mut values = read("first: 0\na: {tag: v1}\n");
        overlay(&mut values, read("a: {tag: v2}\nb: 1\n"));
        let tag = values.at(&["a", "tag"]).and_then(Value::scalar).unwrap();
        assert_eq!((tag.text.as_str(), tag.overridden.len()), ("v2", 1));
        assert_eq!(values.text_at(&["b"]), Some("1"));
    }

    #[test]
    fn path_is_read_as_helm_reads_it() {
        let key = |key: &str| PathStep::Key(key.to_owned());
        assert_eq!(parse_path("image.tag"), Some(vec![key("image"), key("tag")]));
        assert_eq!(parse_path(r"a.kubernetes\.io/role"), Some(vec![key("a"), key("kubernetes.io/role")]));
        let nested = vec![key("a"), PathStep::Index(0), PathStep::Index(1), key("b")];
        assert_eq!(parse_path("a[0][1].b"), Some(nested));
        assert_eq!(parse_path("a[1]"), Some(vec![key("a"), PathStep::Index(1)]));
        for wrong in ["", ".", "a..b", "a.", "a[x]", "a[0", "a[0]b", "a=b", "a[99999]"] {
            assert_eq!(parse_path(wrong), None, "{wrong}");
        }
        assert_eq!(parse_path(&"a.".repeat(40)), None);
    }

    #[test]
    fn path_sets_what_is_there_and_makes_what_is_not() {
        let mut values = read("image: {tag: v1}\nlist: [a, b]\n");
        let set = |values: &mut Value, path: &str, text: &str| {
            let path = parse_path(path).unwrap();
            with_files(&[], |files| set_path(files, values, &path, Value::Scalar(Scalar::generated(text))));
        };
        set(&mut values, "image.tag", "v2");
        set(&mut values, "list[1]", "c");
        set(&mut values, "new[1].image", "d");
        assert_eq!(values.text_at(&["image", "tag"]), Some("v2"));
        let overridden = &values.at(&["image", "tag"]).and_then(Value::scalar).unwrap().overridden;
        assert_eq!(overridden.len(), 1);
        assert_eq!(values.get("list").unwrap().items()[1].text(), Some("c"));
        assert_eq!(values.get("new").unwrap().items()[1].text_at(&["image"]), Some("d"));
    }

    #[test]
    fn path_through_a_large_map_costs_what_it_compares() {
        let pairs = (0..200_000).map(|nth| (format!("k{nth}"), Value::null())).collect();
        let path = parse_path("k0").unwrap();
        let made = with_files(&[], |files| {
            let (mut values, mut made) = (Value::Map(pairs), 0);
            while !files.is_exhausted() {
                set_path(files, &mut values, &path, Value::null());
                made += 1;
            }
            made
        });
        assert!((100..5_000).contains(&made), "{made}");
    }

    #[test]
    fn path_of_many_large_indexes_costs_what_it_makes() {
        let path = parse_path(&format!("p{}", "[1024]".repeat(25))).unwrap();
        let made = with_files(&[], |files| {
            let mut made = 0;
            while !files.is_exhausted() {
                set_path(files, &mut Value::default(), &path, Value::null());
                made += 1;
            }
            made
        });
        assert!((100..500).contains(&made), "{made}");
    }
}
