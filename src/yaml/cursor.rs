//! Turns lines and columns into byte offsets.

/// Breaks lines as yaml-rust2 does: at LF, CRLF and lone CR.
pub(super) struct Cursor<'a> {
    pub text: &'a str,
    line_starts: Vec<usize>,
    /// The last positions looked up, of block maps (which yaml-rust2 marks after their first key) and of
    /// everything else. On one long line, counting columns from the nearer of them keeps each lookup cheap.
    maps: CursorPosition,
    others: CursorPosition,
}

#[derive(Clone, Copy)]
struct CursorPosition {
    line: usize,
    column: usize,
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, first: usize) -> Self {
        let bytes = text.as_bytes();
        let is_break = |&i: &usize| bytes[i] == b'\n' || bytes.get(i + 1) != Some(&b'\n');
        let breaks = memchr::memchr2_iter(b'\n', b'\r', bytes).filter(is_break).map(|i| i + 1);
        let start = CursorPosition { line: 1, column: 0, offset: first };
        Cursor {
            text,
            line_starts: std::iter::once(first).chain(breaks).collect(),
            maps: start,
            others: start,
        }
    }

    pub fn lines(&self) -> usize {
        self.line_starts.len()
    }

    /// The byte offset, and how many characters it took to find it. `line` is 1-based; `column` is 0-based, in
    /// characters. A position past the end of the text gives the end.
    pub fn offset(&mut self, line: usize, column: usize, of_map: bool) -> (usize, usize) {
        let line_start = self.line_starts.get(line - 1).copied().unwrap_or(self.text.len());
        let start = CursorPosition { line, column: 0, offset: line_start };
        let known = [start, self.maps, self.others].into_iter().filter(|p| p.line == line);
        let from = known.min_by_key(|p| p.column.abs_diff(column)).unwrap_or(start);
        let found = if column >= from.column { self.after(from, column) } else { self.before(from, column) };
        let last = if of_map { &mut self.maps } else { &mut self.others };
        // a position past the end has no column to count from
        *last = found.map_or(*last, |offset| CursorPosition { line, column, offset });
        (found.unwrap_or(self.text.len()), from.column.abs_diff(column))
    }

    fn after(&self, from: CursorPosition, column: usize) -> Option<usize> {
        let mut chars = self.text[from.offset..].char_indices();
        chars.nth(column - from.column).map(|(i, _)| from.offset + i)
    }

    fn before(&self, from: CursorPosition, column: usize) -> Option<usize> {
        let mut chars = self.text[..from.offset].char_indices().rev();
        chars.nth(from.column - column - 1).map(|(i, _)| i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "äb: {ç: d}\r\né: f\rg\n";

    /// Lookups give the same offset in any order.
    #[test]
    fn offsets_do_not_depend_on_what_was_asked_before() {
        let places: Vec<(usize, usize)> =
            (1..=4).flat_map(|line| (0..4).map(move |column| (line, column))).collect();
        for &first in &places {
            for &second in &places {
                for of_map in [false, true] {
                    let fresh = Cursor::new(TEXT, 0).offset(second.0, second.1, false).0;
                    let mut used = Cursor::new(TEXT, 0);
                    used.offset(first.0, first.1, of_map);
                    assert_eq!(used.offset(second.0, second.1, false).0, fresh, "{first:?} {second:?}");
                }
            }
        }
    }

    #[test]
    fn neighbours_on_a_long_line_are_near() {
        let text = "é, ".repeat(10_000);
        let mut cursor = Cursor::new(&text, 0);
        let steps: usize = (0..9_000).map(|n| cursor.offset(1, 3 * n + 5 * (n % 2), n % 3 == 0).1).sum();
        assert!(steps < 9_000 * 20, "{steps}");
        assert_eq!(cursor.offset(1, 29_997, false).0, 39_996);
        assert_eq!(cursor.offset(1, 29_994, false), (39_992, 3));
        assert_eq!(cursor.offset(1, 90_000, false).0, text.len());
        assert_eq!(cursor.offset(2, 0, false).0, text.len());
    }
}
