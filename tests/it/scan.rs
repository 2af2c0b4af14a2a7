//! `tagbump scan`: the references that it finds, and whether they can be edited.

use std::path::Path;

use crate::support::cli::{Run, tagbump};
use crate::support::files::write;
use crate::support::git::git;
use serde_json::{Value, json};

fn scanned(files: &[(&str, &str)], arguments: &[&str]) -> (tempfile::TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    let run = tagbump(folder.path(), &[&["scan"], arguments].concat());
    (folder, run)
}

fn references(files: &[(&str, &str)], arguments: &[&str]) -> Vec<Value> {
    let (_folder, run) = scanned(files, &[arguments, &["--format", "json"]].concat());
    assert_eq!(run.exit, 0, "{}", run.output());
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown["schema"], 1);
    shown["references"].as_array().unwrap().clone()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ghcr.io/acme/api:v1\n";
const KUSTOMIZATION: &str =
    "images:\n  - name: ghcr.io/acme/api\n    newTag: v2\n  - name: nginx\n    digest: sha256:0\n";

#[test]
fn json_has_every_field_of_reference() {
    let found = references(&[("k8s/pod.yaml", POD)], &[]);
    let wanted = json!({
        "file": "k8s/pod.yaml", "line": 5, "column": 14, "kind": "workload", "image": "ghcr.io/acme/api",
        "tag": "v1", "digest": null, "editable": true, "reason": null, "overridden_by": [],
        "held": null,
    });
    assert_eq!(found, [wanted]);
}

#[test]
fn reference_names_the_roots_in_which_a_stronger_place_overrides_it() {
    let pod = POD.replace("kind: Pod", "kind: Pod\nmetadata: {name: api}");
    let overlay = "resources: [../k8s]\nimages: [{name: ghcr.io/acme/api, newTag: v2}]\n";
    let base = ("k8s/kustomization.yaml", "resources: [pod.yaml]\n");
    let files = [("k8s/pod.yaml", pod.as_str()), base, ("prod/kustomization.yaml", overlay)];
    let found = references(&files, &[]);
    let by = json!([{"root": "kustomization prod", "file": "prod/kustomization.yaml", "line": 2}]);
    assert_eq!(found.iter().map(|r| &r["overridden_by"]).collect::<Vec<_>>(), [&by, &json!([])]);
    let (_folder, run) = scanned(&files, &[]);
    assert!(run.stdout.contains("v1  overridden in every root\n"), "{}", run.stdout);
    let staging = ("staging/kustomization.yaml", "resources: [../k8s]\n");
    let (_folder, run) = scanned(&[files[0], files[1], files[2], staging], &[]);
    assert!(run.stdout.contains("v1  overridden in kustomization prod\n"), "{}", run.stdout);
}

#[test]
fn table_is_sorted_by_file_and_line() {
    let files = [("z/pod.yaml", POD), ("a/kustomization.yaml", KUSTOMIZATION)];
    let (_folder, run) = scanned(&files, &[]);
    let wanted = "\
a/kustomization.yaml:3  kustomization  ghcr.io/acme/api  v2
a/kustomization.yaml:5  kustomization  nginx             @sha256:0
z/pod.yaml:5            workload       ghcr.io/acme/api  v1
";
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (0, wanted, ""));
}

#[test]
fn image_and_file_narrow_the_list() {
    let files = [("z/pod.yaml", POD), ("a/kustomization.yaml", KUSTOMIZATION)];
    assert_eq!(references(&files, &["--image", "docker.io/library/nginx"]).len(), 1);
    assert_eq!(references(&files, &["--image", "nginx", "--image", "ghcr.io/acme/api"]).len(), 3);
    assert_eq!(references(&files, &["-f", "z/**"]).len(), 1);
    assert_eq!(references(&files, &["--image", "ghcr.io/acme/a"]).len(), 0);
    let (_folder, run) = scanned(&files, &["--image", "nginx:1"]);
    assert_eq!(run.exit, 2, "{}", run.output());
    assert!(run.stderr.contains("give the name alone"), "{}", run.output());
}

#[test]
fn scan_says_why_reference_is_not_editable() {
    let text = "kind: Pod\nspec:\n  containers:\n    - image: ghcr.io/acme/api:${TAG}\n    - image: >-\n        ghcr.io/acme/web:v1\n";
    let found = references(&[("pod.yaml", text)], &[]);
    let reasons: Vec<_> = found.iter().map(|r| r["reason"].as_str().unwrap()).collect();
    assert!(
        reasons[0].starts_with("the image is a placeholder that another tool fills in; bump "),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("block scalar"), "{reasons:?}");
    assert!(found.iter().all(|r| r["editable"] == false));
    let (_folder, run) = scanned(&[("pod.yaml", text)], &[]);
    assert!(run.stdout.contains("${TAG}  the image is a placeholder"), "{}", run.output());
}

#[test]
fn scan_shows_position_of_yaml_in_block_scalar() {
    let inner: String = POD.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("kind: ConfigMap\ndata:\n  pod.yaml: |\n\n{inner}");
    let found = references(&[("cm.yaml", &text)], &[]);
    assert_eq!((&found[0]["line"], &found[0]["column"]), (&json!(9), &json!(18)), "{found:?}");
    assert_eq!((&found[0]["kind"], &found[0]["editable"]), (&json!("workload"), &json!(true)));
    let folded = text.replace("|\n", ">\n");
    let found = references(&[("cm.yaml", &folded)], &[]);
    assert!(found.iter().all(|r| r["editable"] == false), "{found:?}");
    assert!(found.iter().all(|r| r["line"] == 4 || r["line"] == 5), "{found:?}");
    assert!(found.iter().all(|r| r["editable"] == false), "{found:?}");
}

#[test]
fn scan_shows_shared_values_as_bump_edits_them() {
    let text = "kind: HelmRelease\nspec:\n  values:\n    a: {repository: acme/a, tag: &t v1}\n    b: {repository: acme/b, tag: *t}\n";
    let found = references(&[("hr.yaml", text)], &[]);
    assert!(found.iter().all(|r| r["editable"] == false), "{found:?}");
    let found = references(&[("hr.yaml", &text.replace("acme/b", "acme/a"))], &[]);
    assert!(found.iter().all(|r| r["editable"] == true), "{found:?}");
}

#[test]
fn unparsable_files_are_counted_and_named_with_v() {
    let files = [("pod.yaml", POD), ("broken.yaml", "a: [\n"), ("charts/t.yaml", "{{- if }}\n")];
    let (_folder, run) = scanned(&files, &[]);
    assert_eq!(run.exit, 0);
    assert!(run.stderr.contains("skipped 2 files that aren't valid YAML (-v lists them)"), "{}", run.stderr);
    assert!(!run.stderr.contains("broken.yaml"), "{}", run.stderr);
    let (_folder, run) = scanned(&files, &["-v"]);
    assert!(run.stderr.contains("not valid YAML: broken.yaml:2:1: "), "{}", run.stderr);
    let (_folder, run) = scanned(&files, &["-f", "broken.yaml"]);
    assert_eq!(run.exit, 1, "{}", run.output());
    assert!(run.stderr.contains("broken.yaml:2:1: "), "{}", run.stderr);
}

#[test]
fn scan_succeeds_when_nothing_is_found() {
    let (_folder, run) = scanned(&[("a.txt", "x")], &[]);
    assert_eq!((run.exit, run.stdout.as_str()), (0, ""));
    assert!(references(&[], &[]).is_empty());
}

#[test]
fn values_files_are_scanned_beside_chart_or_when_named() {
    let values = "image: {repository: acme/a, tag: v1}\n";
    let by_chart = [("c/values-prod.yaml", values), ("c/Chart.yaml", "name: c\n"), ("d/values.yaml", values)];
    let found: Vec<_> =
        references(&by_chart, &[]).iter().map(|r| (r["file"].clone(), r["kind"].clone())).collect();
    let wanted = [("c/values-prod.yaml", "values"), ("d/values.yaml", "elsewhere")];
    assert_eq!(found, wanted.map(|(file, kind)| (json!(file), json!(kind))));
    assert_eq!(references(&by_chart, &["-f", "d/values.yaml"]).len(), 1);
    assert_eq!(references(&by_chart, &["-f", "*/values*.yaml"]).len(), 2);
    let kind = |file: &str, named: &str| references(&[(file, values)], &["-f", named])[0]["kind"].clone();
    assert_eq!(kind("env.yaml", "*.yaml"), "elsewhere");
    assert_eq!(kind("env.yaml", "env.yaml"), "values");
    assert_eq!(kind("values/env.yaml", "values/**"), "values");
}

#[test]
fn scan_changes_no_file() {
    let (folder, run) = scanned(&[("pod.yaml", POD)], &[]);
    assert_eq!(run.exit, 0);
    assert_eq!(std::fs::read_to_string(Path::new(folder.path()).join("pod.yaml")).unwrap(), POD);
}

/// A values file with nothing but the tag, and a variable, set what runs as much as a reference does.
#[test]
fn tag_only_places_that_win_are_listed_with_the_image_that_they_set() {
    let values = "image:\n  repository: ghcr.io/acme/api\n  tag: latest\n";
    let files = [
        ("chart/Chart.yaml", "name: api\nversion: 0.1.0\n"),
        ("chart/values.yaml", values),
        ("chart/values-prod.yaml", "image:\n  tag: v1\n"),
        ("shop/compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/web:${TAG}\n"),
        ("shop/.env", "A=b\nTAG=v3\n"),
    ];
    let found = references(&files, &[]);
    let place = |r: &Value| {
        let text = |key: &str| r[key].as_str().unwrap_or("-").to_owned();
        format!("{}:{} {} {} {}", text("file"), r["line"], text("kind"), text("image"), text("tag"))
    };
    let places: Vec<String> = found.iter().map(place).collect();
    assert!(
        places.contains(&"chart/values-prod.yaml:2 values ghcr.io/acme/api v1".to_owned()),
        "{places:#?}"
    );
    assert!(places.contains(&"shop/.env:2 compose ghcr.io/acme/web v3".to_owned()), "{places:#?}");
    let in_prod = found.iter().filter(|r| r["file"] == "chart/values-prod.yaml");
    assert_eq!(in_prod.count(), 1, "each place is listed once: {places:#?}");
    assert!(found.iter().all(|r| r["column"].as_u64().unwrap() > 0), "{found:#?}");
}

#[test]
fn tag_only_places_outside_the_given_files_or_of_other_images_are_not_listed() {
    let files = [
        ("shop/compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/web:${TAG}\n"),
        ("shop/.env", "TAG=v3\n"),
    ];
    let all = references(&files, &["--image", "ghcr.io/acme/web"]);
    assert!(all.iter().any(|r| r["file"] == "shop/.env"), "{all:#?}");
    let others = references(&files, &["--image", "ghcr.io/acme/api"]);
    assert!(others.is_empty(), "{others:#?}");
    let elsewhere = references(&files, &["-f", "shop/compose.yaml"]);
    assert!(elsewhere.iter().all(|r| r["file"] == "shop/compose.yaml"), "{elsewhere:#?}");
}

/// The registry is in the chart below.
#[test]
fn image_is_listed_only_under_the_name_that_runs() {
    let template = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: \"{{ .Values.image.registry }}/\
                    {{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n";
    let found = references(
        &[
            ("chart/Chart.yaml", "apiVersion: v2\nname: api\nversion: 0.1.0\n"),
            ("chart/templates/pod.yaml", template),
            ("chart/values.yaml", "image:\n  registry: ghcr.io\n  repository: acme/api\n  tag: v1\n"),
            ("chart/values-prod.yaml", "image:\n  repository: acme/api\n  tag: v2\n"),
        ],
        &[],
    );
    let listed: Vec<_> = found.iter().map(|r| [&r["file"], &r["image"], &r["tag"]]).collect();
    let wanted = [
        ["chart/values-prod.yaml", "ghcr.io/acme/api", "v2"],
        ["chart/values.yaml", "ghcr.io/acme/api", "v1"],
    ];
    assert_eq!(listed, wanted);
}

/// Its path exists here too.
#[test]
fn application_of_another_repository_overrides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec:\n  source:\n    \
                       repoURL: https://git.example/other/repository\n    path: chart\n    \
                       helm: {parameters: [{name: image.tag, value: v1}]}\n";
    write(folder.path(), "app.yaml", application);
    write(folder.path(), "chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    write(folder.path(), "chart/values.yaml", "image:\n  repository: ghcr.io/acme/web\n  tag: v0\n");
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["config", "user.name", "Ada"]);
    git(folder.path(), &["config", "user.email", "ada@example.com"]);
    git(folder.path(), &["remote", "add", "origin", "https://git.example/acme/gitops.git"]);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "--quiet", "--message", "first"]);
    let run = tagbump(folder.path(), &["scan"]);
    assert_eq!(run.stdout, "chart/values.yaml:3  values  ghcr.io/acme/web  v0\n");
    let run = tagbump(folder.path(), &["history", "ghcr.io/acme/web"]);
    assert!(run.stdout.contains("v0") && !run.stdout.contains("v1"), "{}", run.output());
}

#[test]
fn default_of_flux_is_listed_as_the_tag_that_a_bump_sets() {
    let pod = POD.replace("kind: Pod", "kind: Pod\nmetadata: {name: api}").replace(":v1", ":${tag:=v1}");
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec:\n  \
                path: ./apps\n  postBuild:\n    substitute: {other: x}\n";
    let found = references(&[("apps/pod.yaml", &pod), ("cluster/apps.yaml", flux)], &[]);
    let told: Vec<_> = found.iter().map(|r| (&r["line"], &r["tag"], &r["editable"])).collect();
    assert_eq!(told, [(&json!(6), &json!("v1"), &json!(true))], "{found:?}");
}
