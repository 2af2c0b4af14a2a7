use super::super::helm::{Around, Objects};
use super::super::kustomize::tests::{DEPLOYMENT, MemoryRepository, Outcomes, repository};
use super::{BuildSource, build_source, folder, render};

const BASE: (&str, &str) = ("app/kustomization.yaml", "resources: [deployment.yaml]\n");
const APP: (&str, &str) = ("app/deployment.yaml", DEPLOYMENT);
const HEAD: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n";

/// What the Flux Kustomization in flux.yaml runs; the other documents of that file are objects of the cluster.
fn run(repository: &MemoryRepository) -> Outcomes {
    run_from(BuildSource::Here, repository)
}

fn run_from(source: BuildSource, repository: &MemoryRepository) -> Outcomes {
    repository.with(|files| {
        let file = files.load("flux.yaml").unwrap();
        let documents = files.documents(file);
        let build = render(files, &documents[0], source, &Objects::new(&documents)).unwrap();
        Outcomes::of(files, &build)
    })
}

fn with(spec: &str, more: &[(&str, &str)]) -> Outcomes {
    let flux = format!("{HEAD}metadata: {{name: app, namespace: flux-system}}\nspec:\n  path: ./app\n{spec}");
    let files = [("flux.yaml", flux.as_str()), BASE, APP];
    run(&repository(&files.iter().chain(more).copied().collect::<Vec<_>>()))
}

fn deployment(image: &str) -> String {
    DEPLOYMENT.replace("app:v1", image)
}

#[test]
fn path_with_a_variable_is_no_folder() {
    let folder_of = |path: &str| {
        let text = format!("spec: {{path: '{path}'}}\n");
        repository(&[("f.yaml", &text)]).with(|files| {
            let file = files.load("f.yaml").unwrap();
            folder(&files.documents(file)[0])
        })
    };
    assert_eq!(folder_of("./apps/x/").as_deref(), Some("apps/x"));
    assert_eq!(folder_of("/apps").as_deref(), Some("apps"));
    assert_eq!(folder_of("./").as_deref(), Some(""));
    assert_eq!(folder_of("./apps/${ENV}"), None);
    assert_eq!(folder_of("../out"), None);
}

/// `images` of the kustomization come after the patches of Flux.
#[test]
fn entry_at_the_path_wins_over_a_patch_of_flux() {
    let patch = "  patches:
    - target: {kind: Deployment}
      patch: |
        - op: replace
          path: /spec/template/spec/containers/0/image
          value: app:v2
";
    let run_with = |kustomization| with(patch, &[("app/kustomization.yaml", kustomization)]);
    let run = run_with("resources: [deployment.yaml]\nimages: [{name: app, newTag: v3}]\n");
    assert_eq!(run.images, ["app:v3 <- app/kustomization.yaml:2; app/deployment.yaml:10, flux.yaml:11"]);
    let run = run_with("resources: [deployment.yaml]\n");
    assert_eq!(run.images, ["app:v2 <- flux.yaml:11; app/deployment.yaml:10"]);
}

#[test]
fn images_of_flux_are_merged_with_the_entry_of_the_same_name() {
    let kustomization = "resources: [deployment.yaml]\nimages: [{name: app, newName: api, newTag: v2}]\n";
    let run =
        with("  images:\n    - {name: app, newTag: v3}\n", &[("app/kustomization.yaml", kustomization)]);
    let chain = "api:v3 <- flux.yaml:7; app/deployment.yaml:10, app/kustomization.yaml:2";
    assert_eq!(run.images, [chain]);
}

/// Flux releases before July 2026 replace the entry as a whole.
#[test]
fn entry_of_flux_without_a_version_is_uncertain() {
    let kustomization = "resources: [deployment.yaml]\nimages: [{name: app, newName: api, newTag: v2}]\n";
    let run = with("  images:\n    - {name: app}\n", &[("app/kustomization.yaml", kustomization)]);
    assert_eq!(run.images, ["api:v2 <- app/kustomization.yaml:2; app/deployment.yaml:10, flux.yaml:7"]);
    assert!(run.uncertain[0].contains("drop what the entry of the same name sets"), "{run:?}");
}

/// kustomize appends `imageTags` only when it builds what Flux wrote.
#[test]
fn image_tags_at_the_path_win_over_images_of_flux() {
    let kustomization = "resources: [deployment.yaml]\nimageTags: [{name: app, newTag: v2}]\n";
    let run =
        with("  images:\n    - {name: app, newTag: v3}\n", &[("app/kustomization.yaml", kustomization)]);
    let chain = "app:v2 <- app/kustomization.yaml:2; app/deployment.yaml:10, flux.yaml:7";
    assert_eq!(run.images, [chain]);
}

#[test]
fn components_and_legacy_patches_of_flux_are_appended() {
    let spec = "  components: [../c, ../gone]
  ignoreMissingComponents: true
  patchesStrategicMerge:
    - apiVersion: apps/v1
      kind: Deployment
      metadata: {name: app}
      spec: {template: {spec: {containers: [{name: side, image: 'side:v1'}]}}}
  patchesJson6902:
    - target: {kind: Deployment, name: app}
      patch: [{op: replace, path: /spec/template/spec/containers/0/image, value: 'side:v2'}]
";
    let component = "kind: Component\nimages: [{name: app, newTag: v2}]\n";
    let run = with(spec, &[("c/kustomization.yaml", component)]);
    let images =
        ["side:v2 <- flux.yaml:15; flux.yaml:12", "app:v2 <- c/kustomization.yaml:2; app/deployment.yaml:10"];
    assert_eq!(run.images, images);
    assert!(run.uncertain.is_empty(), "{run:?}");
}

#[test]
fn folder_without_kustomization_includes_all_files_below_it() {
    let flux = format!("{HEAD}spec: {{path: app}}\n");
    let base = "resources: [d.yaml]\nimages: [{name: app, newTag: v2}]\n";
    let files = [
        ("flux.yaml", flux.as_str()),
        ("app/a/d.yaml", &DEPLOYMENT.replace("name: app", "name: other")),
        ("app/b/kustomization.yaml", base),
        ("app/b/d.yaml", DEPLOYMENT),
        ("app/b/c/unused.yaml", DEPLOYMENT),
        ("apple/x.yaml", DEPLOYMENT),
    ];
    let run = run(&repository(&files));
    assert_eq!(
        run.images,
        ["app:v1 <- app/a/d.yaml:10", "app:v2 <- app/b/kustomization.yaml:2; app/b/d.yaml:10"]
    );
}

#[test]
fn variable_that_is_the_tag_wins_where_its_value_is() {
    let app = deployment("ghcr.io/acme/api:${api_tag}");
    let spec = "  postBuild:\n    substitute:\n      api_tag: v1\n";
    let run = with(spec, &[("app/deployment.yaml", &app)]);
    assert_eq!(run.images, ["ghcr.io/acme/api:v1 <- flux.yaml:8; app/deployment.yaml:10"]);
}

#[test]
fn later_sources_of_variables_override_earlier_ones() {
    let app = deployment("${image}");
    let spec = "  postBuild:
    substitute: {tag: v3}
    substituteFrom:
      - {kind: ConfigMap, name: a}
      - {kind: ConfigMap, name: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {image: 'app:v1', tag: v1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: flux-system}
data: {image: 'app:v2', tag: v2}
";
    let run = with(spec, &[("app/deployment.yaml", &app)]);
    assert_eq!(run.images, ["app:v2 <- flux.yaml:20; app/deployment.yaml:10, flux.yaml:15"]);
    let run = with(spec, &[("app/deployment.yaml", &deployment("app:${tag}"))]);
    assert!(run.images[0].starts_with("app:v3 <- flux.yaml:7"), "{run:?}");
    assert!(run.uncertain.is_empty(), "{run:?}");
}

#[test]
fn variable_from_a_secret_is_uncertain_unless_something_stronger_sets_it() {
    let spec = |substitute: &str| {
        format!(
            "  postBuild:\n    substitute: {substitute}\n    substituteFrom: [{{kind: Secret, name: s}}]\n"
        )
    };
    let app = deployment("app:${tag:=v1}");
    let run = with(&spec("{other: x}"), &[("app/deployment.yaml", &app)]);
    assert_eq!(run.images, ["app:v1 <- app/deployment.yaml:10"]);
    assert_eq!(
        run.uncertain,
        ["app/deployment.yaml:10 uses tag, which an object outside of this repository may set"]
    );
    let run = with(&spec("{tag: v2}"), &[("app/deployment.yaml", &app)]);
    assert!(run.uncertain.is_empty() && run.images[0].starts_with("app:v2 <- flux.yaml:7"), "{run:?}");
}

#[test]
fn substitution_is_off_without_variables_and_for_marked_objects() {
    let app = deployment("app:${tag:=v1}");
    let run_with = |spec: &str, app: &str| with(spec, &[("app/deployment.yaml", app)]).images;
    assert_eq!(run_with("", &app), ["app:${tag:=v1} <- app/deployment.yaml:10"]);
    let marked = app.replace(
        "  name: app\nspec",
        "  name: app\n  labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}\nspec",
    );
    assert_eq!(
        run_with("  postBuild: {substitute: {a: b}}\n", &marked),
        ["app:${tag:=v1} <- app/deployment.yaml:11"]
    );
}

/// The entry is applied first, and its tag is replaced afterwards.
#[test]
fn variable_in_the_tag_of_an_entry_wins() {
    let kustomization = "resources: [deployment.yaml]\nimages: [{name: app, newTag: 'v-${tag}'}]\n";
    let spec = "  postBuild:\n    substitute:\n      tag: '1'\n";
    let run = with(spec, &[("app/kustomization.yaml", kustomization)]);
    assert_eq!(run.images, ["app:v-1 <- flux.yaml:8; app/deployment.yaml:10, app/kustomization.yaml:2"]);
}

/// By its source: another repository's path says nothing about this one.
#[test]
fn build_source_of_a_kustomization_is_told_by_its_source() {
    let own = Some("https://github.com/acme/gitops");
    let source_of = |kustomization: &str, url: &str, own: Option<&str>| {
        let source = format!(
            "kind: GitRepository\nmetadata: {{name: infra, namespace: flux-system}}\nspec: {{url: '{url}'}}\n"
        );
        let text = format!(
            "{HEAD}metadata: {{name: app, namespace: flux-system}}\nspec: {kustomization}\n---\n{source}"
        );
        repository(&[("f.yaml", &text)]).with(|files| {
            let file = files.load("f.yaml").unwrap();
            let documents = files.documents(file).to_vec();
            let (root, repository) = (Objects::default(), Objects::new(&documents));
            build_source(&documents[0], &Around { root: &root, repository: &repository, url: own })
        })
    };
    let git = "{path: ./app, sourceRef: {kind: GitRepository, name: infra}}";
    assert_eq!(source_of(git, "https://github.com/other/thing", own), BuildSource::Elsewhere);
    for same in [
        "https://github.com/acme/gitops.git",
        "ssh://git@github.com/acme/gitops",
        "https://mirror.example/acme/gitops",
        "${REPO_URL}",
    ] {
        assert_eq!(source_of(git, same, own), BuildSource::Here, "{same}");
    }
    assert_eq!(
        source_of(git, "https://github.com/other/thing", None),
        BuildSource::Here,
        "its own URL is unknown"
    );
    let unknown = "{path: ./app, sourceRef: {kind: GitRepository, name: not-declared-here}}";
    assert_eq!(source_of(unknown, "https://github.com/other/thing", own), BuildSource::Here);
    // an artifact can be made from this repository, and then has its folders
    assert_eq!(
        source_of("{path: ./app, sourceRef: {kind: OCIRepository, name: app}}", "", own),
        BuildSource::Here
    );
    assert_eq!(
        source_of("{path: ./, sourceRef: {kind: OCIRepository, name: app}}", "", own),
        BuildSource::Elsewhere
    );
    // a patch
    assert_eq!(source_of("{interval: 1m}", "", own), BuildSource::Nowhere);
    assert_eq!(source_of("{path: ./app}", "", own), BuildSource::Here);
}

/// Of a base in another repository, only what patches set can be seen.
#[test]
fn patch_of_a_kustomization_elsewhere_sets_the_image() {
    let spec = "  postBuild:
    substitute: {tag: v3}
  components: [../app]
  images: [{name: web, newTag: v1}]
  patches:
    - target: {kind: Deployment, name: api}
      patch: |
        - {op: replace, path: /spec/template/spec/containers/0/image, value: 'app:v2'}
    - patch: |
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: job}
        spec: {template: {spec: {containers: [{name: job, image: 'job:${tag}'}]}}}
";
    let flux = format!("{HEAD}metadata: {{name: app, namespace: flux-system}}\nspec:\n  path: ./app\n{spec}");
    let elsewhere = run_from(BuildSource::Elsewhere, &repository(&[("flux.yaml", &flux), BASE, APP]));
    assert_eq!(elsewhere.images, ["app:v2 <- flux.yaml:13", "job:v3 <- flux.yaml:7; flux.yaml:18"]);
    assert_eq!(elsewhere.unmatched, ["flux.yaml:9 may match"]);
    let not_here = run_from(BuildSource::Here, &repository(&[("flux.yaml", &flux)]));
    assert_eq!(not_here.images, elsewhere.images);
}

#[test]
fn variable_in_an_annotation_decides_no_image() {
    let spec = "  postBuild:\n    substituteFrom: [{kind: Secret, name: settings}]\n";
    let annotated = |annotation: &str| {
        let text = DEPLOYMENT.replace("metadata:", &format!("metadata:\n  annotations: {{{annotation}}}"));
        with(spec, &[("app/deployment.yaml", &text)]).uncertain
    };
    assert_eq!(annotated("tailscale.com/tags: '${TAGS}', a.io/image-pull: 'a-${B}'"), [""; 0]);
    let tag = deployment("app:${TAG}");
    assert_eq!(with(spec, &[("app/deployment.yaml", &tag)]).uncertain.len(), 1);
}
