//! Accepts a tab between a key's colon and a plain value, which only yaml-rust2 rejects (YAML 1.2.2, section 6.2:
//! separation is spaces or tabs).
//!
//! In a copy, such tabs become spaces, and yaml-rust2 parses the copy. A tab and a space are one byte and one column
//! each, so every position stays the same.

use std::borrow::Cow;
use std::collections::BTreeSet;

use yaml_rust2::scanner::ScanError;

/// Each tab that is found means parsing the file again. This limits the bytes parsed in total.
const MAX_READ: usize = 4_000_000;

/// The tabs to replace.
#[derive(Default)]
pub(super) struct TabWorkaround {
    /// Offsets in bytes.
    tabs: BTreeSet<usize>,
    read: usize,
}

impl TabWorkaround {
    /// The text with spaces instead of the tabs.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.tabs.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut copy, mut done) = (String::with_capacity(text.len()), 0);
        for &tab in &self.tabs {
            copy.push_str(&text[done..tab]);
            copy.push(' ');
            done = tab + 1;
        }
        copy.push_str(&text[done..]);
        Cow::Owned(copy)
    }

    /// Finds the tabs that caused a parse error. Returns false if there are none, or if the file would be parsed too
    /// often.
    pub fn cures(&mut self, text: &str, error: &ScanError) -> bool {
        if error.info() != "':' must be followed by a valid YAML whitespace" {
            return false;
        }
        let before = self.tabs.len();
        let mut lines = offsets(text).skip(error.marker().line() - 1);
        let Some((start, line)) = lines.next() else { return false };
        // the error's column is that of the value behind the tabs
        let value = line.char_indices().nth(error.marker().col()).map_or(line.len(), |(at, _)| at);
        self.tabs.extend(tabs_before(line, value).map(|at| start + at));
        // the lines that follow are most likely aligned by tabs too
        for (start, line) in lines.take_while(|(_, next)| is_simple(line) && is_simple(next)) {
            let value =
                line.find(":\t").map(|colon| line.len() - line[colon + 1..].trim_start_matches('\t').len());
            self.tabs
                .extend(value.into_iter().flat_map(|value| tabs_before(line, value)).map(|at| start + at));
        }
        self.read += text.len();
        self.tabs.len() > before && self.read <= MAX_READ.max(2 * text.len())
    }
}

/// The tabs between the colon of a key and the value at this offset. A value whose key is on another line (`? key`)
/// may not be separated by a tab.
fn tabs_before(line: &str, value: usize) -> impl Iterator<Item = usize> {
    let head = line.get(..value).unwrap_or_default();
    let colon = head.trim_end_matches('\t');
    let has_key = colon.strip_suffix(':').is_some_and(|key| !key.trim().is_empty());
    let start = if has_key { colon.len() } else { head.len() };
    start..head.len()
}

/// Whether a line holds a plain key and at most a plain value: nothing in it, or behind it, can be text of a block
/// scalar or of a quoted one that starts here.
fn is_simple(line: &str) -> bool {
    let line = line.trim();
    let content = line.trim_start_matches("- ");
    let Some((key, value)) = content.split_once(':') else { return line.is_empty() };
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b));
    plain(key) && plain(value.trim_start())
}

/// The lines with their offsets, split as yaml-rust2 splits them.
fn offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let end = match rest.find(['\n', '\r']) {
            Some(end) if rest[end..].starts_with("\r\n") => end + 2,
            Some(end) => end + 1,
            None => rest.len(),
        };
        let start = at;
        at += end;
        (end > 0).then_some((start, &rest[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Change, apply, scan};

    fn value(text: &str, path: &[&str]) -> Option<String> {
        let yaml = scan(text.as_bytes()).ok()?;
        yaml.at(0, path).and_then(|id| yaml.text(id)).map(str::to_owned)
    }

    #[test]
    fn tab_after_a_colon_separates() {
        assert_eq!(value("image:\tx:v1\n", &["image"]).as_deref(), Some("x:v1"));
        assert_eq!(value("a:\n  b:\t\tc\n", &["a", "b"]).as_deref(), Some("c"));
        assert_eq!(value("a: {b:\tc}\n", &["a", "b"]).as_deref(), Some("c"));
        assert_eq!(value("\u{feff}ä:\tb\r\nc:\td\r\n", &["c"]).as_deref(), Some("d"));
    }

    #[test]
    fn tab_inside_a_value_stays() {
        let text = "a:\tb\nt: |\n  c:\td\ne:\tf\nq: \"g:\th\"\n";
        assert_eq!(value(text, &["t"]).as_deref(), Some("c:\td\n"));
        assert_eq!(value(text, &["q"]).as_deref(), Some("g:\th"));
        assert_eq!(value(text, &["e"]).as_deref(), Some("f"));
    }

    #[test]
    fn tab_stays_when_the_value_behind_it_changes() {
        let text = "a:\tv1\nb:\tv1\n";
        let yaml = scan(text.as_bytes()).unwrap();
        let node = yaml.at(0, &["b"]).unwrap();
        let after = apply(text.as_bytes(), &yaml, &[Change::Set { node, value: "v2".to_owned() }]).unwrap();
        assert_eq!(after, b"a:\tv1\nb:\tv2\n");
    }

    #[test]
    fn tab_is_no_indentation() {
        for text in ["a:\n\tb: c\n", "? a\n:\tb: c\n", "a:\t- b\n"] {
            assert!(scan(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn file_is_parsed_few_times_when_tabs_align_it() {
        let text: String = (0..20_000).map(|n| format!("k{n}:\tv{n}\n")).collect();
        assert_eq!(value(&text, &["k19999"]).as_deref(), Some("v19999"));
    }
}
