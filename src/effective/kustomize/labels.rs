//! Label selectors of Kubernetes: `app=web,tier in (a, b),!old` (`k8s.io/apimachinery/pkg/labels`).

use super::super::value::Value;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl LabelSelector {
    /// `None` if the text isn't a selector, or compares numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = split_outside_brackets(text);
        let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
        parts.map(requirement).collect::<Option<_>>().map(LabelSelector)
    }

    /// Whether a map of labels fulfils all conditions.
    pub fn matches(&self, labels: Option<&Value>) -> bool {
        let value = |key: &str| labels.and_then(|labels| labels.text_at(&[key]));
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => value(key).is_some_and(|text| values.iter().any(|v| v == text)),
            Requirement::NotIn(key, values) => value(key).is_none_or(|text| values.iter().all(|v| v != text)),
            Requirement::Exists(key) => value(key).is_some(),
            Requirement::Missing(key) => value(key).is_none(),
        })
    }
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(text: &str) -> Option<Requirement> {
    if text.contains(['<', '>']) {
        return None;
    }
    let owned = |text: &str| text.trim().to_owned();
    if let Some(key) = text.strip_prefix('!') {
        return Some(Requirement::Missing(owned(key)));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(owned(key), vec![owned(value)]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(owned(key), vec![owned(value)]));
    }
    let Some((words, values)) = text.split_once('(') else {
        return (!text.contains(char::is_whitespace)).then(|| Requirement::Exists(owned(text)));
    };
    let values = values.strip_suffix(')')?.split(',').map(owned).collect();
    let (key, word) = words.trim().rsplit_once(char::is_whitespace)?;
    match word {
        "in" => Some(Requirement::In(owned(key), values)),
        "notin" => Some(Requirement::NotIn(owned(key), values)),
        _ => None,
    }
}
