//! Named templates that get something else than all values.

use super::template_images::{GLOBAL, OWN, UNUSED, VALUES, images, of_template};

#[test]
fn named_template_gets_what_it_is_included_with() {
    for (call, body) in [
        ("include \"i\" .Values.image", "{{ .repository }}:{{ .tag }}"),
        ("include \"i\" (dict \"image\" .Values.image)", "{{ .image.repository }}:{{ .image.tag }}"),
        (
            "include \"i\" (dict \"image\" .Values.image \"root\" $) | quote",
            "{{- $r := .root }}{{- $i := .image }}{{ $i.repository }}:{{ $i.tag | default $r.Values.global.tag | default $r.Chart.AppVersion }}",
        ),
        ("include \"i\" (tuple . .Values.image)", "{{ (index . 1).repository }}:{{ index . 1 \"tag\" }}"),
        (
            "include \"i\" (list .Values.image \"x\")",
            "{{ with first . }}{{ .repository }}:{{ .tag }}{{ end }}",
        ),
        (
            "tuple . \"image\" | include \"i\"",
            "{{ $k := index . 1 }}{{ with (index . 0) }}{{ (index .Values $k).repository }}:{{ (get .Values $k).tag }}{{ end }}",
        ),
        (
            "include \"i\" (set . \"key\" \"image\")",
            "{{ (index .Values .key).repository }}:{{ (index .Values .key).tag }}",
        ),
        (
            "template \"i\" (merge (dict \"Values\" .Values.image) .)",
            "{{ .Values.repository }}:{{ .Values.tag | default .Chart.AppVersion }}",
        ),
        (
            "include \"i\" (merge . (dict \"Values\" \"x\" \"key\" \"image\"))",
            "{{ (index .Values .key).repository }}:{{ .Values.image.tag }}",
        ),
        (
            "include \"i\" (mergeOverwrite (deepCopy .) (dict \"Values\" .Values.image))",
            "{{ .Values.repository }}:{{ .Values.tag }}",
        ),
        (
            "include \"i\" (dict \"Values\" .Values \"Chart\" .Chart)",
            "{{ .Values.image.repository }}:{{ .Values.extra.tag | default .Values.image.tag }}",
        ),
        ("include \"i\" (dict \"a\" (dict \"b\" .Values.image))", "{{ include \"j\" .a }}"),
        ("include \"i\" (dict \"b\" .Values.image)", "{{ include \"j\" . }}"),
        ("include \"i\" .", "{{ include \"j\" (dict \"b\" .Values.image) }}"),
    ] {
        let named = format!(
            "{{{{ define \"i\" }}}}{body}{{{{ end }}}}{{{{ define \"j\" }}}}{{{{ .b.repository }}}}:{{{{ .b.tag }}}}{{{{ end }}}}"
        );
        assert_eq!(images(&[&format!("{{{{ {call} }}}}")], VALUES, &named), [OWN], "{call} {body}");
    }
}

#[test]
fn named_template_takes_another_tag() {
    for (call, body) in [
        (
            "include \"i\" (dict \"image\" .Values.image \"global\" .Values.global)",
            "{{- $tag := .image.tag }}{{- if (.global).tag }}{{- $tag = .global.tag | toString }}{{- end }}{{- printf \"%s:%s\" .image.repository $tag }}",
        ),
        (
            "include \"i\" (dict \"base\" .Values.image \"overlay\" .Values.global)",
            "{{ .overlay.repository | default .base.repository }}:{{ coalesce .overlay.tag .base.tag }}",
        ),
        (
            "include \"i\" (dict \"key\" \"image\" \"root\" .)",
            "{{ $v := .root.Values }}{{- $i := ternary $v.image (index $v .key).image (not (empty .key)) -}}{{ join \"\" (compact (list $i.registry $i.repository \":\" $v.global.tag)) }}",
        ),
        (
            "include \"i\" (dict \"image\" .Values.image \"tag\" .Values.global.tag)",
            "{{ if kindIs \"string\" .image }}{{ .image }}{{ else if kindIs \"map\" .image }}{{ print .image.repository \":\" .tag }}{{ else }}{{ fail \"no\" }}{{ end }}",
        ),
        (
            "include \"i\" (dict \"image\" .Values.image \"tag\" .Values.global.tag)",
            "{{ if hasPrefix \"v\" .tag }}{{ .image.repository }}:{{ .tag }}{{ else }}{{ foo }}{{ end }}",
        ),
    ] {
        let named = format!("{{{{ define \"i\" }}}}{body}{{{{ end }}}}");
        assert_eq!(images(&[&format!("{{{{ {call} }}}}")], VALUES, &named), [GLOBAL], "{call} {body}");
    }
}

/// As in the chart of a well-known ingress controller: `.` is two maps that lie over each other.
#[test]
fn maps_of_the_values_lie_over_each_other() {
    let values = "global: {image: {registry: ghcr.io, tag: v1}}\nweb: {image: {registry: '', image: acme/web, tag: v2}}\nold: {image: {repository: acme/old}}\n";
    let image = |merged: &str| {
        format!(
            "{{{{- with ({merged}) }}}}\nimage: {{{{ if .repository }}}}{{{{ .repository }}}}{{{{ else }}}}{{{{ .registry }}}}/{{{{ .image }}}}{{{{ end }}}}:{{{{ .tag }}}}{{{{ if .digest }}}}@{{{{ .digest }}}}{{{{ end }}}}\n{{{{- end }}}}\n"
        )
    };
    let own = of_template(&image("merge .Values.web.image .Values.global.image"), values, "");
    assert!(own.contains(&"ghcr.io/acme/web:v2 c/values.yaml:2".to_owned()), "{own:?}");
    let global =
        of_template(&image("mergeOverwrite (deepCopy .Values.web.image) .Values.global.image"), values, "");
    assert!(
        global.contains(&"ghcr.io/acme/web:v1 c/values.yaml:1 > c/values.yaml:2".to_owned()),
        "{global:?}"
    );
    let other = of_template(&image("merge .Values.old.image .Values.global.image"), values, "");
    assert!(other.contains(&"acme/old:v1 c/values.yaml:1".to_owned()), "{other:?}");
}

/// An image that is all in the template stays as it is; only an edit of the template changes it.
#[test]
fn named_template_gives_an_image_that_no_value_has() {
    let named = "{{ define \"i\" }}{{ .repo }}{{ end }}";
    let found = images(&["{{ include \"i\" (dict \"root\" . \"repo\" \"busybox:1\") }}"], VALUES, named);
    assert_eq!(found, [OWN, "busybox:1 nowhere", UNUSED]);
}

/// Templates get nothing by other names than Helm's, unless an action sets it and doesn't remove it again.
#[test]
fn what_is_not_set_anywhere_is_empty() {
    let named = "{{ define \"i\" }}{{ if .local }}{{ .local.repository }}{{ else }}{{ .Values.image.repository }}:{{ .tag | default .Values.global.tag }}{{ end }}{{ end }}";
    let line = "image: {{ include \"i\" . }}\n";
    assert_eq!(of_template(line, VALUES, named), [GLOBAL]);
    for set in [
        "{{ $_ := set . \"tag\" \"v9\" }}",
        "{{ $root := . }}{{- $_ = set $root \"tag\" .Values.image.tag }}",
        "{{ include \"other\" (set . \"tag\" \"v9\") }}",
    ] {
        assert_eq!(of_template(&format!("{set}\n{line}"), VALUES, named)[0], OWN, "{set}");
        let unset = "{{ $_ := unset . \"tag\" }}";
        assert!(of_template(&format!("{set}{unset}\n{line}"), VALUES, named).contains(&GLOBAL.to_owned()));
    }
}

/// As in a chart of a service mesh, which lays its profiles over all values.
#[test]
fn value_that_an_action_sets_is_not_known() {
    let line = "image: {{ .Values.image.repository }}:{{ .Values.global.tag }}\n";
    assert_eq!(of_template(line, VALUES, ""), [GLOBAL]);
    for set in [
        "{{ $_ := set $ \"Values\" (mergeOverwrite .Values.defaults .Values) }}",
        "{{ $_ := set .Values \"global\" (dict) }}",
        "{{ $_ := set .Values.global \"tag\" \"v9\" }}",
        "{{ $values := .Values }}{{ $_ := set $values.global .Values.key \"v9\" }}",
    ] {
        let doubt = "c/values.yaml:2 the image may get the tag .Values.global.tag in c/templates/a.yaml:2";
        assert_eq!(of_template(&format!("{set}\n{line}"), VALUES, ""), [OWN, doubt], "{set}");
    }
    let other = "{{ $_ := set .Values.global \"team\" \"shop\" }}";
    assert_eq!(of_template(&format!("{other}\n{line}"), VALUES, ""), [GLOBAL]);
}

/// As in the chart of an operator, whose values leave most parts of the name to defaults.
#[test]
fn parts_of_the_image_are_joined_from_a_map_that_a_key_names() {
    let values = "registry: quay.io\ntag: v1\nimage: {registry: '', name: api, tag: ''}\nweb: {image: {name: web, tag: v2}}\n";
    let named = "{{ define \"i\" -}}\n{{- $vals := ternary .Values.image (index .Values .key).image (empty .key) -}}\n\
                 {{- $ref := join \"/\" (compact (list (default .Values.registry $vals.registry) \"acme\" $vals.name)) -}}\n\
                 {{- $tag := join \"\" (compact (list (coalesce $vals.tag $vals.tagPrefix .Values.tag) (ternary .suffix \"\" (empty $vals.tag)))) -}}\n\
                 {{- join \"\" (compact (list $ref (ternary \":\" \"@\" (empty $vals.digest)) (default $tag $vals.digest))) -}}\n\
                 {{- $_ := unset . \"key\" -}}\n{{- $_ := unset . \"suffix\" -}}\n{{- end -}}";
    let calls = ["", "web"].map(|key| format!("{{{{ template \"i\" (set . \"key\" \"{key}\") }}}}"));
    let found = images(&[&calls[0], &calls[1]], values, named);
    assert_eq!(
        found,
        ["quay.io/acme/api:v1 c/values.yaml:2 > c/values.yaml:3", "quay.io/acme/web:v2 c/values.yaml:4"]
    );
}

/// If it is unknown what the template gets, the tag beside the name counts.
#[test]
fn context_that_is_not_known_says_nothing() {
    for (call, body) in [
        ("include \"i\" (dict .Values.prefix .Values.image)", "{{ .r.repository }}:{{ .r.tag }}"),
        ("include \"i\" (foo .Values.image)", "{{ .repository }}:{{ .tag }}"),
        ("include \"i\" (list .Values.image)", "{{ (index . 1).repository }}:{{ .tag }}"),
        ("include \"i\" \"x\"", "{{ .repository }}:{{ .tag }}"),
        ("include \"i\" (dict \"image\" .Values.image)", "{{ range .image }}{{ .repository }}{{ end }}:v9"),
        ("include \"i\" (dict \"image\" .Values.image)", "{{ include \"i\" . }}"),
        ("include \"i\" (dict \"a\" \"b\")", "{{ include \"i\" (dict \"a\" (printf \"%s%s%s\" .a .a .a)) }}"),
        ("include \"i\" (dict \"a\" \"b\")", "{{ .a.b }}:v9"),
    ] {
        let named = format!("{{{{ define \"i\" }}}}{body}{{{{ end }}}}");
        assert_eq!(images(&[&format!("{{{{ {call} }}}}")], VALUES, &named)[0], OWN, "{call} {body}");
    }
}

/// What a template includes in a line that can be read isn't a second use of the image.
#[test]
fn values_of_a_named_template_that_is_read_are_not_used_elsewhere() {
    let named =
        "{{ define \"i\" }}{{ .root.Values.image.repository }}:{{ .root.Values.global.tag }}{{ end }}";
    let line = "image: {{ include \"i\" (dict \"root\" .) }}\n";
    assert_eq!(of_template(line, VALUES, named), [GLOBAL]);
}
