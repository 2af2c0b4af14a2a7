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
fn fault(text: &str) -> String {
    let failure = Config::parse("tagbump.yaml", text.as_bytes()).unwrap_err();
    format!("{}\n{}", failure.message, failure.hint.unwrap())
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
fn unknown_keys_name_the_nearest_known_one() {
    let text = fault("services:\n  api:\n    image: a/b\n    flies: [x]\n");
    assert!(
        text.starts_with("tagbump.yaml:4:5: services.api: unknown key flies\ndid you mean files?"),
        "{text}"
    );
    let text = fault("tags: x\n");
    assert!(text.starts_with("tagbump.yaml:1:1: unknown key tags\ndid you mean tag?"), "{text}");
    let text =
        fault("services:\n  api:\n    image: a/b\n    fields:\n      - file: x.yaml\n        paht: y\n");
    assert!(text.contains("unknown key paht\ndid you mean path?"), "{text}");
}

#[test]
fn what_can_not_be_understood_says_where() {
    for (text, wanted) in [
        ("services:\n  api: {}\n", "missing field `image`"),
        ("services:\n  api:\n    image: [a]\n", "tagbump.yaml:3:12: services.api.image: invalid type"),
        (
            "services:\n  api:\n    image: a/b:v1\n",
            "tagbump.yaml:3:12: services.api.image: give the name alone",
        ),
        ("tag: '{sha'\n", "tagbump.yaml:1:6: tag: "),
        (
            "services:\n  api:\n    image: a/b\n    files: [../x]\n",
            "tagbump.yaml:4:12: services.api.files: ../x: leaves",
        ),
        ("services:\n  a b:\n    image: a/b\n", "services.a b: a service's name is"),
        (
            "services:\n  a:\n    image: a/b\n  a:\n    image: a/c\n",
            "tagbump.yaml:4:3: the key a is there already",
        ),
        ("services:\n  a:\n    image: a/b\n    fields: [{file: x, path: a..b}]\n", "a..b: empty key"),
        ("tag: [\n", "tagbump.yaml:"),
        ("- a\n", "tagbump.yaml:1:1: invalid type: sequence"),
    ] {
        let told = fault(text);
        assert!(told.contains(wanted), "{text:?}: {told}");
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
