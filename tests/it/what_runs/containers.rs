//! The containers in what was rendered, and everything else in it.

use std::collections::BTreeMap;

use serde_json::Value;

const LISTS: [&str; 5] = ["containers", "initContainers", "ephemeralContainers", "steps", "sidecars"];
const MAPS: [&str; 3] = ["container", "script", "stepTemplate"];

/// An image as a container has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Docker Hub's short names are written out.
    pub name: String,
    /// With the digest, if there is one.
    pub tag: String,
}

impl Image {
    pub fn parse(text: &str) -> Image {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
        let colon = rest.rfind(':').filter(|at| !rest[*at..].contains('/'));
        let (name, tag) = colon.map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]));
        let tag = digest.map_or_else(|| tag.to_owned(), |digest| format!("{tag}@{digest}"));
        Image { name: normal(name), tag }
    }
}

/// A name with the registry and folder that Docker adds.
pub fn normal(name: &str) -> String {
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some(("docker.io", rest)) if !rest.contains('/') => format!("docker.io/library/{rest}"),
        Some((first, _)) if is_host(first) => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

/// Each container's image as it is written, by its place: `Deployment/api /spec/template/spec/containers/0`.
pub type Containers = BTreeMap<String, String>;

/// Takes the images out of objects; what is left in them is everything else.
pub fn take(objects: &mut [Value]) -> Containers {
    let mut found = Containers::new();
    for object in objects {
        let owner = title(object);
        let is_compose = object.get("services").is_some() && object.get("kind").is_none();
        match object.get_mut("services").filter(|_| is_compose).and_then(Value::as_object_mut) {
            Some(services) => {
                for (name, service) in services {
                    take_image(service, &format!("service/{name}"), "image", &mut found);
                }
            }
            None => collect(object, &format!("{owner} "), &mut found),
        }
    }
    found
}

/// Kind, namespace and name of an object.
pub fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let about = &object["metadata"];
    let parts = [text(&object["kind"]), text(&about["namespace"]), text(&about["name"])];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

fn collect(value: &mut Value, path: &str, found: &mut Containers) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = format!("{path}/{key}");
                if LISTS.contains(&key.as_str()) {
                    for (index, item) in inner.as_array_mut().into_iter().flatten().enumerate() {
                        take_image(item, &format!("{path}/{index}"), "image", found);
                    }
                } else if MAPS.contains(&key.as_str()) {
                    take_image(inner, &path, "image", found);
                } else if key == "volumes" {
                    for (index, item) in inner.as_array_mut().into_iter().flatten().enumerate() {
                        let image = item.get_mut("image");
                        let Some(image) = image else { continue };
                        take_image(image, &format!("{path}/{index}"), "reference", found);
                    }
                }
                collect(inner, &path, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                collect(item, &format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn take_image(holder: &mut Value, path: &str, key: &str, found: &mut Containers) {
    let Some(image) = holder.get_mut(key).filter(|image| image.is_string()) else { return };
    if let Value::String(text) = image.take() {
        found.insert(path.to_owned(), text);
    }
}
