//! Which objects a patch is for (kustomize's `types.Selector`).

use regex::{Regex, RegexBuilder};

use super::super::value::Value;
use super::labels::LabelSelector;
use super::{Object, ResourceId};

/// A regular expression may take this much memory, in bytes, once it is compiled.
const MAX_PATTERN_SIZE: usize = 1 << 20;

/// The parts of a `target` that are given.
#[derive(Debug, Default)]
pub(super) struct ObjectSelector {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl ObjectSelector {
    /// `None` if a part of it isn't a valid pattern or selector.
    pub fn read(target: &Value) -> Option<Self> {
        let text = |key| target.text_at(&[key]).filter(|text| !text.is_empty());
        let pattern = |key| text(key).map_or(Some(None), |text| Pattern::anchored(text).map(Some));
        let labels = |key| LabelSelector::parse(text(key).unwrap_or_default());
        Some(ObjectSelector {
            group: pattern("group")?,
            version: pattern("version")?,
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: labels("labelSelector")?,
            annotations: labels("annotationSelector")?,
        })
    }

    /// `resWrangler.Select`: name and namespace match the original ones or the current ones.
    pub fn selects(&self, object: &Object) -> bool {
        let (now, original) = (object.id(), object.original_id());
        let either = |pattern: &Option<Pattern>, texts: [&str; 2]| {
            pattern.as_ref().is_none_or(|pattern| texts.iter().any(|text| pattern.is_match(text)))
        };
        either(&self.namespace, [original.effective_namespace(), now.effective_namespace()])
            && either(&self.name, [&original.name, &now.name])
            && self.has_kind(&now)
            && self.has_labels(&object.value)
    }

    /// For replacements: any ID that the object has or had fits (`TargetSelectorRegex.Selects`).
    pub fn selects_any_id(&self, object: &Object) -> bool {
        let fits = |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let selects = |id: ResourceId| {
            fits(&self.name, &id.name) && fits(&self.namespace, &id.namespace) && self.has_kind(&id)
        };
        object.ids().any(selects) && self.has_labels(&object.value)
    }

    /// `SelectorRegex.MatchGvk`
    fn has_kind(&self, id: &ResourceId) -> bool {
        let fits = |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        fits(&self.group, &id.group) && fits(&self.version, &id.version) && fits(&self.kind, &id.kind)
    }

    fn has_labels(&self, object: &Value) -> bool {
        self.labels.matches(object.at(&["metadata", "labels"]))
            && self.annotations.matches(object.at(&["metadata", "annotations"]))
    }
}

/// A regular expression from a file. Nearly all are plain words, which need none.
#[derive(Debug)]
pub(super) enum Pattern {
    Equals(String),
    Contains(String),
    Expression(Regex),
}

impl Pattern {
    /// It must match the whole text (`anchorRegex`). `None` if it isn't valid.
    pub fn anchored(text: &str) -> Option<Self> {
        match is_word(text) {
            true => Some(Pattern::Equals(text.to_owned())),
            false => pattern(&format!("^(?:{text})$")).map(Pattern::Expression),
        }
    }

    /// It may match any part of the text. `None` if it isn't valid.
    pub fn anywhere(text: &str) -> Option<Self> {
        match is_word(text) {
            true => Some(Pattern::Contains(text.to_owned())),
            false => pattern(text).map(Pattern::Expression),
        }
    }

    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Pattern::Equals(word) => fits(word, text.as_bytes()),
            Pattern::Contains(word) => {
                word.is_empty() || text.as_bytes().windows(word.len()).any(|part| fits(word, part))
            }
            Pattern::Expression(pattern) => pattern.is_match(text),
        }
    }
}

/// Whether a word is these bytes. A dot stands for any character; names and groups of objects have only ASCII.
fn fits(word: &str, bytes: &[u8]) -> bool {
    let fits = |(wanted, byte): (u8, &u8)| wanted == *byte || (wanted == b'.' && *byte != b'\n');
    word.len() == bytes.len() && word.bytes().zip(bytes).all(fits)
}

/// Whether no character of a text but dots has a meaning in a regular expression.
pub(super) fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/.".contains(&byte))
}

/// What a pattern costs, in values. Only repetitions make large ones.
pub(super) fn cost(text: &str) -> usize {
    match is_word(text) {
        true => 0,
        false if text.contains('{') => 20 * COST_OF_PATTERN,
        false => COST_OF_PATTERN,
    }
}

/// What the regular expressions of a `target` or `select` cost.
pub(super) fn cost_of_patterns(target: &Value) -> usize {
    let keys = ["group", "version", "kind", "name", "namespace"].into_iter();
    keys.filter_map(|key| target.text_at(&[key])).map(cost).sum()
}

/// What most regular expressions cost.
const COST_OF_PATTERN: usize = 200;

/// A regular expression from a file: bounded, so that a hostile one can't use up the memory. Without the tables for all of
/// Unicode, one that ignores case (`(?i)`) is made for ASCII, which is what names are written in.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    let built = |unicode| {
        let mut builder = RegexBuilder::new(text);
        builder.unicode(unicode).size_limit(MAX_PATTERN_SIZE).nest_limit(50).build().ok()
    };
    built(true).or_else(|| built(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_matches_as_the_regular_expression_would() {
        for (text, is_anchored, is_anywhere) in
            [("app", true, true), ("my-app", false, true), ("web", false, false)]
        {
            for word in ["app", "(app)"] {
                assert_eq!(Pattern::anchored(word).unwrap().is_match(text), is_anchored, "{word} {text}");
                assert_eq!(Pattern::anywhere(word).unwrap().is_match(text), is_anywhere, "{word} {text}");
            }
        }
        assert!(Pattern::anchored("a.p").unwrap().is_match("app"));
        assert!(Pattern::anywhere("source.toolkit").unwrap().is_match("source.toolkit.fluxcd.io"));
        assert!(Pattern::anchored("a(").is_none());
    }
}
