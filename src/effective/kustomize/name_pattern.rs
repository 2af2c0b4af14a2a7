//! Which images the name of an entry matches (kustomize's `image.IsImageMatched`).

use std::sync::LazyLock;

use regex::Regex;

use super::super::value::Value;
use super::selector::pattern;

/// What may follow the name.
const REST: &str = "(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?$";

static REST_ALONE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&format!("^{REST}")));

/// The name is a regular expression. Of nearly all names, only the dots are special.
#[derive(Clone, Debug)]
pub(super) enum NamePattern {
    WithDots(String),
    Expression(Regex),
}

impl NamePattern {
    /// `None` if the name is no valid expression: then it matches nothing.
    pub fn read(name: &str) -> Option<Self> {
        match is_simple(name) {
            true => Some(NamePattern::WithDots(name.to_owned())),
            false => pattern(&format!("^{name}{REST}")).map(NamePattern::Expression),
        }
    }

    pub fn matches(&self, image: &str) -> bool {
        match self {
            NamePattern::Expression(pattern) => pattern.is_match(image),
            NamePattern::WithDots(name) => {
                let mut rest = image.chars();
                let fits = name
                    .chars()
                    .all(|wanted| rest.next().is_some_and(|c| c == wanted || (wanted == '.' && c != '\n')));
                fits && REST_ALONE.as_ref().is_some_and(|pattern| pattern.is_match(rest.as_str()))
            }
        }
    }
}

/// Whether the name of an entry, or of an override, needs a regular expression.
pub(super) fn has_pattern(item: &Value) -> bool {
    item.text_at(&["name"]).or(item.text()).is_some_and(|name| !is_simple(name))
}

fn is_simple(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@=%~,; ".contains(c))
}
