//! What can't be rendered.

use super::{DEPLOYMENT, repository};

const ENTRY: &str = "images: [{name: app, newTag: v1}]\n";

#[test]
fn entry_may_match_a_remote_base() {
    for path in ["https://example.org/x.yaml", "github.com/acme/app//deploy?ref=v1", "git@example.org:a/b"] {
        let text = format!("resources:\n  - {path}\n{ENTRY}");
        let run = repository(&[("kustomization.yaml", &text)]).run("");
        assert_eq!(run.unmatched, ["kustomization.yaml:3 may match"], "{path}");
        assert_eq!(run.unknown, ["kustomization.yaml:2 includes a remote base"]);
        assert!(run.images.is_empty() && run.uncertain.is_empty(), "{run:?}");
    }
}

#[test]
fn entry_of_a_component_alone_may_match() {
    let text = format!("kind: Component\n{ENTRY}");
    assert_eq!(
        repository(&[("kustomization.yaml", &text)]).run("").unmatched,
        ["kustomization.yaml:2 may match"]
    );
}

#[test]
fn missing_path_is_unknown_and_cycle_is_uncertain() {
    let run = repository(&[("kustomization.yaml", "resources:\n- gone\n- ../../out\n")]).run("");
    let what = "includes a path that isn't in this repository";
    assert_eq!(run.unknown, [format!("kustomization.yaml:2 {what}"), format!("kustomization.yaml:3 {what}")]);
    let files =
        [("a/kustomization.yaml", "resources: [../b]\n"), ("b/kustomization.yaml", "bases: [../a]\n")];
    assert_eq!(repository(&files).run("a").uncertain, ["b/kustomization.yaml:1 includes itself"]);
}

#[test]
fn component_that_is_not_read_is_uncertain() {
    for (path, what) in [
        ("../out", "includes a component outside of the folder that tagbump reads"),
        ("gone", "includes a component that isn't in this repository"),
    ] {
        let text = format!("components: [{path}]\n");
        let run = repository(&[("kustomization.yaml", &text)]).run("");
        assert_eq!(run.uncertain, [format!("kustomization.yaml:1 {what}")]);
    }
}

#[test]
fn patch_of_an_object_in_a_remote_base_still_sets_its_image() {
    let text = "\
resources: ['https://example.org/x.yaml']
patchesStrategicMerge: [merge.yaml]
patches:
  - target: {kind: Deployment, name: other}
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: other:v1
";
    let run = repository(&[("kustomization.yaml", text), ("merge.yaml", DEPLOYMENT)]).run("");
    assert_eq!(run.images, ["app:v1 <- merge.yaml:10", "other:v1 <- kustomization.yaml:8"]);
}

/// What the patch changes may be in the part of the object that the remote base has.
#[test]
fn json_patch_of_an_object_that_is_known_in_part_is_not_refused() {
    let text = "\
resources: ['https://example.org/x.yaml']
patches:
  - path: merge.yaml
  - target: {kind: Deployment, name: app}
    patch: |-
      - op: add
        path: /spec/template/spec/containers/0/resources/limits
        value: {cpu: 1}
      - op: replace
        path: /spec/template/spec/initContainers/0/image
        value: other:v1
";
    let merge = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {replicas: 2}\n";
    let run = repository(&[("kustomization.yaml", text), ("merge.yaml", merge)]).run("");
    assert!(run.uncertain.is_empty(), "{:?}", run.uncertain);
    assert_eq!(run.images, ["other:v1 <- kustomization.yaml:11"]);
}

#[test]
fn object_included_twice_is_uncertain() {
    let files = [("kustomization.yaml", "resources: [d.yaml, d.yaml]\n"), ("d.yaml", DEPLOYMENT)];
    let run = repository(&files).run("");
    assert_eq!(run.images, ["app:v1 <- d.yaml:10"]);
    assert_eq!(run.uncertain, ["d.yaml:2 is included twice, and kustomize refuses that"]);
}

/// Without a limit, this takes 2^40 steps.
#[test]
fn bases_that_multiply_end() {
    let level = |n: usize| {
        let below = format!("../{}", n + 1);
        (format!("{n}/kustomization.yaml"), format!("resources: [{below}, {below}]\nnameSuffix: '{n}'\n"))
    };
    let files: Vec<_> = (0..40).map(level).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let run = repository(&files).run("0");
    assert!(run.uncertain.iter().any(|doubt| doubt.ends_with("is too large to evaluate")), "{run:?}");
}

/// Each replacement doubles the text, or puts a value into itself.
#[test]
fn replacements_that_feed_themselves_end() {
    let growing = "\
- source: {kind: ConfigMap, fieldPath: data.a}
  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a], options: {delimiter: ':', index: 9999}}]
- source: {kind: ConfigMap, fieldPath: data}
  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.b], options: {create: true}}]
";
    let text = format!("resources: [c.yaml]\nreplacements:\n{}", growing.repeat(300));
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: x, b: y}\n";
    let files = [("kustomization.yaml", text.as_str()), ("c.yaml", object)];
    repository(&files).with(|files| {
        let build = super::build(files, "", &super::Additions::default());
        let text = build.objects[0].value.text_at(&["data", "a"]).unwrap();
        assert!(text.len() <= 4096 && build.objects[0].value.size() < 50_000);
    });
}

#[test]
fn namespaces_of_two_bases_get_the_name_that_each_sets() {
    let base = "resources: [../system]\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: system}\n";
    let run = repository(&[
        ("kustomization.yaml", "resources: [a, b]\n"),
        ("a/kustomization.yaml", &format!("namespace: a\n{base}")),
        ("b/kustomization.yaml", &format!("namespace: b\n{base}")),
        ("system/kustomization.yaml", "resources: [n.yaml, d.yaml]\n"),
        ("system/n.yaml", namespace),
        ("system/d.yaml", DEPLOYMENT),
    ])
    .run("");
    assert!(run.uncertain.is_empty(), "{:?}", run.uncertain);
    assert_eq!(run.images.len(), 2);
}

#[test]
fn patch_that_deletes_an_object_of_a_remote_base_adds_none() {
    let delete = "$patch: delete\napiVersion: v1\nkind: Namespace\nmetadata: {name: theirs}\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ours}\n";
    let base = "resources: ['https://example.org/x.yaml']\npatches: [{path: delete.yaml}]\n";
    let run = repository(&[
        ("kustomization.yaml", "resources: [overlay]\n"),
        ("overlay/kustomization.yaml", "namespace: ours\nresources: [n.yaml, d.yaml, ../base]\n"),
        ("overlay/n.yaml", namespace),
        ("overlay/d.yaml", DEPLOYMENT),
        ("base/kustomization.yaml", base),
        ("base/delete.yaml", delete),
    ])
    .run("");
    assert!(run.uncertain.is_empty(), "{:?}", run.uncertain);
    assert_eq!(run.images, ["app:v1 <- overlay/d.yaml:10"]);
}
