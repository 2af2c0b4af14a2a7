//! Tags that templates take from elsewhere than beside the name.

use super::super::super::testing::{doubts, shown, with_files};
use super::super::super::value::Value;
use super::super::chart::Chart;
use super::super::trail::Trail;

pub(super) const CHART: &str = "name: api\nappVersion: \"1.0\"\n";
pub(super) const VALUES: &str =
    "global: {tag: v1}\nimage: {repository: acme/api, tag: v0}\nextra: {tag: ''}\nprefix: r\n";

/// The images of a chart whose containers have these images, with a named template.
pub(super) fn images(lines: &[&str], values: &str, named: &str) -> Vec<String> {
    let containers: String = lines.iter().map(|line| format!("      - image: {line}\n")).collect();
    of_template(&format!("kind: Deployment\nspec:\n{containers}"), values, named)
}

/// The images of a chart with this template, and the doubts about them.
pub(super) fn of_template(template: &str, values: &str, named: &str) -> Vec<String> {
    of_files(&[
        ("c/values.yaml", values),
        ("c/templates/a.yaml", template),
        ("c/templates/_helpers.tpl", named),
    ])
}

pub(super) fn of_files(files: &[(&str, &str)]) -> Vec<String> {
    let all: Vec<_> = files.iter().chain(&[("c/Chart.yaml", CHART)]).copied().collect();
    with_files(&all, |files| {
        let chart = Chart::load(files, "c", &mut Trail::default()).unwrap();
        let mut found = Vec::new();
        let images = chart.images(Value::default(), &mut found);
        // most of these tests are about other doubts
        found.retain(|doubt| !doubt.is_of_nameless_image());
        let mut lines = shown(files, &images);
        lines.extend(doubts(files, &found));
        lines
    })
}

pub(super) fn image(line: &str) -> Vec<String> {
    images(&[line], VALUES, "")
}

pub(super) const GLOBAL: &str = "acme/api:v1 c/values.yaml:1 > c/values.yaml:2";
pub(super) const OWN: &str = "acme/api:v0 c/values.yaml:2";
pub(super) const UNUSED: &str = "c/values.yaml:2 sets .Values.image, which no template of the chart names";

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
        "tpl .Values.global.tag . | replace \"+\" \"_\"",
        "ternary .Values.image.tag .Values.global.tag (empty .Values.global.tag)",
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
    assert_eq!(with_text, [GLOBAL.replace("v1", "r-v1")], "the other value isn't a tag");
    let of_two = image("'{{ .Values.image.repository }}:{{ .Values.image.tag }}-{{ .Values.global.tag }}'");
    assert_eq!(of_two, ["acme/api:v0-v1 nowhere > c/values.yaml:2"]);
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

/// `{{- if … }}{{- $tag = … }}{{- end }}`
#[test]
fn variable_that_a_condition_changes_is_followed() {
    let image = "image: \"{{ .Values.image.repository }}:{{ $tag }}\"\n";
    for (blocks, expected) in [
        ("{{ if .Values.global.tag }}{{ $tag = .Values.global.tag }}{{ end }}", GLOBAL),
        ("{{ if .Values.other }}{{ $tag = .Values.global.tag }}{{ end }}", OWN),
        ("{{ if .Values.other }}{{ else }}{{ $tag = .Values.global.tag }}{{ end }}", GLOBAL),
        (
            "{{ if .Values.other }}{{ $tag = \"x\" }}{{ else if .Values.global }}{{ $tag = .Values.global.tag }}{{ end }}",
            GLOBAL,
        ),
        ("{{ with .Values.global }}{{ if eq .tag \"v2\" }}{{ $tag = .tag }}{{ end }}{{ end }}", OWN),
        ("{{ with .Values.global }}{{ if ne .tag \"v2\" }}{{ $tag = .tag }}{{ end }}{{ end }}", GLOBAL),
        ("{{ if hasKey .Values.global \"tag\" }}{{ $tag = .Values.global.tag }}{{ end }}", GLOBAL),
        ("{{ if hasKey $.Values \"tag\" }}{{ $tag = .Values.global.tag }}{{ end }}", OWN),
        ("{{ $tag = ternary .Values.global.tag $tag (hasKey .Values \"global\") }}", GLOBAL),
    ] {
        let template = format!("{{{{ $tag := .Values.image.tag }}}}\n{blocks}\n{image}");
        assert_eq!(of_template(&template, VALUES, ""), [expected], "{blocks}");
    }
    let suffix = "{{ $tag := .Values.image.tag }}{{ if ne .Values.type \"debian\" }}{{ $tag = printf \"%s-alpine\" $tag }}{{ end }}\n";
    assert_eq!(of_template(&format!("{suffix}{image}"), VALUES, ""), [OWN.replace("v0", "v0-alpine")]);
}

#[test]
fn line_that_cannot_be_evaluated_says_nothing() {
    for line in [
        "{{ include \"other\" . }}",
        "{{ include \"shop.image\" (dict \"tag\" .Values.global.tag) }}",
        "\"{{ .Values.image.repository }}:{{ .Values.global.tag | title }}\"",
        "\"{{ .Values.image.repository }}:{{ $tag }}\"",
        "\"{{ .Values.image.repository }}{{ range .Values.global.tag }}:{{ . }}{{ end }}\"",
        "\"{{ .Values.image.repository }}:{{ .Values.global.tag }}@{{ .Values.digest }}\"",
        "\"{{ .Values.image }}:{{ .Values.global.tag }}\"",
        "{{ printf \"%d:%s\" .Values.image.repository .Values.global.tag }}",
        "\"",
    ] {
        assert_eq!(image(line)[0], OWN, "{line}");
    }
}

/// Where such a line uses the image and another tag, that may be the one that runs.
#[test]
fn line_with_another_tag_that_cannot_be_evaluated_is_a_doubt() {
    let doubt = "c/values.yaml:2 the image may get the tag .Values.global.tag in c/templates/a.yaml:3";
    let line = "\"{{ .Values.image.repository }}:{{ .Values.global.tag | title }}\"";
    assert_eq!(image(line), [OWN, doubt]);
    let template = "{{- $tag := .Values.image.tag }}{{ if foo }}{{ $tag = .Values.global.tag }}{{ end }}\n\n- image: \"{{ .Values.image.repository }}:{{ $tag }}\"\n";
    assert_eq!(of_template(template, VALUES, ""), [OWN, doubt]);
    let named = "{{ define \"image\" }}\n{{ if foo }}a:{{ .Values.global.tag }}{{ else }}{{ .Values.image.repository }}{{ end }}\n{{ end }}";
    let found = images(&["{{ include \"image\" . }}"], VALUES, named);
    assert_eq!(found, [OWN, &doubt.replace("a.yaml:3", "_helpers.tpl:2")]);
    // the name comes from elsewhere
    let relative = "{{ range .Values.image }}\nimage: \"{{ .repository }}:{{ $.Values.global.tag | default .tag }}\"\n{{ end }}\n";
    assert_eq!(of_template(relative, VALUES, ""), [OWN, &doubt.replace("a.yaml:3", "a.yaml:2")]);
    let named = "{{ define \"image\" }}\n{{ .image.repository }}:{{ .root.Values.global.tag | default .image.tag | title }}\n{{ end }}";
    let found = images(&["{{ include \"image\" (dict \"image\" .Values.image \"root\" .) }}"], VALUES, named);
    assert_eq!(found, [OWN, &doubt.replace("a.yaml:3", "_helpers.tpl:2")]);
    // another image, whose name the template has
    for other in
        ["{{ printf \"acme/web:v%s\" .Values.global.tag | foo }}", "web:{{ .Values.global.tag | foo }}"]
    {
        let used = format!("image: {{{{ foo .Values.image }}}}\nimage: {other}\n");
        assert_eq!(of_template(&used, VALUES, "")[0], OWN, "{other}");
    }
    // not in a label, nor in a condition
    let other = "{{ if .Values.global.tag }}\nversion: {{ .Values.global.tag }}\n{{ end }}\nimage: {{ foo .Values.image }}\n";
    assert_eq!(of_template(other, VALUES, ""), [OWN]);
}

/// Variables, and what `.` is in a block of `with`.
#[test]
fn variables_and_with_are_followed() {
    for template in [
        "{{- $tag := .Values.global.tag | default .Values.image.tag -}}\nimage: \"{{ .Values.image.repository }}:{{ $tag }}\"",
        "{{- $i := .Values.image }}{{ $g := $.Values.global }}\nimage: \"{{ $i.repository }}:{{ default $i.tag $g.tag }}\"",
        "{{- with .Values.image }}\nimage: {{ .repository }}:{{ $.Values.global.tag | default .tag }}\n{{- end }}",
        "{{- $root := . }}{{- with $i := .Values.image }}\nimage: {{ $i.repository }}:{{ $root.Values.global.tag }}\n{{- end }}",
        "{{- with .Values.none }}\n{{ else with .Values.image }}\nimage: {{ .repository }}:{{ $.Values.global.tag }}\n{{- end }}",
        "image: {{ template \"image\" . }}",
        "image: {{ .Values.image.repository }}{{ if .Values.global.tag }}:{{ .Values.global.tag }}{{ else }}:{{ foo }}{{ end }}",
        "image: {{ .Values.image.repository }}:{{ if not .Values.prefix }}{{ foo }}{{ else if .Values.global }}{{ .Values.global.tag }}{{ else }}{{ foo }}{{ end }}",
        "image: {{ include \"branches\" . }}",
        "image: {{ with .Values.none }}{{ . }}/{{ end }}{{ with .Values.image -}} {{ .repository }}:{{ with $g := $.Values.global }}{{ $g.tag }}{{ end }}{{ end }}",
        "image: {{ with .Values.none }}{{ foo }}{{ else with .Values.image }}{{ .repository }}{{ end }}:{{ .Values.global.tag }}",
        "image:\n  \"{{ .Values.image.repository }}:{{ .Values.global.tag }}\"",
        "image: >-\n  {{ .Values.image.repository }}:{{ .Values.global.tag }}",
    ] {
        let named = "{{ define \"image\" }}{{ $v := .Values }}\n{{- $v.image.repository }}:{{ $v.global.tag }}\n{{- end }}\n{{ define \"branches\" }}\n{{- if .Values.global.tag }}\n{{- .Values.image.repository }}:{{ .Values.global.tag }}\n{{- else }}\n{{ if foo }}{{ end }}\n{{- end }}\n{{ end }}";
        assert_eq!(of_template(&format!("{template}\n"), VALUES, named), [GLOBAL], "{template}");
    }
    let own = "{{ with .Values.image }}\nimage: {{ .repository }}:{{ .tag }}\n{{ end }}\n";
    assert_eq!(of_template(own, VALUES, ""), [OWN]);
    // not what it is outside of the block
    let other = "{{ with .Values.global }}{{ include \"image\" . }}\nimage: {{ .repository }}:{{ .tag }}\n{{ end }}\n";
    let named = "{{ define \"image\" }}{{ .Values.image.repository }}:{{ .Values.global.tag }}{{ end }}";
    assert_eq!(of_template(other, VALUES, named)[0], OWN);
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
    for other in ["{{ include \"other\" (dict \"image\" .Values.extra) }}", "{{ .Values.prefix | title }}"] {
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
    assert_eq!(images(&["{{ include \"t0\" . }}"; 100], VALUES, &named), [OWN, UNUSED]);
}

const LINE: &str = "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"";
const MIGRATION: &str = "image: \"{{ .Values.image.repository }}:{{ .Values.global.tag }}\"";

/// The only line that can be evaluated may be one that isn't rendered.
#[test]
fn image_that_other_text_uses_stays_as_it_is() {
    for (template, named) in [
        ("- {name: api, image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"}", ""),
        ("image: >-\n  {{ .Values.image.repository }}:{{ .Values.image.tag }}", ""),
        ("{{- with .Values.image }}\nimage: \"{{ .repository }}:{{ .tag }}\"\n{{- end }}", ""),
        ("{{- $i := .Values.image }}\nimage: \"{{ $i.repository }}:{{ $i.tag }}\"", ""),
        (
            "{{- include \"pod\" . | nindent 8 }}",
            "{{ define \"pod\" }}{{ if foo }}{{ .Values.image.tag }}{{ end }}{{ end }}",
        ),
        ("{{- include \"elsewhere\" . | nindent 8 }}", ""),
        ("{{- range .Values.image }}{{ end }}", ""),
        ("{{- toYaml .Values }}", ""),
    ] {
        let found = of_template(&format!("{MIGRATION}\n{template}\n"), VALUES, named);
        assert_eq!(found[..2], [OWN, GLOBAL], "{template}");
    }
}

#[test]
fn line_that_is_not_rendered_says_nothing() {
    let values = format!("{VALUES}migrate: {{enabled: false}}\nitems: []\n");
    for (before, after) in [
        ("{{- if .Values.migrate.enabled }}", "{{- end }}"),
        ("{{ if and .Values.prefix (not (eq .Values.prefix \"r\")) }}", "{{ end }}"),
        ("{{ if or .Values.none .Values.items }}", "{{ end }}"),
        ("{{ if .Values.prefix }}\n{{ else }}", "{{ end }}"),
        ("{{ if .Values.none }}\n{{ else if ne .Values.prefix \"r\" }}", "{{ end }}"),
        ("{{ range $key, $value := .Values.items }}\n{{ with .x }}", "{{ end }}{{ end }}"),
        ("{{- /* a comment", "*/ -}}"),
        ("{{ define \"unused\" }}", "{{ end }}"),
    ] {
        let template = format!("{LINE}\n{before}\n{MIGRATION}\n{after}\n");
        assert_eq!(of_template(&template, &values, ""), [OWN], "{before}");
    }
    let either =
        format!("{{{{ if .Values.capability }}}}\n{MIGRATION}\n{{{{ else }}}}\n{LINE}\n{{{{ end }}}}\n");
    assert_eq!(of_template(&either, VALUES, ""), [OWN]);
    let unknown = either.replace(".Values.capability", ".Capabilities.x");
    assert_eq!(of_template(&unknown, VALUES, ""), [OWN, GLOBAL]);
}

/// Helm takes the template of the outermost chart.
#[test]
fn named_template_of_the_parent_counts() {
    let found = of_files(&[
        ("c/values.yaml", VALUES),
        ("c/templates/a.yaml", "image: \"{{ .Values.image.repository }}:{{ include \"tag\" . }}\"\n"),
        ("c/templates/_helpers.tpl", "{{ define \"tag\" }}{{ .Values.image.tag }}{{ end }}"),
        ("c/charts/sub/Chart.yaml", "name: sub\n"),
        ("c/charts/sub/templates/_helpers.tpl", "{{ define \"tag\" }}{{ .Values.global.tag }}{{ end }}"),
    ]);
    assert_eq!(found, [OWN]);
}

#[test]
fn other_images_with_the_same_tag_are_found() {
    let web = "\"acme/web:{{ .Values.global.tag }}\"";
    let own = "\"{{ .Values.image.repository }}:{{ .Values.global.tag }}\"";
    assert_eq!(images(&[own, web], VALUES, ""), [GLOBAL, "acme/web:v1 c/values.yaml:1"]);
    assert_eq!(images(&[web], VALUES, ""), [OWN, "acme/web:v1 c/values.yaml:1", UNUSED]);
    let unread = "\"acme/web:{{ .Values.global.tag | title }}\"";
    let doubt = "c/values.yaml:1 the tag is also used in c/templates/a.yaml:4";
    assert_eq!(images(&[own, unread], VALUES, ""), [GLOBAL, "acme/web: nowhere", doubt]);
}

#[test]
fn text_around_the_tag_is_in_the_template() {
    let line = "\"{{ .Values.image.repository }}:v{{ .Values.image.tag }}\"";
    let values = "image: {repository: acme/api, tag: '1'}\n";
    assert_eq!(images(&[line], values, ""), ["acme/api:v1 c/values.yaml:1"]);
    let without = line.replace(":v", ":");
    let both = images(&[line, &without], values, "");
    assert_eq!(both, ["acme/api:1 c/values.yaml:1", "acme/api:v1 c/values.yaml:1"]);
}

#[test]
fn digest_that_the_template_leaves_out_does_not_run() {
    let values = "image: {repository: acme/api, tag: v1, digest: 'sha256:0'}\n";
    let digest = |line: &str| {
        let template = format!("{line}\n");
        let files = [("c/Chart.yaml", CHART), ("c/values.yaml", values), ("c/templates/a.yaml", &template)];
        with_files(&files, |files| {
            let chart = Chart::load(files, "c", &mut Trail::default()).unwrap();
            chart.images(Value::default(), &mut Vec::new()).remove(0).digest
        })
    };
    assert_eq!(digest(LINE), None);
    let with = LINE.replace(".tag }}", ".tag }}@{{ .Values.image.digest }}");
    assert_eq!(digest(&with).as_deref(), Some("sha256:0"));
    assert_eq!(digest(&format!("{LINE}\n{with}")).as_deref(), Some("sha256:0"));
}

#[test]
fn tag_in_the_template_is_set_by_no_value() {
    for tag in ["v9", "{{ .Chart.AppVersion }}", "{{ .Values.none | default \"v9\" }}"] {
        let found = image(&format!("\"{{{{ .Values.image.repository }}}}:{tag}\""));
        assert!(!found.contains(&OWN.to_owned()) && found.len() == 1, "{tag}: {found:?}");
    }
}

#[test]
fn zero_and_false_are_no_tags() {
    for zero in ["0", "0.0", "00", "-0", "0x0", "false", "False", "no", "off"] {
        let values = format!("global: {{tag: {zero}}}\nimage: {{repository: acme/api, tag: v0}}\n");
        let line = "\"{{ .Values.image.repository }}:{{ .Values.global.tag | default .Values.image.tag }}\"";
        assert_eq!(images(&[line], &values, ""), [OWN], "{zero}");
    }
}

/// A chart that it contains has the same globals.
#[test]
fn tag_is_looked_for_in_all_charts() {
    let own = "image: \"{{ .Values.image.repository }}:{{ .Values.global.tag }}\"\n";
    let files = |sub: &'static str| {
        of_files(&[
            ("c/values.yaml", VALUES),
            ("c/templates/a.yaml", own),
            ("c/charts/sub/Chart.yaml", "name: sub\n"),
            ("c/charts/sub/templates/a.yaml", sub),
        ])
    };
    let web = "acme/web:v1 c/values.yaml:1".to_owned();
    assert_eq!(files("image: acme/web:{{ .Values.global.tag }}\n"), [GLOBAL, &web]);
    let doubt = "c/values.yaml:1 the tag is also used in c/charts/sub/templates/a.yaml:1";
    let unread = files("image: acme/web:{{ .Values.global.tag | title }}\n");
    assert_eq!(unread, [GLOBAL, "acme/web: nowhere", doubt]);
}

/// A bump without a digest empties it, and then this tag counts.
#[test]
fn tag_that_counts_only_without_a_digest_is_found() {
    let values = VALUES.replace("tag: v0", "tag: v0, digest: 'sha256:0'");
    let tag = "{{ .Values.image.repository }}:{{ .Values.global.tag }}";
    let digest = "{{ .Values.image.repository }}@{{ .Values.image.digest }}";
    let condition = "{{ if .Values.image.digest }}";
    let inline = format!("image: \"{condition}{digest}{{{{ else }}}}{tag}{{{{ end }}}}\"\n");
    let lines = format!("{condition}\nimage: {digest}\n{{{{ else }}}}\nimage: {tag}\n{{{{ end }}}}\n");
    for template in [inline, lines] {
        let found = of_template(&template, &values, "");
        assert!(found.iter().any(|image| image.starts_with("acme/api:v1 c/values.yaml:1")), "{found:?}");
    }
}

#[test]
fn tag_that_a_function_makes_a_text_of_counts_if_it_is_zero() {
    let values = VALUES.replace("v1", "0");
    let global = GLOBAL.replace("v1", "0");
    for (function, found) in [("toString |", global.as_str()), ("", OWN)] {
        let tag = format!(".Values.global.tag | {function} default .Values.image.tag");
        let line = format!("\"{{{{ .Values.image.repository }}}}:{{{{ {tag} }}}}\"");
        assert_eq!(images(&[&line], &values, ""), [found]);
    }
}

#[test]
fn empty_tag_beside_a_digest_that_the_template_leaves_out_can_be_set() {
    let values = "image: {repository: acme/api, tag: '', digest: 'sha256:0'}\n";
    let line = "\"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"";
    assert_eq!(images(&[line], values, ""), ["acme/api: c/values.yaml:1"]);
}

#[test]
fn name_without_its_tag_is_a_doubt() {
    let template = |tag: &str| {
        format!("{{{{ $tag := {tag} }}}}\nimage: \"{{{{ .Values.image.repository }}}}:{{{{ $tag }}}}\"\n")
    };
    let values = "image: {repository: acme/api, tag: v0}\n";
    let own = "acme/api:v0 c/values.yaml:1";
    let doubt = "c/values.yaml:1 c/templates/a.yaml:2 uses the image, but no template uses its tag";
    assert_eq!(of_template(&template("title .Chart.AppVersion"), values, ""), [own, doubt]);
    for used in [".Values.image.tag | default .Chart.AppVersion", "foo .Values.image", "foo .Values"] {
        assert_eq!(of_template(&template(used), values, ""), [own], "{used}");
    }
}

/// A named template with a container can be included in many ways.
#[test]
fn line_of_a_named_template_counts_where_that_is_included() {
    let named = |values: &str| {
        format!("{{{{- define \"pod\" -}}}}\n{}\n{{{{- end }}}}\n", LINE.replace("{{ .", values))
    };
    for (include, values) in [
        ("template: {{- include \"pod\" . | nindent 4 }}", "{{ ."),
        ("{{ include \"pod\" (dict \"root\" $) }}", "{{ .root."),
        ("{{ include \"pod\" (list $ 1) }}", "{{ $root."),
        ("{{ include (printf \"%s\" \"pod\") . }}", "{{ ."),
        ("{{ if .a }}{{ include \"outer\" . }}{{ end }}", "{{ ."),
    ] {
        let named =
            named(values) + "{{ define \"outer\" }}{{ if .a }}{{ include \"pod\" . }}{{ end }}{{ end }}";
        let found = of_template(&format!("{MIGRATION}\n{include}\n"), VALUES, &named);
        assert_eq!(found[..2], [OWN, GLOBAL], "{include}");
    }
    // a library's template gets the values of the chart that includes it
    let found = of_files(&[
        ("c/values.yaml", "image: {repository: acme/api, tag: '1'}\n"),
        ("c/templates/a.yaml", "{{ include \"lib\" . }}\n"),
        ("c/charts/lib/Chart.yaml", "name: lib\ntype: library\n"),
        (
            "c/charts/lib/templates/_helpers.tpl",
            &named("{{ .").replace("\"pod\"", "\"lib\"").replace(":{{", ":v{{"),
        ),
    ]);
    assert_eq!(found, ["acme/api:v1 c/values.yaml:1"]);
}

#[test]
fn condition_that_cannot_be_told_leaves_both_branches() {
    let values = format!("{VALUES}off: false\non: True\n");
    for condition in
        ["eq .Values.off false", "eq .Values.on true", "foo .Values.off", "eq .Values.off .Values.on"]
    {
        let template =
            format!("{{{{ if {condition} }}}}\n{LINE}\n{{{{ else }}}}\n{MIGRATION}\n{{{{ end }}}}\n");
        assert_eq!(of_template(&template, &values, ""), [OWN, GLOBAL], "{condition}");
    }
}

#[test]
fn action_can_go_over_several_lines() {
    let template = format!(
        "{{{{- if .Values.prefix }}}}\n{{{{- if or\n  .Values.a\n  .Values.b }}}}\n{MIGRATION}\n{{{{- else }}}}\n{LINE}\n{{{{- end }}}}\n{{{{ end }}}}\n"
    );
    assert_eq!(of_template(&template, VALUES, ""), [OWN]);
    let comment =
        format!("{{{{/*\n{{{{ end }}}} }}}}\n{MIGRATION}\n*/}}}}\n{LINE}\n{{{{/* not closed\n{MIGRATION}\n");
    assert_eq!(of_template(&comment, VALUES, ""), [OWN]);
}

#[test]
fn label_with_the_tag_runs_nothing() {
    let values = "image: {repository: acme/api, tag: '1'}\n";
    let label = "app.kubernetes.io/version: {{ .Values.image.tag | quote }}";
    let line = LINE.replace(":{{", ":v{{");
    assert_eq!(of_template(&format!("{label}\n{line}\n"), values, ""), ["acme/api:v1 c/values.yaml:1"]);
    let argument =
        format!("{LINE}\n- \"--version={{{{ .Values.global.tag }}}}\"\n- {{{{ foo .Values.image }}}}\n");
    assert_eq!(of_template(&argument, VALUES, ""), [OWN]);
}

/// What a function does with the new tag isn't known.
#[test]
fn function_that_may_change_the_tag_is_not_followed() {
    for function in ["trunc 63", "lower", "replace \"-\" \"_\"", "trimPrefix \"v\""] {
        let line =
            format!("\"{{{{ .Values.image.repository }}}}:{{{{ .Values.global.tag | {function} }}}}\"");
        assert_eq!(image(&line)[0], OWN, "{function}");
    }
}
