//! ConfigMaps that are generated, and what only kustomize can follow.

use super::super::{Additions, build};
use super::{DEPLOYMENT, MemoryRepository, repository};

/// The data of the first object: key, text, and where it is written.
fn data(repository: &MemoryRepository, folder: &str) -> Vec<String> {
    repository.with(|files| {
        let build = build(files, folder, &Additions::default());
        let data = build.objects[0].value.get("data").unwrap().clone();
        let lines = data.pairs().iter().map(|(key, value)| {
            let scalar = value.scalar().unwrap();
            let linked = scalar.links.last().and_then(|link| link.setting.place());
            let at = linked.or(scalar.place).map(|place| files.location(place).to_string());
            format!("{key}: {} <- {}", scalar.text.trim_end(), at.unwrap_or_default())
        });
        lines.collect()
    })
}

#[test]
fn generator_reads_files_literals_and_env_files() {
    let text = "\
configMapGenerator:
  - name: c
    files: [values.yaml=prod.yaml, b.yaml]
    literals:
      - TAG=v1
      - NAME='app'
    envs: [c.env]
";
    let files = [
        ("kustomization.yaml", text),
        ("prod.yaml", "# ours\nimage: {tag: v1}\n"),
        ("b.yaml", "x: 1\n"),
        ("c.env", "# x\nA=1\nB=2\n"),
    ];
    let expected = [
        "values.yaml: # ours\nimage: {tag: v1} <- prod.yaml:2",
        "b.yaml: x: 1 <- b.yaml:1",
        "A: 1 <- c.env:2",
        "B: 2 <- c.env:3",
        "TAG: v1 <- kustomization.yaml:5",
        "NAME: app <- kustomization.yaml:6",
    ];
    assert_eq!(data(&repository(&files), ""), expected);
}

#[test]
fn overlay_merges_or_replaces_the_data_of_a_base() {
    let base = "configMapGenerator: [{name: c, files: [values.yaml], literals: [A=1]}]\n";
    let data_with = |behavior: &str| {
        let text = format!(
            "resources: [base]\nconfigMapGenerator: [{{name: c, behavior: {behavior}, files: [values.yaml]}}]\n"
        );
        let files = [
            ("base/kustomization.yaml", base),
            ("base/values.yaml", "base: 1\n"),
            ("kustomization.yaml", &text),
            ("values.yaml", "prod: 1\n"),
        ];
        data(&repository(&files), "")
    };
    let values = "values.yaml: prod: 1 <- values.yaml:1";
    assert_eq!(data_with("merge"), [values, "A: 1 <- base/kustomization.yaml:1"]);
    assert_eq!(data_with("replace"), [values]);
}

#[test]
fn configuration_names_more_images() {
    let object = "\
apiVersion: example.org/v1
kind: Crawler
spec:
  runner: {image: 'app:v1'}
  other: {image: 'app:v1'}
";
    let config =
        "images:\n  - {path: spec/runner/image, kind: Crawler}\n  - {path: spec/other/image, kind: X}\n";
    let text = "resources: [o.yaml]\nconfigurations: [c.yaml]\nimages: [{name: app, newTag: v2}]\n";
    let files = [("kustomization.yaml", text), ("o.yaml", object), ("c.yaml", config)];
    repository(&files).with(|files| {
        let build = build(files, "", &Additions::default());
        let object = &build.objects[0].value;
        assert_eq!(object.text_at(&["spec", "runner", "image"]), Some("app:v2"));
        assert_eq!(object.text_at(&["spec", "other", "image"]), Some("app:v1"));
        assert!(build.unmatched.is_empty());
    });
}

#[test]
fn plugins_and_charts_are_unknown_or_uncertain() {
    let text = "\
resources: [d.yaml]
generators: [g.yaml]
helmCharts:
  - {name: here}
  - {name: gone, repo: 'https://example.org'}
transformers:
  - labels.yaml
  - images.yaml
openapi: {path: schema.json}
images: [{name: other, newTag: v1}]
";
    let files = [
        ("kustomization.yaml", text),
        ("d.yaml", DEPLOYMENT),
        ("charts/here/Chart.yaml", "name: here\n"),
        ("labels.yaml", "apiVersion: builtin\nkind: LabelTransformer\n"),
        ("images.yaml", "apiVersion: builtin\nkind: ImageTagTransformer\n"),
    ];
    let run = repository(&files).run("");
    let unknown = [
        "kustomization.yaml:2 runs a generator",
        "kustomization.yaml:5 inflates a Helm chart that isn't in this repository",
    ];
    assert_eq!(run.unknown, unknown);
    let uncertain = [
        "kustomization.yaml:9 sets its own OpenAPI schema, which decides how patches are merged",
        "kustomization.yaml:8 runs a transformer",
    ];
    assert_eq!(run.uncertain, uncertain);
    assert_eq!(run.unmatched, ["kustomization.yaml:10 may match"]);
}

#[test]
fn transformer_is_uncertain_if_a_path_leads_to_an_image() {
    for (transformer, is_uncertain) in [
        (
            "kind: LabelTransformer\nfieldSpecs: [{path: spec/template/metadata/labels, create: true}]\n",
            false,
        ),
        ("kind: NamespaceTransformer\nfieldSpecs: [{path: spec/containers/image}]\n", true),
        (
            "kind: SuffixTransformer\nsuffix: -arm64\nfieldSpecs: [{path: 'spec/template/spec/containers[]/image'}]\n",
            true,
        ),
        ("kind: ValueAddTransformer\ntargets: [{fieldPath: spec/template/spec/containers/0}]\n", true),
        ("kind: ValueAddTransformer\ntargets: [{fieldPath: spec/replicas}]\n", false),
    ] {
        let transformer = format!("apiVersion: builtin\n{transformer}");
        let files = [
            ("kustomization.yaml", "resources: [d.yaml]\ntransformers: [t.yaml]\n"),
            ("d.yaml", DEPLOYMENT),
            ("t.yaml", &transformer),
        ];
        let uncertain = repository(&files).run("").uncertain;
        assert_eq!(!uncertain.is_empty(), is_uncertain, "{transformer}");
    }
}

/// git often ignores it.
#[test]
fn secret_from_a_missing_file_is_a_doubt_only_if_it_overrides_another() {
    for (generator, is_doubted) in [
        ("secretGenerator: [{name: s, envs: [.env.secret]}]", false),
        ("secretGenerator: [{name: s, files: [.env.secret]}]", false),
        ("secretGenerator: [{name: s, behavior: merge, envs: [.env.secret]}]", true),
        ("configMapGenerator: [{name: s, envs: [.env.secret]}]", true),
    ] {
        let text = format!("resources: [d.yaml]\n{generator}\n");
        let run = repository(&[("kustomization.yaml", &text), ("d.yaml", DEPLOYMENT)]).run("");
        assert_eq!(!run.uncertain.is_empty(), is_doubted, "{text}: {:?}", run.uncertain);
    }
}

#[test]
fn value_from_a_secret_of_a_missing_file_is_a_doubt() {
    let text = "\
resources: [d.yaml]
secretGenerator: [{name: s, envs: [.env.secret]}]
replacements:
- source: {kind: Secret, name: s, fieldPath: data.TAG}
  targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.containers.0.image]}]
";
    let run = repository(&[("kustomization.yaml", text), ("d.yaml", DEPLOYMENT)]).run("");
    assert!(!run.uncertain.is_empty());
}
