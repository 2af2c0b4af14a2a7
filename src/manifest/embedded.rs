//! References in YAML inside of block scalars: in Argo CD's `helm.values`, in the values that Flux reads from
//! a ConfigMap, and in whole manifests inside of ConfigMaps and patches. They are told, and never edited:
//! to every reader of the file, a block scalar is text.

use super::{Document, Form, KINDS, ManifestFile, Reference, forms, values};
use crate::yaml::{NodeId, ReadError, Shape, Style, Tape, scan_until};

const HELM_VALUES: &str = "values";

/// Block scalars that stand deeper are not looked into.
const MAX_DEPTH: usize = 64;

pub fn find(file: &ManifestFile<'_>) -> Vec<Reference> {
    let texts = (0..file.tape.len()).filter_map(|id| Some((id, embedded_text(file.tape, id)?)));
    texts.flat_map(|(id, text)| inside(file, id, text)).collect()
}

/// A text that may hold an image: a block scalar, or Helm values in quotes.
fn embedded_text(tape: &Tape, id: NodeId) -> Option<&str> {
    let Shape::Scalar { value, style, .. } = &tape.node(id).shape else { return None };
    let is_block = *style == Style::Block || (value.contains('\n') && holds_values(tape, id));
    (is_block && may_hold_images(value) && !is_aside(tape, id)).then_some(value.as_str())
}

/// Below annotations and status nothing is a reference.
fn is_aside(tape: &Tape, id: NodeId) -> bool {
    let parents = std::iter::successors(Some(id), |&id| tape.node(id).parent);
    let keys: Vec<_> = parents.take(MAX_DEPTH).filter_map(|id| tape.key_text(id)).collect();
    keys.iter().any(|key| forms::is_annotations(key)) || keys.last() == Some(&"status")
}

fn may_hold_images(text: &str) -> bool {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    holds(&["mage", "repo", "tag"]) && text.contains(':')
}

fn inside(file: &ManifestFile<'_>, block: NodeId, text: &str) -> Vec<Reference> {
    let is_values = holds_values(file.tape, block);
    let is_manifest = text.contains("apiVersion") && text.contains("kind");
    if !is_values && !is_manifest {
        return Vec::new();
    }
    // a text is whatever it is: most are no YAML
    let budget = file.tape.budget();
    let tape = match scan_until(text.as_bytes(), budget.cancellation()) {
        Ok(tape) => tape,
        Err(ReadError::Syntax(_)) => return Vec::new(),
        Err(ReadError::Stopped(stopped)) => {
            budget.stop(stopped);
            return Vec::new();
        }
    };
    let documents = tape.roots().iter().map(|&root| Document { path: "", tape: &tape, root, is_values });
    let found = documents.flat_map(|doc| match is_values {
        true => forms::find(&doc, doc.root, values::KIND),
        false => KINDS.iter().flat_map(|find| find(&doc)).collect(),
    });
    let place = Place::of(file, block, text);
    let told =
        found.filter(|r| !matches!(r.form, Form::Untagged { .. })).map(|r| place.tell(&tape, r)).collect();
    budget.charge(tape.budget());
    told
}

/// Argo CD's `helm.values`, and `values.yaml` in a ConfigMap.
fn holds_values(tape: &Tape, block: NodeId) -> bool {
    let Some(key) = tape.key_text(block) else { return false };
    let map = tape.node(block).parent.and_then(|map| tape.key_text(map));
    match key {
        HELM_VALUES => map == Some("helm"),
        _ => map == Some("data") && values::is_values_file(key),
    }
}

/// Where a block scalar's text stands.
struct Place {
    block: NodeId,
    line: usize,
    /// Columns that every line is indented by, where lines of the text are lines of the file.
    indent: usize,
    literal: bool,
}

/// Whether the header of a block scalar, which is on the last line of the text before it, has a `|`.
fn is_literal(before: &str) -> bool {
    let header = before.trim_end().rsplit('\n').next().unwrap_or_default();
    header.rfind(['|', '>']).is_some_and(|at| header[at..].starts_with('|'))
}

impl Place {
    fn of(file: &ManifestFile<'_>, block: NodeId, text: &str) -> Self {
        let node = file.tape.node(block);
        // the parser's mark is the first line that is not empty
        let empty = text.lines().take_while(|line| line.is_empty()).count();
        let is_block = matches!(node.shape, Shape::Scalar { style: Style::Block, .. });
        Place {
            block,
            line: node.line.saturating_sub(empty),
            indent: node.column - 1,
            literal: is_block && is_literal(&file.text[..node.start]),
        }
    }

    /// The same reference, as one of the file. In folded text, lines are not those of the file.
    fn tell(&self, tape: &Tape, inner: Reference) -> Reference {
        let (line, column) = inner.position(tape);
        let form = match self.literal {
            true => Form::Embedded { line: self.line + line - 1, column: self.indent + column },
            false => Form::Embedded { line: self.line, column: self.indent + 1 },
        };
        Reference { at: self.block, form, ..inner }
    }
}
