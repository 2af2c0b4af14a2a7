//! Placeholders that another tool fills in, such as Helm in a chart's template, in a file that is valid YAML:
//! `tag: {{ .Values.tag }}`.

use super::images::may_decide_image;
use super::value::Value;

/// What a root does whose placeholders may set an image.
pub const UNFILLED: &str = "has placeholders that nothing here fills in";

/// What puts more than one scalar into a placeholder.
const BLOCKS: [&str; 4] = ["toJson", "toYaml", "include", "tpl"];

/// Whether a text has a placeholder.
pub fn has_placeholder(text: &str) -> bool {
    text.contains("{{")
}

/// Whether a value has a placeholder without quotes, which is a key of a map.
pub fn has_unquoted(value: &Value) -> bool {
    value.pairs().iter().any(|(key, value)| has_placeholder(key) || has_unquoted(value))
        || value.items().iter().any(has_unquoted)
}

/// Whether all of a value is a placeholder, or a part of it that can be any part.
pub fn is_unfilled(value: &Value) -> bool {
    value.text().is_some_and(|text| text.trim_start().starts_with("{{"))
        || value.pairs().iter().any(|(key, _)| has_placeholder(key))
}

/// Whether placeholders without quotes may set an image in values. One with quotes has a place, like any text.
pub fn may_set_image(values: &Value) -> bool {
    let decides = |key: &str, value: &Value| {
        may_decide_image(key) && has_unquoted(value)
            || has_placeholder(key) && BLOCKS.iter().any(|block| key.contains(block))
    };
    values.pairs().iter().any(|(key, value)| decides(key, value) || may_set_image(value))
        || values.items().iter().any(may_set_image)
}

/// Whether placeholders may set an image in a list of patches.
pub fn may_patch_image(patches: &Value) -> bool {
    let fills = |text: &str| has_placeholder(text) && text.contains("image");
    is_unfilled(patches)
        || has_unquoted(patches)
        || patches.items().iter().any(|item| is_unfilled(item) || item.text_at(&["patch"]).is_some_and(fills))
}

#[cfg(test)]
mod tests {
    use super::super::place::FileId;
    use super::*;
    use crate::yaml::scan;

    fn read(text: &str) -> Value {
        let yaml = scan(text.as_bytes()).unwrap();
        Value::read(&yaml, yaml.roots()[0], FileId::new(0))
    }

    #[test]
    fn placeholder_without_quotes_matters_where_an_image_may_be() {
        for (text, matters) in [
            ("image:\n  tag: {{ .Values.tag }}\n", true),
            ("api:\n  image: {{ .Values.image }}\n", true),
            ("api: {{ .Values.api | toJson }}\n", true),
            ("images:\n  - {{ .Values.image }}\n", true),
            ("image:\n  tag: '{{ .Values.tag }}'\n", false),
            ("ingress:\n  host: {{ .Values.host }}\n", false),
            ("image: {tag: v1}\n", false),
        ] {
            assert_eq!(may_set_image(&read(text)), matters, "{text}");
        }
    }

    #[test]
    fn placeholder_in_a_patch_matters_beside_an_image() {
        for (text, matters) in [
            ("- patch: |\n    - {op: replace, path: /spec/image, value: '{{ .x }}'}\n", true),
            ("- {{ .Values.patch }}\n", true),
            ("'{{ .Values.patches }}'\n", true),
            ("- patch: |\n    - {op: replace, path: /spec/host, value: '{{ .x }}'}\n", false),
        ] {
            assert_eq!(may_patch_image(&read(text)), matters, "{text}");
        }
    }
}
