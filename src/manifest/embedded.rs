//! References in YAML inside block scalars: in Argo CD's `helm.values`, in the `valuesContent` of K3s, in the values that Flux reads
//! from a ConfigMap, and in whole manifests inside ConfigMaps and patches. Those in a literal block scalar (`|`) can be
//! edited, since its lines are lines of the file; the others are only reported.

use super::{Document, KINDS, ManifestFile, Reference, ReferenceSyntax, syntax, values};
use crate::yaml::{NodeId, NodeKind, ParsedYaml, ReadError, ScalarStyle, is_literal, scan_until};

const HELM_VALUES: &str = "values";
const VALUES_CONTENT: &str = "valuesContent";

/// Block scalars that are nested deeper are not searched.
const MAX_DEPTH: usize = 64;

pub fn find(file: &ManifestFile<'_>) -> Vec<Reference> {
    let texts = (0..file.yaml.len()).filter_map(|id| Some((id, embedded_text(file.yaml, id)?)));
    texts.flat_map(|(id, text)| inside(file, id, text)).collect()
}

/// A reference in the text of a block scalar, at its position in the file.
pub fn embedded_reference(
    file: &ManifestFile<'_>,
    block: NodeId,
    yaml: &ParsedYaml,
    inner: Reference,
) -> Reference {
    let text = file.yaml.text(block).unwrap_or_default();
    TextPosition::of(file, block, text).tell(yaml, inner)
}

/// Text that may contain an image: a block scalar, or quoted Helm values.
fn embedded_text(yaml: &ParsedYaml, id: NodeId) -> Option<&str> {
    let NodeKind::Scalar { value, style, .. } = &yaml.node(id).kind else { return None };
    let is_block = *style == ScalarStyle::Block || (value.contains('\n') && holds_values(yaml, id));
    (is_block && may_hold_images(value) && !is_aside(yaml, id)).then_some(value.as_str())
}

/// Nothing below annotations or `status` is a reference.
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
    // the text can be anything, and most of it isn't YAML
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
    let place = TextPosition::of(file, block, text);
    let references = found
        .filter(|r| !matches!(r.syntax, ReferenceSyntax::BlockWithoutTag { .. }))
        .map(|r| place.tell(&yaml, r))
        .collect();
    budget.charge(yaml.budget());
    references
}

/// Argo CD's `helm.values`, the `valuesContent` of a `HelmChart` or `HelmChartConfig` of K3s and RKE2, or a `values.yaml` in a
/// ConfigMap.
fn holds_values(yaml: &ParsedYaml, block: NodeId) -> bool {
    let Some(key) = yaml.key_text(block) else { return false };
    let map = yaml.node(block).parent.and_then(|map| yaml.key_text(map));
    match key {
        HELM_VALUES => map == Some("helm"),
        VALUES_CONTENT => map == Some("spec") && !sets_tag(yaml, block),
        _ => map == Some("data") && values::is_values_file(key),
    }
}

/// Whether `set` beside `valuesContent`, which overrides it, may set a tag.
fn sets_tag(yaml: &ParsedYaml, block: NodeId) -> bool {
    let set = yaml.node(block).parent.and_then(|spec| yaml.get(spec, "set"));
    set.is_some_and(|set| {
        let mut keys = yaml.pairs(set.node).filter_map(|(key, _)| yaml.text(key));
        keys.any(|key| ["ag", "igest", "mage", "epository"].iter().any(|end| key.ends_with(end)))
    })
}

/// The position of a block scalar's text in the file.
struct TextPosition {
    block: NodeId,
    line: usize,
    /// How many columns each line is indented, if lines of the text are lines of the file.
    indent: usize,
    literal: bool,
}

impl TextPosition {
    fn of(file: &ManifestFile<'_>, block: NodeId, text: &str) -> Self {
        let node = file.yaml.node(block);
        // the parser reports the position of the first non-empty line
        let empty = text.lines().take_while(|line| line.is_empty()).count();
        TextPosition {
            block,
            line: node.line.saturating_sub(empty),
            indent: node.column - 1,
            literal: is_literal(file.text, file.yaml, block),
        }
    }

    /// Moves a reference from the embedded text to its position in the file. Folded text has other lines than
    /// the file, so the reference gets the position of the block scalar.
    fn tell(&self, yaml: &ParsedYaml, inner: Reference) -> Reference {
        let (line, column) = inner.position(yaml);
        let (line, column) = match self.literal {
            true => (self.line + line - 1, self.indent + column),
            false => (self.line, self.indent + 1),
        };
        let syntax = ReferenceSyntax::Embedded { line, column, inner: Box::new(inner.clone()) };
        Reference { at: self.block, syntax, ..inner }
    }
}
