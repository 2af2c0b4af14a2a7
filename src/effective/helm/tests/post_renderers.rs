//! Patches of post-renderers, on containers that the chart's templates show.

use super::super::super::root::NAMELESS_IMAGE;
use super::super::super::testing::{doubts, shown};
use super::releases::{from_folder, rendered};

const VALUES: &str = "\
api:
  image:
    repository: acme/api
    tag: v1
worker:
  image:
    repository: acme/api
    tag: v2
";

fn container(name: &str, values: &str) -> String {
    format!(
        "      - name: {name}\n        image: \"{{{{ {values}.repository }}}}:{{{{ {values}.tag | default .Chart.AppVersion }}}}\"\n"
    )
}

/// A template of a Deployment with these containers. What else people write there is around them.
fn deployment(name: &str, containers: &[String]) -> String {
    format!(
        "{{{{- if .Values.api }}}}\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels:\n    \
         {{{{- include \"labels\" . | nindent 4 }}}}\nspec:\n  template:\n    spec:\n      containers:\n{}\
         \n      {{{{- with .Values.nodes }}}}\n      nodeSelector:\n        {{{{- toYaml . | nindent 8 }}}}\n      {{{{- end }}}}\n{{{{- end }}}}\n",
        containers.concat()
    )
}

/// A post-renderer that patches a container of a Deployment.
fn patch(name: &str, container: usize, image: &str) -> String {
    format!(
        "  - kustomize:\n      patches:\n      - target: {{kind: Deployment, name: {name}}}\n        patch: |\n          \
         - op: replace\n            path: /spec/template/spec/containers/{container}/image\n            value: {image}\n"
    )
}

/// What a release runs of a chart with these templates. The patch's image is in line 19.
fn images(templates: &[&str], post_renderers: &str) -> Vec<String> {
    let release = from_folder(&format!("  postRenderers:\n{post_renderers}"));
    let paths: Vec<String> = (0..templates.len()).map(|at| format!("c/templates/{at}.yaml")).collect();
    let mut files = vec![
        ("c/Chart.yaml", "name: api\nversion: 0.1.0\n"),
        ("c/values.yaml", VALUES),
        ("r.yaml", &release),
    ];
    files.extend(paths.iter().map(String::as_str).zip(templates.iter().copied()));
    rendered(&files, |files, release| {
        let mut warnings = doubts(files, &release.uncertain);
        let others = ["which no template of the chart names", NAMELESS_IMAGE];
        warnings.retain(|warning| !others.iter().any(|other| warning.contains(other)));
        assert!(warnings.iter().all(|warning| warning.ends_with("patches a container of the chart")));
        assert!(!warnings.is_empty());
        shown(files, &release.images)
    })
}

#[test]
fn patch_overrides_the_values_that_its_container_uses() {
    let containers = [container("api", ".Values.api.image"), container("worker", ".Values.worker.image")];
    let name = "{{ .Release.Name }}-{{ .Chart.Name }}";
    let template = deployment(name, &containers);
    let run = |container| images(&[&template], &patch("api-api", container, "acme/api:v3"));
    assert_eq!(run(0), ["acme/api:v2 c/values.yaml:8", "acme/api:v3 r.yaml:19 > c/values.yaml:4"]);
    assert_eq!(run(1), ["acme/api:v1 c/values.yaml:4", "acme/api:v3 r.yaml:19 > c/values.yaml:8"]);
}

#[test]
fn patch_overrides_the_values_that_a_named_template_gets() {
    let line = "      - name: api\n        image: {{ include \"image\" (dict \"image\" .Values.api.image \"root\" $) | quote }}\n";
    let template = deployment("api", &[line.to_owned()]);
    assert_eq!(
        images(&[&template], &patch("api", 0, "acme/api:v3")),
        ["acme/api:v2 c/values.yaml:8", "acme/api:v3 r.yaml:19 > c/values.yaml:4"]
    );
}

#[test]
fn image_of_the_patch_may_have_another_name() {
    let template = deployment("api", &[container("api", ".Values.api.image")]);
    assert_eq!(
        images(&[&template], &patch("api", 0, "acme/fork:v3")),
        ["acme/api:v2 c/values.yaml:8", "acme/fork:v3 r.yaml:19 > c/values.yaml:4"]
    );
}

#[test]
fn values_that_another_container_uses_too_are_not_overridden() {
    let one = deployment("api", &[container("api", ".Values.api.image")]);
    let other = deployment("migration", &[container("api", ".Values.api.image")]);
    assert_eq!(
        images(&[&one, &other], &patch("api", 0, "acme/api:v3")),
        ["acme/api:v1 c/values.yaml:4", "acme/api:v2 c/values.yaml:8", "acme/api:v3 r.yaml:19"]
    );
}

#[test]
fn strategic_merge_finds_its_container_by_name() {
    let containers = [container("api", ".Values.api.image"), container("worker", ".Values.worker.image")];
    let template = deployment("{{ .Chart.Name | quote }}", &containers);
    let merge = "  - kustomize:\n      patches:\n      - patch: |\n          apiVersion: apps/v1\n          kind: Deployment\n          \
                 metadata: {name: api}\n          spec: {template: {spec: {containers: [{name: worker, image: 'acme/api:v3'}]}}}\n";
    assert_eq!(
        images(&[&template], merge),
        ["acme/api:v1 c/values.yaml:4", "acme/api:v3 r.yaml:19 > c/values.yaml:8"]
    );
}

#[test]
fn later_post_renderer_overrides_the_patch_of_an_earlier_one() {
    let template = deployment("api", &[container("api", ".Values.api.image")]);
    let both = patch("api", 0, "acme/api:v3") + &patch("api", 0, "acme/api:v4");
    assert_eq!(
        images(&[&template], &both),
        ["acme/api:v2 c/values.yaml:8", "acme/api:v4 r.yaml:26 > r.yaml:19 > c/values.yaml:4"]
    );
}

#[test]
fn of_several_images_with_the_name_none_is_overridden_if_no_template_shows_which() {
    let template = deployment("{{ include \"api.fullname\" . }}", &[container("api", ".Values.api.image")]);
    for template in [template.as_str(), "{{ broken", "kind: [", ""] {
        assert_eq!(
            images(&[template], &patch("api", 0, "acme/api:v3")),
            ["acme/api:v1 c/values.yaml:4", "acme/api:v2 c/values.yaml:8", "acme/api:v3 r.yaml:19"]
        );
    }
}

#[test]
fn patch_overrides_an_image_without_a_tag() {
    let release = from_folder(&format!("  postRenderers:\n{}", patch("api", 0, "acme/api:v3")));
    let chart = "name: api\nappVersion: v1\n";
    let values = "image:\n  repository: acme/api\n  tag: ''\n";
    let files = [("c/Chart.yaml", chart), ("c/values.yaml", values), ("r.yaml", release.as_str())];
    rendered(&files, |files, release| {
        assert_eq!(shown(files, &release.images), ["acme/api:v3 r.yaml:19 > c/values.yaml:3"]);
    });
}

/// The doubts about a release of a chart elsewhere, whose post-renderer merges a container.
fn doubts_of_merge(list: &str, image: &str) -> usize {
    let release = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: api}}\nspec:\n  chartRef: {{kind: OCIRepository, name: api}}\n  \
         values:\n    image: {{repository: acme/api, tag: v1}}\n  postRenderers:\n  - kustomize:\n      patches:\n      - patch: |\n          \
         apiVersion: apps/v1\n          kind: Deployment\n          metadata: {{name: api}}\n          \
         spec: {{template: {{spec: {{{list}: [{{name: first, image: '{image}'}}]}}}}}}\n"
    );
    rendered(&[("r.yaml", &release)], |files, release| doubts(files, &release.uncertain).len())
}

/// It runs beside the chart's main container, or in the place of another init container.
#[test]
fn init_container_with_an_image_of_its_own_replaces_none_of_the_chart() {
    assert_eq!(doubts_of_merge("initContainers", "acme/init:v1"), 0);
    for (list, image) in [
        ("initContainers", "acme/api:v1"),
        ("initContainers", "mirror.local/acme/api:v1"),
        ("containers", "acme/init:v1"),
    ] {
        assert_eq!(doubts_of_merge(list, image), 1, "{list} {image}");
    }
}
