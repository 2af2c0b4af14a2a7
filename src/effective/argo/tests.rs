//! What Applications run, in small repositories.

use super::super::images::object_images;
use super::super::kustomize::{Additions, build};
use super::super::setting::{Holds, Setting};
use super::super::testing::{doubts, location, shown, with_files};
use super::{ApplicationSource, Renders, application_sources};

const URL: &str = "https://github.com/acme/infra";
const CHART: &str = "name: api\nappVersion: \"1.0\"\n";
const DEFAULTS: &str = "image:\n  repository: ghcr.io/acme/api\n  tag: latest\n";

/// An Application that renders the folder `c`, and continues with `source`.
fn of_folder(source: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: api\n  namespace: argocd\nspec:\n  source:\n    \
         repoURL: git@github.com:acme/infra.git\n    path: c\n{source}"
    )
}

/// The sources of the object in `app.yaml`, with a line for each image, file, entry and doubt.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    with_files(files, |files| {
        let file = files.load("app.yaml").unwrap();
        let object = files.documents(file).remove(0);
        let sources = application_sources(files, &object, Some(URL));
        let mut lines = Vec::new();
        for source in &sources {
            let ApplicationSource { name, renders, unmatched, uncertain, .. } = source;
            let (kind, shown) = match renders {
                Renders::Chart(chart) => {
                    let kind = format!("chart {}", chart.chart.as_deref().unwrap_or("elsewhere"));
                    (kind, shown(files, &chart.images))
                }
                Renders::Kustomization(patched) => {
                    let (folder, images) = (&patched.folder, &patched.images);
                    let images = images.iter().filter_map(|image| Some((image.text()?, image.scalar()?)));
                    let image = |(text, scalar): (&str, &super::super::value::Scalar)| {
                        let places: Vec<_> =
                            scalar.places().iter().rev().map(|p| location(files, *p)).collect();
                        format!("{text} {}", places.join(" > "))
                    };
                    let counts = format!("+{} +{}", patched.components.len(), patched.patches.len());
                    (format!("kustomization {folder} {counts}"), images.map(image).collect())
                }
                Renders::Manifests(paths) => ("manifests".to_owned(), paths.clone()),
                Renders::Unknown => ("unknown".to_owned(), Vec::new()),
            };
            lines.push(format!("{name}: {kind}"));
            lines.extend(shown);
            lines.extend(unmatched.iter().map(|entry| format!("unmatched {}", location(files, entry.name))));
            lines.extend(doubts(files, uncertain).iter().map(|doubt| format!("uncertain: {doubt}")));
        }
        lines
    })
}

fn in_chart(app: &str, more: &[(&str, &str)]) -> Vec<String> {
    let mut files = vec![("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("app.yaml", app)];
    files.extend(more);
    found(&files)
}

#[test]
fn value_files_win_over_the_chart_in_order() {
    let app = of_folder(
        "    helm:\n      valueFiles:\n      - values-prod.yaml\n      - ../env/more.yaml\n      - /env/last.yaml\n",
    );
    let more = [
        ("c/values-prod.yaml", "image:\n  tag: v1\n"),
        ("env/more.yaml", "image:\n  tag: v2\n"),
        ("env/last.yaml", "replicas: 1\n"),
    ];
    assert_eq!(
        in_chart(&app, &more),
        [
            "Application api: chart c",
            "ghcr.io/acme/api:v2 env/more.yaml:2 > c/values-prod.yaml:2 > c/values.yaml:3"
        ]
    );
}

#[test]
fn missing_value_file_is_uncertain_unless_it_is_ignored() {
    let app = of_folder("    helm:\n      valueFiles: [gone.yaml]\n");
    assert_eq!(in_chart(&app, &[])[2], "uncertain: app.yaml:11 names a values file that does not exist");
    let app = of_folder("    helm:\n      ignoreMissingValueFiles: true\n      valueFiles: [gone.yaml]\n");
    assert_eq!(in_chart(&app, &[]).len(), 2);
}

#[test]
fn glob_lists_sorted_files_without_those_listed_by_path() {
    let app = of_folder("    helm:\n      valueFiles: [\"env/*.yaml\", env/a.yaml]\n");
    let more = [
        ("c/env/a.yaml", "image:\n  tag: a\n"),
        ("c/env/b.yaml", "image:\n  tag: b\n"),
        ("c/env/c.yaml", "image:\n  tag: c\n"),
        ("c/env/deep/d.yaml", "image:\n  tag: d\n"),
    ];
    let image = "ghcr.io/acme/api:a c/env/a.yaml:2 > c/env/c.yaml:2 > c/env/b.yaml:2 > c/values.yaml:3";
    assert_eq!(in_chart(&app, &more)[1], image);
}

#[test]
fn values_object_counts_instead_of_values() {
    let app = of_folder(
        "    helm:\n      valuesObject:\n        image:\n          tag: v2\n      values: |\n        image:\n          tag: v1\n",
    );
    assert_eq!(in_chart(&app, &[])[1], "ghcr.io/acme/api:v2 app.yaml:13 > c/values.yaml:3");
    let app =
        of_folder("    helm:\n      valuesObject: {}\n      values: |\n        image:\n          tag: v1\n");
    assert_eq!(in_chart(&app, &[])[1], "ghcr.io/acme/api:latest c/values.yaml:3");
}

#[test]
fn values_text_wins_over_value_files() {
    let app = of_folder(
        "    helm:\n      valueFiles: [values-prod.yaml]\n      values: |\n        # ours\n        image:\n          tag: v1\n",
    );
    let more = [("c/values-prod.yaml", "image:\n  tag: v0\n")];
    assert_eq!(
        in_chart(&app, &more)[1],
        "ghcr.io/acme/api:v1 app.yaml:15 > c/values-prod.yaml:2 > c/values.yaml:3"
    );
}

#[test]
fn parameters_win_over_all_values_and_strings_over_others() {
    let app = of_folder(
        "    helm:\n      parameters:\n      - name: image.tag\n        value: v3\n        forceString: true\n      - name: image.tag\n        \
         value: v2\n      valuesObject:\n        image:\n          tag: v1\n",
    );
    assert_eq!(
        in_chart(&app, &[])[1],
        "ghcr.io/acme/api:v3 app.yaml:13 > app.yaml:16 > app.yaml:19 > c/values.yaml:3"
    );
}

#[test]
fn parameter_with_the_commit_can_t_be_set() {
    let app = of_folder(
        "    helm:\n      parameters:\n      - name: image.tag\n        value: $ARGOCD_APP_REVISION\n",
    );
    assert_eq!(in_chart(&app, &[])[1], "ghcr.io/acme/api:$ARGOCD_APP_REVISION nowhere > c/values.yaml:3");
}

#[test]
fn reference_leads_to_another_source() {
    let app = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: api\nspec:\n  sources:\n  \
               - repoURL: https://charts.example.com\n    chart: api\n    helm:\n      valueFiles:\n      - $values/env/prod.yaml\n      \
               - $other/prod.yaml\n  - repoURL: https://github.com/acme/infra\n    ref: values\n  - repoURL: \
               https://github.com/acme/else\n    ref: other\n";
    let files = [
        ("app.yaml", app),
        ("env/prod.yaml", "image:\n  repository: acme/api\n  tag: v1\n"),
        ("prod.yaml", "a: 1\n"),
    ];
    assert_eq!(
        found(&files),
        [
            "Application api: chart elsewhere",
            "acme/api:v1 env/prod.yaml:3",
            "uncertain: app.yaml:12 names a values file outside of this repository",
        ]
    );
}

#[test]
fn source_of_another_repository_is_not_used() {
    let app =
        of_folder("    kustomize:\n      images:\n      - acme/api:v1\n").replace("infra.git", "other.git");
    let files = [("app.yaml", app.as_str()), ("c/kustomization.yaml", "resources: []\n")];
    assert_eq!(found(&files), ["Application api: unknown", "unmatched app.yaml:12"]);
    let fork = app.replace("acme/other.git", "me/infra.git");
    let files = [("app.yaml", fork.as_str()), ("c/kustomization.yaml", "resources: []\n")];
    assert_eq!(found(&files)[0], "Application api: kustomization c +0 +0");
}

#[test]
fn kustomization_gets_components_patches_and_images() {
    let kustomize = "    kustomize:\n      images:\n      - acme/api:v1\n      components: [../one, ../gone]\n      patches:\n      - path: p.yaml\n";
    let app = of_folder(kustomize);
    let files = [
        ("app.yaml", app.as_str()),
        ("c/kustomization.yaml", "resources: []\n"),
        ("one/kustomization.yaml", "a: 1\n"),
    ];
    assert_eq!(found(&files), ["Application api: kustomization c +2 +1", "acme/api:v1 app.yaml:12"]);
    let ignoring = format!("{app}      ignoreMissingComponents: true\n");
    let files = [
        ("app.yaml", ignoring.as_str()),
        ("c/kustomization.yaml", "resources: []\n"),
        ("one/kustomization.yaml", "a: 1\n"),
    ];
    assert_eq!(found(&files)[0], "Application api: kustomization c +1 +1");
}

#[test]
fn files_beside_the_source_are_merged_over_it() {
    let app = of_folder("    kustomize:\n      images:\n      - acme/api:v1\n      - acme/web:v1\n");
    let files = [
        ("app.yaml", app.as_str()),
        ("c/kustomization.yaml", "resources: []\n"),
        ("c/.argocd-source.yaml", "path: other\nkustomize:\n  images:\n  - acme/api:v2\n"),
        ("c/.argocd-source-web.yaml", "kustomize:\n  images:\n  - acme/api:v9\n"),
    ];
    assert_eq!(
        found(&files),
        ["Application api: kustomization c +0 +0", "acme/api:v2 c/.argocd-source.yaml:4 > app.yaml:12"]
    );
    let own = ("c/.argocd-source-api.yaml", "kustomize:\n  images:\n  - acme/api:v3\n");
    let files = [files[0], files[1], files[2], own];
    assert_eq!(
        found(&files)[1],
        "acme/api:v3 c/.argocd-source-api.yaml:3 > c/.argocd-source.yaml:4 > app.yaml:12"
    );
    let elsewhere = ("c/.argocd-source-argocd_api.yaml", "kustomize:\n  images:\n  - acme/api:v4\n");
    let files = [files[0], files[1], own, elsewhere];
    assert_eq!(
        found(&files)[1],
        "acme/api:v4 c/.argocd-source-argocd_api.yaml:3 > c/.argocd-source-api.yaml:3 > app.yaml:12"
    );
}

#[test]
fn file_beside_the_source_replaces_parameters() {
    let app = of_folder("    helm:\n      parameters:\n      - name: image.tag\n        value: v1\n");
    let more = [(
        "c/.argocd-source-api.yaml",
        "helm:\n  parameters:\n  - name: image.tag\n    value: v2\n    forceString: true\n",
    )];
    assert_eq!(
        in_chart(&app, &more)[1],
        "ghcr.io/acme/api:v2 c/.argocd-source-api.yaml:4 > app.yaml:13 > c/values.yaml:3"
    );
}

#[test]
fn folder_of_manifests_is_read_as_far_as_it_says() {
    let manifests = [("c/a.yaml", "a: 1\n"), ("c/b.yaml", "b: 1\n"), ("c/deep/c.yaml", "c: 1\n")];
    let of = |source: &str| {
        let app = of_folder(source);
        let mut files = vec![("app.yaml", app.as_str())];
        files.extend(manifests);
        found(&files)[1..].to_vec()
    };
    assert_eq!(of(""), ["c/a.yaml", "c/b.yaml"]);
    assert_eq!(of("    directory:\n      recurse: true\n"), ["c/a.yaml", "c/b.yaml", "c/deep/c.yaml"]);
    assert_eq!(of("    directory:\n      exclude: 'b.*'\n"), ["c/a.yaml"]);
    assert_eq!(
        of("    directory:\n      recurse: true\n      include: '{b.yaml,deep/*}'\n"),
        ["c/b.yaml", "c/deep/c.yaml"]
    );
}

#[test]
fn plugin_is_uncertain() {
    let app = of_folder("    plugin:\n      name: cdk\n");
    let files = [("app.yaml", app.as_str()), ("c/main.yaml", "a: 1\n")];
    assert_eq!(found(&files), ["Application api: unknown", "uncertain: app.yaml:11 is rendered by a plugin"]);
}

/// An ApplicationSet of the chart in `c`.
fn set(generators: &str, helm: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: all\nspec:\n  generators:\n{generators}\n  template:\n    \
         metadata:\n      name: 'api-{{{{env}}}}'\n    spec:\n      source:\n        repoURL: https://github.com/acme/infra\n        \
         path: c\n        helm:\n{helm}"
    )
}

#[test]
fn parameter_of_a_list_is_the_place() {
    let app = set(
        "  - list:\n      elements:\n      - env: prod\n        tag: v1\n      - {env: test, tag: v2}",
        "          parameters:\n          - name: image.tag\n            value: '{{ tag }}'\n",
    );
    assert_eq!(
        in_chart(&app, &[]),
        [
            "Application api-prod: chart c",
            "ghcr.io/acme/api:v1 app.yaml:10 > app.yaml:22 > c/values.yaml:3",
            "Application api-test: chart c",
            "ghcr.io/acme/api:v2 app.yaml:11 > app.yaml:22 > c/values.yaml:3",
        ]
    );
}

#[test]
fn parameter_leads_to_a_values_file_and_into_values() {
    let app = set(
        "  - list:\n      elements:\n      - {env: prod, tag: v1}",
        "          valueFiles: ['values-{{.env}}.yaml']\n          values: |\n            image:\n              tag: '{{tag}}'\n",
    );
    let more = [("c/values-prod.yaml", "image:\n  tag: v0\n")];
    assert_eq!(
        in_chart(&app, &more)[1],
        "ghcr.io/acme/api:v1 app.yaml:9 > app.yaml:21 > c/values-prod.yaml:2 > c/values.yaml:3"
    );
    let unquoted = app.replace("'{{tag}}'", "{{tag}}");
    assert!(
        in_chart(&unquoted, &more).iter().any(|line| line.ends_with("has values that nothing here fills in"))
    );
}

#[test]
fn files_and_folders_of_the_repository_give_parameters() {
    let helm = "          parameters:\n          - name: image.tag\n            value: '{{.image.tag}}'\n";
    let git = "  - git:\n      repoURL: https://github.com/acme/infra\n      files:\n      - path: envs/**/config.yaml";
    let app = set(git, helm).replace("{{env}}", "{{path.basename}}");
    let more = [
        ("envs/a/prod/config.yaml", "image:\n  tag: v1\n"),
        ("envs/test/config.yaml", "image:\n  tag: v2\n"),
    ];
    assert_eq!(
        in_chart(&app, &more),
        [
            "Application api-prod: chart c",
            "ghcr.io/acme/api:v1 envs/a/prod/config.yaml:2 > app.yaml:21 > c/values.yaml:3",
            "Application api-test: chart c",
            "ghcr.io/acme/api:v2 envs/test/config.yaml:2 > app.yaml:21 > c/values.yaml:3",
        ]
    );
    let git = "  - git:\n      repoURL: https://github.com/acme/infra\n      directories:\n      - path: envs/*\n      - {path: envs/b, exclude: true}";
    let app = set(git, "")
        .replace("path: c\n", "path: '{{path}}'\n")
        .replace("{{env}}", "{{path[1]}}")
        .replace("        helm:\n", "");
    let more = [("envs/a/x.yaml", "a: 1\n"), ("envs/a/deep/x.yaml", "a: 1\n"), ("envs/b/x.yaml", "a: 1\n")];
    assert_eq!(in_chart(&app, &more), ["Application api-a: manifests", "envs/a/x.yaml"]);
}

#[test]
fn matrix_combines_two_generators() {
    let app = set(
        "  - matrix:\n      generators:\n      - list:\n          elements: [{env: a}, {env: b}]\n      - list:\n          elements: [{tag: v1}, {tag: v2}]",
        "          parameters:\n          - {name: image.tag, value: '{{tag}}'}\n",
    );
    let names: Vec<String> =
        in_chart(&app, &[]).into_iter().filter(|line| line.starts_with("Application")).collect();
    assert_eq!(names.len(), 4);
}

/// The second generator is filled in for each element of the first.
#[test]
fn matrix_ends_when_it_takes_too_much_work() {
    let elements: String = (0..600).map(|n| format!("{{env: e{n}}},")).collect();
    let others: String = (0..20_000).map(|n| format!("k{n}: v,")).collect();
    let generators = format!(
        "  - matrix:\n      generators:\n      - list: {{elements: [{elements}]}}\n      - list: {{elements: [], {others}}}"
    );
    let app = set(&generators, "          parameters:\n          - {name: image.tag, value: '{{tag}}'}\n");
    with_files(&[("app.yaml", &app)], |files| {
        let file = files.load("app.yaml").unwrap();
        let set = files.documents(file).remove(0);
        application_sources(files, &set, None);
        assert!(files.is_exhausted());
    });
}

#[test]
fn generator_of_clusters_is_uncertain_only_if_the_source_uses_it() {
    let helm = "          parameters:\n          - {name: image.tag, value: v1}\n";
    let app = set("  - clusters: {}", helm);
    assert_eq!(in_chart(&app, &[]).len(), 2, "{:?}", in_chart(&app, &[]));
    let app = app.replace("value: v1", "value: '{{metadata.labels.tag}}'");
    assert!(in_chart(&app, &[])[2].ends_with("has placeholders that nothing here fills in"));
}

#[test]
fn object_of_another_group_has_no_sources() {
    let app = of_folder("").replace("argoproj.io/v1alpha1", "app.k8s.io/v1");
    assert_eq!(in_chart(&app, &[]), Vec::<String>::new());
}

#[test]
fn list_beside_the_source_discards_items_of_the_application() {
    let app = of_folder(
        "    kustomize:\n      images:\n      - acme/api:v1\n      - old=acme/web:v1\n      - acme/db=*:v1\n    helm:\n      parameters:\n      \
         - {name: image.repository, value: acme/job}\n      - {name: image.tag, value: v1}\n",
    );
    let beside =
        "kustomize:\n  images:\n  - acme/api:v2\nhelm:\n  parameters:\n  - {name: other, value: x}\n";
    let files = [
        ("app.yaml", app.as_str()),
        ("c/kustomization.yaml", "resources: []\n"),
        ("c/.argocd-source.yaml", beside),
    ];
    with_files(&files, |files| {
        let file = files.load("app.yaml").unwrap();
        let object = files.documents(file).remove(0);
        let sources = application_sources(files, &object, Some(URL));
        assert_eq!(
            shown(files, &sources[0].discarded),
            ["acme/db:v1 app.yaml:14", "acme/job:v1 app.yaml:18", "acme/web:v1 app.yaml:13"]
        );
    });
}

#[test]
fn parameter_that_is_a_part_of_the_text_is_the_place_of_the_tag() {
    let kustomize = "        kustomize:\n          images:\n          - 'app={{repo}}:v{{tag}}-slim'\n";
    let app = set("  - list:\n      elements:\n      - {env: prod, repo: acme/api, tag: 1}", "")
        .replace("        helm:\n", kustomize);
    let files = [
        ("app.yaml", app.as_str()),
        ("c/kustomization.yaml", "resources: [d.yaml]\n"),
        (
            "c/d.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - image: app\n",
        ),
    ];
    with_files(&files, |files| {
        let file = files.load("app.yaml").unwrap();
        let object = files.documents(file).remove(0);
        let sources = application_sources(files, &object, Some(URL));
        let Renders::Kustomization(patched) = &sources[0].renders else { panic!("{sources:?}") };
        let additions = Additions { overrides: patched.images.clone(), ..Additions::default() };
        let build = build(files, "c", &additions);
        let images = object_images(&build.objects[0].value);
        assert_eq!(shown(files, &images), ["acme/api:v1-slim app.yaml:9 > c/d.yaml:6 > app.yaml:19"]);
        let Some(Setting::Part(part)) = images[0].winning() else { panic!("{images:?}") };
        assert_eq!(part.holds, Holds::Tag { prefix: "v".to_owned(), suffix: "-slim".to_owned() });
    });
}

#[test]
fn parameter_around_the_tag_is_not_its_place() {
    let parameters = |value: &str| {
        set(
            "  - list:\n      elements:\n      - {env: prod, repo: acme/web, major: 1, minor: 2}",
            &format!(
                "          parameters:\n          - {{name: image.tag, value: '{value}'}}\n          - {{name: job.image, value: '{{{{repo}}}}-job'}}\n"
            ),
        )
    };
    assert_eq!(
        in_chart(&parameters("v{{major}}.0"), &[])[1..],
        ["acme/web-job: app.yaml:20", "ghcr.io/acme/api:v1.0 app.yaml:9 > app.yaml:19 > c/values.yaml:3"]
    );
    // a tag made of two parameters has no single place to set
    assert_eq!(
        in_chart(&parameters("v{{major}}.{{minor}}"), &[])[2],
        "ghcr.io/acme/api:v1.2 app.yaml:19 > c/values.yaml:3"
    );
}
