//! From bytes to a [`Tape`], over yaml-rust2's events.
//!
//! yaml-rust2's `Marker::index()` counts characters and drifts; `line()` and `col()` are exact. So every
//! position here comes from line and column. Events are pulled with `next_token`, since `load` recurses
//! and a file that is nested deeply enough would overflow the stack.

use std::collections::HashMap;
use std::str::Chars;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use super::budget::{Budget, Cancellation, Grouped, Stopped};
use super::cursor::Cursor;
use super::padding::Padding;
use super::tape::{Node, NodeId, Shape, Style, Tape};

/// Why a file can't be read as YAML, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {reason}")]
pub struct ScanFault {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    pub reason: String,
}

/// Why there is no tape of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not YAML.
    #[error(transparent)]
    Syntax(#[from] ScanFault),
    /// It may well be YAML, but was not read to its end.
    #[error("{0}")]
    Stopped(#[from] Stopped),
}

const BOM: &str = "\u{feff}";

/// No manifest has as many values; more would cost gigabytes.
const MAX_NODES: usize = 2_000_000;

/// Reads a whole file. All offsets are into `bytes`, a byte-order mark included.
///
/// # Errors
/// Text that is not UTF-8, holds a NUL (at which the parser would silently stop), or is not YAML; and a file that
/// takes too much work.
pub fn scan(bytes: &[u8]) -> Result<Tape, ReadError> {
    scan_until(bytes, &Cancellation::default())
}

/// As [`scan`], until the result is not wanted any more.
///
/// # Errors
/// As [`scan`], and where it was cancelled.
pub fn scan_until(bytes: &[u8], cancellation: &Cancellation) -> Result<Tape, ReadError> {
    let budget = Budget::for_file(bytes.len(), cancellation.clone());
    let text = readable(bytes)?;
    let body = text.strip_prefix(BOM).unwrap_or(text);
    let mut padding = Padding::default();
    loop {
        let tape = read(text, body, &padding, &budget);
        // a text that ended early looks like one with a fault
        budget.check()?;
        match tape {
            Ok(mut tape) => {
                tape.budget = budget;
                return Ok(tape);
            }
            Err(Fault::Here(fault)) => return Err(fault.into()),
            Err(Fault::Parser(error)) if !padding.cures(body, &error) => {
                let (line, column) = (error.marker().line(), error.marker().col());
                let column = padding.column(line, column) + 1;
                return Err(ScanFault { line, column, reason: error.info().to_owned() }.into());
            }
            Err(Fault::Parser(_)) => {}
        }
    }
}

enum Fault {
    Here(ScanFault),
    Parser(ScanError),
}

fn read(text: &str, body: &str, padding: &Padding, budget: &Budget) -> Result<Tape, Fault> {
    let padded = padding.apply(body);
    let mut builder = Builder::new(text, text.len() - body.len(), padding, budget);
    let mut parser = Parser::new(Counted { chars: padded.chars(), budget, uncounted: 0 });
    loop {
        let (event, mark) = parser.next_token().map_err(Fault::Parser)?;
        if event == Event::StreamEnd {
            return Ok(builder.tape);
        }
        if builder.tape.len() >= MAX_NODES {
            budget.stop(Stopped::Values(Grouped(MAX_NODES as u64)));
        }
        if !budget.spend(1 + copied(&event)) {
            return Ok(builder.tape);
        }
        let place = builder.place(mark);
        builder.take(event, place).map_err(Fault::Here)?;
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

/// The characters of a text, which end early once the budget is spent: one scalar can be as long as the file.
struct Counted<'a> {
    chars: Chars<'a>,
    budget: &'a Budget,
    uncounted: usize,
}

/// How many characters are taken together.
const CHUNK: usize = 1 << 8;

impl Iterator for Counted<'_> {
    type Item = char;

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

/// A position in the file: the line 1-based, the column 0-based.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
}

/// The text, if it is text that can be parsed to its end.
fn readable(bytes: &[u8]) -> Result<&str, ScanFault> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let reason = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16; save it as UTF-8",
            _ => "is not UTF-8",
        };
        fault_at(bytes, e.valid_up_to(), reason)
    })?;
    match bytes.iter().position(|&b| b == 0) {
        Some(at) => Err(fault_at(bytes, at, "holds a NUL byte")),
        None => Ok(text),
    }
}

fn fault_at(bytes: &[u8], at: usize, reason: &str) -> ScanFault {
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    ScanFault {
        line: before.iter().filter(|&&b| b == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
        reason: reason.to_owned(),
    }
}

/// A collection whose end has not come yet.
struct Open {
    id: NodeId,
    /// In a map: the key whose value comes next.
    key: Option<NodeId>,
    /// How many pairs a map has so far.
    pairs: usize,
}

/// Builds the tape, with a stack of its own for the nesting.
struct Builder<'a> {
    padding: &'a Padding,
    budget: &'a Budget,
    cursor: Cursor<'a>,
    tape: Tape,
    open: Vec<Open>,
    /// yaml-rust2's anchor numbers in the current document.
    anchors: HashMap<usize, NodeId>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, first: usize, padding: &'a Padding, budget: &'a Budget) -> Self {
        Builder {
            padding,
            budget,
            cursor: Cursor::new(text, first),
            tape: Tape::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    fn offset(&mut self, mark: Place, of_map: bool) -> usize {
        let (offset, steps) = self.cursor.offset(mark.line, mark.column, of_map);
        self.budget.spend(steps);
        offset
    }

    fn place(&self, mark: Marker) -> Place {
        Place { line: mark.line(), column: self.padding.column(mark.line(), mark.col()) }
    }

    fn take(&mut self, event: Event, mark: Place) -> Result<(), ScanFault> {
        match event {
            Event::DocumentStart => {
                self.anchors.clear();
                let start = self.offset(mark, false);
                self.tape.doc_starts.push(start);
                self.tape.roots.push(self.tape.nodes.len());
            }
            Event::MappingStart(anchor, tag) => self.begin(Shape::Map, anchor, tag, mark),
            Event::SequenceStart(anchor, tag) => self.begin(Shape::Seq, anchor, tag, mark),
            Event::MappingEnd | Event::SequenceEnd => self.end(),
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(value, style, anchor, tag, mark);
            }
            Event::Alias(anchor) => self.alias(anchor, mark)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn push(&mut self, shape: Shape, anchor: usize, tag: Option<Tag>, mark: Place) -> NodeId {
        let id = self.tape.nodes.len();
        let start = self.offset(mark, shape == Shape::Map);
        let parent = self.open.last().map(|open| open.id);
        let key = self.key_or_value(id);
        self.unmark_block_list(&shape, parent, start);
        let in_flow = parent.is_some_and(|p| self.tape.nodes[p].flow);
        let bracket = match shape {
            Shape::Map => Some(b'{'),
            Shape::Seq => Some(b'['),
            Shape::Scalar { .. } | Shape::Alias(_) => None,
        };
        let opens = bracket.is_some() && self.cursor.text.as_bytes().get(start).copied() == bracket;
        self.tape.nodes.push(Node {
            shape,
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

    /// A block list's mark is its first item's: where that is a flow list, the bracket is not the block
    /// list's own. Two flow lists never start at the same byte.
    fn unmark_block_list(&mut self, shape: &Shape, parent: Option<NodeId>, start: usize) {
        if let Some(parent) = parent.filter(|_| *shape == Shape::Seq) {
            let around = self.tape.nodes[parent].parent.is_some_and(|p| self.tape.nodes[p].flow);
            let node = &mut self.tape.nodes[parent];
            if node.start == start && node.shape == Shape::Seq {
                node.flow = around;
            }
        }
    }

    /// In a map, nodes come as key, value, key, value: remembers a key, gives the key of a value.
    fn key_or_value(&mut self, id: NodeId) -> Option<NodeId> {
        let open = self.open.last_mut()?;
        if self.tape.nodes[open.id].shape != Shape::Map {
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

    fn begin(&mut self, shape: Shape, anchor: usize, tag: Option<Tag>, mark: Place) {
        let id = self.push(shape, anchor, tag, mark);
        self.open.push(Open { id, key: None, pairs: 0 });
    }

    fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            self.tape.nodes[open.id].end = self.tape.nodes.len();
            self.budget.spend(open.pairs);
            self.tape.index_large(open.id, open.pairs);
        }
    }

    fn alias(&mut self, anchor: usize, mark: Place) -> Result<(), ScanFault> {
        let target = *self.anchors.get(&anchor).ok_or_else(|| ScanFault {
            line: mark.line,
            column: mark.column + 1,
            reason: "alias to an anchor of another document".to_owned(),
        })?;
        self.push(Shape::Alias(target), 0, None, mark);
        Ok(())
    }

    fn scalar(&mut self, value: String, style: TScalarStyle, anchor: usize, tag: Option<Tag>, mark: Place) {
        let style = match style {
            TScalarStyle::Plain => Style::Plain,
            TScalarStyle::SingleQuoted => Style::Single,
            TScalarStyle::DoubleQuoted => Style::Double,
            TScalarStyle::Literal | TScalarStyle::Folded => Style::Block,
        };
        let shape = Shape::Scalar { value, style, missing: false };
        let id = self.push(shape, anchor, tag, mark);
        if self.is_missing(id) {
            self.place_missing(id);
        }
    }

    /// An empty value arrives as `~` (or, with anchor or tag, as an empty plain scalar) at the position of
    /// the *next* token. It is told from a written `~` by what stands there.
    fn is_missing(&self, id: NodeId) -> bool {
        let node = &self.tape.nodes[id];
        match &node.shape {
            Shape::Scalar { value, style: Style::Plain, .. } => {
                let written = self.cursor.text[node.start..].starts_with('~');
                value.is_empty() || (value == "~" && !written)
            }
            _ => false,
        }
    }

    fn place_missing(&mut self, id: NodeId) {
        self.tape.nodes[id].shape =
            Shape::Scalar { value: String::new(), style: Style::Plain, missing: true };
        let Some(key) = self.tape.nodes[id].key else { return };
        if let Some((start, column)) = after_colon(self.cursor.text, &self.tape, key) {
            let line = self.tape.nodes[key].line;
            let node = &mut self.tape.nodes[id];
            (node.start, node.line, node.column) = (start, line, column);
        }
    }
}

/// Offset and column just behind the `:` of a key that is a scalar on one line.
fn after_colon(text: &str, tape: &Tape, key: NodeId) -> Option<(usize, usize)> {
    let end = super::span::span(text, tape, key).ok()?.end;
    let rest = &text[end..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let colon = end + blanks;
    text[colon..].starts_with(':').then(|| {
        let node = &tape.nodes[key];
        let width = text[node.start..=colon].chars().count();
        (colon + 1, node.column + width)
    })
}
