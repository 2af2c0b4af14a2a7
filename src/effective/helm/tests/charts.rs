//! Charts and their values files.

use super::super::super::setting::EffectiveImage;
use super::super::super::testing::{doubts, location, shown, with_files};
use super::super::super::value::Value;
use super::super::chart::Chart;
use super::super::trail::Trail;
use super::super::{UsedCharts, chart_roots};

const CHART: &str = "name: api\nversion: 0.1.0\nappVersion: \"1.0\"\n";
const FLOATING: &str = "image:\n  repository: ghcr.io/acme/api\n  tag: latest\n";
const TAG_V1: &str = "image:\n  tag: v1\n";

/// Each root as its name, its images, and its defaults behind `default`.
fn roots(files: &[(&str, &str)], used: &UsedCharts) -> Vec<String> {
    let folders: Vec<String> =
        files.iter().filter_map(|(path, _)| path.strip_suffix("/Chart.yaml")).map(str::to_owned).collect();
    with_files(files, |files| {
        let roots = chart_roots(files, &folders, used);
        let mut lines = Vec::new();
        for root in &roots {
            let images = shown(files, &root.images).into_iter();
            lines.extend(images.map(|image| format!("{}: {image}", root.name)));
            let defaults = shown(files, &root.defaults).into_iter();
            lines.extend(defaults.map(|image| format!("{}: default {image}", root.name)));
        }
        lines
    })
}

fn unused(files: &[(&str, &str)]) -> Vec<String> {
    roots(files, &UsedCharts::default())
}

fn used_by(charts: &[&str], values_files: &[&str]) -> UsedCharts {
    let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    UsedCharts { charts: owned(charts), values_files: owned(values_files), ..UsedCharts::default() }
}

#[test]
fn floating_default_is_weaker_than_the_tag_of_a_values_file() {
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", FLOATING), ("c/values-prod.yaml", TAG_V1)];
    assert_eq!(
        unused(&files),
        [
            "chart c: default ghcr.io/acme/api:latest c/values.yaml:3",
            "chart c with values-prod.yaml: ghcr.io/acme/api:v1 c/values-prod.yaml:2 > c/values.yaml:3",
        ]
    );
}

#[test]
fn values_file_without_a_tag_inherits_the_floating_default() {
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values-prod.yaml", TAG_V1),
        ("c/values-staging.yaml", "replicas: 1\n"),
        ("c/values.yaml", FLOATING),
    ];
    let found = unused(&files);
    assert!(
        found.contains(
            &"chart c with values-staging.yaml: ghcr.io/acme/api:latest c/values.yaml:3".to_owned()
        )
    );
    assert!(
        found.contains(
            &"chart c with values-prod.yaml: ghcr.io/acme/api:v1 c/values-prod.yaml:2 > c/values.yaml:3"
                .to_owned()
        )
    );
}

#[test]
fn default_with_a_real_tag_counts_like_any_other_root() {
    let real = "image:\n  repository: ghcr.io/acme/api\n  tag: v0\n";
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", real), ("c/values-prod.yaml", TAG_V1)];
    assert_eq!(
        unused(&files),
        [
            "chart c: ghcr.io/acme/api:v0 c/values.yaml:3",
            "chart c with values-prod.yaml: ghcr.io/acme/api:v1 c/values-prod.yaml:2 > c/values.yaml:3",
        ]
    );
}

#[test]
fn chart_without_values_files_is_a_root_even_with_a_floating_tag() {
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", FLOATING)];
    assert_eq!(unused(&files), ["chart c: ghcr.io/acme/api:latest c/values.yaml:3"]);
}

#[test]
fn used_chart_is_no_root_and_its_floating_tag_is_a_default() {
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", FLOATING)];
    let expected = ["chart c: default ghcr.io/acme/api:latest c/values.yaml:3"];
    assert_eq!(roots(&files, &used_by(&["c"], &[])), expected);
    let real = "image:\n  repository: ghcr.io/acme/api\n  tag: v0\n";
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", real)];
    assert_eq!(roots(&files, &used_by(&["c"], &[])), Vec::<String>::new());
}

#[test]
fn values_file_that_a_release_uses_is_no_root() {
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", FLOATING),
        ("c/values-prod.yaml", TAG_V1),
        ("c/values-dev.yaml", TAG_V1),
    ];
    assert_eq!(
        roots(&files, &used_by(&["c"], &["c/values-prod.yaml"])),
        [
            "chart c: default ghcr.io/acme/api:latest c/values.yaml:3",
            "chart c with values-dev.yaml: ghcr.io/acme/api:v1 c/values-dev.yaml:2 > c/values.yaml:3",
        ]
    );
}

#[test]
fn values_files_are_those_with_the_usual_names_beside_the_chart() {
    let mut files = vec![("c/Chart.yaml", CHART), ("c/values.yaml", FLOATING)];
    let names = [
        "c/values-a.yaml",
        "c/values.b.yml",
        "c/values_c.yaml",
        "c/d-values.yaml",
        "c/ci/values-e.yaml",
        "c/templates/values-f.yaml",
        "c/tests/g-values.yaml",
        "c/valuesh.yaml",
        "c/values-.yaml",
        "c/values-i.json",
    ];
    files.extend(names.map(|name| (name, TAG_V1)));
    let found = unused(&files);
    let named: Vec<&str> =
        found.iter().filter_map(|line| line.split_once("with ")?.1.split(':').next()).collect();
    assert_eq!(named, ["d-values.yaml", "values-a.yaml", "values.b.yml", "values_c.yaml"]);
}

#[test]
fn image_without_a_tag_has_the_chart_s_app_version() {
    let empty = "a:\n  repository: acme/a\n  tag: \"\"\nb:\n  repository: acme/b\nc:\n  repository: acme/c\n  tag: v1\n";
    let files = [("c/Chart.yaml", CHART), ("c/values.yaml", empty)];
    assert_eq!(
        unused(&files),
        [
            "chart c: acme/a: appVersion 1.0",
            "chart c: acme/b: appVersion 1.0",
            "chart c: acme/c:v1 c/values.yaml:8",
        ]
    );
    with_files(&files, |files| {
        let roots = chart_roots(files, &["c".to_owned()], &UsedCharts::default());
        let image = &roots[0].images[0];
        let version = image.app_version.as_ref().unwrap();
        let lines = [image.named_at, version.place, version.empty_tag()];
        let lines = lines.map(|place| location(files, place.unwrap()));
        assert_eq!(lines, ["c/values.yaml:2", "c/Chart.yaml:3", "c/values.yaml:3"]);
    });
}

/// What the chart sets that isn't here can be anything.
#[test]
fn image_of_a_chart_elsewhere_has_no_app_version_of_its_parent() {
    let chart = "name: c\nappVersion: \"1.0\"\ndependencies:\n- {name: pg, version: 1.0.0, repository: 'https://example.org', alias: db}\n";
    let values = "image:\n  repository: acme/api\n  tag: ''\ndb:\n  image:\n    repository: acme/pg\n";
    with_files(&[("c/Chart.yaml", chart), ("c/values.yaml", values)], |files| {
        let roots = chart_roots(files, &["c".to_owned()], &UsedCharts::default());
        let version = |image: &EffectiveImage| {
            (image.name.clone(), image.app_version.as_ref().and_then(|version| version.text.clone()))
        };
        let versions: Vec<_> = roots[0].images.iter().map(version).collect();
        let expected = [("acme/api".to_owned(), Some("1.0".to_owned())), ("acme/pg".to_owned(), None)];
        assert_eq!(versions, expected);
    });
}

#[test]
fn empty_tag_of_a_values_file_hides_the_default() {
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", FLOATING),
        ("c/values-prod.yaml", "image:\n  tag: \"\"\n"),
    ];
    let found = unused(&files);
    assert_eq!(found[1], "chart c with values-prod.yaml: ghcr.io/acme/api: appVersion 1.0 > c/values.yaml:3");
}

#[test]
fn name_and_tag_can_come_from_different_files() {
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", "image:\n  repository: acme/other\n  tag: v1\n"),
        ("c/values-prod.yaml", "image:\n  repository: acme/api\n"),
    ];
    let found = unused(&files);
    assert_eq!(
        found,
        [
            "chart c: acme/other:v1 c/values.yaml:3",
            "chart c with values-prod.yaml: acme/api:v1 c/values.yaml:3"
        ]
    );
}

#[test]
fn parent_sets_its_sub_chart_under_the_alias_else_the_name() {
    let parent =
        "name: all\ndependencies:\n- name: api\n- name: web\n  alias: front\n- name: web\n  alias: back\n";
    let values =
        "api:\n  image:\n    tag: v2\nfront:\n  image:\n    tag: v3\nweb:\n  image:\n    tag: unused\n";
    let files = [
        ("p/Chart.yaml", parent),
        ("p/charts/api/Chart.yaml", CHART),
        ("p/charts/api/values.yaml", FLOATING),
        ("p/charts/any/Chart.yaml", "name: web\n"),
        ("p/charts/any/values.yaml", "image:\n  repository: acme/web\n  tag: v1\n"),
        ("p/values.yaml", values),
    ];
    assert_eq!(
        unused(&files),
        [
            "chart p: acme/web:v1 p/charts/any/values.yaml:3",
            "chart p: acme/web:v3 p/values.yaml:6 > p/charts/any/values.yaml:3",
            "chart p: ghcr.io/acme/api:v2 p/values.yaml:3 > p/charts/api/values.yaml:3",
        ]
    );
}

#[test]
fn dependency_from_a_folder_belongs_to_the_parent() {
    let parent = "name: all\ndependencies:\n- name: api\n  repository: file://../api\n";
    let files = [
        ("all/Chart.yaml", parent),
        ("all/values.yaml", "api:\n  image:\n    tag: v2\n"),
        ("api/Chart.yaml", CHART),
        ("api/values.yaml", FLOATING),
    ];
    assert_eq!(unused(&files), ["chart all: ghcr.io/acme/api:v2 all/values.yaml:3 > api/values.yaml:3",]);
}

#[test]
fn sub_chart_gets_the_globals_of_its_parent() {
    let sub = "image:\n  registry: docker.io\n  repository: acme/api\n  tag: v1\n";
    let files = [
        ("p/Chart.yaml", "name: all\n"),
        ("p/charts/api/Chart.yaml", CHART),
        ("p/charts/api/values.yaml", sub),
        ("p/values.yaml", "global:\n  imageRegistry: ghcr.io\n"),
    ];
    assert_eq!(unused(&files), ["chart p: ghcr.io/acme/api:v1 p/charts/api/values.yaml:4"]);
}

#[test]
fn null_deletes_what_the_sub_chart_sets() {
    let files = [
        ("p/Chart.yaml", "name: all\n"),
        ("p/charts/api/Chart.yaml", CHART),
        ("p/charts/api/values.yaml", FLOATING),
        ("p/values-a.yaml", "api:\n  image:\n    tag: null\n"),
        ("p/values.yaml", "api:\n  image:\n    tag: v2\n"),
    ];
    let found = unused(&files);
    let line = found.iter().find(|line| line.starts_with("chart p with values-a.yaml")).unwrap();
    assert_eq!(
        line,
        "chart p with values-a.yaml: ghcr.io/acme/api: appVersion 1.0 > p/values.yaml:3 > p/charts/api/values.yaml:3"
    );
}

#[test]
fn null_in_place_of_a_tag_is_known_as_what_empties_it() {
    for null in ["null", "~", "", "\"\""] {
        let prod = format!("image:\n  tag: {null}\n");
        let values = FLOATING.replace("latest", "v1");
        let files = [("c/Chart.yaml", CHART), ("c/values-prod.yaml", &prod), ("c/values.yaml", &values)];
        with_files(&files, |files| {
            let roots = chart_roots(files, &["c".to_owned()], &UsedCharts::default());
            let image = &roots.iter().find(|root| root.name.ends_with("prod.yaml")).unwrap().images[0];
            let empty = image.app_version.as_ref().and_then(|version| version.empty_tag());
            assert_eq!(location(files, empty.unwrap()), "c/values-prod.yaml:2", "{null}");
        });
    }
}

#[test]
fn parent_imports_values_of_its_sub_chart() {
    let parent = "name: all\ndependencies:\n- name: api\n  import-values:\n  - defaults\n  - child: image\n    parent: main\n";
    let sub = "exports:\n  defaults:\n    web:\n      repository: acme/web\n      tag: v1\nimage:\n  repository: acme/api\n  tag: v2\n";
    let files = [
        ("p/Chart.yaml", parent),
        ("p/charts/api/Chart.yaml", CHART),
        ("p/charts/api/values.yaml", sub),
        ("p/values.yaml", "web:\n  tag: v3\n"),
    ];
    let found = unused(&files);
    assert!(
        found.contains(&"chart p: acme/web:v3 p/values.yaml:2 > p/charts/api/values.yaml:5".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"chart p: acme/api:v2 p/charts/api/values.yaml:8".to_owned()), "{found:?}");
}

#[test]
fn dependency_elsewhere_is_unknown() {
    let parent = "name: all\ndependencies:\n- name: redis\n  repository: https://charts.example.com\n";
    let files = [
        ("p/Chart.yaml", parent),
        ("p/values.yaml", "redis:\n  image:\n    repository: acme/redis\n    tag: v1\n"),
    ];
    assert_eq!(unused(&files), ["chart p: acme/redis:v1 p/values.yaml:4"]);
    with_files(&files, |files| {
        let roots = chart_roots(files, &["p".to_owned()], &UsedCharts::default());
        let unknown = doubts(files, &roots[0].unknown);
        assert_eq!(unknown, ["p/Chart.yaml:3 depends on a chart that is not in this repository"]);
    });
}

#[test]
fn charts_that_contain_each_other_end() {
    let meta = |name: &str, other: &str| {
        let dependency = format!("- name: {other}\n  repository: file://../{other}\n");
        format!("name: {name}\ndependencies:\n{}", dependency.repeat(50))
    };
    let (a, b) = (meta("a", "b"), meta("b", "a"));
    let files = [("a/Chart.yaml", a.as_str()), ("b/Chart.yaml", b.as_str()), ("a/values.yaml", FLOATING)];
    with_files(&files, |files| {
        let roots = chart_roots(files, &["a".to_owned()], &UsedCharts::default());
        assert!(roots.iter().any(|root| !root.uncertain.is_empty()));
    });
}

/// Each of them gets a copy, so a few kilobytes could become gigabytes.
#[test]
fn globals_cost_as_much_as_there_are_contained_charts() {
    let aliases: String = (0..300).map(|n| format!("- {{name: api, alias: a{n}}}\n")).collect();
    let globals: String = (0..2000).map(|n| format!("  k{n}: v\n")).collect();
    let meta = format!("name: all\ndependencies:\n{aliases}");
    let values = format!("global:\n{globals}");
    let files = [
        ("p/Chart.yaml", meta.as_str()),
        ("p/charts/api/Chart.yaml", CHART),
        ("p/values.yaml", values.as_str()),
    ];
    with_files(&files, |files| {
        let chart = Chart::load(files, "p", &mut Trail::default()).unwrap();
        assert!(chart.cost(&Value::default()) > 300 * 2000, "{}", chart.cost(&Value::default()));
    });
}
