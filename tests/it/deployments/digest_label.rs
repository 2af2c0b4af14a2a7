//! Charts that use their tag in a label render after `--digest auto`, in every version of helm.

use serde_json::Value;

use super::tools::Tools;
use crate::support::files::write;
use crate::support::registry::FakeRegistry;
use crate::support::verify::{MANIFEST, bump, digest, has_tag, run};

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  labels:
    app.kubernetes.io/version: {{ .Values.image.tag | quote }}
spec:
  template:
    spec:
      containers:
      - name: api
        image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}\"
";

/// By the rule for labels of Kubernetes ("Labels and Selectors", syntax).
fn is_label(text: &str) -> bool {
    let is_word = |b: &u8| b.is_ascii_alphanumeric();
    let is_allowed = text.bytes().all(|b| is_word(&b) || b"-_.".contains(&b));
    text.len() <= 63
        && is_allowed
        && [text.as_bytes().first(), text.as_bytes().last()].iter().all(|b| b.is_some_and(is_word))
}

#[test]
fn chart_that_uses_its_tag_in_a_label_renders_after_digest_auto() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let pinned = format!("{image}:v2@{}", digest(MANIFEST));
    for (digest_key, more, runs) in [
        ("", &[][..], format!("{image}:v2")),
        ("", &["--add"], pinned.clone()),
        ("  digest: \"\"\n", &[], pinned),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let values = format!("image:\n  repository: {image}\n  tag: v1\n{digest_key}");
        write(folder.path(), "Chart.yaml", "apiVersion: v2\nname: api\nversion: 1.0.0\n");
        write(folder.path(), "values.yaml", &values);
        write(folder.path(), "templates/deployment.yaml", DEPLOYMENT);
        let (done, _) =
            run(bump(folder.path(), &[&[&*format!("{image}:v2"), "--digest", "auto"], more].concat()));
        assert_eq!(done.exit, 0, "{done:?}");
        for tools in Tools::all() {
            let rendered = tools.helm(folder.path(), &["template", "api", "."]);
            let rendered = rendered.unwrap_or_else(|why| panic!("{}: {why}", tools.label()));
            let deployment: Value = serde_yaml::from_str(rendered.trim_start_matches("---\n")).unwrap();
            let label = &deployment["metadata"]["labels"]["app.kubernetes.io/version"];
            assert!(label.as_str().is_some_and(is_label), "{}: {rendered}", tools.label());
            let container = &deployment["spec"]["template"]["spec"]["containers"][0];
            assert_eq!(container["image"], *runs, "{}: {rendered}", tools.label());
        }
    }
}
