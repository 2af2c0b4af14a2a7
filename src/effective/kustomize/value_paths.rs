//! Paths to values, as replacements and `vars` write them: `spec.containers.[name=app].image`.

use super::super::value::Value;
use super::field_paths::{Steps, split};
use super::selector::{Pattern, cost};

/// The parts of a path. A part in brackets keeps its dots; if it isn't `[key=value]`, it loses the brackets
/// (`utils.SmarterPathSplitter`).
pub(super) fn parts(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut open: Option<String> = None;
    for part in split(path, '.') {
        let text = match open.take() {
            Some(before) => format!("{before}.{part}"),
            None => part,
        };
        if text.starts_with('[') && !text.ends_with(']') {
            open = Some(text);
        } else if text.starts_with('[') && !text.contains('=') {
            parts.push(text.trim_matches(['[', ']']).to_owned());
        } else {
            parts.push(text);
        }
    }
    parts.extend(open);
    parts
}

/// The value at a path (`yaml.Lookup`). It must be one.
pub(super) fn lookup<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, part| match (value, in_brackets(part)) {
        (Value::List(items), Some(("", wanted))) => items.iter().find(|item| item.text() == Some(wanted)),
        (Value::List(items), Some((key, wanted))) => {
            items.iter().find(|item| item.text_at(&[key]) == Some(wanted))
        }
        (Value::List(items), None) if part == "-" => items.last(),
        (Value::List(items), None) => items.get(part.parse::<usize>().ok()?),
        (value, _) => value.get(part),
    })
}

/// A part of a path that can lead to several values.
pub(super) struct PathPart {
    key: String,
    index: Option<usize>,
    /// Of `[key=pattern]`; the key is empty if the items are scalars.
    item: Option<(String, Pattern)>,
}

impl PathPart {
    pub fn read(part: &str) -> Self {
        let item =
            in_brackets(part).and_then(|(key, wanted)| Some((key.to_owned(), Pattern::anywhere(wanted)?)));
        PathPart { key: part.to_owned(), index: part.parse().ok(), item }
    }

    /// What reading a part costs, in values.
    pub fn cost(part: &str) -> usize {
        in_brackets(part).map_or(0, |(_, wanted)| cost(wanted))
    }

    fn fits(&self, at: usize, item: &Value) -> bool {
        match &self.item {
            Some((key, wanted)) => {
                let text = if key.is_empty() { item.text() } else { item.text_at(&[key]) };
                text.is_some_and(|text| wanted.is_match(text))
            }
            None => self.key == "*" || self.index == Some(at),
        }
    }
}

/// Where a path leads to, `*` and patterns in brackets to several values (`yaml.PathMatcher`).
pub(super) fn matches(value: &Value, path: &[PathPart], steps: &mut Steps, found: &mut Vec<Steps>) {
    let Some((part, rest)) = path.split_first() else { return found.push(steps.clone()) };
    let mut into = |at: usize, value: &Value| {
        steps.push(at);
        matches(value, rest, steps, found);
        steps.pop();
    };
    match value {
        Value::Map(pairs) => {
            let at = pairs.iter().position(|(key, _)| *key == part.key);
            at.into_iter().for_each(|at| into(at, &pairs[at].1));
        }
        Value::List(items) => {
            let fitting = items.iter().enumerate().filter(|(at, item)| part.fits(*at, item));
            fitting.for_each(|(at, item)| into(at, item));
        }
        Value::Scalar(_) => {}
    }
}

/// Key and value of `[key=value]`.
fn in_brackets(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// Adds the keys that are missing at the end of a path, with null at its end.
pub(super) fn create(value: &mut Value, path: &[String]) {
    let Some((part, rest)) = path.split_first() else { return };
    match value {
        Value::Map(pairs) => {
            if !pairs.iter().any(|(key, _)| key == part) {
                let new = if rest.is_empty() { Value::null() } else { Value::default() };
                pairs.push((part.clone(), new));
            }
            if let Some(below) = value.get_mut(part) {
                create(below, rest);
            }
        }
        Value::List(items) => {
            let wanted = in_brackets(part).map(|(key, wanted)| (key.to_owned(), wanted.to_owned()));
            for item in items {
                let fits = wanted.as_ref().is_some_and(|(key, wanted)| item.text_at(&[key]) == Some(wanted));
                if fits || part == "*" {
                    create(item, rest);
                }
            }
        }
        Value::Scalar(_) => {}
    }
}
