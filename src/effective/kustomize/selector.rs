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
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl ObjectSelector {
    /// `None` if a part of it isn't a valid pattern or selector.
    pub fn read(target: &Value) -> Option<Self> {
        let text = |key| target.text_at(&[key]).filter(|text| !text.is_empty());
        let pattern = |key| text(key).map_or(Some(None), |text| anchored(text).map(Some));
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
        let either = |pattern: &Option<Regex>, texts: [&str; 2]| {
            pattern.as_ref().is_none_or(|pattern| texts.iter().any(|text| pattern.is_match(text)))
        };
        either(&self.namespace, [original.effective_namespace(), now.effective_namespace()])
            && either(&self.name, [&original.name, &now.name])
            && self.has_kind(&now)
            && self.has_labels(&object.value)
    }

    /// For replacements: any ID that the object has or had fits (`TargetSelectorRegex.Selects`).
    pub fn selects_any_id(&self, object: &Object) -> bool {
        let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let selects = |id: ResourceId| {
            fits(&self.name, &id.name) && fits(&self.namespace, &id.namespace) && self.has_kind(&id)
        };
        object.ids().any(selects) && self.has_labels(&object.value)
    }

    /// `SelectorRegex.MatchGvk`
    fn has_kind(&self, id: &ResourceId) -> bool {
        let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        fits(&self.group, &id.group) && fits(&self.version, &id.version) && fits(&self.kind, &id.kind)
    }

    fn has_labels(&self, object: &Value) -> bool {
        self.labels.matches(object.at(&["metadata", "labels"]))
            && self.annotations.matches(object.at(&["metadata", "annotations"]))
    }
}

/// A pattern that must match the whole text (`anchorRegex`).
fn anchored(text: &str) -> Option<Regex> {
    pattern(&format!("^(?:{text})$"))
}

/// A regular expression from a file: bounded, so that a hostile one can't use up the memory.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(MAX_PATTERN_SIZE).nest_limit(50).build().ok()
}
