//! `replacements` and `vars`.

use super::{DEPLOYMENT, Outcomes, repository};

const CONFIG: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: versions}
data:
  image: ghcr.io/acme/api:v2
  tag: v3
";

fn run(replacement: &str) -> Outcomes {
    let text = format!("resources: [d.yaml, c.yaml]\nreplacements:\n{replacement}");
    repository(&[("kustomization.yaml", &text), ("d.yaml", DEPLOYMENT), ("c.yaml", CONFIG)]).run("")
}

const TARGET: &str = "  targets:
    - select: {kind: Deployment}
      fieldPaths: ['spec.template.spec.containers.[name=app].image']
";

fn source(field: &str) -> String {
    format!("- source: {{kind: ConfigMap, name: versions, {field}}}\n{TARGET}")
}

#[test]
fn replacement_of_the_whole_image_wins_at_its_source() {
    assert_eq!(run(&source("fieldPath: data.image")).images, ["ghcr.io/acme/api:v2 <- c.yaml:5; d.yaml:10"]);
}

#[test]
fn replacement_of_the_tag_wins_at_its_source() {
    let tag = "      options: {delimiter: ':', index: 1}\n";
    let with_tag = |field: &str| run(&format!("{}{tag}", source(field))).images;
    assert_eq!(with_tag("fieldPath: data.tag"), ["app:v3 <- c.yaml:6; d.yaml:10"]);
    let part = "fieldPath: data.image, options: {delimiter: ':', index: 1}";
    assert_eq!(with_tag(part), ["app:v2 <- c.yaml:5; d.yaml:10"]);
}

/// The tag is still the workload's.
#[test]
fn replacement_of_the_name_leaves_the_place_of_the_tag() {
    let replacement = format!(
        "{}      options: {{delimiter: ':', index: 0}}\n",
        source("fieldPath: data.image, options: {delimiter: ':', index: 0}")
    );
    assert_eq!(run(&replacement).images, ["ghcr.io/acme/api:v1 <- d.yaml:10"]);
}

#[test]
fn replacement_comes_after_images() {
    let text = format!(
        "resources: [d.yaml, c.yaml]\nimages: [{{name: app, newTag: v9}}]\nreplacements:\n{}",
        source("fieldPath: data.image")
    );
    let files = [("kustomization.yaml", text.as_str()), ("d.yaml", DEPLOYMENT), ("c.yaml", CONFIG)];
    let image = "ghcr.io/acme/api:v2 <- c.yaml:5; d.yaml:10, kustomization.yaml:2";
    assert_eq!(repository(&files).run("").images, [image]);
}

#[test]
fn generated_literal_is_a_source() {
    let text = format!(
        "resources: [d.yaml]\nconfigMapGenerator:\n  - name: versions\n    literals:\n      - tag=v4\nreplacements:\n{}{}",
        source("fieldPath: data.tag"),
        "      options: {delimiter: ':', index: 1}\n"
    );
    let run = repository(&[("kustomization.yaml", &text), ("d.yaml", DEPLOYMENT)]).run("");
    assert_eq!(run.images, ["app:v4 <- kustomization.yaml:5; d.yaml:10"]);
}

#[test]
fn replacements_can_be_in_a_file_and_reject_targets() {
    let file = format!("{}      reject: [{{name: app}}]\n", source("fieldPath: data.image"));
    let text = "resources: [d.yaml, c.yaml]\nreplacements: [{path: r.yaml}]\n";
    let files = |r: &str| {
        let files = [("kustomization.yaml", text), ("d.yaml", DEPLOYMENT), ("c.yaml", CONFIG), ("r.yaml", r)];
        repository(&files).run("").images
    };
    assert_eq!(files(&file), ["app:v1 <- d.yaml:10"]);
    assert_eq!(files(&source("fieldPath: data.image")), ["ghcr.io/acme/api:v2 <- c.yaml:5; d.yaml:10"]);
}

#[test]
fn replacement_without_source_is_uncertain() {
    let run = run(&source("fieldPath: data.gone"));
    assert_eq!(run.images, ["app:v1 <- d.yaml:10"]);
    assert_eq!(run.uncertain, ["kustomization.yaml:3 replaces values, and their source can't be found"]);
}

#[test]
fn paths_select_all_items_or_a_position() {
    let with_path = |path: &str| {
        let text =
            source("fieldPath: data.image").replace("spec.template.spec.containers.[name=app].image", path);
        run(&text).images[0].starts_with("ghcr.io/acme/api:v2")
    };
    assert!(with_path("spec.template.spec.containers.*.image"));
    assert!(with_path("spec.template.spec.containers.0.image"));
    assert!(with_path("spec.template.spec.containers.[name=a.*].image"));
    assert!(!with_path("spec.template.spec.containers.1.image"));
    assert!(!with_path("spec.template.spec.containers.[name=b].image"));
}

/// By default, kustomize doesn't look for variables in images.
#[test]
fn variable_is_replaced_where_a_configuration_says_so() {
    let deployment = DEPLOYMENT.replace("app:v1", "app:$(TAG)");
    let text = "\
resources: [d.yaml, c.yaml]
vars:
  - name: TAG
    objref: {apiVersion: v1, kind: ConfigMap, name: versions}
    fieldref: {fieldpath: data.tag}
";
    let configured = format!("{text}configurations: [v.yaml]\n");
    let paths = "varReference: [{path: spec/template/spec/containers/image, kind: Deployment}]\n";
    let files = |text: &str| {
        let files =
            [("kustomization.yaml", text), ("d.yaml", &deployment), ("c.yaml", CONFIG), ("v.yaml", paths)];
        repository(&files).run("").images
    };
    assert_eq!(files(&configured), ["app:v3 <- c.yaml:6; d.yaml:10"]);
    assert_eq!(files(text), ["app:$(TAG) <- d.yaml:10"]);
}

/// Each base names the ConfigMap by the name that it has there.
#[test]
fn variables_of_two_bases_stand_for_objects_of_their_own() {
    let deployment = DEPLOYMENT.replace("app:v1", "app:$(NAME_TAG)");
    let base = |name: &str| {
        format!(
            "namePrefix: {name}-\nresources: [d.yaml]\nconfigurations: [v.yaml]\n\
             configMapGenerator: [{{name: versions, envs: [params.env]}}]\n\
             vars:\n  - name: {name}_TAG\n    fieldref: {{fieldpath: data.{name}_TAG}}\n    \
             objref: {{apiVersion: v1, kind: ConfigMap, name: versions}}\n"
        )
    };
    let paths = "varReference: [{path: spec/template/spec/containers/image, kind: Deployment}]\n";
    let (a, b) = (base("a"), base("b"));
    let run = repository(&[
        ("kustomization.yaml", "resources: [a, b]\n"),
        ("a/kustomization.yaml", &a),
        ("b/kustomization.yaml", &b),
        ("a/d.yaml", &deployment.replace("NAME", "a")),
        ("b/d.yaml", &deployment.replace("NAME", "b")),
        ("a/v.yaml", paths),
        ("b/v.yaml", paths),
        ("a/params.env", "a_TAG=v2\n"),
        ("b/params.env", "b_TAG=v3\n"),
    ])
    .run("");
    assert!(run.uncertain.is_empty(), "{:?}", run.uncertain);
    assert_eq!(
        run.images,
        ["app:v2 <- a/params.env:1; a/d.yaml:10", "app:v3 <- b/params.env:1; b/d.yaml:10"]
    );
}

/// No image is as long as this text, and thousands of copies of it would fill the memory.
#[test]
fn variable_with_a_long_value_stays() {
    let image = format!("app:{}", "$(TAG)".repeat(2000));
    let deployment = DEPLOYMENT.replace("app:v1", &image);
    let text = "resources: [d.yaml, c.yaml]\nconfigurations: [v.yaml]\nvars: [{name: TAG, objref: {apiVersion: v1, kind: \
                ConfigMap, name: versions}, fieldref: {fieldpath: data.tag}}]\n";
    let paths = "varReference: [{path: spec/template/spec/containers/image, kind: Deployment}]\n";
    for long in [CONFIG.replace("v3", &"x".repeat(5000)), CONFIG.replace("v3", "v3456")] {
        let files =
            [("kustomization.yaml", text), ("d.yaml", &deployment), ("c.yaml", &long), ("v.yaml", paths)];
        assert!(repository(&files).run("").images[0].starts_with("app:$(TAG)$(TAG)"));
    }
}
