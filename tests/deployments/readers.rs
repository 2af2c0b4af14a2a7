//! The files as readers take them: whatever a bump wrote must be a string, to one of YAML 1.2 (for which `31e8618`
//! is a number) and to Go's (for which `on` is true), also where the programs that deploy make the same of both.

use std::path::Path;

use serde_json::{Value as Json, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::render::documents;
use crate::support::files::snapshot;
use crate::tools::Tools;

/// Values of the YAML files of a folder that are new and no strings.
pub fn mistyped(before: &Path, after: &Path, tools: &Tools) -> Vec<String> {
    let was = snapshot(before);
    let mut told = Vec::new();
    for (path, new) in snapshot(after) {
        let Some((_, old)) = was.iter().find(|(other, bytes)| *other == path && *bytes != new) else {
            continue;
        };
        let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(&new));
        let by_1_2 = walk(&by_1_2(&old), &by_1_2(&new));
        let by_go = walk(&by_go(&old, tools), &by_go(&new, tools));
        let each = by_1_2
            .into_iter()
            .map(|what| (what, "YAML 1.2"))
            .chain(by_go.into_iter().map(|what| (what, "Go")));
        told.extend(each.map(|(what, reader)| format!("{path}: {what} is no string to {reader}")));
    }
    told
}

fn by_1_2(text: &str) -> Json {
    Json::Array(
        YamlLoader::load_from_str(text)
            .unwrap_or_else(|e| panic!("{e}: {text}"))
            .iter()
            .map(as_json)
            .collect(),
    )
}

fn by_go(text: &str, tools: &Tools) -> Json {
    Json::Array(tools.read(&documents(text)).unwrap_or_else(|e| panic!("{e}: {text}")))
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
