//! Whole projects: files in, images out.

use std::collections::{BTreeMap, BTreeSet};

use super::super::setting::{Fixed, Holds, Setting, TextPart};
use super::*;
use crate::yaml::Cancellation;

/// The roots of the compose files in the root folder, with what reads them.
fn with_roots<T>(repository: &[(&str, &str)], then: impl Fn(&Files<'_>, &[Root]) -> T) -> T {
    let stored: BTreeMap<String, Vec<u8>> =
        repository.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let paths: BTreeSet<String> = stored.keys().cloned().collect();
    let read = |path: &str| stored.get(path).cloned();
    let mut files = Files::new(&paths, &read, Cancellation::default());
    let is_compose = |path: &&str| !path.contains('/') && path.contains("compose") && !path.starts_with('.');
    let names: Vec<_> = repository.iter().map(|(path, _)| *path).filter(is_compose).collect();
    let projects = projects(&mut files, "", &names);
    let roots: Vec<Root> = projects.into_iter().map(|project| project.root).collect();
    then(&files, &roots)
}

/// What sets an image, such as `compose.yaml:3 v1 (tag)`.
fn shown(files: &Files<'_>, setting: &Setting) -> String {
    let text = |part: &TextPart| {
        let file = files.file(part.place.file);
        let assignment = file.assignments.iter().flatten().flatten().nth(part.place.node);
        let text = assignment.map(|one| one.value.as_str());
        let text = text.or_else(|| file.yaml.as_ref().and_then(|yaml| yaml.text(part.place.node)));
        text.unwrap()[part.range.clone()].to_owned()
    };
    let at = setting.place().map(|place| files.location(place).to_string()).unwrap_or_default();
    match setting {
        Setting::Image(_) => at,
        Setting::Part(part) => {
            let holds = match &part.holds {
                Holds::Image => "image".to_owned(),
                Holds::Tag { prefix, suffix } if prefix.is_empty() && suffix.is_empty() => "tag".to_owned(),
                Holds::Tag { prefix, suffix } => format!("{prefix}|{suffix}"),
                Holds::Digest => "digest".to_owned(),
                Holds::NoTag => "no tag".to_owned(),
            };
            format!("{at} {} ({holds})", text(part))
        }
        Setting::Fixed { reason, .. } => format!("{at} fixed: {reason:?}"),
        other => panic!("{other:?}"),
    }
}

/// Every image of every root: `name:tag` and what sets it.
fn images(repository: &[(&str, &str)]) -> Vec<String> {
    with_roots(repository, |files, roots| {
        let images = roots.iter().flat_map(|root| &root.images);
        let one = |image: &super::super::setting::EffectiveImage| {
            let tag = image.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
            format!("{}{tag} at {}", image.name, shown(files, image.winning().unwrap()))
        };
        images.map(one).collect()
    })
}

/// The image of a compose file's only service, with this `.env`.
fn image(image: &str, env: &str) -> String {
    let file = format!("services:\n  api:\n    image: {image}\n");
    images(&[("compose.yaml", &file), (".env", env)]).remove(0)
}

#[test]
fn literal_image_is_set_where_it_stands() {
    assert_eq!(image("acme/api:v1", ""), "acme/api:v1 at compose.yaml:3");
    assert_eq!(image("acme/api", ""), "acme/api at compose.yaml:3");
}

#[test]
fn default_in_placeholder_is_the_place() {
    for (text, expected) in [
        ("acme/api:${TAG:-v1}", "acme/api:v1 at compose.yaml:3 v1 (tag)"),
        ("acme/api:${TAG-v1}", "acme/api:v1 at compose.yaml:3 v1 (tag)"),
        ("acme/api:${A:-${B:-v1}}", "acme/api:v1 at compose.yaml:3 v1 (tag)"),
        ("acme/api:${V:-v1}-ad", "acme/api:v1-ad at compose.yaml:3 v1 (|-ad)"),
        ("acme/api:v${V:-1}", "acme/api:v1 at compose.yaml:3 1 (v|)"),
        ("acme/api:${TAG:-}", "acme/api: at compose.yaml:3  (tag)"),
        ("${R:-ghcr.io}/acme/api:v1", "ghcr.io/acme/api:v1 at compose.yaml:3 v1 (tag)"),
        ("${R:-ghcr.io}/api:${T:-v1}", "ghcr.io/api:v1 at compose.yaml:3 v1 (tag)"),
        ("${I:-acme/api:v1}", "acme/api:v1 at compose.yaml:3 acme/api:v1 (image)"),
        ("ghcr.io/${I:-api:v1}", "ghcr.io/api:v1 at compose.yaml:3 v1 (tag)"),
        ("${R:-ghcr.io}/api", "ghcr.io/api at compose.yaml:3  (no tag)"),
        ("acme/api:v1${X:-}", "acme/api:v1 at compose.yaml:3 acme/api:v1 (image)"),
    ] {
        assert_eq!(image(text, ""), expected, "{text}");
    }
}

#[test]
fn value_in_env_file_is_the_place() {
    for (text, env, expected) in [
        ("api:${TAG:-v1}", "TAG=v2", "api:v2 at .env:1 v2 (tag)"),
        ("api:$TAG", "# c\nTAG='v2'\n", "api:v2 at .env:2 v2 (tag)"),
        ("api:${TAG:-v1}", "TAG=v2\nTAG=v3", "api:v3 at .env:2 v3 (tag)"),
        ("api:${TAG:-v1}", "TAG=v2\nTAG=", "api:v1 at compose.yaml:3 v1 (tag)"),
        ("api:${TAG-v1}", "TAG=", "api: at .env:1  (tag)"),
        ("api:${TAG:-v1}", "TAG", "api:v1 at compose.yaml:3 v1 (tag)"),
        ("${IMAGE}", "IMAGE=acme/api:v2", "acme/api:v2 at .env:1 acme/api:v2 (image)"),
        ("${NAME}:v1", "NAME=acme/api", "acme/api:v1 at compose.yaml:3 v1 (tag)"),
        ("api:${A}", "B=v2\nA=${B}\n", "api:v2 at .env:1 v2 (tag)"),
        ("api:${A}", "A=${B:-v2}\nB=v3\n", "api:v2 at .env:1 v2 (tag)"),
        ("api:${A}", "A='${B}'", "api:${B} at .env:1 ${B} (tag)"),
        ("api:${V}-ad", "V=v2", "api:v2-ad at .env:1 v2 (|-ad)"),
        ("api:${TAG:?set TAG}", "TAG=v2", "api:v2 at .env:1 v2 (tag)"),
    ] {
        assert_eq!(image(text, env), expected, "{text} {env:?}");
    }
}

#[test]
fn what_no_file_sets_is_fixed() {
    for (text, expected) in [
        ("api:${TAG}", "api:${TAG} at compose.yaml:3 fixed: NoDefault { name: \"TAG\" }"),
        ("api:${TAG:?x}", "api:${TAG:?x} at compose.yaml:3 fixed: NoDefault { name: \"TAG\" }"),
        ("api:${A:-${B}}", "api:${B} at compose.yaml:3 fixed: NoDefault { name: \"B\" }"),
        ("api:v1${A:+-x}", "api:v1${A:+-x} at compose.yaml:3 fixed: Alternative { name: \"A\" }"),
        ("api:${A:-1}.${B:-2}", "api:1.2 at compose.yaml:3 fixed: SeveralParts"),
    ] {
        assert_eq!(image(text, ""), expected, "{text}");
    }
}

#[test]
fn unset_variable_in_the_name_is_empty_as_in_compose() {
    assert_eq!(image("acme/api${VARIANT}:v1", ""), "acme/api:v1 at compose.yaml:3 v1 (tag)");
}

#[test]
fn digest_alone_is_told_apart_from_a_tag() {
    let text = format!("api@${{D:-sha256:{}}}", "0".repeat(64));
    assert!(image(&text, "").ends_with(" (digest)"), "{}", image(&text, ""));
}

const BASE: &str = "services:\n  api:\n    image: api:v1\n  web:\n    image: web:v1\n";

#[test]
fn override_file_replaces_the_image() {
    let over = "services:\n  api:\n    image: api:v2\n";
    let repository = [("compose.yaml", BASE), ("compose.override.yml", over)];
    assert_eq!(images(&repository), ["api:v2 at compose.override.yml:3", "web:v1 at compose.yaml:5"]);
    with_roots(&repository, |files, roots| {
        let overridden = &roots[0].images[0].overridden;
        assert_eq!(overridden.len(), 1);
        assert_eq!(files.location(overridden[0]).to_string(), "compose.yaml:3");
        assert_eq!(roots[0].name, "compose project compose.yaml with compose.override.yml");
    });
}

#[test]
fn every_other_file_is_a_root_with_the_default_below_it() {
    let prod = "services:\n  api:\n    image: api:v2\n";
    let repository = [("compose.prod.yaml", prod), ("docker-compose.yml", BASE)];
    let expected = [
        "api:v1 at docker-compose.yml:3",
        "web:v1 at docker-compose.yml:5",
        "api:v2 at compose.prod.yaml:3",
        "web:v1 at docker-compose.yml:5",
    ];
    assert_eq!(images(&repository), expected);
    with_roots(&repository[..1], |_, roots| assert_eq!(roots.len(), 1));
}

#[test]
fn compose_file_in_env_names_the_files() {
    let prod = "services:\n  api:\n    image: api:v2\n";
    let over = "services:\n  api:\n    image: api:v3\n";
    let names = [
        "compose project compose.yaml with deploy/prod.yaml",
        "compose project compose.yaml with compose.override.yaml",
    ];
    for env in [
        "COMPOSE_FILE=compose.yaml:deploy/prod.yaml",
        "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=compose.yaml,deploy/prod.yaml",
    ] {
        let repository = [
            ("compose.yaml", BASE),
            ("deploy/prod.yaml", prod),
            ("compose.override.yaml", over),
            (".env", env),
        ];
        assert_eq!(images(&repository)[..2], ["api:v2 at deploy/prod.yaml:3", "web:v1 at compose.yaml:5"]);
        with_roots(&repository, |_, roots| {
            assert_eq!(roots.iter().map(|root| root.name.as_str()).collect::<Vec<_>>(), names);
        });
    }
}

#[test]
fn env_file_of_the_first_files_folder_is_weaker_than_that_of_the_folder() {
    let file = "services:\n  api:\n    image: api:${A}-${B:-x}\n";
    let repository = [
        ("docker-compose.yml", "services: {}\n"),
        ("deploy/stack.yaml", file),
        (".env", "COMPOSE_FILE=deploy/stack.yaml\nB="),
        ("deploy/.env", "A=v1\nB=v2\n"),
    ];
    assert_eq!(images(&repository), ["api:v1-x at deploy/stack.yaml:3 fixed: SeveralParts"]);
}

#[test]
fn extended_service_gives_the_image_unless_the_service_has_one() {
    let file = "services:\n  a: {extends: b}\n  b: {extends: {file: common/base.yaml, service: c}}\n  d:\n    extends: b\n    image: own:v1\n";
    let common = "services:\n  c: {extends: e}\n  e: {image: 'base:v1'}\n";
    let repository = [("compose.yaml", file), ("common/base.yaml", common)];
    let base = "base:v1 at common/base.yaml:3";
    assert_eq!(images(&repository), [base, base, "own:v1 at compose.yaml:6"]);
}

#[test]
fn services_that_extend_each_other_in_a_circle_end() {
    let file = "services:\n  a: {extends: b}\n  b: {extends: a}\n";
    with_roots(&[("compose.yaml", file)], |_, roots| {
        assert!(roots[0].images.is_empty());
        assert_eq!(roots[0].uncertain.len(), 1);
    });
}

#[test]
fn included_services_are_weaker_and_have_variables_of_their_own() {
    let file = "include:\n- infra/db.yaml\n- path: [infra/web.yaml]\n  env_file: web.env\nservices:\n  web: {image: 'web:v9'}\n";
    let repository = [
        ("compose.yaml", file),
        ("infra/db.yaml", "services:\n  db: {image: 'db:${TAG}'}\n"),
        ("infra/web.yaml", "services:\n  web: {image: 'web:v1'}\n  cache: {image: 'cache:${TAG}'}\n"),
        ("infra/.env", "TAG=v3\n"),
        ("web.env", "TAG=v4\n"),
    ];
    let expected =
        ["cache:v4 at web.env:1 v4 (tag)", "db:v3 at infra/.env:1 v3 (tag)", "web:v9 at compose.yaml:6"];
    assert_eq!(images(&repository), expected);
    let outer = [repository.as_slice(), &[(".env", "TAG=v5\n")]].concat();
    assert_eq!(images(&outer)[..2], ["cache:v5 at .env:1 v5 (tag)", "db:v5 at .env:1 v5 (tag)"]);
}

#[test]
fn files_that_include_each_other_end() {
    let repository =
        [("compose.yaml", "include: [a.yaml, a.yaml]\n"), ("a.yaml", "include: [compose.yaml, a.yaml]\n")];
    with_roots(&repository, |_, roots| assert!(!roots[0].uncertain.is_empty()));
}

#[test]
fn what_is_not_in_the_repository_is_unknown() {
    let file = "include:\n- https://github.com/acme/x.git\n- ../../x.yaml\n- gone.yaml\n";
    with_roots(&[("compose.yaml", file)], |_, roots| assert_eq!(roots[0].unknown.len(), 3));
}

#[test]
fn env_file_that_compose_rejects_makes_the_root_uncertain() {
    with_roots(&[("compose.yaml", BASE), (".env", "A B=1\n")], |_, roots| {
        assert_eq!(roots[0].uncertain.len(), 1);
        assert!(roots[0].uncertain[0].what.contains("line 1"), "{:?}", roots[0].uncertain);
    });
}

#[test]
fn reset_and_override_remove_what_is_below() {
    let over = "services:\n  api: !override {build: .}\n  web:\n    image: !reset null\n";
    assert!(images(&[("compose.yaml", BASE), ("compose.override.yaml", over)]).is_empty());
}

#[test]
fn anchors_and_merge_keys_lead_to_where_the_image_is_written() {
    let file = "x-base: &base\n  image: api:${TAG:-v1}\nservices:\n  a: *base\n  b:\n    <<: *base\n";
    let place = "api:v1 at compose.yaml:2 v1 (tag)";
    assert_eq!(images(&[("compose.yaml", file)]), [place, place]);
}

#[test]
fn exported_variable_would_replace_the_winning_place() {
    let file = "services:\n  a: {image: 'api:${A:-${B:-v1}}'}\n  b: {image: 'web:v1'}\n";
    with_roots(&[("compose.yaml", file)], |files, roots| {
        let variables = &roots[0].variables;
        let names: Vec<_> = variables.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(files.location(variables[0].1).to_string(), "compose.yaml:2");
    });
}

#[test]
fn default_that_env_file_replaces_is_overridden() {
    with_roots(
        &[("compose.yaml", "services: {a: {image: 'api:${T:-v1}'}}\n"), (".env", "T=v2")],
        |files, roots| {
            let weaker: Vec<_> =
                roots[0].images[0].weaker().map(|place| files.location(place).to_string()).collect();
            assert_eq!(weaker, ["compose.yaml:1"]);
        },
    );
}

#[test]
fn values_that_grow_without_end_are_given_up() {
    let mut env = "V0=v1\n".to_owned();
    for n in 1..60 {
        let value = format!("${{V{}}}", n - 1).repeat(8);
        env.push_str(&format!("V{n}={value}\n"));
    }
    let grown = image("api:${V59}", &env);
    assert!(grown.ends_with("fixed: SeveralParts"), "{grown}");
    let deep = format!("{}v1{}", "${A:-".repeat(90), "}".repeat(90));
    assert!(image(&format!("api:{deep}"), "").ends_with("fixed: SeveralParts"));
}

#[test]
fn reason_of_a_fixed_place_names_the_variable() {
    let reason = Fixed::NoDefault { name: "TAG".to_owned() };
    assert!(reason.to_string().contains("TAG"));
}

/// A shell or CI fills them in; without that, compose refuses them.
#[test]
fn variable_without_a_value_leaves_no_name() {
    for image in ["${PREFIX}-web:v1", "${REGISTRY}/acme/api:v1", "${IMAGE}:v1", "${REGISTRY}:5000/api:v1"] {
        let text = format!("services:\n  web:\n    image: \"{image}\"\n");
        assert_eq!(images(&[("compose.yaml", &text)]), [""; 0], "{image}");
    }
}
