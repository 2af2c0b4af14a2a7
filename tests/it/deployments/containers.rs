//! Where images run in what was rendered.

use serde_yaml::{Mapping, Value};

const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The image of every container of a document: `KIND/NAME/CONTAINER`, and of a compose file `service/NAME` and the
/// extensions `x-NAME`, which services take theirs from.
pub fn images(document: &mut Value) -> Vec<(String, &mut Value)> {
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

fn collect<'a>(value: &'a mut Value, owner: &str, found: &mut Vec<(String, &'a mut Value)>) {
    match value {
        Value::Mapping(map) => {
            let owner = named(map).unwrap_or_else(|| owner.to_owned());
            for (key, inner) in map.iter_mut() {
                match key.as_str() {
                    Some(key) if LISTS.contains(&key) => {
                        let list = inner.as_sequence_mut().into_iter().flatten();
                        found.extend(list.filter_map(|container| of_container(container, &owner)));
                    }
                    Some("services") if owner.is_empty() => {
                        let services = inner.as_mapping_mut().into_iter().flatten();
                        found.extend(services.filter_map(|(name, service)| of_service(name, service)));
                    }
                    Some(key) if owner.is_empty() && key.starts_with("x-") => {
                        found.extend(inner.get_mut("image").map(|image| (key.to_owned(), image)));
                    }
                    _ => collect(inner, &owner, found),
                }
            }
        }
        Value::Sequence(list) => list.iter_mut().for_each(|value| collect(value, owner, found)),
        _ => {}
    }
}

/// `KIND/NAME` of an object, also of one in a list.
fn named(map: &Mapping) -> Option<String> {
    let name = map.get("metadata")?.get("name")?.as_str()?;
    Some(format!("{}/{name}", map.get("kind")?.as_str()?))
}

fn of_container<'a>(container: &'a mut Value, owner: &str) -> Option<(String, &'a mut Value)> {
    let place = format!("{owner}/{}", container.get("name")?.as_str()?);
    Some((place, container.get_mut("image")?))
}

fn of_service<'a>(name: &Value, service: &'a mut Value) -> Option<(String, &'a mut Value)> {
    Some((format!("service/{}", name.as_str()?), service.get_mut("image")?))
}
