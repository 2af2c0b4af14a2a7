//! What Applications run, in small repositories.

mod application_sets;

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
            let ApplicationSource { name, renders, uncertain, .. } = source;
            let (kind, shown) = match renders {
                Renders::Chart(chart) => {
                    let kind = format!("chart {}", chart.chart.as_deref().unwrap_or("elsewhere"));
                    (kind, shown(files, &chart.images))
                }
                Renders::Kustomization(patched) => {
                    let folder = patched.folder.as_deref().unwrap_or("elsewhere");
                    let images = &patched.images;
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
    assert_eq!(found(&files), ["Application api: kustomization elsewhere +0 +0", "acme/api:v1 app.yaml:12"]);
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
