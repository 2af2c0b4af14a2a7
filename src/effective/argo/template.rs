//! Placeholders of an ApplicationSet's template: `{{name}}`, `{{ .path.basename }}`.

use super::super::helm::merge::{PathStep, parse_path};
use super::super::setting::{Holds, Link, Setting, TextPart};
use super::super::unfilled::has_placeholder;
use super::super::value::{Scalar, Value};
use crate::image::ParsedReference;

/// The number of placeholders in all scalars and keys.
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
    let pieces = pieces(&scalar.text, parameters);
    if let [(_, Some(found))] = pieces.as_slice() {
        let overridden = scalar.place.into_iter().collect();
        return Scalar { plain: scalar.plain, overridden, ..(*found).clone() };
    }
    let text: String = pieces.iter().map(|(text, _)| *text).collect();
    let links = tag_part(&text, &pieces).map(|part| Link::new(Setting::Part(part), &text));
    let mut overridden = scalar.overridden.clone();
    // the parameter is stronger than the template
    overridden.extend(scalar.place.filter(|_| links.is_some()));
    Scalar { text, links: links.into_iter().collect(), overridden, ..scalar.clone() }
}

/// The text piece by piece, each with the parameter that it comes from. Blanks around a placeholder that is alone
/// don't count.
fn pieces<'v>(text: &'v str, parameters: &'v Value) -> Vec<(&'v str, Option<&'v Scalar>)> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some(open) = rest.find("{{") {
        let Some(end) = rest[open..].find("}}").map(|length| open + length + 2) else { break };
        let found = lookup(&rest[open + 2..end - 2], parameters);
        pieces.push((&rest[..open], None));
        pieces.push((found.map_or(&rest[open..end], |found| found.text.as_str()), found));
        rest = &rest[end..];
    }
    pieces.push((rest, None));
    pieces.retain(|(text, found)| found.is_some() || !text.is_empty());
    pieces
}

/// The parameter that is the tag of an image, or the part of the tag that isn't written around it. A text that isn't an
/// image is a tag as a whole.
fn tag_part(text: &str, pieces: &[(&str, Option<&Scalar>)]) -> Option<TextPart> {
    let image = &text[text.find('=').map_or(0, |at| at + 1)..];
    let ParsedReference { tag, digest, .. } = ParsedReference::parse(image);
    let end = text.len() - digest.map_or(0, |digest| digest.len() + 1);
    let start = tag.map_or(0, |tag| end - tag.len());
    let mut at = 0;
    let mut inside = pieces.iter().filter_map(|(piece, found)| {
        let range = at..at + piece.len();
        at = range.end;
        found.filter(|_| range.end > start && range.start < end).map(|found| (range, found))
    });
    let (range, found) = inside.next().filter(|(range, _)| range.start >= start && range.end <= end)?;
    if inside.next().is_some() {
        return None;
    }
    let (prefix, suffix) = (text[start..range.start].to_owned(), text[range.end..end].to_owned());
    Some(TextPart { place: found.place?, range: 0..found.text.len(), holds: Holds::Tag { prefix, suffix } })
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
