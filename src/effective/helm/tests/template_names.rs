//! Images that templates put together, and which values name them.

use super::template_images::{OWN, UNUSED, VALUES, images, of_files, of_template};

/// Where the values hold an image, or parts of it, under keys that no convention knows.
#[test]
fn image_that_a_template_puts_together_is_found() {
    let of = |values: &str, line: &str| images(&[line], values, "");
    let parts = "image: {registry: acme, master: shop-master, tag: v1}\n";
    let line = "{{ .Values.image.registry }}/{{ .Values.image.master }}:{{ .Values.image.tag }}";
    assert_eq!(of(parts, line), ["acme/shop-master:v1 c/values.yaml:1"]);
    let whole = "images: {tools: 'acme/tools:v1'}\nother: acme/other\n";
    assert_eq!(of(whole, "{{ .Values.images.tools }}"), ["acme/tools:v1 c/values.yaml:1"]);
    assert_eq!(of(whole, "{{ .Values.other | quote }}"), ["acme/other: c/values.yaml:2"]);
    assert_eq!(of(whole, "{{ .Values.other }}:{{ .Values.tag }}"), ["acme/other: c/values.yaml:2"]);
    let version = "image: {repository: acme/api, version: v1}\n";
    let line = "{{ .Values.image.repository }}:{{ .Values.image.version }}";
    assert_eq!(of(version, line), ["acme/api:v1 nowhere"], "the version may be that of something else");
    let unknown = "{{ .Values.other }}:{{ .Values.tag | title }}";
    assert_eq!(of(whole, unknown), ["acme/other: nowhere"]);
}

/// One value can be in the names of several images.
#[test]
fn value_names_each_image_that_templates_make_of_it() {
    // a registry isn't an image, although the tag beside it looks like its own
    let registry =
        "repository: ghcr.io\nimageTag: v1\napi: {image: acme/api}\nweb: {image: acme/web, tag: v2}\n";
    let own = |key: &str, tag: &str| {
        format!("{{{{ .Values.repository }}}}/{{{{ .Values.{key}.image }}}}:{{{{ .Values.{tag} }}}}")
    };
    let found = images(&[&own("api", "imageTag"), &own("web", "web.tag")], registry, "");
    assert_eq!(
        found,
        ["ghcr.io/acme/api:v1 c/values.yaml:2 > c/values.yaml:3", "ghcr.io/acme/web:v2 c/values.yaml:4"]
    );
    let found = images(&[&own("api", "imageTag"), "{{ .Values.repository }}"], registry, "");
    assert_eq!(found[2], "ghcr.io: nowhere > c/values.yaml:2", "this line makes an image of it");
    // one value is in the names of several images
    let several = ["a", "b"]
        .map(|name| format!("{{{{ .Values.image.repository }}}}-{name}:{{{{ .Values.image.tag }}}}"));
    let found = images(&[&several[0], &several[1]], VALUES, "");
    assert_eq!(found, ["acme/api-a:v0 c/values.yaml:2", "acme/api-b:v0 c/values.yaml:2"]);
}

/// Where another line adds a tag to a value, it stays a name.
#[test]
fn name_that_is_an_image_elsewhere_gets_no_tag() {
    let lines = ["{{ .Values.name }}:{{ .Values.release }}", "{{ .Values.name }}"];
    let found = images(&lines, "name: acme/api\nrelease: v1\n", "");
    assert_eq!(found, ["acme/api: nowhere", "acme/api:v1 c/values.yaml:2"]);
    let found = images(
        &["{{ .Values.image.repository }}:{{ .Values.image.tag }}", "{{ .Values.image.repository }}"],
        VALUES,
        "",
    );
    assert_eq!(found, ["acme/api: nowhere > c/values.yaml:2", OWN]);
}

/// An edit of the template is what changes these.
#[test]
fn image_with_its_tag_in_the_template_is_set_by_no_value() {
    let of = |values: &str, line: &str| images(&[line], values, "");
    let whole = "images: {tools: 'acme/tools:v1'}\nother: acme/other\n";
    assert!(of(whole, "acme/web:v1").is_empty());
    let fixed = "{{ .Values.registry | default \"docker.io\" }}/acme/web:v1";
    assert!(of("registry: quay.io\n", fixed)[0].starts_with("quay.io/acme/web:v1 c/values.yaml:1"));
}

/// A key that no template names has no effect, unless templates can use it without naming it.
#[test]
fn image_that_no_template_uses_is_a_doubt() {
    let line = "image: acme/web:v1\n";
    assert_eq!(of_template(line, VALUES, ""), [OWN, UNUSED]);
    for use_of_it in [
        "{{ .Values.image.repository }}",
        "{{ index .Values \"image\" \"repository\" }}",
        "{{ with .Values }}{{ .image.repository }}{{ end }}",
        "{{ toYaml .Values }}",
        "{{ range $key, $value := .Values }}{{ $value.repository }}{{ end }}",
        "{{ include \"library.all\" . }}",
        "{{ include (print \"a\" \"b\") . }}",
        "{{ tpl (.Files.Get \"a.yaml\") . }}",
    ] {
        let found = of_template(&format!("{line}- {use_of_it}\n"), VALUES, "");
        assert!(!found.contains(&UNUSED.to_owned()), "{use_of_it} {found:?}");
    }
    let named = "{{ define \"a\" }}{{ .Values.image }}{{ end }}";
    assert_eq!(of_template(&format!("{line}- {{{{ include \"a\" . }}}}\n"), VALUES, named), [OWN]);
    // another chart has that key
    let dependency =
        "name: api\ndependencies:\n- {name: images, alias: image, version: '1', repository: https://x}\n";
    let files = [("c/Chart.yaml", dependency), ("c/values.yaml", VALUES), ("c/templates/a.yaml", line)];
    assert_eq!(of_files(&files).len(), 1);
    // a chart without templates isn't all there
    assert_eq!(of_files(&[("c/values.yaml", VALUES)]), [OWN]);
}
