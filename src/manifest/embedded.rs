//! References in YAML inside of block scalars: in Argo CD's `helm.values`, in the values that Flux reads from
//! a ConfigMap, and in whole manifests inside of ConfigMaps and patches. They are told, and never edited:
//! to every reader of the file, a block scalar is text.

use super::{Document, KINDS, ManifestFile, Reference, ReferenceSyntax, syntax, values};
use crate::yaml::{NodeId, NodeKind, ParsedYaml, ReadError, ScalarStyle, scan_until};

const HELM_VALUES: &str = "values";

/// Block scalars that stand deeper are not looked into.
const MAX_DEPTH: usize = 64;

pub fn find(file: &ManifestFile<'_>) -> Vec<Reference> {
    let texts = (0..file.yaml.len()).filter_map(|id| Some((id, embedded_text(file.yaml, id)?)));
    texts.flat_map(|(id, text)| inside(file, id, text)).collect()
}

/// A text that may hold an image: a block scalar, or Helm values in quotes.
fn embedded_text(yaml: &ParsedYaml, id: NodeId) -> Option<&str> {
    let NodeKind::Scalar { value, style, .. } = &yaml.node(id).kind else { return None };
    let is_block = *style == ScalarStyle::Block || (value.contains('\n') && holds_values(yaml, id));
    (is_block && may_hold_images(value) && !is_aside(yaml, id)).then_some(value.as_str())
}

/// Below annotations and status nothing is a reference.
fn is_aside(yaml: &ParsedYaml, id: NodeId) -> bool {
    let parents = std::iter::successors(Some(id), |&id| yaml.node(id).parent);
    let keys: Vec<_> = parents.take(MAX_DEPTH).filter_map(|id| yaml.key_text(id)).collect();
    keys.iter().any(|key| syntax::is_annotations(key)) || keys.last() == Some(&"status")
}

fn may_hold_images(text: &str) -> bool {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    holds(&["mage", "repo", "tag"]) && text.contains(':')
}

fn inside(file: &ManifestFile<'_>, block: NodeId, text: &str) -> Vec<Reference> {
    let is_values = holds_values(file.yaml, block);
    let is_manifest = text.contains("apiVersion") && text.contains("kind");
    if !is_values && !is_manifest {
        return Vec::new();
    }
    // a text is whatever it is: most are no YAML
    let budget = file.yaml.budget();
    let yaml = match scan_until(text.as_bytes(), budget.cancellation()) {
        Ok(yaml) => yaml,
        Err(ReadError::Syntax(_)) => return Vec::new(),
        Err(ReadError::Stopped(stopped)) => {
            budget.stop(stopped);
            return Vec::new();
        }
    };
    let documents = yaml.roots().iter().map(|&root| Document { path: "", yaml: &yaml, root, is_values });
    let found = documents.flat_map(|doc| match is_values {
        true => syntax::find(&doc, doc.root, values::KIND),
        false => KINDS.iter().flat_map(|find| find(&doc)).collect(),
    });
    let place = EmbeddedText::of(file, block, text);
    let told = found
        .filter(|r| !matches!(r.syntax, ReferenceSyntax::BlockWithoutTag { .. }))
        .map(|r| place.tell(&yaml, r))
        .collect();
    budget.charge(yaml.budget());
    told
}

/// Argo CD's `helm.values`, and `values.yaml` in a ConfigMap.
fn holds_values(yaml: &ParsedYaml, block: NodeId) -> bool {
    let Some(key) = yaml.key_text(block) else { return false };
    let map = yaml.node(block).parent.and_then(|map| yaml.key_text(map));
    match key {
        HELM_VALUES => map == Some("helm"),
        _ => map == Some("data") && values::is_values_file(key),
    }
}

/// Where a block scalar's text stands.
struct EmbeddedText {
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

impl EmbeddedText {
    fn of(file: &ManifestFile<'_>, block: NodeId, text: &str) -> Self {
        let node = file.yaml.node(block);
        // the parser's mark is the first line that is not empty
        let empty = text.lines().take_while(|line| line.is_empty()).count();
        let is_block = matches!(node.kind, NodeKind::Scalar { style: ScalarStyle::Block, .. });
        EmbeddedText {
            block,
            line: node.line.saturating_sub(empty),
            indent: node.column - 1,
            literal: is_block && is_literal(&file.text[..node.start]),
        }
    }

    /// The same reference, as one of the file. In folded text, lines are not those of the file.
    fn tell(&self, yaml: &ParsedYaml, inner: Reference) -> Reference {
        let (line, column) = inner.position(yaml);
        let form = match self.literal {
            true => ReferenceSyntax::Embedded { line: self.line + line - 1, column: self.indent + column },
            false => ReferenceSyntax::Embedded { line: self.line, column: self.indent + 1 },
        };
        Reference { at: self.block, syntax: form, ..inner }
    }
}
