//! Placeholders of an ApplicationSet's template: `{{name}}`, `{{ .path.basename }}`.

use super::super::helm::merge::{PathStep, parse_path};
use super::super::value::{Scalar, Value};

/// Whether a text has a placeholder.
pub fn has_placeholder(text: &str) -> bool {
    text.contains("{{")
}

/// The number of placeholders in all scalars.
pub fn placeholders(value: &Value) -> usize {
    match value {
        Value::Scalar(scalar) => scalar.text.matches("{{").count(),
        Value::List(items) => items.iter().map(placeholders).sum(),
        Value::Map(pairs) => {
            pairs.iter().map(|(key, value)| key.matches("{{").count() + placeholders(value)).sum()
        }
    }
}

/// Fills in the parameters of a generator. A scalar that is a placeholder and nothing else becomes the parameter: what
/// sets it is the parameter's place. Placeholders that call functions stay.
pub fn substitute(value: &Value, parameters: &Value) -> Value {
    match value {
        Value::Scalar(scalar) if has_placeholder(&scalar.text) => Value::Scalar(filled(scalar, parameters)),
        Value::Scalar(_) => value.clone(),
        Value::List(items) => Value::List(items.iter().map(|item| substitute(item, parameters)).collect()),
        Value::Map(pairs) => {
            let filled = pairs.iter().map(|(key, value)| (key.clone(), substitute(value, parameters)));
            Value::Map(filled.collect())
        }
    }
}

fn filled(scalar: &Scalar, parameters: &Value) -> Scalar {
    let whole = scalar.text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(found) = whole.and_then(|name| lookup(name, parameters)) {
        return Scalar { plain: scalar.plain, overridden: Vec::new(), ..found.clone() };
    }
    let mut text = String::new();
    let mut rest = scalar.text.as_str();
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, inside)| Some((before, inside.split_once("}}")?)))
    {
        text.push_str(before);
        match lookup(name, parameters) {
            Some(found) => text.push_str(&found.text),
            None => text.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = after;
    }
    text.push_str(rest);
    Scalar { text, ..scalar.clone() }
}

/// The parameter that a placeholder names. `{{path}}` is the folder, `{{path[0]}}` its first part.
fn lookup<'v>(name: &str, parameters: &'v Value) -> Option<&'v Scalar> {
    let name = name.trim().trim_matches('-').trim();
    let steps = parse_path(name.strip_prefix('.').unwrap_or(name))?;
    let found = steps.iter().try_fold(parameters, |value, step| match step {
        PathStep::Key(key) => value.get(key),
        PathStep::Index(index) => value.get("segments").unwrap_or(value).items().get(*index),
    })?;
    found.scalar().or_else(|| found.get("path").filter(|_| found.get("segments").is_some())?.scalar())
}
