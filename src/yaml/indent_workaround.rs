//! Accepts indentation that only yaml-rust2 rejects: a `]`, or a continued quoted scalar, in the column of its
//! parent.
//!
//! Such lines get extra leading blanks in a copy, and yaml-rust2 parses the copy. Inside a flow collection or a
//! quoted scalar, blanks at the start of a line mean nothing (YAML 1.2.2, sections 6.7 and 7.3), so both texts
//! mean the same. Positions always refer to the original file.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use yaml_rust2::scanner::ScanError;

use super::span::{double_quoted, single_quoted};

/// Each place that needs blanks means parsing the file again. This limits the bytes parsed in total.
const MAX_READ: usize = 4_000_000;

/// The lines that need extra blanks.
#[derive(Default)]
pub(super) struct IndentWorkaround {
    /// Line numbers, 1-based.
    lines: BTreeSet<usize>,
    /// How many blanks to add: more than the indentation of any line.
    blanks: usize,
    read: usize,
}

impl IndentWorkaround {
    /// The text with the extra blanks.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.lines.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut padded = String::with_capacity(self.padded_length(text));
        for (nth, line) in lines(text).enumerate() {
            padded.extend(std::iter::repeat_n(' ', self.at(nth + 1)));
            padded.push_str(line);
        }
        Cow::Owned(padded)
    }

    /// Converts a column of the padded text to one of the original file.
    pub fn column(&self, line: usize, column: usize) -> usize {
        column.saturating_sub(self.at(line))
    }

    fn at(&self, line: usize) -> usize {
        if self.lines.contains(&line) { self.blanks } else { 0 }
    }

    fn padded_length(&self, text: &str) -> usize {
        text.len() + self.blanks * self.lines.len()
    }

    /// Pads the lines that caused a parse error. Returns false if padding can't help, or if the file would be
    /// parsed too often.
    pub fn cures(&mut self, text: &str, error: &ScanError) -> bool {
        let line = error.marker().line();
        let padded = match error.info() {
            // yaml-rust2 reports these for flow collections only
            "invalid indentation" | "invalid indentation in flow construct" => self.pad(text, line..=line),
            "invalid indentation in quoted scalar" => {
                let column = self.column(line, error.marker().col());
                quoted_lines(text, line, column).is_some_and(|lines| self.pad(text, lines))
            }
            _ => false,
        };
        self.read += self.padded_length(text);
        padded && self.read <= MAX_READ.max(2 * text.len())
    }

    /// Returns false if all of these lines are padded already, or if one starts with a document marker, which
    /// is invalid there.
    fn pad(&mut self, text: &str, numbers: RangeInclusive<usize>) -> bool {
        if self.blanks == 0 {
            let indented = |line: &str| line.len() - line.trim_start_matches(' ').len();
            self.blanks = 1 + lines(text).map(indented).max().unwrap_or(0);
        }
        let mut chosen = lines(text).skip(numbers.start() - 1).take(numbers.clone().count());
        if chosen.any(|line| line.starts_with("---") || line.starts_with("...")) {
            return false;
        }
        let before = self.lines.len();
        self.lines.extend(numbers);
        self.lines.len() > before
    }
}

/// Lines with their line breaks, split as yaml-rust2 splits them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.find(['\n', '\r']) {
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// The lines that continue a quoted scalar after its first line.
fn quoted_lines(text: &str, line: usize, column: usize) -> Option<RangeInclusive<usize>> {
    let before: usize = lines(text).take(line - 1).map(str::len).sum();
    let start = before + text[before..].char_indices().nth(column)?.0;
    let rest = &text[start..];
    let length = if rest.starts_with('\'') { single_quoted(rest)? } else { double_quoted(rest)? };
    let count = lines(rest.get(..length)?).count();
    Some(line + 1..=line + count - 1)
}
