//! Finds the bytes of one scalar, and explains why some scalars can't be edited.
//!
//! yaml-rust2 has no end markers. So the end is computed from the start and the style, and the bytes between
//! must read back as the value that the parser returned; otherwise the edit is refused.

use std::fmt;
use std::ops::Range;

use super::document::{NodeId, NodeKind, ParsedYaml, ScalarStyle};

/// Why a scalar can't be edited in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditBlocker {
    NotScalar,
    Alias,
    Block,
    MultiLine,
    Tagged,
    Placeholder,
    AnchoredNothing,
    Twice,
    Unplaced,
    Folded,
    Lines,
    Shared,
}

impl fmt::Display for EditBlocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EditBlocker::NotScalar => "is a map or a list, not a single value",
            EditBlocker::Alias => "is an alias: the value stands at its anchor",
            EditBlocker::Block => "is a block scalar (| or >)",
            EditBlocker::MultiLine => "spans several lines",
            EditBlocker::Tagged => "has a YAML tag other than !!str",
            EditBlocker::Placeholder => "is a placeholder that another tool fills in",
            EditBlocker::AnchoredNothing => "is an anchor without a value",
            EditBlocker::Twice => {
                "would still be there when it is removed: it is written twice, or merged in"
            }
            EditBlocker::Unplaced => "can't be separated from the text around it",
            EditBlocker::Folded => "is in folded or quoted text, whose lines are not those of the file",
            EditBlocker::Lines => "is in a block scalar that would get more or fewer lines",
            EditBlocker::Shared => "is used elsewhere too, through an alias",
        })
    }
}

impl EditBlocker {
    /// What the user can do about it.
    pub fn hint(self) -> &'static str {
        match self {
            EditBlocker::NotScalar => "name the field inside it that holds the tag",
            EditBlocker::Alias => "edit the anchored value, or write the tag out here",
            EditBlocker::Block | EditBlocker::MultiLine => "write the value on one line",
            EditBlocker::Tagged => "remove the YAML tag, or make it !!str",
            EditBlocker::Placeholder => "bump the value that the placeholder is filled from",
            EditBlocker::AnchoredNothing => "give the anchor a value",
            EditBlocker::Twice => "remove the key by hand, in every place that it comes from",
            EditBlocker::Unplaced => "write the key and its value on one line",
            EditBlocker::Folded => {
                "write the text as a literal block scalar (|), or as YAML (Argo CD: valuesObject)"
            }
            EditBlocker::Lines => "edit it by hand, or write it as YAML",
            EditBlocker::Shared => "write both values out, without an alias or merge key",
        }
    }
}

/// Why the scalar can't be edited, as far as that is clear without finding its bytes.
pub fn edit_blocker(yaml: &ParsedYaml, id: NodeId) -> Option<EditBlocker> {
    let node = yaml.node(id);
    match &node.kind {
        NodeKind::Map | NodeKind::Seq => Some(EditBlocker::NotScalar),
        NodeKind::Alias(_) => Some(EditBlocker::Alias),
        NodeKind::Scalar { style: ScalarStyle::Block, .. } => Some(EditBlocker::Block),
        NodeKind::Scalar { missing: true, .. } if node.anchored || node.tag.is_some() => {
            Some(EditBlocker::AnchoredNothing)
        }
        NodeKind::Scalar { .. } if node.tag.as_deref().is_some_and(|tag| tag != "str") => {
            Some(EditBlocker::Tagged)
        }
        NodeKind::Scalar { value, .. } => is_placeholder(value).then_some(EditBlocker::Placeholder),
    }
}

/// As [`edit_blocker`], if only a part of the scalar is replaced: then there may be a placeholder around it.
pub fn part_blocker(yaml: &ParsedYaml, id: NodeId) -> Option<EditBlocker> {
    edit_blocker(yaml, id).filter(|blocker| *blocker != EditBlocker::Placeholder)
}

/// What is around the placeholders of some tools: Flux Operator, templates with other delimiters than Helm's, Concourse, Azure Pipelines.
const DELIMITERS: [(&str, &str); 4] = [("<<", ">>"), ("[[", "]]"), ("((", "))"), ("#{", "}")];

/// What is around a single word, in Autoconf, Maven and batch files.
const DELIMITERS_OF_WORDS: [(&str, &str); 2] = [("@", "@"), ("%", "%")];

/// Whether a text has a part that another tool fills in: `${X}` (Flux, envsubst), `$X` (Compose), `$(X)` (Kubernetes, kustomize), `{{ }}`
/// (Helm, Jinja), `<< X >>`, `@X@` and the like.
pub fn is_placeholder(value: &str) -> bool {
    let variable = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c));
    value.contains("{{")
        || value.contains("}}")
        || value.split('$').skip(1).any(variable)
        || DELIMITERS.iter().any(|around| within(value, *around).is_some())
        || DELIMITERS_OF_WORDS.iter().any(|around| within(value, *around).is_some_and(is_word))
}

/// The text between the first of these delimiters.
fn within<'t>(text: &'t str, (start, end): (&str, &str)) -> Option<&'t str> {
    let rest = &text[text.find(start)? + start.len()..];
    rest.find(end).map(|end| &rest[..end])
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The bytes of a scalar, including quotes. For a missing one: an empty range after the key's `:`.
///
/// # Errors
/// The node is an alias, a map or a list, a block scalar, or spans several lines, or its bytes don't read
/// back as its value.
pub fn span(text: &str, yaml: &ParsedYaml, id: NodeId) -> Result<Range<usize>, EditBlocker> {
    let node = yaml.node(id);
    let (value, style, missing) = match &node.kind {
        NodeKind::Scalar { value, style, missing } => (value, *style, *missing),
        NodeKind::Alias(_) => return Err(EditBlocker::Alias),
        NodeKind::Map | NodeKind::Seq => return Err(EditBlocker::NotScalar),
    };
    let rest = text.get(node.start..).ok_or(EditBlocker::Unplaced)?;
    if missing {
        let behind_colon = text[..node.start].ends_with(':');
        return if behind_colon { Ok(node.start..node.start) } else { Err(EditBlocker::Unplaced) };
    }
    let length = match style {
        ScalarStyle::Plain if rest.starts_with(value.as_str()) => value.len(),
        ScalarStyle::Plain => return Err(EditBlocker::MultiLine),
        ScalarStyle::Single => single_quoted(rest).ok_or(EditBlocker::Unplaced)?,
        ScalarStyle::Double => double_quoted(rest).ok_or(EditBlocker::Unplaced)?,
        ScalarStyle::Block => return Err(EditBlocker::Block),
    };
    let raw = &rest[..length];
    if raw.contains(['\n', '\r']) {
        return Err(EditBlocker::MultiLine);
    }
    if reads_as(raw, style, value) { Ok(node.start..node.start + length) } else { Err(EditBlocker::Unplaced) }
}

/// Length of `'…'`, up to the first `'` that is not doubled.
pub(super) fn single_quoted(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == b'\'')?;
        if bytes.get(at + 1) != Some(&b'\'') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Length of `"…"`, up to the first `"` without a `\` before it.
pub(super) fn double_quoted(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Whether the bytes of a span decode to the value that the parser saw.
fn reads_as(raw: &str, style: ScalarStyle, value: &str) -> bool {
    match style {
        ScalarStyle::Plain => raw == value,
        ScalarStyle::Single => raw[1..raw.len() - 1].replace("''", "'") == value,
        // a scalar with escapes is decoded before it is edited
        ScalarStyle::Double => raw.contains('\\') || raw[1..raw.len() - 1] == *value,
        ScalarStyle::Block => false,
    }
}
