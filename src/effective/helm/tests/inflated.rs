//! Charts that a kustomization inflates.

use super::super::super::kustomize;
use super::super::super::testing::{doubts, location, shown, with_files};
use super::super::{RenderedChart, inflated};

const CHART: &str = "name: api\n";
const DEFAULTS: &str = "image:\n  repository: acme/api\n  tag: latest\n";
const INLINE: &str = "valuesInline:\n  image:\n    tag: v1\n";

fn rendered(item: &str, chart: Option<&str>, more: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let mut all =
        vec![("k/charts/api/Chart.yaml", CHART), ("k/charts/api/values.yaml", DEFAULTS), ("item.yaml", item)];
    all.extend(more);
    with_files(&all, |files| {
        let file = files.load("item.yaml").unwrap();
        let item = files.documents(file).remove(0);
        let RenderedChart { images, uncertain, .. } = inflated(files, "k", chart, &item);
        (shown(files, &images), doubts(files, &uncertain))
    })
}

fn images(item: &str, more: &[(&str, &str)]) -> Vec<String> {
    let (images, uncertain) = rendered(item, Some("k/charts/api"), more);
    assert_eq!(uncertain, Vec::<String>::new());
    images
}

#[test]
fn inline_values_win_over_the_chart() {
    assert_eq!(images(INLINE, &[]), ["acme/api:v1 item.yaml:3 > k/charts/api/values.yaml:3"]);
    assert_eq!(images("name: api\n", &[]), ["acme/api:latest k/charts/api/values.yaml:3"]);
}

#[test]
fn values_file_is_weaker_or_stronger_than_inline_values_or_left_out() {
    let file = [("k/prod.yaml", "image:\n  tag: v2\n")];
    let with = |mode: &str| images(&format!("{INLINE}valuesFile: prod.yaml\n{mode}"), &file);
    let overriding = ["acme/api:v1 item.yaml:3 > k/prod.yaml:2 > k/charts/api/values.yaml:3"];
    assert_eq!(with(""), overriding);
    assert_eq!(with("valuesMerge: override\n"), overriding);
    let merging = ["acme/api:v2 k/prod.yaml:2 > item.yaml:3 > k/charts/api/values.yaml:3"];
    assert_eq!(with("valuesMerge: merge\n"), merging);
    assert_eq!(with("valuesMerge: replace\n"), ["acme/api:v1 item.yaml:3 > k/charts/api/values.yaml:3"]);
}

#[test]
fn additional_values_files_win_in_order() {
    let item = format!("{INLINE}additionalValuesFiles:\n- one.yaml\n- ../two.yaml\n");
    let files = [("k/one.yaml", "image:\n  tag: v2\n"), ("two.yaml", "image:\n  tag: v3\n")];
    assert_eq!(
        images(&item, &files),
        ["acme/api:v3 two.yaml:2 > k/one.yaml:2 > item.yaml:3 > k/charts/api/values.yaml:3"]
    );
}

#[test]
fn default_values_count_as_the_values_file_when_it_is_the_stronger() {
    let item = format!("{INLINE}valuesMerge: merge\n");
    assert_eq!(images(&item, &[]), ["acme/api:latest k/charts/api/values.yaml:3 > item.yaml:3"]);
}

#[test]
fn null_inline_falls_back_to_the_chart() {
    let item = "valuesInline:\n  image:\n    tag: null\n";
    assert_eq!(images(item, &[]), ["acme/api:latest k/charts/api/values.yaml:3"]);
}

#[test]
fn chart_elsewhere_runs_what_its_values_name() {
    let item = "valuesInline:\n  image:\n    repository: acme/api\n    tag: v1\n";
    assert_eq!(rendered(item, None, &[]).0, ["acme/api:v1 item.yaml:4"]);
}

#[test]
fn missing_file_is_uncertain() {
    let (_, uncertain) = rendered("additionalValuesFiles:\n- gone.yaml\n", Some("k/charts/api"), &[]);
    assert_eq!(uncertain, ["item.yaml:2 names a values file that does not exist"]);
}

#[test]
fn entries_of_all_levels_win_over_the_values() {
    let inner = "helmCharts:\n- name: api\n  valuesInline:\n    image:\n      tag: v1\nimages:\n- name: acme/api\n  newName: mirror/api\n";
    let outer =
        "resources: [../k]\nimages:\n- name: mirror/api\n  newTag: v2\n- name: acme/api\n  newTag: v3\n";
    let files = [
        ("k/charts/api/Chart.yaml", CHART),
        ("k/charts/api/values.yaml", DEFAULTS),
        ("k/kustomization.yaml", inner),
        ("o/kustomization.yaml", outer),
    ];
    with_files(&files, |files| {
        let build = kustomize::build(files, "o", &kustomize::Additions::default());
        assert_eq!(
            shown(files, &build.chart_images),
            [
                "mirror/api:v2 o/kustomization.yaml:4 > k/kustomization.yaml:7 > k/kustomization.yaml:5 > k/charts/api/values.yaml:3"
            ]
        );
        let unmatched: Vec<_> = build.unmatched.iter().map(|entry| location(files, entry.name)).collect();
        assert_eq!(unmatched, ["o/kustomization.yaml:5"]);
        assert_eq!(build.charts[0].chart.as_deref(), Some("k/charts/api"));
    });
}
