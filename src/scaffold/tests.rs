use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::image::same_image;
use crate::manifest::{COMPOSE, WORKLOAD};
use crate::plan::ListedReference;

fn reference(file: &str, image: &str, tag: &str) -> ListedReference {
    let (file, image, tag) = (file.to_owned(), image.to_owned(), Some(tag.to_owned()));
    ListedReference { file, line: 7, kind: WORKLOAD, image, tag, ..ListedReference::default() }
}

/// An entry of a kustomization.
fn entry(file: &str, name: &str, image: &str) -> ListedReference {
    ListedReference { kind: "kustomization", sets: Some(name.to_owned()), ..reference(file, image, "v1") }
}

fn text(references: Vec<ListedReference>) -> String {
    config(&Listing { references, ..Listing::default() }, "tagbump.yaml").unwrap().unwrap().text
}

/// The services, each as `name image file…`.
fn services(references: Vec<ListedReference>) -> Vec<String> {
    services_of(&text(references))
}

fn services_of(text: &str) -> Vec<String> {
    let config = Config::parse("tagbump.yaml", text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let described = |name: &str| {
        let service = config.service(name).unwrap();
        format!("{name} {} {}", service.image, service.files.as_ref().unwrap())
    };
    config.names().map(described).collect()
}

/// The text with the commented-out services uncommented.
fn uncommented(text: &str) -> String {
    let from = text.find("  # Most likely").or_else(|| text.find("# No image here")).unwrap_or(text.len());
    let end = text.find("\n# Found, but").unwrap_or(text.len()).max(from);
    let lines = text[from..end].lines().skip(1);
    let bare = lines.map(|line| match line.split_once("# ") {
        Some((indent, rest)) => format!("{indent}{rest}\n"),
        None => format!("{}\n", line.trim_end_matches('#')),
    });
    format!("{}{}", &text[..from], bare.collect::<String>())
}

#[test]
fn the_example_is_of_whom_most_images_are() {
    let images = ["ghcr.io/aaa/agent", "ghcr.io/acme/web", "ghcr.io/acme/api"];
    let references = images.map(|image| reference("k8s/all.yaml", image, "v1")).to_vec();
    let made = config(&Listing { references, ..Listing::default() }, "tagbump.yaml").unwrap().unwrap();
    assert_eq!(made.example.as_deref(), Some("api"));
}

#[test]
fn environments_with_the_same_digest_are_one_service() {
    let of = |file: &str| ListedReference {
        digest_files: ["chart/values.yaml".to_owned()].into(),
        ..reference(file, "ghcr.io/acme/api", "v1")
    };
    let found = services(vec![of("chart/values-prod.yaml"), of("chart/values-staging.yaml")]);
    assert_eq!(
        found,
        ["api ghcr.io/acme/api chart/values-prod.yaml, chart/values-staging.yaml, chart/values.yaml"]
    );
}

#[test]
fn a_service_for_each_environment() {
    let found = services(vec![
        reference("k8s/dev/api.yaml", "ghcr.io/acme/api", "v2"),
        reference("k8s/prod/api.yaml", "ghcr.io/acme/api", "v1"),
        reference("k8s/prod/job.yaml", "ghcr.io/acme/api", "v1"),
        reference("compose.yaml", "ghcr.io/acme/api", "v1"),
        reference("k8s/prod/web.yaml", "ghcr.io/acme/web", "v1"),
    ]);
    let wanted = [
        "api ghcr.io/acme/api compose.yaml",
        "api-dev ghcr.io/acme/api k8s/dev/api.yaml",
        "api-prod ghcr.io/acme/api k8s/prod/api.yaml, k8s/prod/job.yaml",
        "web ghcr.io/acme/web k8s/prod/web.yaml",
    ];
    assert_eq!(found, wanted);
}

/// A bump of the plain name would deploy nothing.
#[test]
fn compose_file_beside_environments_does_not_get_the_plain_name() {
    let compose = |file| ListedReference { kind: COMPOSE, ..reference(file, "ghcr.io/acme/api", "v1") };
    let environment = |file| reference(file, "ghcr.io/acme/api", "v1");
    let references =
        vec![compose("compose.yaml"), environment("k8s/dev/a.yaml"), environment("k8s/prod/a.yaml")];
    let made = config(&Listing { references, ..Listing::default() }, "tagbump.yaml").unwrap().unwrap();
    assert_eq!(made.example.as_deref(), Some("api-dev"));
    let wanted = [
        "api-compose ghcr.io/acme/api compose.yaml",
        "api-dev ghcr.io/acme/api k8s/dev/a.yaml",
        "api-prod ghcr.io/acme/api k8s/prod/a.yaml",
    ];
    assert_eq!(services_of(&made.text), wanted);
    assert_eq!(services(vec![compose("compose.yaml")]), ["api ghcr.io/acme/api compose.yaml"]);
}

#[test]
fn environments_are_proposed_in_comments() {
    let api = |file| reference(file, "ghcr.io/acme/api", "v1");
    let text = text(vec![
        api("envs/production/x.yaml"),
        api("envs/staging/x.yaml"),
        api("envs/staging/y.yaml"),
        api("chart/values-dev.yaml"),
        reference("envs/qa/x.yaml", "redis", "7"),
    ]);
    let wanted = "
# environments:
#   dev:
#     files:
#       - chart/values-dev.yaml
#   staging:
#     files:
#       - envs/staging/**
#     from: dev
#   production:
#     files:
#       - envs/production/**
#     from: staging
";
    assert!(text.contains(wanted), "{text}");
}

/// The configuration would be invalid once its environments are uncommented.
#[test]
fn service_is_not_called_like_an_environment() {
    let of = |env: &str| {
        let at = |image: &str| reference(&format!("envs/{env}/x.yaml"), image, "v1");
        [at("ghcr.io/acme/api"), at("ghcr.io/acme/prod")]
    };
    let text = text([of("dev"), of("prod")].concat());
    assert!(text.contains("#   prod:\n#     files:"), "{text}");
    let names: Vec<String> =
        services_of(&text).iter().map(|service| service.split(' ').next().unwrap().to_owned()).collect();
    assert!(!names.is_empty() && !names.contains(&"prod".to_owned()), "{names:?}");
}

#[test]
fn single_environment_is_not_proposed() {
    let text = text(vec![reference("prod/x.yaml", "ghcr.io/acme/api", "v1")]);
    assert!(!text.contains("environments"), "{text}");
}

#[test]
fn one_environment_by_two_names_is_one() {
    let api = |file| reference(file, "ghcr.io/acme/api", "v1");
    let found = services(vec![api("a/prod/x.yaml"), api("b/values-production.yaml"), api("stage/x.yaml")]);
    let names: Vec<_> = found.iter().map(|service| service.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["api-prod", "api-stage"]);
}

#[test]
fn docker_hub_s_names_are_one_image() {
    let found = services(vec![
        reference("a.yaml", "acme/api", "v1"),
        reference("b.yaml", "docker.io/acme/api", "v1"),
    ]);
    assert_eq!(found, ["api acme/api a.yaml, b.yaml"]);
}

#[test]
fn names_that_meet() {
    let found = services(vec![
        reference("dev/a.yaml", "a.io/acme/api", "v1"),
        reference("prod/a.yaml", "a.io/acme/api", "v1"),
        reference("b.yaml", "a.io/other/api", "v1"),
        reference("c.yaml", "a.io/x/acme-api-dev", "v1"),
        reference("d.yaml", "a.io/x/on", "v1"),
    ]);
    let names: Vec<_> = found.iter().map(|service| service.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["acme-api-dev", "acme-api-dev-2", "acme-api-prod", "on", "other-api"]);
}

#[test]
fn images_of_others_are_commented_out() {
    let text = text(vec![
        reference("a.yaml", "ghcr.io/acme/redis", "v1"),
        reference("a.yaml", "redis", "7"),
        reference("a.yaml", "postgres", "16"),
    ]);
    assert_eq!(services_of(&text), ["redis ghcr.io/acme/redis a.yaml"]);
    assert!(text.contains("  # Most likely not your images"), "{text}");
    let wanted =
        ["library-redis redis a.yaml", "postgres postgres a.yaml", "redis ghcr.io/acme/redis a.yaml"];
    assert_eq!(services_of(&uncommented(&text)), wanted);
}

#[test]
fn images_of_others_alone() {
    let text = text(vec![reference("a.yaml", "redis", "7"), reference("prod/a.yaml", "redis", "7")]);
    assert!(services_of(&text).is_empty(), "{text}");
    assert_eq!(services_of(&uncommented(&text)), ["redis redis a.yaml", "redis-prod redis prod/a.yaml"]);
}

#[test]
fn what_a_kustomization_sets_is_not_set_in_the_workload() {
    let text = text(vec![
        reference("base/deployment.yaml", "ghcr.io/acme/api", "latest"),
        entry("overlays/prod/kustomization.yaml", "ghcr.io/acme/api", "ghcr.io/acme/api"),
        reference("dev/deployment.yaml", "ghcr.io/acme/api", "v2"),
    ]);
    let wanted = [
        "api-dev ghcr.io/acme/api dev/deployment.yaml",
        "api-prod ghcr.io/acme/api overlays/prod/kustomization.yaml",
    ];
    assert_eq!(services_of(&text), wanted);
    let why = "\n# - base/deployment.yaml:7: a workload; a kustomization sets its tag\n";
    assert!(text.contains(why), "{text}");
}

#[test]
fn a_placeholder_that_a_kustomization_renames_is_no_image() {
    let text = text(vec![
        reference("base/deployment.yaml", "api", ""),
        entry("base/kustomization.yaml", "api", "ghcr.io/acme/api"),
    ]);
    assert_eq!(services_of(&uncommented(&text)), ["api ghcr.io/acme/api base/kustomization.yaml"]);
    assert!(text.contains("deployment.yaml:7 api: a kustomization replaces it with another image"), "{text}");
}

#[test]
fn what_can_not_be_edited_is_told_with_its_reason() {
    let refused = |file, image| ListedReference {
        reason: Some("is a placeholder\nof others; bump it there".to_owned()),
        ..reference(file, image, "v1")
    };
    let text = text(vec![
        reference("a.yaml", "ghcr.io/acme/api", "v1"),
        refused("a.yaml", "ghcr.io/acme/api"),
        refused("b.yaml", "${IMAGE}"),
        reference("c.yaml", "", "v1"),
        reference("d.yaml", "a b", "v1"),
    ]);
    assert_eq!(services_of(&text), ["api ghcr.io/acme/api a.yaml"]);
    for line in [
        "  # A bump stops at a.yaml:7, which can't be edited; see below.\n  api:\n",
        "# - a.yaml:7 ghcr.io/acme/api: is a placeholder\\nof others; bump it there\n",
        "# - b.yaml:7 ${IMAGE}: is a placeholder",
        "# - c.yaml:7: the file doesn't name the image; list the file and path",
        "# - d.yaml:7 a b: not a valid image name",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn nothing_that_can_be_edited_is_no_configuration() {
    let refused = ListedReference { reason: Some("no".to_owned()), ..reference("a.yaml", "acme/api", "v1") };
    for references in [Vec::new(), vec![refused]] {
        let listing = Listing { references, ..Listing::default() };
        assert_eq!(config(&listing, "tagbump.yaml").unwrap(), None);
    }
}

#[test]
fn long_lists_of_what_is_left_out_are_cut() {
    let mut all: Vec<_> = (0..50).map(|n| reference(&format!("{n}.yaml"), "", "v1")).collect();
    all.push(reference("a.yaml", "acme/api", "v1"));
    let text = text(all);
    assert_eq!(text.matches("\n# - ").count(), 31);
    assert!(text.ends_with("# - 20 more; tagbump scan lists them all\n"), "{text}");
}

#[test]
fn the_tag_s_template_is_that_of_most_tags() {
    let api = |file, tag| reference(file, "acme/api", tag);
    let config = |text: &str| Config::parse("tagbump.yaml", text.as_bytes()).unwrap();
    let most = text(vec![
        api("a.yaml", "main-1a2b3c4"),
        api("b.yaml", "main-0f0f0f0"),
        api("c.yaml", "v1"),
        reference("d.yaml", "redis", "7.2.1"),
        reference("e.yaml", "postgres", "16.1.0"),
    ]);
    assert_eq!(config(&most).tag.unwrap().as_str(), "{branch}-{sha:7}");
    assert!(most.contains("has different tags now (main-0f0f0f0, main-1a2b3c4, v1); a bump sets"), "{most}");
    let none = text(vec![api("a.yaml", "latest")]);
    assert!(config(&none).tag.is_none() && none.contains("\n# tag: \"{sha:7}\"\n"), "{none}");
}

/// The commented-out examples must be valid too, once they are uncommented.
#[test]
fn the_defaults_that_are_shown_are_ones() {
    let text = text(vec![reference("a.yaml", "acme/api", "latest")]);
    let text = text.replace("# tag:", "tag:").replace("# message:", "message:");
    let config = Config::parse("tagbump.yaml", text.as_bytes()).unwrap();
    assert_eq!(config.tag.unwrap().as_str(), crate::tag::DEFAULT_TEMPLATE);
    assert_eq!(config.message.unwrap().as_str(), "chore: update {name} image to {tag}");
}

#[test]
fn the_workflow_names_a_service() {
    assert!(workflow::text(Some("on")).contains("        default: \"on\"\n      tag:\n"));
    let none = workflow::text(None);
    assert!(!none.contains("default") && none.contains("      services: NAME"), "{none}");
    for text in [workflow::text(Some("api-dev")), none] {
        let read: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        assert!(read["jobs"]["bump"].is_mapping() && !text.contains("run: "), "{text}");
        assert!(!text.contains("EXAMPLE") && !text.contains("DEFAULT"), "{text}");
    }
}

/// Typical names of images and files, and odd ones.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,3}(/[a-z0-9._-]{1,4}){0,2}",
        "(dev|prod|pre-prod|overlays)/[a-z]{1,2}\\.yaml",
        "[-a-zA-Z0-9:#'\"{}\\[\\]*?!&|>%@`,/\\\\ \n\t\r$é\u{85}\u{2028}\u{feff}\u{fffe}]{0,12}",
        any::<String>(),
    ]
}

prop_compose! {
    fn any_reference()(file in odd(), image in odd(), tag in odd(), reason in proptest::option::weighted(0.2, odd()),
                       sets in proptest::option::weighted(0.2, odd())) -> ListedReference {
        // every reference has a path below the root
        let parts: Vec<_> = file.split('/').filter(|part| !["", ".", ".."].contains(part)).collect();
        let file = format!("{}.yaml", parts.join("/").replace('\0', ""));
        ListedReference { reason, sets, ..reference(&file, &image, &tag) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(20_240_101), failure_persistence: None,
                                        ..ProptestConfig::default() })]

    #[test]
    fn any_names_make_a_configuration_that_selects_their_files(references in vec(any_reference(), 1..8)) {
        let listing = Listing { references, ..Listing::default() };
        let Some(made) = config(&listing, "tagbump.yaml").unwrap() else { return Ok(()) };
        for text in [made.text.clone(), uncommented(&made.text)] {
            let read = Config::parse("tagbump.yaml", text.as_bytes());
            prop_assert!(read.is_ok(), "{:?}\n{}", read, text);
            let read = read.unwrap();
            for name in read.names() {
                let service = read.service(name).unwrap();
                let files = service.files.as_ref().unwrap();
                let fits = |r: &&ListedReference| same_image(&r.image, &service.image) && files.match_level(&r.file).is_some();
                prop_assert!(listing.references.iter().any(|r| fits(&r)), "{name}\n{text}");
            }
        }
        let workflow = workflow::text(made.example.as_deref());
        prop_assert!(serde_yaml::from_str::<serde_yaml::Value>(&workflow).is_ok(), "{workflow}");
        prop_assert!(!made.text.contains(|c: char| c.is_control() && c != '\n'), "{:?}", made.text);
    }
}
