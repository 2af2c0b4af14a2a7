//! Entries of `images`.

use super::{Additions, DEPLOYMENT, Outcomes, build, repository};

const BASE: (&str, &str) = ("base/kustomization.yaml", "resources: [deployment.yaml]\n");
const APP: (&str, &str) = ("base/deployment.yaml", DEPLOYMENT);

#[test]
fn entry_sets_the_image_of_the_base() {
    let prod = "resources: [../base]\nimages:\n  - name: app\n    newTag: v2\n";
    let run = repository(&[BASE, APP, ("prod/kustomization.yaml", prod)]).run("prod");
    assert_eq!(run.images, ["app:v2 <- prod/kustomization.yaml:4; base/deployment.yaml:10"]);
    assert!(run.unmatched.is_empty() && run.unknown.is_empty() && run.uncertain.is_empty(), "{run:?}");
}

#[test]
fn component_overrides_what_was_gathered() {
    let kustomization =
        "resources: [../base]\ncomponents: [../c]\nimages:\n  - name: app\n    newName: other\n";
    let component = "kind: Component\nimages:\n  - name: app\n    newTag: v2\n";
    let files = [BASE, APP, ("k/kustomization.yaml", kustomization), ("c/kustomization.yaml", component)];
    let run = repository(&files).run("k");
    let chain = "other:v2 <- k/kustomization.yaml:4; base/deployment.yaml:10, c/kustomization.yaml:4";
    assert_eq!(run.images, [chain]);
}

#[test]
fn entries_apply_one_after_the_other() {
    let text = "\
resources: [../base]
images:
  - {name: app, newName: ghcr.io/acme/api, newTag: v1}
  - {name: ghcr.io/acme/api, newTag: v2}
";
    let run = repository(&[BASE, APP, ("k/kustomization.yaml", text)]).run("k");
    let chain =
        "ghcr.io/acme/api:v2 <- k/kustomization.yaml:4; base/deployment.yaml:10, k/kustomization.yaml:3";
    assert_eq!(run.images, [chain]);
}

#[test]
fn image_tags_win_over_images() {
    let text = "\
resources: [../base]
imageTags:
  - {name: app, newTag: v3}
images:
  - {name: app, newTag: v2}
";
    let run = repository(&[BASE, APP, ("k/kustomization.yaml", text)]).run("k");
    let chain = "app:v3 <- k/kustomization.yaml:3; base/deployment.yaml:10, k/kustomization.yaml:5";
    assert_eq!(run.images, [chain]);
}

/// kustomize doesn't know that `nginx` and `docker.io/library/nginx` are the same.
#[test]
fn entry_with_long_name_does_not_match_short_name() {
    let text = "resources: [pod.yaml]\nimages:\n  - name: docker.io/library/nginx\n    newTag: '2'\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: 'nginx:1'}]}\n";
    let run = repository(&[("kustomization.yaml", text), ("pod.yaml", pod)]).run("");
    assert_eq!(run.images, ["nginx:1 <- pod.yaml:4"]);
    assert_eq!(run.unmatched, ["kustomization.yaml:3"]);
}

#[test]
fn entry_is_unmatched_when_base_already_renamed_the_image() {
    let base = "resources: [deployment.yaml]\nimages:\n  - {name: app, newName: api, newTag: v2}\n";
    let prod = "resources: [../base]\nimages:\n  - {name: app, newTag: v3}\n";
    let files = [("base/kustomization.yaml", base), APP, ("prod/kustomization.yaml", prod)];
    let run = repository(&files).run("prod");
    assert_eq!(run.images, ["api:v2 <- base/kustomization.yaml:3; base/deployment.yaml:10"]);
    assert_eq!(run.unmatched, ["prod/kustomization.yaml:3 renamed by base/kustomization.yaml:3"]);
}

#[test]
fn entry_with_only_a_new_name_wins() {
    let base =
        "resources: [deployment.yaml]\nimages:\n  - {name: app, newName: ghcr.io/acme/api, newTag: v2}\n";
    let prod =
        "resources: [../base]\nimages:\n  - name: ghcr.io/acme/api\n    newName: mirror.local/acme/api\n";
    let files = [("base/kustomization.yaml", base), APP, ("prod/kustomization.yaml", prod)];
    let run = repository(&files).run("prod");
    let chain = "mirror.local/acme/api:v2 <- prod/kustomization.yaml:3; base/deployment.yaml:10, \
                 base/kustomization.yaml:3";
    assert_eq!(run.images, [chain]);
}

#[test]
fn tag_and_digest_replace_tag_and_digest_as_a_unit() {
    let run_with = |entry: &str| {
        let text = format!("resources: [pod.yaml]\nimages:\n- {{name: app, {entry}}}\n");
        let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'app:v1@sha256:aa'}]}\n";
        let run = repository(&[("kustomization.yaml", &text), ("pod.yaml", pod)]).run("");
        run.images[0].split(" <- ").next().unwrap().to_owned()
    };
    assert_eq!(run_with("newTag: v2"), "app:v2");
    assert_eq!(run_with("digest: 'sha256:bb'"), "app@sha256:bb");
    assert_eq!(run_with("newTag: v2, digest: 'sha256:bb'"), "app:v2@sha256:bb");
    assert_eq!(run_with("newName: api"), "api:v1@sha256:aa");
    assert_eq!(run_with("newName: api, newTag: ''"), "api:v1@sha256:aa");
    assert_eq!(run_with("tagSuffix: -alpine"), "app:v1-alpine");
}

#[test]
fn name_is_a_pattern_and_matches_the_whole_name() {
    let matches = |name: &str, image: &str| {
        let text = format!("resources: [pod.yaml]\nimages:\n- {{name: '{name}', newTag: v2}}\n");
        let pod = format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n");
        repository(&[("kustomization.yaml", &text), ("pod.yaml", &pod)]).run("").unmatched.is_empty()
    };
    assert!(matches("app", "app"));
    assert!(matches("app", "app:v1"));
    assert!(matches("app", "app@sha256:aa"));
    assert!(matches("ap.", "app:{TAG}"));
    assert!(matches("localhost:5000/app", "localhost:5000/app:v1"));
    assert!(!matches("app", "my-app:v1"));
    assert!(!matches("app", "app/x:v1"));
    assert!(!matches("app", "app:${TAG}"));
    assert!(!matches("[", "[:v1"));
}

#[test]
fn entry_reaches_containers_of_any_object_and_image_volumes() {
    let text = "resources: [x.yaml]\nimages: [{name: a, newTag: v2}]\n";
    let objects = "\
apiVersion: example.org/v1
kind: Rollout
spec:
  deep:
    - initContainers: [{image: 'a:v1'}]
---
apiVersion: v1
kind: Pod
spec:
  volumes: [{name: v, image: {reference: 'a:v1'}}]
  containers: [{image: 'b:v1'}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec: {containers: [{image: 'a:v1'}]}
";
    let repository = repository(&[("kustomization.yaml", text), ("x.yaml", objects)]);
    let texts = repository.with(|files| {
        let build = super::build(files, "", &super::Additions::default());
        let text = |path: &[&str], at: usize| {
            let value = build.objects[at].value.at(path).and_then(|list| list.items().first()).unwrap();
            value.clone()
        };
        [
            text(&["spec", "deep"], 0).get("initContainers").unwrap().items()[0]
                .text_at(&["image"])
                .unwrap()
                .to_owned(),
            text(&["spec", "volumes"], 1).text_at(&["image", "reference"]).unwrap().to_owned(),
            text(&["spec", "containers"], 1).text_at(&["image"]).unwrap().to_owned(),
            text(&["spec", "containers"], 2).text_at(&["image"]).unwrap().to_owned(),
        ]
    });
    assert_eq!(texts, ["a:v2", "a:v2", "b:v1", "a:v1"]);
}

/// What runs if Argo CD builds k with these `kustomize.images`.
fn overridden(entries: &str, overrides: &str) -> Vec<String> {
    let text = format!("resources: [../base]\nimages: {entries}\n");
    let files = [BASE, APP, ("k/kustomization.yaml", text.as_str()), ("argo.yaml", overrides)];
    repository(&files).with(|files| {
        let file = files.load("argo.yaml").unwrap();
        let overrides = files.documents(file).remove(0).items().to_vec();
        let build = build(files, "k", &Additions { overrides, ..Additions::default() });
        Outcomes::of(files, &build).images
    })
}

#[test]
fn override_replaces_the_entry_of_its_name_as_a_whole() {
    let entry = "[{name: app, newName: api, newTag: v2}]";
    let chain =
        |image: &str| [format!("{image} <- argo.yaml:1; base/deployment.yaml:10, k/kustomization.yaml:2")];
    assert_eq!(overridden(entry, "- app:v3\n"), chain("app:v3"));
    assert_eq!(overridden(entry, "- app=web:v3\n"), chain("web:v3"));
    assert_eq!(overridden(entry, "- app=web@sha256:aa\n"), chain("web@sha256:aa"));
    assert_eq!(
        overridden("[]", "- app=localhost:5000/web:v3\n"),
        ["localhost:5000/web:v3 <- argo.yaml:1; base/deployment.yaml:10"]
    );
}

#[test]
fn star_in_an_override_keeps_what_the_entry_has() {
    let entry = "[{name: app, newName: api, newTag: v2}]";
    assert!(overridden(entry, "- app=*:v3\n")[0].starts_with("api:v3 <- argo.yaml:1"));
    assert!(overridden(entry, "- app=web:*\n")[0].starts_with("web:v2 <- k/kustomization.yaml:2"));
    assert!(overridden("[]", "- app=web:*\n")[0].starts_with("web:v1 <- argo.yaml:1"));
}

/// `kustomize edit set image` sorts the list.
#[test]
fn overrides_sort_the_entries_by_name() {
    let entries = "[{name: b, newName: c}, {name: app, newName: b}]";
    assert!(overridden(entries, "- other:v3\n")[0].starts_with("c:v1"));
}
