//! Tags that templates take from elsewhere than beside the name.

use super::super::super::testing::{shown, with_files};
use super::super::chart::Chart;
use super::super::trail::Trail;

const CHART: &str = "name: api\nappVersion: \"1.0\"\n";
const VALUES: &str =
    "global: {tag: v1}\nimage: {repository: acme/api, tag: v0}\nextra: {tag: ''}\nprefix: r\n";

/// The images of a chart whose containers have these images, with a named template.
fn images(lines: &[&str], values: &str, named: &str) -> Vec<String> {
    let containers: String = lines.iter().map(|line| format!("      - image: {line}\n")).collect();
    let template = format!(
        "kind: Deployment\nspec:\n  {{{{- with .Values.x }}}}\n  a: b\n  {{{{- end }}}}\n{containers}"
    );
    let files = [
        ("c/Chart.yaml", CHART),
        ("c/values.yaml", values),
        ("c/templates/a.yaml", template.as_str()),
        ("c/templates/_helpers.tpl", named),
    ];
    with_files(&files, |files| {
        let chart = Chart::load(files, "c", &mut Trail::default()).unwrap();
        let images = chart.images(files, crate::effective::value::Value::default());
        shown(files, &images)
    })
}

fn image(line: &str) -> Vec<String> {
    images(&[line], VALUES, "")
}

const GLOBAL: &str = "acme/api:v1 c/values.yaml:1 > c/values.yaml:2";
const OWN: &str = "acme/api:v0 c/values.yaml:2";

#[test]
fn template_takes_another_tag_first() {
    for tag in [
        ".Values.global.tag | default .Values.image.tag",
        "default .Values.image.tag .Values.global.tag",
        "coalesce .Values.extra.tag .Values.global.tag .Values.image.tag",
        "(.Values.global).tag | default .Values.image.tag | quote",
        "index .Values \"global\" \"tag\" | toString",
        "index .Values.global \"tag\"",
        "required \"a tag\" $.Values.global.tag",
        "- .Values.none.tag | default .Values.global.tag -",
    ] {
        assert_eq!(
            image(&format!("\"{{{{ .Values.image.repository }}}}:{{{{{tag}}}}}\"")),
            [GLOBAL],
            "{tag}"
        );
    }
    let whole = "{{ printf \"%s:%s\" .Values.image.repository .Values.global.tag | quote }} # it";
    assert_eq!(image(whole), [GLOBAL]);
    let with_text = image("'{{ .Values.image.repository }}:{{ .Values.prefix }}-{{ .Values.global.tag }}'");
    assert_eq!(with_text, [OWN], "two values");
    let with_text = image("'{{ .Values.image.repository }}:r{{ .Values.global.tag }}-slim'");
    assert_eq!(with_text, [GLOBAL.replace("v1", "rv1-slim")]);
}

/// What comes first is empty, or the other tag is only what is left without a tag.
#[test]
fn template_takes_the_tag_beside_the_name_first() {
    for tag in [
        ".Values.image.tag | default .Values.global.tag",
        ".Values.extra.tag | default .Values.image.tag",
        "default .Values.global.tag .Values.image.tag",
        ".Values.image.tag",
    ] {
        assert_eq!(image(&format!("\"{{{{ .Values.image.repository }}}}:{{{{ {tag} }}}}\"")), [OWN], "{tag}");
    }
}

#[test]
fn line_that_cannot_be_evaluated_says_nothing() {
    for line in [
        "{{ include \"other\" . }}",
        "{{ include \"shop.image\" (dict \"tag\" .Values.global.tag) }}",
        "\"{{ .Values.image.repository }}:{{ .Values.global.tag | trunc 7 }}\"",
        "\"{{ .Values.image.repository }}:{{ $tag }}\"",
        "\"{{ .Values.image.repository }}{{ if .Values.global.tag }}:{{ .Values.global.tag }}{{ end }}\"",
        "\"{{ .Values.image.repository }}:{{ .Values.global.tag }}@{{ .Values.digest }}\"",
        "\"{{ .Values.image }}:{{ .Values.global.tag }}\"",
        "{{ printf \"%d:%s\" .Values.image.repository .Values.global.tag }}",
        "\"",
    ] {
        assert_eq!(image(line), [OWN], "{line}");
    }
}

/// If one container has the tag beside the name, and another one has the other tag, both run.
#[test]
fn each_tag_that_templates_use_counts() {
    let own = "\"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"";
    let global = "\"{{ .Values.image.repository }}:{{ .Values.global.tag }}\"";
    assert_eq!(images(&[own, global, global], VALUES, ""), [OWN, GLOBAL]);
    for other in ["{{ include \"other\" . }}", "{{ include \"other\" (dict \"image\" .Values.image) }}"] {
        assert_eq!(images(&[global, other], VALUES, ""), [OWN, GLOBAL], "{other}");
    }
    for other in ["{{ include \"other\" (dict \"image\" .Values.extra) }}", "{{ .Values.prefix | upper }}"] {
        assert_eq!(images(&[global, other], VALUES, ""), [GLOBAL], "{other}");
    }
}

#[test]
fn named_template_gives_the_image() {
    let named = "{{/* x */}}\n{{- define \"shop.tag\" -}}{{ .Values.global.tag }}{{- end }}\n\
                 {{- define \"shop.image\" -}}\n{{/* y */}}\n{{- .Values.image.repository }}:{{ include \"shop.tag\" $ -}}\n{{- end -}}\n\
                 {{ define \"loop\" }}{{ include \"loop\" . }}{{ end }}{{ define \"if\" }}{{ if .a }}{{ end }}{{ end }}";
    assert_eq!(images(&["{{ include \"shop.image\" . }}"], VALUES, named), [GLOBAL]);
    assert_eq!(images(&["{{ template \"shop.image\" $ }}"], VALUES, named), [GLOBAL]);
    assert_eq!(images(&["{{ include \"loop\" . }}", "{{ include \"if\" . }}"], VALUES, named), [OWN]);
}

/// A block without a tag would run the chart's `appVersion`.
#[test]
fn tag_of_all_images_is_that_of_a_block_without_one() {
    let values = "tag: v1\na: {image: {repository: acme/a}}\nb: {image: {repository: acme/b, tag: ''}}\n";
    let line = |key: &str| format!("\"{{{{ .Values.{key}.image.repository }}}}:{{{{ .Values.tag }}}}\"");
    let found = images(&[&line("a"), &line("b")], values, "");
    assert_eq!(found, ["acme/a:v1 c/values.yaml:1", "acme/b:v1 c/values.yaml:1 > c/values.yaml:3"]);
    let of_version = "\"{{ .Values.a.image.repository }}:{{ .Values.none | default .Chart.AppVersion }}\"";
    assert_eq!(images(&[of_version, &line("b")], values, "")[0], "acme/a: appVersion 1.0");
}

/// They include each other in billions of ways.
#[test]
fn templates_that_include_each_other_often_are_left_out() {
    let level = |n: u32| {
        let inner = format!("{{{{ include \"t{}\" . }}}}", n + 1).repeat(20);
        format!("{{{{ define \"t{n}\" }}}}{inner}{{{{ end }}}}\n")
    };
    let named: String = (0..15).map(level).chain(["{{ define \"t15\" }}{{ end }}".to_owned()]).collect();
    assert_eq!(images(&["{{ include \"t0\" . }}"; 100], VALUES, &named), [OWN]);
}
