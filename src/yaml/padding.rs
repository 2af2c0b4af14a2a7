//! Indentation that every YAML reader but yaml-rust2 accepts: a `]` in its parent's column, or quoted text
//! that goes on there.
//!
//! Such lines get blanks in front, in a copy that is parsed in the file's place. Inside of a flow collection
//! or a quoted scalar, blanks at the start of a line mean nothing (YAML 1.2.2, sections 6.7 and 7.3), so both
//! copies say the same. Positions are those of the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use yaml_rust2::scanner::ScanError;

use super::span::{double_quoted, single_quoted};

/// More than any key is indented.
const BLANKS: usize = 256;

/// Every place that needs blanks takes another reading of the file: of so many bytes in all.
const MAX_READ: usize = 4_000_000;

/// Blanks in front of some lines, by their number from 1.
#[derive(Default)]
pub(super) struct Padding {
    lines: BTreeMap<usize, usize>,
    readings: usize,
}

impl Padding {
    /// The text with the blanks.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.lines.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut padded = String::with_capacity(text.len() + BLANKS * self.lines.len());
        for (nth, line) in lines(text).enumerate() {
            padded.extend(std::iter::repeat_n(' ', self.at(nth + 1)));
            padded.push_str(line);
        }
        Cow::Owned(padded)
    }

    /// A column of the padded text as one of the file.
    pub fn column(&self, line: usize, column: usize) -> usize {
        column.saturating_sub(self.at(line))
    }

    fn at(&self, line: usize) -> usize {
        self.lines.get(&line).copied().unwrap_or_default()
    }

    /// Pads what a fault is about; false where it is about something else, or there were too many.
    pub fn cures(&mut self, text: &str, error: &ScanError) -> bool {
        self.readings += 1;
        if self.readings > 1 + MAX_READ / text.len().max(1) {
            return false;
        }
        let line = error.marker().line();
        match error.info() {
            // the parser says this of nothing but flow collections
            "invalid indentation" | "invalid indentation in flow construct" => self.pad(line..=line),
            "invalid indentation in quoted scalar" => {
                let column = self.column(line, error.marker().col());
                match quoted_lines(text, line, column) {
                    Some(count) => self.pad(line + 1..=line + count),
                    None => false,
                }
            }
            _ => false,
        }
    }

    /// False where all of them are padded already.
    fn pad(&mut self, lines: std::ops::RangeInclusive<usize>) -> bool {
        let before = self.lines.len();
        self.lines.extend(lines.map(|line| (line, BLANKS)));
        self.lines.len() > before
    }
}

/// As yaml-rust2 breaks them, each with its break.
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

/// On how many lines a quoted scalar goes on behind its first.
fn quoted_lines(text: &str, line: usize, column: usize) -> Option<usize> {
    let before: usize = lines(text).take(line - 1).map(str::len).sum();
    let start = before + text[before..].char_indices().nth(column)?.0;
    let rest = &text[start..];
    let length = if rest.starts_with('\'') { single_quoted(rest)? } else { double_quoted(rest)? };
    Some(lines(rest.get(..length)?).count() - 1)
}
