//! Compose files: the image of each service (Compose specification, "services"), also if it is written in an
//! extension (`x-…`) and used through an alias.

use super::{Document, Reference, ValueLocation, syntax};
use crate::yaml::NodeId;

pub const KIND: &str = "compose";

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if !is_compose(doc.file_name()) {
        return Vec::new();
    }
    let Some(services) = doc.yaml.at(doc.root, &["services"]) else { return Vec::new() };
    let images = doc.yaml.pairs(services).filter_map(|(_, service)| doc.yaml.get(service, "image"));
    let used: Vec<_> = images.map(|found| ValueLocation::where_written(doc.yaml, found)).collect();
    let extensions = extensions(doc);
    let written = used.iter().filter_map(|slot| in_extension(doc, &extensions, slot));
    used.iter().copied().chain(written).filter_map(|slot| syntax::string(doc.yaml, slot, KIND)).collect()
}

/// The keys and values of extensions, in document order.
fn extensions(doc: &Document<'_>) -> Vec<(NodeId, NodeId)> {
    let is_extension = |key: NodeId| doc.yaml.text(key).is_some_and(|name| name.starts_with("x-"));
    doc.yaml.pairs(doc.root).filter(|&(key, _)| is_extension(key)).collect()
}

/// The place in an extension where an image is written that a service uses through an alias. It is safe to
/// edit, because only such aliases read an extension.
fn in_extension(
    doc: &Document<'_>,
    extensions: &[(NodeId, NodeId)],
    used: &ValueLocation,
) -> Option<ValueLocation> {
    let ValueLocation { node, shared_by: Some(_), .. } = *used else { return None };
    let before = extensions.partition_point(|&(_, value)| value <= node);
    let &(key, value) = extensions.get(before.checked_sub(1)?)?;
    (node < doc.yaml.node(value).end).then_some(ValueLocation { key, node, shared_by: None })
}

/// `compose.yaml` and `docker-compose.yml`, also with something behind it, such as `compose.prod.yaml`, and the longer name
/// with something in front of it, such as `prod.docker-compose.yml`. Podman's names are of the same kind, and that of a stack.
pub fn is_compose(file_name: &str) -> bool {
    let is_second = |before: Option<&str>| before.is_none_or(|before| TOOLS.contains(&before));
    words(file_name).any(|(before, word)| word == "compose" && is_second(before)) || is_stack(file_name)
}

/// `docker-stack.yml`, the usual name of what `docker stack deploy` reads, also with more words.
pub fn is_stack(file_name: &str) -> bool {
    words(file_name).any(|(before, word)| word == "stack" && before == Some("docker"))
}

/// The words of a YAML file's name, each behind the one before it.
fn words(file_name: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let stem = file_name.strip_suffix(".yaml").or_else(|| file_name.strip_suffix(".yml")).unwrap_or_default();
    let mut before = None;
    stem.split(['.', '-', '_']).map(move |word| (before.replace(word), word))
}

/// What the longer name can start with. (podman-compose, `COMPOSE_DEFAULT_LS`.)
const TOOLS: [&str; 3] = ["docker", "podman", "container"];

#[cfg(test)]
mod tests {
    use super::is_compose;

    #[test]
    fn by_its_name() {
        for name in [
            "compose.yaml",
            "docker-compose.yml",
            "compose.prod.yaml",
            "docker-compose-dev.yaml",
            "prod.docker-compose.yml",
            "podman-compose.yml",
            "container-compose.yaml",
            "docker-stack.yml",
            "docker-stack.prod.yaml",
        ] {
            assert!(is_compose(name), "{name}");
        }
        for name in [
            "composer.yaml",
            "compose.json",
            "web-compose.yaml",
            "values.yaml",
            "stack.yaml",
            ".compose.yaml",
        ] {
            assert!(!is_compose(name), "{name}");
        }
    }
}
