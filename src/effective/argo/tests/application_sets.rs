//! What ApplicationSets make of their generators.

use super::super::super::images::object_images;
use super::super::super::kustomize::{Additions, build};
use super::super::super::setting::{Holds, Setting};
use super::super::super::testing::{shown, with_files};
use super::super::{Renders, application_sources};
use super::{URL, in_chart};

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

#[test]
fn placeholder_matters_only_where_it_decides_what_is_read() {
    let app = |helm: &str| set("  - clusters: {}", helm).replace("'api-{{env}}'", "api");
    let doubts =
        |helm: &str| in_chart(&app(helm), &[]).iter().filter(|line| line.starts_with("uncertain")).count();
    let aside = "          releaseName: '{{name}}'\n          namespace: '{{name}}'\n          kubeVersion: '{{name}}'\n";
    assert_eq!(doubts(aside), 0);
    for decides in [
        "          valueFiles: ['{{name}}.yaml']\n",
        "          values: '{{name}}'\n",
        "          parameters: [{name: image.tag, value: '{{name}}'}]\n",
    ] {
        assert!(doubts(&format!("{aside}{decides}")) > 0, "{decides}");
    }
}

#[test]
fn normalised_names_of_folders_are_filled_in() {
    let git = "  - git:\n      repoURL: https://github.com/acme/infra\n      files:\n      - path: envs/*/config.yaml";
    let app = set(git, "          valueFiles: ['{{path.filenameNormalized}}']\n")
        .replace("{{env}}", "{{path.basenameNormalized}}");
    let more = [("envs/My_Env/config.yaml", "a: 1\n"), ("c/config.yaml", "image:\n  tag: v1\n")];
    let expected =
        ["Application api-my-env: chart c", "ghcr.io/acme/api:v1 c/config.yaml:2 > c/values.yaml:3"];
    assert_eq!(in_chart(&app, &more), expected);
}
