use super::*;

const FULL: &str = "\
tag: \"{branch}-{sha:7}\"
message: \"chore: update {name} image to {tag}\"
services:
  backend:
    image: ghcr.io/naomauss/homecraft-backend
    files: [infra/releases/homecraft-backend.yaml]
  worker:
    image: ghcr.io/acme/worker
    fields:
      - { file: charts/values-prod.yaml, path: workers.image.tag }
";

#[track_caller]
fn error(text: &str) -> ConfigError {
    Config::parse("tagbump.yaml", text.as_bytes()).unwrap_err()
}

#[test]
fn all_that_it_holds() {
    let config = Config::parse("tagbump.yaml", FULL.as_bytes()).unwrap();
    assert_eq!(config.names().collect::<Vec<_>>(), ["backend", "worker"]);
    let worker = config.service("worker").unwrap();
    assert_eq!((worker.fields.len(), worker.files.is_none()), (1, true));
    assert!(config.tag.is_some() && config.message.is_some());
}

#[test]
fn nothing_is_a_configuration_too() {
    for text in ["", "# all commented out\n", "---\n", "null\n", "services: {}\n"] {
        assert_eq!(Config::parse("tagbump.yaml", text.as_bytes()).unwrap().names().count(), 0, "{text:?}");
    }
}

#[test]
fn unknown_keys_say_where_and_which_there_are() {
    for (text, wanted, known) in [
        (
            "services:\n  api:\n    image: a/b\n    flies: [x]\n",
            "tagbump.yaml:4:5: services.api: unknown key flies",
            SERVICE_KEYS,
        ),
        ("tags: x\n", "tagbump.yaml:1:1: unknown key tags", TOP_KEYS),
        (
            "services:\n  api:\n    image: a/b\n    fields:\n      - file: x.yaml\n        paht: y\n",
            "tagbump.yaml:6:9: services.api.fields[0]: unknown key paht",
            FIELD_KEYS,
        ),
    ] {
        let error = error(text);
        assert_eq!(error.to_string(), wanted);
        assert!(matches!(error, ConfigError::UnknownKey { known: there, .. } if there == known), "{error}");
    }
}

/// [`ConfigReader::check_known_keys`] takes what the types take.
#[test]
fn known_keys_are_those_of_the_types() {
    let schema = schemars::schema_for!(RawConfig).to_value();
    for (keys, pointer) in [
        (TOP_KEYS, "/properties"),
        (SERVICE_KEYS, "/$defs/RawService/properties"),
        (FIELD_KEYS, "/$defs/RawField/properties"),
        (ENVIRONMENT_KEYS, "/$defs/RawEnvironment/properties"),
    ] {
        let there: HashSet<&str> =
            schema.pointer(pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys.iter().copied().collect::<HashSet<_>>(), there);
    }
}

#[test]
fn what_can_not_be_understood_says_where() {
    for (text, wanted) in [
        ("services:\n  api: {}\n", "`image` is missing"),
        ("services:\n  api:\n    image: [a]\n", "tagbump.yaml:3:12: services.api.image: must be text"),
        (
            "services:\n  api:\n    image: a/b:v1\n",
            "tagbump.yaml:3:12: services.api.image: give the name alone",
        ),
        ("tag: '{sha'\n", "tagbump.yaml:1:6: tag: "),
        (
            "services:\n  api:\n    image: a/b\n    files: [../x]\n",
            "tagbump.yaml:4:12: services.api.files: ../x: is outside",
        ),
        ("services:\n  a b:\n    image: a/b\n", "services.a b: a service's name may"),
        ("services:\n  '': { image: a/b }\n", "tagbump.yaml:2:7: services: a service has an empty name"),
        ("tag: x\n---\ntag: y\n", "tagbump.yaml:3:1: there is a second document; keep one"),
        (
            "environments:\n  a: { files: [a], from: b }\n  b: { files: [b], from: a }\n",
            "environments.b.from: the environments form a circle: a takes its tags from b, and b from a",
        ),
        (
            "environments:\n  a: { files: [a], from: a }\n",
            "a.from: the environment takes its tags from itself",
        ),
        (
            "services:\n  a:\n    image: a/b\n  a:\n    image: a/c\n",
            "tagbump.yaml:4:3: the key a already exists",
        ),
        ("services:\n  a:\n    image: a/b\n    fields: [{file: x, path: a..b}]\n", "a..b: empty key"),
        ("tag: [\n", "tagbump.yaml:"),
        ("- a\n", "tagbump.yaml:1:1: must be a map"),
    ] {
        let message = error(text).to_string();
        assert!(message.contains(wanted), "{text:?}: {message}");
    }
}

/// The shipped schema must match the types. To update it, copy what this test prints into the file.
#[test]
fn the_schema_is_that_of_the_types() {
    let mut schema = schemars::schema_for!(RawConfig);
    schema.insert("title".to_owned(), "tagbump.yaml".into());
    let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let shipped = include_str!("../../tagbump.schema.json");
    assert!(shipped == wanted, "tagbump.schema.json must be:\n{wanted}");
}
