//! HelmReleases.

use super::super::super::files::Files;
use super::super::super::kustomize;
use super::super::super::testing::{doubts, location, shown, with_files};
use super::super::super::value::Value;
use super::super::{Around, Objects, Release, release};

const CHART: &str = "name: api\nversion: 0.1.0\n";
const DEFAULTS: &str = "image:\n  repository: ghcr.io/acme/api\n  tag: latest\n";
const URL: &str = "https://github.com/acme/infra";

/// A release of the chart in `c`, which continues with `spec`.
pub fn from_folder(spec: &str) -> String {
    format!(
        "kind: HelmRelease\nmetadata:\n  name: api\n  namespace: apps\nspec:\n  chart:\n    spec:\n      chart: ./c\n      \
         sourceRef:\n        kind: GitRepository\n        name: infra\n{spec}"
    )
}

/// Renders the HelmRelease in `r.yaml`; the other documents of `r.yaml` and `objects.yaml` are around it.
pub fn rendered<T>(files: &[(&str, &str)], check: impl FnOnce(&Files<'_>, &Release) -> T) -> T {
    with_files(files, |files| {
        let mut objects: Vec<Value> = Vec::new();
        for path in ["r.yaml", "objects.yaml"] {
            objects.extend(files.load(path).map(|file| files.documents(file)).unwrap_or_default());
        }
        let found =
            objects.iter().find(|object| object.text_at(&["kind"]) == Some("HelmRelease")).unwrap().clone();
        let (root, repository) = (Objects::default(), Objects::new(&objects));
        let around = Around { root: &root, repository: &repository, url: Some(URL) };
        let release = release(files, &found, &around);
        check(files, &release)
    })
}

fn images(files: &[(&str, &str)]) -> Vec<String> {
    rendered(files, |files, release| shown(files, &release.images))
}

fn uncertain(files: &[(&str, &str)]) -> Vec<String> {
    rendered(files, |files, release| doubts(files, &release.uncertain))
}

#[test]
fn values_of_the_release_win_over_the_chart() {
    let release = from_folder("  values:\n    image:\n      tag: v1\n");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["ghcr.io/acme/api:v1 r.yaml:14 > c/values.yaml:3"]);
    rendered(&files, |_, release| {
        assert_eq!(release.chart.as_deref(), Some("c"));
        assert_eq!(release.stale, []);
        assert_eq!(release.uncertain, []);
        assert_eq!(release.files.len(), 2);
    });
}

#[test]
fn winning_place_in_the_chart_is_stale_unless_each_revision_counts() {
    let release = from_folder("  values: {}\n");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["ghcr.io/acme/api:latest c/values.yaml:3"]);
    rendered(&files, |files, release| {
        let stale: Vec<String> = release.stale.iter().map(|stale| location(files, stale.place)).collect();
        assert_eq!(stale, ["c/values.yaml:3"]);
        assert_eq!(release.stale[0].chart, "c");
    });
    let each_revision = release.replace("chart: ./c", "chart: ./c\n      reconcileStrategy: Revision");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", each_revision.as_str())];
    rendered(&files, |_, release| assert_eq!(release.stale, []));
}

#[test]
fn values_files_replace_the_values_of_the_chart() {
    let release = from_folder("  values: {}\n").replace(
        "chart: ./c",
        "chart: ./c\n      valuesFiles:\n      - ./c/values-prod.yaml\n      - c/values-more.yaml",
    );
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values-more.yaml", "image:\n  tag: v2\n"),
        ("c/values-prod.yaml", "image:\n  repository: ghcr.io/acme/api\n  tag: v1\n"),
        ("c/values.yaml", DEFAULTS),
        ("r.yaml", release.as_str()),
    ];
    assert_eq!(images(&files), ["ghcr.io/acme/api:v2 c/values-more.yaml:2 > c/values-prod.yaml:3"]);
    rendered(&files, |files, release| {
        assert_eq!(release.values_files, ["c/values-prod.yaml", "c/values-more.yaml"]);
        let stale: Vec<String> = release.stale.iter().map(|stale| location(files, stale.place)).collect();
        assert_eq!(stale, ["c/values-more.yaml:2"]);
    });
}

#[test]
fn missing_values_file_is_uncertain_unless_it_is_ignored() {
    let release =
        from_folder("  values: {}\n").replace("chart: ./c", "chart: ./c\n      valuesFiles: [c/gone.yaml]");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release.as_str())];
    assert_eq!(uncertain(&files), ["r.yaml:9 names c/gone.yaml, which does not exist"]);
    let ignored = release.replace("chart: ./c", "chart: ./c\n      ignoreMissingValuesFiles: true");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", ignored.as_str())];
    assert_eq!(uncertain(&files), Vec::<String>::new());
}

#[test]
fn values_from_are_weaker_than_values() {
    let release = from_folder(
        "  valuesFrom:\n  - kind: ConfigMap\n    name: one\n  - kind: ConfigMap\n    name: two\n    valuesKey: more\n  \
         values:\n    image:\n      tag: v3\n",
    );
    let objects = "kind: ConfigMap\nmetadata: {name: one}\ndata:\n  values.yaml: |\n    image:\n      repository: acme/one\n      tag: v1\n---\n\
                   kind: ConfigMap\nmetadata: {name: two, namespace: apps}\ndata:\n  more: |-\n    image:\n      tag: v2\n";
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", DEFAULTS),
        ("objects.yaml", objects),
        ("r.yaml", release.as_str()),
    ];
    assert_eq!(
        images(&files),
        ["acme/one:v3 r.yaml:20 > objects.yaml:14 > objects.yaml:7 > c/values.yaml:3"]
    );
    let release = release.split("  values:\n").next().unwrap();
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", DEFAULTS),
        ("objects.yaml", objects),
        ("r.yaml", release),
    ];
    assert_eq!(images(&files), ["acme/one:v2 objects.yaml:14 > objects.yaml:7 > c/values.yaml:3"]);
    assert_eq!(uncertain(&files), Vec::<String>::new());
}

#[test]
fn values_from_with_a_target_path_win_over_values() {
    let release = from_folder(
        "  valuesFrom:\n  - kind: ConfigMap\n    name: tags\n    valuesKey: api\n    targetPath: image.tag\n  values:\n    \
         image:\n      repository: ghcr.io/acme/api\n      tag: v1\n",
    );
    let objects = "kind: ConfigMap\nmetadata: {name: tags}\ndata:\n  api: v2\n";
    let files = [("objects.yaml", objects), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["ghcr.io/acme/api:v2 objects.yaml:4 > r.yaml:20"]);
    assert_eq!(uncertain(&files), Vec::<String>::new());
}

#[test]
fn target_path_that_flux_may_ignore_is_uncertain() {
    let release = from_folder(
        "  valuesFrom:\n  - kind: ConfigMap\n    name: tags\n  - kind: ConfigMap\n    name: tags\n    valuesKey: api\n    \
         targetPath: image.tag\n  values:\n    image:\n      repository: acme/api\n      tag: v1\n",
    );
    let objects = "kind: ConfigMap\nmetadata: {name: tags}\ndata:\n  api: v2\n  values.yaml: |\n    image: {pullPolicy: Always}\n";
    let files = [("objects.yaml", objects), ("r.yaml", release.as_str())];
    assert_eq!(uncertain(&files), ["r.yaml:16 sets image.tag, which the values set too"]);
}

#[test]
fn config_map_of_another_namespace_is_not_the_one() {
    let release = from_folder(
        "  valuesFrom:\n  - kind: ConfigMap\n    name: one\n  values:\n    image:\n      repository: acme/api\n",
    );
    let map = |namespace: &str, tag: &str| {
        format!(
            "kind: ConfigMap\nmetadata: {{name: one, namespace: {namespace}}}\ndata:\n  values.yaml: |\n    image:\n      tag: {tag}\n"
        )
    };
    let objects = format!("{}---\n{}", map("other", "v1"), map("apps", "v2"));
    let files = [("objects.yaml", objects.as_str()), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["acme/api:v2 objects.yaml:13"]);
}

#[test]
fn values_that_can_t_be_read_make_only_weaker_images_uncertain() {
    let secret = "  valuesFrom:\n  - kind: Secret\n    name: passwords\n";
    let strong = from_folder(&format!("{secret}  values:\n    image:\n      tag: v1\n"));
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", strong.as_str())];
    rendered(&files, |files, release| {
        assert_eq!(release.uncertain, []);
        let unknown = doubts(files, &release.unknown);
        assert_eq!(
            unknown,
            ["r.yaml:14 takes values from the Secret passwords, which is not in this repository"]
        );
    });
    let weak = from_folder(secret);
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", weak.as_str())];
    assert_eq!(
        uncertain(&files),
        ["r.yaml:14 takes values from the Secret passwords, which is not in this repository"]
    );
}

#[test]
fn secret_is_read_only_if_it_is_plain_text() {
    let secret = "  valuesFrom:\n  - kind: Secret\n    name: s\n    valuesKey: tag\n    targetPath: image.tag\n  values:\n    image: {repository: acme/api}\n";
    let release = from_folder(secret);
    for (data, expected) in [
        ("stringData:\n  tag: v1\n", "acme/api:v1 objects.yaml:4"),
        ("data:\n  tag: djE=\n", "acme/api: r.yaml:14"),
        ("stringData:\n  tag: ENC[AES256_GCM,data:x,type:str]\n", "acme/api: r.yaml:14"),
    ] {
        let objects = format!("kind: Secret\nmetadata: {{name: s}}\n{data}");
        let files = [("objects.yaml", objects.as_str()), ("r.yaml", release.as_str())];
        assert_eq!(images(&files), [expected], "{data}");
        // the refusal at the place says that tagbump can't read it
        assert_eq!(uncertain(&files), Vec::<String>::new(), "{data}");
    }
}

#[test]
fn chart_of_another_repository_is_not_used() {
    let release = from_folder("  values:\n    image:\n      tag: v1\n");
    let repository = |url: &str| {
        format!("kind: GitRepository\nmetadata: {{name: infra, namespace: apps}}\nspec:\n  url: {url}\n")
    };
    let with = |objects: &str| {
        let files = [
            ("c/Chart.yaml", CHART),
            ("c/values.yaml", DEFAULTS),
            ("objects.yaml", objects),
            ("r.yaml", release.as_str()),
        ];
        (images(&files), rendered(&files, |_, release| release.chart.clone()))
    };
    assert_eq!(with(&repository("ssh://git@github.com/acme/charts")), (Vec::new(), None));
    let own = (vec!["ghcr.io/acme/api:v1 r.yaml:14 > c/values.yaml:3".to_owned()], Some("c".to_owned()));
    assert_eq!(with(&repository("ssh://git@github.com/acme/infra.git")), own);
    assert_eq!(with(&repository("ssh://git@github.com/acme/charts").replace("apps", "else")), own);
}

#[test]
fn chart_of_a_helm_repository_is_unknown() {
    let release = from_folder("  values:\n    image:\n      repository: acme/api\n      tag: v1\n")
        .replace("GitRepository", "HelmRepository");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["acme/api:v1 r.yaml:15"]);
    rendered(&files, |files, release| {
        assert_eq!(release.chart, None);
        assert!(doubts(files, &release.unknown)[0].ends_with("uses a chart that is not in this repository"));
    });
}

#[test]
fn chart_reference_leads_to_a_helm_chart() {
    let release = "kind: HelmRelease\nmetadata: {name: api, namespace: apps}\nspec:\n  chartRef:\n    kind: HelmChart\n    \
                   name: api\n    namespace: flux\n  values:\n    image:\n      tag: v2\n";
    let objects = "kind: HelmChart\nmetadata: {name: api, namespace: flux}\nspec:\n  chart: c/\n  sourceRef:\n    kind: GitRepository\n    name: infra\n";
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", DEFAULTS),
        ("objects.yaml", objects),
        ("r.yaml", release),
    ];
    assert_eq!(images(&files), ["ghcr.io/acme/api:v2 r.yaml:10 > c/values.yaml:3"]);
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release)];
    assert_eq!(images(&files), Vec::<String>::new());
}

#[test]
fn null_in_values_deletes_a_default() {
    let release = from_folder("  values:\n    image: null\n");
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), Vec::<String>::new());
}

#[test]
fn empty_tag_of_an_unknown_chart_can_be_set() {
    let release = from_folder("  values:\n    image:\n      repository: acme/api\n      tag: \"\"\n");
    let files = [("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["acme/api: r.yaml:15"]);
}

/// The images of the release and, behind `unmatched`, its entries that match none.
fn post_rendered(spec: &str) -> Vec<String> {
    let release = from_folder(&format!("  values:\n    image:\n      tag: v1\n  postRenderers:\n{spec}"));
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS), ("r.yaml", release.as_str())];
    rendered(&files, |files, release| {
        let mut lines = shown(files, &release.images);
        let entries = release.unmatched.iter();
        lines.extend(
            entries.map(|entry| format!("unmatched {} {}", location(files, entry.name), entry.may_match)),
        );
        lines.extend(doubts(files, &release.uncertain));
        lines
    })
}

#[test]
fn entry_of_a_post_renderer_wins_over_values() {
    let entries = "  - kustomize:\n      images:\n      - name: ghcr.io/acme/api\n        newTag: v2\n      - name: other\n        newTag: v3\n";
    assert_eq!(
        post_rendered(entries),
        ["ghcr.io/acme/api:v2 r.yaml:19 > r.yaml:14 > c/values.yaml:3", "unmatched r.yaml:20 true"]
    );
}

#[test]
fn post_renderers_apply_one_after_the_other() {
    let entries = "  - kustomize:\n      images:\n      - name: ghcr.io/acme/api\n        newName: mirror/api\n  - kustomize:\n      images:\n      \
                   - name: mirror/api\n        newTag: v2\n";
    assert_eq!(post_rendered(entries), ["mirror/api:v2 r.yaml:23 > r.yaml:18 > r.yaml:14 > c/values.yaml:3"]);
}

#[test]
fn entry_sets_the_tag_of_an_image_without_one() {
    let release = from_folder(
        "  postRenderers:\n  - kustomize:\n      images:\n      - name: acme/api\n        newTag: v2\n",
    );
    let defaults = "image:\n  repository: acme/api\n";
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", defaults), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["acme/api:v2 r.yaml:16"]);
    let empty = "image:\n  repository: acme/api\n  tag: ''\n";
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", empty), ("r.yaml", release.as_str())];
    assert_eq!(images(&files), ["acme/api:v2 r.yaml:16 > c/values.yaml:3"]);
}

#[test]
fn patch_of_a_post_renderer_wins_over_values_before_entries_do() {
    let patch = "  - kustomize:\n      patches:\n      - target: {kind: Deployment}\n        patch: |\n          - op: replace\n            \
                 path: /spec/template/spec/containers/0/image\n            value: ghcr.io/acme/api:v2\n";
    assert_eq!(
        post_rendered(patch),
        [
            "ghcr.io/acme/api:v2 r.yaml:22 > r.yaml:14 > c/values.yaml:3",
            "r.yaml:22 patches a container of the chart"
        ]
    );
    let entry = "      images:\n      - name: ghcr.io/acme/api\n        newTag: v3\n";
    assert_eq!(
        post_rendered(&format!("{patch}{entry}"))[0],
        "ghcr.io/acme/api:v3 r.yaml:25 > r.yaml:22 > r.yaml:14 > c/values.yaml:3"
    );
    let merge = "  - kustomize:\n      patches:\n      - patch: |\n          kind: Deployment\n          metadata: {name: api}\n          spec:\n            \
                 template:\n              spec:\n                containers:\n                - name: api\n                  image: acme/other:v2\n";
    assert_eq!(
        post_rendered(merge),
        [
            "acme/other:v2 r.yaml:26",
            "ghcr.io/acme/api:v1 r.yaml:14 > c/values.yaml:3",
            "r.yaml:26 patches a container of the chart"
        ]
    );
}

#[test]
fn generated_config_map_leads_to_the_file_or_the_literal() {
    let spec = "  valuesFrom:\n  - kind: ConfigMap\n    name: values\n  - kind: ConfigMap\n    name: values\n    valuesKey: tag\n    \
                targetPath: image.tag\n";
    let release = from_folder(spec);
    let kustomization = "resources: [r.yaml]\nconfigMapGenerator:\n- name: values\n  files: [values.yaml=api.yaml]\n  literals:\n  - tag=v2\n";
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", DEFAULTS),
        ("k/api.yaml", "image:\n  repository: acme/api\n  tag: v1\n"),
        ("k/kustomization.yaml", kustomization),
        ("k/r.yaml", release.as_str()),
    ];
    with_files(&files, |files| {
        let build = kustomize::build(files, "k", &kustomize::Additions::default());
        let objects: Vec<Value> = build.objects.into_iter().map(|object| object.value).collect();
        let (root, repository) = (Objects::new(&objects), Objects::default());
        let around = Around { root: &root, repository: &repository, url: None };
        let rendered = super::super::release(files, &objects[0], &around);
        assert_eq!(
            shown(files, &rendered.images),
            ["acme/api:v2 k/kustomization.yaml:6 > k/api.yaml:3 > c/values.yaml:3"]
        );
        assert_eq!(rendered.uncertain, []);
    });
}

#[test]
fn values_that_are_empty_or_optional_and_absent_cause_no_doubt() {
    let release = from_folder(
        "  valuesFrom:\n  - kind: ConfigMap\n    name: one\n  - kind: ConfigMap\n    name: one\n    valuesKey: none\n    \
         optional: true\n  values:\n    image:\n      repository: acme/api\n",
    );
    let with = |release: &str, text: &str| {
        let objects = format!(
            "kind: ConfigMap\nmetadata: {{name: one, namespace: apps}}\ndata:\n  values.yaml: {text}\n"
        );
        let chart = [("c/Chart.yaml", CHART), ("c/values.yaml", DEFAULTS)];
        uncertain(&[chart.as_slice(), &[("objects.yaml", &objects), ("r.yaml", release)]].concat())
    };
    for empty in ["''", "|\n    # nothing yet", "|\n    {}"] {
        assert_eq!(with(&release, empty), Vec::<String>::new(), "{empty}");
    }
    let must_be_there = release.replace("    optional: true\n", "");
    assert_eq!(with(&must_be_there, "''").len(), 1);
}
