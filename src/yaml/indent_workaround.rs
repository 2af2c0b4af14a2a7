//! Indentation that every YAML reader but yaml-rust2 accepts: a `]` in its parent's column, or quoted text
//! that goes on there.
//!
//! Such lines get blanks in front, in a copy that is parsed in the file's place. Inside of a flow collection
//! or a quoted scalar, blanks at the start of a line mean nothing (YAML 1.2.2, sections 6.7 and 7.3), so both
//! copies say the same. Positions are those of the file.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use yaml_rust2::scanner::ScanError;

use super::span::{double_quoted, single_quoted};

/// Every place that needs blanks takes another reading of the file, of so many bytes in all.
const MAX_READ: usize = 4_000_000;

/// Blanks in front of some lines.
#[derive(Default)]
pub(super) struct IndentWorkaround {
    /// By their numbers from 1.
    lines: BTreeSet<usize>,
    /// How many: more than any line is indented by.
    blanks: usize,
    read: usize,
}

impl IndentWorkaround {
    /// The text with the blanks.
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

    /// A column of the padded text as one of the file.
    pub fn column(&self, line: usize, column: usize) -> usize {
        column.saturating_sub(self.at(line))
    }

    fn at(&self, line: usize) -> usize {
        if self.lines.contains(&line) { self.blanks } else { 0 }
    }

    fn padded_length(&self, text: &str) -> usize {
        text.len() + self.blanks * self.lines.len()
    }

    /// Pads what a fault is about; false where it is about something else, or it would be too much to read.
    pub fn cures(&mut self, text: &str, error: &ScanError) -> bool {
        let line = error.marker().line();
        let padded = match error.info() {
            // the parser says this of nothing but flow collections
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

    /// False where all of them are padded already, or one of them starts like the mark between documents,
    /// which may not stand there.
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

/// The lines on which a quoted scalar goes on behind its first.
fn quoted_lines(text: &str, line: usize, column: usize) -> Option<RangeInclusive<usize>> {
    let before: usize = lines(text).take(line - 1).map(str::len).sum();
    let start = before + text[before..].char_indices().nth(column)?.0;
    let rest = &text[start..];
    let length = if rest.starts_with('\'') { single_quoted(rest)? } else { double_quoted(rest)? };
    let count = lines(rest.get(..length)?).count();
    Some(line + 1..=line + count - 1)
}
