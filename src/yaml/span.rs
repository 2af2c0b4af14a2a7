//! The bytes of one scalar, and why some scalars must be left alone.
//!
//! yaml-rust2 has no end markers. The end is found from the start and the style, and the bytes between
//! them must read back as the value that the parser gave; whatever does not is refused.

use std::fmt;
use std::ops::Range;

use super::tape::{NodeId, Shape, Style, Tape};

/// Why a scalar can't be edited in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    NotScalar,
    Alias,
    Block,
    MultiLine,
    Tagged,
    Placeholder,
    AnchoredNothing,
    Twice,
    Unplaced,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Obstacle::NotScalar => "is a map or a list, not a single value",
            Obstacle::Alias => "is an alias: the value stands at its anchor",
            Obstacle::Block => "is a block scalar (| or >)",
            Obstacle::MultiLine => "goes over several lines",
            Obstacle::Tagged => "has a YAML tag other than !!str",
            Obstacle::Placeholder => "is a placeholder that another tool fills in",
            Obstacle::AnchoredNothing => "is an anchor without a value",
            Obstacle::Twice => "would still be there when it is removed: it is written twice, or merged in",
            Obstacle::Unplaced => "can't be told from the text around it",
        })
    }
}

impl Obstacle {
    /// What the user can do about it.
    pub fn cure(self) -> &'static str {
        match self {
            Obstacle::NotScalar => "name the field inside it that holds the tag",
            Obstacle::Alias => "edit the anchored value, or write the tag out here",
            Obstacle::Block | Obstacle::MultiLine => "write the value on one line",
            Obstacle::Tagged => "remove the YAML tag, or make it !!str",
            Obstacle::Placeholder => "bump the value that the placeholder is filled from",
            Obstacle::AnchoredNothing => "give the anchor a value",
            Obstacle::Twice => "remove the key by hand, in every place that it comes from",
            Obstacle::Unplaced => "write the key and its value on one line",
        }
    }
}

/// Whether the scalar can be edited, without finding its bytes.
pub fn obstacle(tape: &Tape, id: NodeId) -> Option<Obstacle> {
    let node = tape.node(id);
    match &node.shape {
        Shape::Map | Shape::Seq => Some(Obstacle::NotScalar),
        Shape::Alias(_) => Some(Obstacle::Alias),
        Shape::Scalar { style: Style::Block, .. } => Some(Obstacle::Block),
        Shape::Scalar { missing: true, .. } if node.anchored || node.tag.is_some() => {
            Some(Obstacle::AnchoredNothing)
        }
        Shape::Scalar { value, .. } if is_placeholder(value) => Some(Obstacle::Placeholder),
        Shape::Scalar { .. } => {
            let foreign = node.tag.as_deref().is_some_and(|t| t != "str");
            foreign.then_some(Obstacle::Tagged)
        }
    }
}

/// `${X}` (Flux, envsubst), `$X` (Compose), `$(X)` (Kubernetes, kustomize) and `{{ }}` (Helm, Jinja).
fn is_placeholder(value: &str) -> bool {
    let variable = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c));
    value.contains("{{") || value.contains("}}") || value.split('$').skip(1).any(variable)
}

/// The bytes of a scalar, quotes included; an empty range behind the key's `:` for a missing one.
///
/// # Errors
/// What [`obstacle`] says, and text over several lines.
pub fn span(text: &str, tape: &Tape, id: NodeId) -> Result<Range<usize>, Obstacle> {
    let node = tape.node(id);
    let (value, style, missing) = match &node.shape {
        Shape::Scalar { value, style, missing } => (value, *style, *missing),
        Shape::Alias(_) => return Err(Obstacle::Alias),
        Shape::Map | Shape::Seq => return Err(Obstacle::NotScalar),
    };
    let rest = text.get(node.start..).ok_or(Obstacle::Unplaced)?;
    if missing {
        let behind_colon = text[..node.start].ends_with(':');
        return if behind_colon { Ok(node.start..node.start) } else { Err(Obstacle::Unplaced) };
    }
    let length = match style {
        Style::Plain if rest.starts_with(value.as_str()) => value.len(),
        Style::Plain => return Err(Obstacle::MultiLine),
        Style::Single => single_quoted(rest).ok_or(Obstacle::Unplaced)?,
        Style::Double => double_quoted(rest).ok_or(Obstacle::Unplaced)?,
        Style::Block => return Err(Obstacle::Block),
    };
    let raw = &rest[..length];
    if raw.contains(['\n', '\r']) {
        return Err(Obstacle::MultiLine);
    }
    if reads_as(raw, style, value) { Ok(node.start..node.start + length) } else { Err(Obstacle::Unplaced) }
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

/// Length of `"…"`, up to the first `"` that no `\` stands before.
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
fn reads_as(raw: &str, style: Style, value: &str) -> bool {
    match style {
        Style::Plain => raw == value,
        Style::Single => raw[1..raw.len() - 1].replace("''", "'") == value,
        // one with escapes is decoded before it is edited
        Style::Double => raw.contains('\\') || raw[1..raw.len() - 1] == *value,
        Style::Block => false,
    }
}
