//! A repository as text, and its YAML as data.

use std::collections::BTreeMap;

use serde_json::Value;

/// Text by path.
pub type Files = BTreeMap<String, String>;

/// The documents of a file; none if it isn't YAML.
pub fn documents(text: &str) -> Vec<Value> {
    let read = serde_yaml::Deserializer::from_str(text).map(|document| {
        use serde::Deserialize;
        let mut value = serde_yaml::Value::deserialize(document)?;
        value.apply_merge()?;
        Ok(json(&value))
    });
    let read: Result<Vec<_>, serde_yaml::Error> = read.collect();
    read.unwrap_or_default().into_iter().filter(|value| !value.is_null()).collect()
}

fn json(value: &serde_yaml::Value) -> Value {
    use serde_yaml::Value as Yaml;
    match value {
        Yaml::Mapping(map) => map.iter().map(|(key, value)| (key_text(key), json(value))).collect(),
        Yaml::Sequence(list) => list.iter().map(json).collect(),
        Yaml::Tagged(tagged) => json(&tagged.value),
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Bool(value) => Value::from(*value),
        Yaml::Number(number) => serde_json::to_value(number).unwrap_or_default(),
        Yaml::Null => Value::Null,
    }
}

fn key_text(key: &serde_yaml::Value) -> String {
    match key {
        serde_yaml::Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim().to_owned(),
    }
}

pub fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// The folder of a path; empty in the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A path below a folder, without `.` and `..`.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A path as a tool takes it: the root is `.`.
pub fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// The items of a list; none of anything else.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The texts in a list.
pub fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}
