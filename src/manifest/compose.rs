//! Compose files: the image of each service (the Compose specification, "services").

use super::{Document, Reference, Slot, forms};

const KIND: &str = "compose";

pub fn find(doc: &Document<'_>) -> Vec<Reference> {
    if !is_compose(doc.file_name()) {
        return Vec::new();
    }
    let Some(services) = doc.tape.at(doc.root, &["services"]) else { return Vec::new() };
    let images = doc.tape.pairs(services).filter_map(|(_, service)| doc.tape.get(service, "image"));
    let slots = images.map(|found| Slot::where_written(doc.tape, found));
    slots.filter_map(|slot| forms::string(doc.tape, slot, KIND)).collect()
}

/// `compose.yaml`, `docker-compose.yml`, and with something between, as `compose.prod.yaml`.
fn is_compose(file_name: &str) -> bool {
    let stem = file_name.strip_suffix(".yaml").or_else(|| file_name.strip_suffix(".yml"));
    let stem = stem.map(|stem| stem.strip_prefix("docker-").unwrap_or(stem));
    let rest = stem.and_then(|stem| stem.strip_prefix("compose"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}

#[cfg(test)]
mod tests {
    use super::is_compose;

    #[test]
    fn by_its_name() {
        for name in ["compose.yaml", "docker-compose.yml", "compose.prod.yaml", "docker-compose-dev.yaml"] {
            assert!(is_compose(name), "{name}");
        }
        for name in ["composer.yaml", "compose.json", "my-compose.yaml", "values.yaml"] {
            assert!(!is_compose(name), "{name}");
        }
    }
}
