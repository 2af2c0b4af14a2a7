//! Builds a [`ParsedYaml`] from bytes, using the events of yaml-rust2.
//!
//! yaml-rust2's `Marker::index()` counts characters and drifts; `line()` and `col()` are exact. So every
//! position here is computed from line and column. Events are pulled with `next_token`, because `load`
//! recurses, and a deeply nested file would overflow the stack.

use std::collections::HashMap;
use std::str::Chars;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{self, Marker, TScalarStyle};

use super::budget::{Budget, Cancellation, ParseAborted, WithCommas};
use super::cursor::Cursor;
use super::document::{Node, NodeId, NodeKind, ParsedYaml, ScalarStyle};
use super::indent_workaround::IndentWorkaround;
use super::tab_workaround::TabWorkaround;

/// Why a file isn't valid YAML, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {reason}")]
pub struct YamlError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    pub reason: String,
}

/// Why a file could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It isn't valid YAML.
    #[error(transparent)]
    Syntax(#[from] YamlError),
    /// It may be valid YAML, but was not read to the end.
    #[error("{0}")]
    Stopped(#[from] ParseAborted),
}

const BOM: &str = "\u{feff}";

/// A text without its byte order mark, for readers that don't know it.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM.as_bytes()).unwrap_or(bytes)
}

/// No real manifest has this many values, and more would cost gigabytes of memory.
const MAX_NODES: usize = 2_000_000;

/// Parses a whole file. All offsets are into `bytes`, including a byte-order mark.
///
/// # Errors
/// The text isn't UTF-8, contains a NUL (at which the parser would silently stop), isn't valid YAML, or takes
/// too much work.
pub fn scan(bytes: &[u8]) -> Result<ParsedYaml, ReadError> {
    scan_until(bytes, &Cancellation::default())
}

/// Like [`scan`], but stops when `cancellation` asks for it.
///
/// # Errors
/// As for [`scan`], and if it was cancelled.
pub fn scan_until(bytes: &[u8], cancellation: &Cancellation) -> Result<ParsedYaml, ReadError> {
    let budget = Budget::for_file(bytes.len(), cancellation.clone());
    let text = readable(bytes)?;
    let body = text.strip_prefix(BOM).unwrap_or(text);
    let (mut workaround, mut tabs) = (IndentWorkaround::default(), TabWorkaround::default());
    loop {
        let yaml = read(text, &tabs.apply(body), &workaround, &budget);
        // a text that was cut short looks like a syntax error
        budget.check()?;
        match yaml {
            Ok(mut yaml) => {
                yaml.budget = budget;
                return Ok(yaml);
            }
            Err(ReadFailure::Here(error)) => return Err(error.into()),
            Err(ReadFailure::Parser(error))
                if !tabs.cures(body, &error) && !workaround.cures(body, &error) =>
            {
                let (line, column) = (error.marker().line(), error.marker().col());
                let column = workaround.column(line, column) + 1;
                return Err(YamlError { line, column, reason: error.info().to_owned() }.into());
            }
            Err(ReadFailure::Parser(_)) => {}
        }
    }
}

enum ReadFailure {
    Here(YamlError),
    Parser(scanner::ScanError),
}

fn read(
    text: &str,
    body: &str,
    workaround: &IndentWorkaround,
    budget: &Budget,
) -> Result<ParsedYaml, ReadFailure> {
    let padded = workaround.apply(body);
    let mut builder = DocumentBuilder::new(text, text.len() - body.len(), workaround, budget);
    let mut parser = Parser::new(BudgetedChars { chars: padded.chars(), budget, uncounted: 0 });
    loop {
        let (event, mark) = parser.next_token().map_err(ReadFailure::Parser)?;
        if event == Event::StreamEnd {
            return Ok(builder.yaml);
        }
        if builder.yaml.len() >= MAX_NODES {
            budget.stop(ParseAborted::Values(WithCommas(MAX_NODES as u64)));
        }
        if !budget.spend(1 + copied(&event)) {
            return Ok(builder.yaml);
        }
        let place = builder.place(mark);
        builder.take(event, place).map_err(ReadFailure::Here)?;
    }
}

/// The parser copies a tag's prefix, which can be as long as the file, for every tag that uses it.
fn copied(event: &Event) -> usize {
    match event {
        Event::Scalar(_, _, _, Some(tag))
        | Event::SequenceStart(_, Some(tag))
        | Event::MappingStart(_, Some(tag)) => tag.handle.len(),
        _ => 0,
    }
}

/// The characters of a text. They end early when the budget is spent, since one scalar can be as long as the
/// file.
struct BudgetedChars<'a> {
    chars: Chars<'a>,
    budget: &'a Budget,
    uncounted: usize,
}

/// The number of characters that are charged to the budget at once.
const CHUNK: usize = 1 << 8;

impl Iterator for BudgetedChars<'_> {
    type Item = char;

    /// Called for every character; "s" would not inline it.
    #[inline(always)]
    fn next(&mut self) -> Option<char> {
        self.uncounted += 1;
        if self.uncounted == CHUNK {
            self.uncounted = 0;
            if !self.budget.spend(CHUNK) {
                return None;
            }
        }
        self.chars.next()
    }
}

/// A position in the file. The line is 1-based, the column 0-based.
#[derive(Clone, Copy)]
struct SourcePosition {
    line: usize,
    column: usize,
}

/// The bytes as text, if the parser can read it to the end.
fn readable(bytes: &[u8]) -> Result<&str, YamlError> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let reason = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16; save it as UTF-8",
            _ => "is not UTF-8",
        };
        fault_at(bytes, e.valid_up_to(), reason)
    })?;
    match memchr::memchr(0, bytes) {
        Some(at) => Err(fault_at(bytes, at, "holds a NUL byte")),
        None => Ok(text),
    }
}

fn fault_at(bytes: &[u8], at: usize, reason: &str) -> YamlError {
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    YamlError {
        line: before.iter().filter(|&&b| b == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
        reason: reason.to_owned(),
    }
}

/// A collection that has not ended yet.
struct OpenCollection {
    id: NodeId,
    /// In a map: the key whose value comes next.
    key: Option<NodeId>,
    /// How many pairs a map has so far.
    pairs: usize,
}

/// As many values as a line of a manifest has, about.
const NODES_PER_LINE: usize = 3;

/// Lines can be empty, so space is reserved for so many values at most.
const MOST_RESERVED: usize = 4096;

/// Builds the node list, with an explicit stack for the nesting.
struct DocumentBuilder<'a> {
    workaround: &'a IndentWorkaround,
    budget: &'a Budget,
    cursor: Cursor<'a>,
    yaml: ParsedYaml,
    open: Vec<OpenCollection>,
    /// From yaml-rust2's anchor numbers to nodes, for the current document.
    anchors: HashMap<usize, NodeId>,
}

impl<'a> DocumentBuilder<'a> {
    fn new(text: &'a str, first: usize, workaround: &'a IndentWorkaround, budget: &'a Budget) -> Self {
        let cursor = Cursor::new(text, first);
        let reserved = (NODES_PER_LINE * cursor.lines()).min(MOST_RESERVED);
        DocumentBuilder {
            workaround,
            budget,
            cursor,
            yaml: ParsedYaml::with_capacity(reserved),
            open: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    fn offset(&mut self, mark: SourcePosition, of_map: bool) -> usize {
        let (offset, steps) = self.cursor.offset(mark.line, mark.column, of_map);
        self.budget.spend(steps);
        offset
    }

    fn place(&self, mark: Marker) -> SourcePosition {
        SourcePosition { line: mark.line(), column: self.workaround.column(mark.line(), mark.col()) }
    }

    fn take(&mut self, event: Event, mark: SourcePosition) -> Result<(), YamlError> {
        match event {
            Event::DocumentStart => {
                self.anchors.clear();
                let start = self.offset(mark, false);
                self.yaml.doc_starts.push(start);
                self.yaml.roots.push(self.yaml.nodes.len());
            }
            Event::MappingStart(anchor, tag) => self.begin(NodeKind::Map, anchor, tag, mark),
            Event::SequenceStart(anchor, tag) => self.begin(NodeKind::Seq, anchor, tag, mark),
            Event::MappingEnd | Event::SequenceEnd => self.end(),
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(value, style, anchor, tag, mark);
            }
            Event::Alias(anchor) => self.alias(anchor, mark)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn push(&mut self, shape: NodeKind, anchor: usize, tag: Option<Tag>, mark: SourcePosition) -> NodeId {
        let id = self.yaml.nodes.len();
        let start = self.offset(mark, shape == NodeKind::Map);
        let parent = self.open.last().map(|open| open.id);
        let key = self.key_or_value(id);
        self.unmark_block_list(&shape, parent, start);
        let in_flow = parent.is_some_and(|p| self.yaml.nodes[p].flow);
        let bracket = match shape {
            NodeKind::Map => Some(b'{'),
            NodeKind::Seq => Some(b'['),
            NodeKind::Scalar { .. } | NodeKind::Alias(_) => None,
        };
        let opens = bracket.is_some() && self.cursor.text.as_bytes().get(start).copied() == bracket;
        self.yaml.nodes.push(Node {
            kind: shape,
            start,
            line: mark.line,
            column: mark.column + 1,
            anchored: anchor != 0,
            tag: tag.map(|t| t.suffix),
            flow: in_flow || opens,
            end: id + 1,
            parent,
            key,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    /// A block list is marked at its first item. If that item is a flow list, the bracket isn't the block
    /// list's own. Two flow lists never start at the same byte.
    fn unmark_block_list(&mut self, shape: &NodeKind, parent: Option<NodeId>, start: usize) {
        if let Some(parent) = parent.filter(|_| *shape == NodeKind::Seq) {
            let around = self.yaml.nodes[parent].parent.is_some_and(|p| self.yaml.nodes[p].flow);
            let node = &mut self.yaml.nodes[parent];
            if node.start == start && node.kind == NodeKind::Seq {
                node.flow = around;
            }
        }
    }

    /// In a map, nodes arrive as key, value, key, value. This remembers a key, and returns the key of a value.
    fn key_or_value(&mut self, id: NodeId) -> Option<NodeId> {
        let open = self.open.last_mut()?;
        if self.yaml.nodes[open.id].kind != NodeKind::Map {
            return None;
        }
        match open.key.take() {
            Some(key) => Some(key),
            None => {
                open.key = Some(id);
                open.pairs += 1;
                None
            }
        }
    }

    fn begin(&mut self, shape: NodeKind, anchor: usize, tag: Option<Tag>, mark: SourcePosition) {
        let id = self.push(shape, anchor, tag, mark);
        self.open.push(OpenCollection { id, key: None, pairs: 0 });
    }

    fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            self.yaml.nodes[open.id].end = self.yaml.nodes.len();
            self.budget.spend(open.pairs);
            self.yaml.index_large(open.id, open.pairs);
        }
    }

    fn alias(&mut self, anchor: usize, mark: SourcePosition) -> Result<(), YamlError> {
        let target = *self.anchors.get(&anchor).ok_or_else(|| YamlError {
            line: mark.line,
            column: mark.column + 1,
            reason: "alias to an anchor of another document".to_owned(),
        })?;
        self.push(NodeKind::Alias(target), 0, None, mark);
        Ok(())
    }

    fn scalar(
        &mut self,
        value: String,
        style: TScalarStyle,
        anchor: usize,
        tag: Option<Tag>,
        mark: SourcePosition,
    ) {
        let style = match style {
            TScalarStyle::Plain => ScalarStyle::Plain,
            TScalarStyle::SingleQuoted => ScalarStyle::Single,
            TScalarStyle::DoubleQuoted => ScalarStyle::Double,
            TScalarStyle::Literal | TScalarStyle::Folded => ScalarStyle::Block,
        };
        let shape = NodeKind::Scalar { value, style, missing: false };
        let id = self.push(shape, anchor, tag, mark);
        if self.is_missing(id) {
            self.place_missing(id);
        }
    }

    /// yaml-rust2 reports a missing value as `~` (or, with an anchor or a tag, as an empty plain scalar) at the
    /// position of the *next* token. The text there shows whether a `~` was really written.
    fn is_missing(&self, id: NodeId) -> bool {
        let node = &self.yaml.nodes[id];
        match &node.kind {
            NodeKind::Scalar { value, style: ScalarStyle::Plain, .. } => {
                let written = self.cursor.text[node.start..].starts_with('~');
                value.is_empty() || (value == "~" && !written)
            }
            _ => false,
        }
    }

    fn place_missing(&mut self, id: NodeId) {
        self.yaml.nodes[id].kind =
            NodeKind::Scalar { value: String::new(), style: ScalarStyle::Plain, missing: true };
        let Some(key) = self.yaml.nodes[id].key else { return };
        if let Some((start, column)) = after_colon(self.cursor.text, &self.yaml, key) {
            let line = self.yaml.nodes[key].line;
            let node = &mut self.yaml.nodes[id];
            (node.start, node.line, node.column) = (start, line, column);
        }
    }
}

/// Offset and column just after the `:` of a key that is a scalar on one line.
fn after_colon(text: &str, yaml: &ParsedYaml, key: NodeId) -> Option<(usize, usize)> {
    let end = super::span::span(text, yaml, key).ok()?.end;
    let rest = &text[end..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let colon = end + blanks;
    text[colon..].starts_with(':').then(|| {
        let node = &yaml.nodes[key];
        let width = text[node.start..=colon].chars().count();
        (colon + 1, node.column + width)
    })
}
