//! Strategic merges and JSON patches.

use super::{DEPLOYMENT, MemoryRepository, Outcomes, repository};

fn with(kustomization: &str, more: &[(&str, &str)]) -> MemoryRepository {
    let files = [("kustomization.yaml", kustomization), ("deployment.yaml", DEPLOYMENT)];
    repository(&files.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
}

fn run(kustomization: &str, more: &[(&str, &str)]) -> Outcomes {
    let run = with(kustomization, more).run("");
    assert_eq!((&run.unknown, &run.uncertain), (&Vec::new(), &Vec::new()));
    run
}

#[test]
fn inline_json_patch_wins_at_the_value_in_the_block_scalar() {
    let text = "\
resources: [deployment.yaml]
patches:
  - target: {kind: Deployment, name: app}
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: app:v2
";
    assert_eq!(run(text, &[]).images, ["app:v2 <- kustomization.yaml:7; deployment.yaml:10"]);
}

#[test]
fn json_patch_in_a_json_file_wins() {
    let text = "\
resources: [deployment.yaml]
patchesJson6902:
  - target: {group: apps, version: v1, kind: Deployment, name: app}
    path: patch.json
";
    let patch =
        "[\n{\"op\": \"add\", \"path\": \"/spec/template/spec/containers/0/image\",\n\"value\": \"app:v2\"}]";
    assert_eq!(run(text, &[("patch.json", patch)]).images, ["app:v2 <- patch.json:3; deployment.yaml:10"]);
}

/// kustomize has annotations of its own on each object while it builds, and no labels.
#[test]
fn json_patch_can_add_the_first_annotation_and_no_first_label() {
    let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
    let patch = |key: &str| format!("- {{op: add, path: /metadata/{key}/x, value: y}}\n");
    run(text, &[("p.yaml", &patch("annotations"))]);
    let run = with(text, &[("p.yaml", &patch("labels"))]).run("");
    assert_eq!(run.uncertain, ["p.yaml:1 can't be applied, and kustomize refuses that"]);
}

#[test]
fn json_patch_replaces_container_and_list() {
    let patched = |path: &str, value: &str| {
        let patch = format!("- op: replace\n  path: {path}\n  value: {value}\n");
        let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
        run(text, &[("p.yaml", &patch)]).images
    };
    let container = "/spec/template/spec/containers/0";
    let line = ["app:v2 <- p.yaml:3; deployment.yaml:10"];
    assert_eq!(patched(container, "{name: app, image: 'app:v2'}"), line);
    assert_eq!(patched("/spec/template/spec/containers", "[{name: app, image: 'app:v2'}]"), line);
    assert_eq!(patched("/spec/template/spec", "{containers: [{name: app, image: 'app:v2'}]}"), line);
    assert_eq!(
        patched(container, "{name: other, image: 'app:v2'}"),
        ["app:v2 <- p.yaml:3; deployment.yaml:10"]
    );
}

#[test]
fn json_patch_adds_moves_copies_and_removes() {
    let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml, target: {name: a.*}}]\n";
    let patch = "\
- {op: test, path: /metadata/name, value: app}
- {op: add, path: /spec/template/spec/containers/-, value: {name: b, image: 'b:v1'}}
- {op: add, path: /spec/template/spec/initContainers, value: []}
- {op: copy, from: /spec/template/spec/containers/0, path: /spec/template/spec/initContainers/-}
- {op: move, from: /spec/template/spec/containers/1, path: /spec/template/spec/containers/0}
- {op: remove, path: /spec/template/spec/containers/-1}
- {op: add, path: /metadata/annotations, value: {}}
- {op: add, path: /metadata/annotations/a~1b~0c, value: x}
";
    let run = run(text, &[("p.yaml", patch)]);
    assert_eq!(run.images, ["b:v1 <- p.yaml:2", "app:v1 <- deployment.yaml:10"]);
}

#[test]
fn json_patch_that_fails_is_uncertain_and_changes_nothing() {
    let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
    for operations in [
        "- {op: replace, path: /spec/template/spec/containers/7, value: x}",
        "- {op: remove, path: /spec/template/spec/containers/7}",
        "- {op: test, path: /metadata/name, value: b}",
        "- {op: add, path: /spec/x/y, value: b}",
    ] {
        let image = "- {op: replace, path: /spec/template/spec/containers/0/image, value: 'app:v2'}\n";
        let run = with(text, &[("p.yaml", &format!("{image}{operations}\n"))]).run("");
        assert_eq!(run.images, ["app:v1 <- deployment.yaml:10"], "{operations}");
        assert_eq!(run.uncertain, ["p.yaml:2 can't be applied, and kustomize refuses that"]);
    }
}

#[test]
fn json_patch_tests_a_long_list() {
    let env: Vec<String> = (0..1000).map(|nth| format!("{{name: V{nth}, value: x}}")).collect();
    let env = env.join(", ");
    let text = "resources: [d.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
    let deployment = format!("{DEPLOYMENT}          env: [{env}]\n");
    let container = "/spec/template/spec/containers/0";
    let patch = format!(
        "- {{op: test, path: {container}/env, value: [{env}]}}\n- {{op: replace, path: {container}/image, value: 'app:v2'}}\n"
    );
    assert_eq!(
        run(text, &[("d.yaml", &deployment), ("p.yaml", &patch)]).images,
        ["app:v2 <- p.yaml:2; d.yaml:10"]
    );
}

#[test]
fn json_patch_that_is_too_much_work_is_not_called_wrong() {
    let keys: Vec<String> = (0..1000).map(|nth| format!("k{nth}: x")).collect();
    let keys = keys.join(", ");
    let text = "resources: [d.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
    let deployment = format!("{DEPLOYMENT}data: {{{keys}}}\n");
    let patch = format!("- {{op: test, path: /data, value: {{{keys}}}}}\n");
    let run = with(text, &[("d.yaml", &deployment), ("p.yaml", &patch)]).run("");
    assert_eq!(run.uncertain, ["p.yaml:1 takes more work than tagbump does"]);
}

/// `replace` adds what a map doesn't have; only lists are strict.
#[test]
fn json_patch_replaces_an_image_that_is_not_there() {
    let bare = DEPLOYMENT.replace("          image: app:v1\n", "");
    let text = "resources: [d.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
    let patch = "- {op: replace, path: /spec/template/spec/containers/0/image, value: 'app:v2'}\n";
    assert_eq!(run(text, &[("d.yaml", &bare), ("p.yaml", patch)]).images, ["app:v2 <- p.yaml:1"]);
}

/// Otherwise a few lines could fill the memory.
#[test]
fn json_patch_that_copies_an_object_into_itself_over_and_over_ends() {
    let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n";
    let operation = |n: usize| format!("- {{op: copy, from: '', path: /spec/{n}}}\n");
    let patch: String = (0..60).map(operation).collect();
    let run = with(text, &[("p.yaml", &patch)]).run("");
    assert_eq!(run.images, ["app:v1 <- deployment.yaml:10"]);
    assert_eq!(run.uncertain.len(), 1);
}

#[test]
fn strategic_merge_joins_containers_by_name() {
    let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml}]\n";
    let patch = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  template:
    spec:
      initContainers: [{name: i, image: 'i:v1'}]
      containers:
        - {name: side, image: 'side:v1'}
        - {name: app, image: 'app:v2'}
";
    let run = run(text, &[("p.yaml", patch)]);
    let app = "app:v2 <- p.yaml:10; deployment.yaml:10";
    assert_eq!(run.images, ["side:v1 <- p.yaml:9", app, "i:v1 <- p.yaml:7"]);
}

#[test]
fn strategic_merge_of_an_unknown_kind_replaces_the_list() {
    let rollout = DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout");
    let text = "resources: [rollout.yaml]\npatchesStrategicMerge: [p.yaml]\n";
    let patch = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: app}
spec: {template: {spec: {containers: [{name: other, image: 'other:v1'}]}}}
";
    let run = run(text, &[("rollout.yaml", &rollout), ("p.yaml", patch)]);
    assert_eq!(run.images, ["other:v1 <- p.yaml:4"]);
}

#[test]
fn strategic_merge_deletes_and_replaces() {
    let patched = |spec: &str| {
        let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n";
        let text = "resources: [deployment.yaml]\npatches: [{path: p.yaml}]\n";
        run(text, &[("p.yaml", &format!("{head}{spec}\n"))]).images
    };
    let of_pod = |pod: &str| patched(&format!("spec: {{template: {{spec: {pod}}}}}"));
    assert_eq!(of_pod("{containers: [{name: app, $patch: delete}]}"), [""; 0]);
    assert_eq!(of_pod("{containers: null}"), [""; 0]);
    assert_eq!(of_pod("{containers: [{$patch: replace}, {name: b, image: 'b:v1'}]}"), ["b:v1 <- p.yaml:4"]);
    assert_eq!(of_pod("{$patch: replace, containers: [{name: b, image: b}]}"), ["b <- p.yaml:4"]);
    assert_eq!(patched("$patch: delete"), [""; 0]);
}

#[test]
fn strategic_merge_is_for_the_object_with_the_same_id() {
    let patched = |head: &str| {
        let text = "resources: [deployment.yaml]\nnamespace: prod\npatches: [{path: p.yaml}]\n";
        let spec = "spec: {template: {spec: {containers: [{name: app, image: 'app:v2'}]}}}";
        let run = with(text, &[("p.yaml", &format!("{head}\n{spec}\n"))]).run("");
        run.images[0].starts_with("app:v2")
    };
    assert!(patched("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}"));
    assert!(patched("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app, namespace: default}"));
    assert!(!patched("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app, namespace: prod}"));
    assert!(!patched("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ap}"));
    assert!(!patched("apiVersion: apps/v2\nkind: Deployment\nmetadata: {name: app}"));
}

#[test]
fn target_matches_whole_names_and_labels() {
    let matches = |target: &str| {
        let text = format!("resources: [base]\npatches: [{{path: p.yaml, target: {target}}}]\n");
        let base = "resources: [d.yaml]\nnamePrefix: x-\nnamespace: prod\nlabels: [{pairs: {tier: web}}]\n";
        let patch = "[{op: replace, path: /spec/template/spec/containers/0/image, value: 'app:v2'}]";
        let files = [
            ("base/d.yaml", DEPLOYMENT),
            ("base/kustomization.yaml", base),
            ("kustomization.yaml", &text),
            ("p.yaml", patch),
        ];
        repository(&files).run("").images[0].starts_with("app:v2")
    };
    for target in [
        "{kind: Deployment}",
        "{kind: Deploy.*, name: app}",
        "{name: x-app}",
        "{namespace: prod}",
        "{namespace: default}",
        "{group: apps, version: v1}",
        "{labelSelector: tier=web}",
        "{labelSelector: 'tier in (api, web),!old'}",
    ] {
        assert!(matches(target), "{target}");
    }
    for target in [
        "{kind: Deploy}",
        "{name: ap}",
        "{namespace: pro}",
        "{group: app}",
        "{labelSelector: tier=api}",
        "{labelSelector: 'tier notin (api, web)'}",
        "{annotationSelector: tier}",
    ] {
        assert!(!matches(target), "{target}");
    }
}

#[test]
fn patches_apply_in_kustomizes_order_and_images_last() {
    let image = |tag: &str| {
        format!("[{{op: replace, path: /spec/template/spec/containers/0/image, value: 'app:{tag}'}}]")
    };
    let merge = DEPLOYMENT.replace(":v1", ":v4");
    let files = [("2.yaml", &*image("v2")), ("3.yaml", &*image("v3")), ("merge.yaml", &*merge)];
    let text = "\
resources: [deployment.yaml]
patchesJson6902: [{path: 3.yaml, target: {kind: Deployment, name: app}}]
patches: [{path: 2.yaml, target: {kind: Deployment}}]
patchesStrategicMerge: [merge.yaml]
";
    let places = "app:v3 <- 3.yaml:1; deployment.yaml:10, merge.yaml:10, 2.yaml:1";
    assert_eq!(run(text, &files).images, [places]);
    let text = format!("{text}images: [{{name: app, newTag: v5}}]\n");
    let places = "app:v5 <- kustomization.yaml:5; deployment.yaml:10, merge.yaml:10, 2.yaml:1, 3.yaml:1";
    assert_eq!(run(&text, &files).images, [places]);
}

/// The next level patches what the `images` of the inner level set.
#[test]
fn patch_further_out_overrides_an_entry() {
    let base = "resources: [d.yaml]\nimages: [{name: app, newTag: v2}]\n";
    let text = "resources: [base]\npatches: [{path: p.yaml}]\n";
    let files = [
        ("base/d.yaml", DEPLOYMENT),
        ("base/kustomization.yaml", base),
        ("kustomization.yaml", text),
        ("p.yaml", &DEPLOYMENT.replace(":v1", ":v3")),
    ];
    let places = "app:v3 <- p.yaml:10; base/d.yaml:10, base/kustomization.yaml:2";
    assert_eq!(repository(&files).run("").images, [places]);
}

#[test]
fn of_containers_with_the_same_name_the_last_one_stays_and_the_patch_has_no_effect() {
    let text = "\
resources: [deployment.yaml]
patches:
  - target: {kind: Deployment}
    patch: |-
      - {op: add, path: /spec/template/spec/containers/-, value: {name: app, image: 'app:v2'}}
  - path: p.yaml
";
    let patched = |containers: &str| {
        let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n";
        let patch = format!("{patch}spec: {{template: {{spec: {{containers: {containers}}}}}}}\n");
        run(text, &[("p.yaml", &patch)]).images
    };
    assert_eq!(
        patched("[{name: app, image: 'app:v3'}]"),
        ["app:v2 <- kustomization.yaml:5; deployment.yaml:10, p.yaml:4"]
    );
    assert!(patched("[{name: app, $patch: delete}]").is_empty());
    let beside = patched("[{name: other, image: 'other:v3'}]");
    assert_eq!(beside, ["other:v3 <- p.yaml:4", "app:v2 <- kustomization.yaml:5; deployment.yaml:10"]);
}

#[test]
fn container_without_a_name_replaces_all_others_and_in_a_patch_removes_them() {
    let list = |containers: &str| {
        let object = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n";
        format!("{object}spec: {{template: {{spec: {{containers: {containers}}}}}}}\n")
    };
    let merged = |base: &str, patch: &str| {
        let text = "resources: [base.yaml]\npatches: [{path: p.yaml}]\n";
        run(text, &[("base.yaml", &list(base)), ("p.yaml", &list(patch))]).images
    };
    let two = "[{name: a, image: 'app:v1'}, {name: b, image: 'app:v2'}]";
    assert!(merged(two, "[{image: 'app:v3'}]").is_empty());
    assert_eq!(
        merged(two, "[{name: b, image: 'app:v3'}, {image: 'app:v4'}]"),
        ["app:v3 <- p.yaml:4; base.yaml:4"]
    );
    let unnamed = "[{name: a, image: 'app:v1'}, {image: 'app:v2'}, {name: b, image: 'app:v1'}]";
    assert_eq!(
        merged(unnamed, "[{name: a, image: 'app:v3'}]"),
        ["app:v2 <- base.yaml:4; base.yaml:4, base.yaml:4, p.yaml:4"]
    );
}
