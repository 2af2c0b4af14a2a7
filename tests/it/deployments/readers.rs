//! The files as readers take them: whatever a bump wrote must be a string, to one of YAML 1.2 (for which `31e8618`
//! is a number) and to Go's (for which `on` is true), also where the programs that deploy make the same of both.

use std::path::Path;

use serde_json::{Value as Json, json};
use yaml_rust2::{Yaml, YamlLoader};

use super::render::documents;
use super::tools::Tools;
use crate::support::files::snapshot;

/// For each of the folders after a change: values of its YAML files that are new and no strings.
pub fn mistyped(before: &Path, after: &[&Path], tools: &Tools) -> Vec<Vec<String>> {
    let changed: Vec<_> = after.iter().map(|after| changed(before, after)).collect();
    let of_go = by_go(changed.iter().flatten().flat_map(|(_, old, new)| [old.as_str(), new]), tools);
    let mut of_go = of_go.chunks(2);
    changed.iter().map(|files| files.iter().zip(&mut of_go).flat_map(mistyped_in).collect()).collect()
}

/// Files that differ: path, and the text before and after.
fn changed(before: &Path, after: &Path) -> Vec<(String, String, String)> {
    let was = snapshot(before);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pairs = snapshot(after).into_iter().filter_map(|(path, new)| {
        let (_, old) = was.iter().find(|(other, bytes)| *other == path && *bytes != new)?;
        Some((path, text(old), text(&new)))
    });
    pairs.collect()
}

fn mistyped_in(((path, old, new), go): (&(String, String, String), &[Json])) -> Vec<String> {
    let by_1_2 = walk(&by_1_2(old), &by_1_2(new)).into_iter().map(|what| (what, "YAML 1.2"));
    let by_go = walk(&go[0], &go[1]).into_iter().map(|what| (what, "Go"));
    by_1_2.chain(by_go).map(|(what, by)| format!("{path}: {what} is no string to {by}")).collect()
}

fn by_1_2(text: &str) -> Json {
    let read = YamlLoader::load_from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    read.iter().map(as_json).collect()
}

/// Each text's documents, all read at once.
fn by_go<'a>(texts: impl Iterator<Item = &'a str>, tools: &Tools) -> Vec<Json> {
    let texts: Vec<Vec<String>> = texts.map(documents).collect();
    let mut read = tools.read(&texts.concat()).unwrap().into_iter();
    texts.iter().map(|documents| read.by_ref().take(documents.len()).collect()).collect()
}

fn as_json(yaml: &Yaml) -> Json {
    match yaml {
        Yaml::String(text) => Json::from(text.as_str()),
        Yaml::Array(list) => list.iter().map(as_json).collect(),
        Yaml::Hash(map) => map.iter().map(|(key, value)| (format!("{key:?}"), as_json(value))).collect(),
        Yaml::Integer(number) => Json::from(*number),
        // as a number 31e8618 would be infinite, which JSON can't say
        Yaml::Real(text) => json!({ "number": text }),
        Yaml::Boolean(value) => Json::from(*value),
        Yaml::Null | Yaml::Alias(_) | Yaml::BadValue => Json::Null,
    }
}

/// Values that differ and are no strings after.
fn walk(old: &Json, new: &Json) -> Vec<String> {
    match (old, new) {
        (Json::Array(old), Json::Array(new)) => {
            old.iter().zip(new).flat_map(|(old, new)| walk(old, new)).collect()
        }
        (Json::Object(old), Json::Object(new)) => {
            new.iter().filter_map(|(key, new)| Some(walk(old.get(key)?, new))).flatten().collect()
        }
        (old, new) if old != new && !new.is_string() => vec![new.to_string()],
        _ => Vec::new(),
    }
}
