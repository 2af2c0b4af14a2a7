//! Files of `NAME=VALUE` lines, as compose reads its `.env` (compose-go, `dotenv/parser.go`), and edits of one value.
//!
//! Pure: text in, text out.

use std::ops::Range;

/// One `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    /// Without quotes and with its escapes decoded, but before variables in it are replaced.
    pub value: String,
    pub quotes: Quotes,
    /// The bytes of the value in the file, without its quotes.
    pub range: Range<usize>,
    /// 1-based.
    pub line: usize,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    None,
    /// Variables in it are not replaced.
    Single,
    Double,
}

/// Why a file can't be read: as in compose, one bad line makes the whole file unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DotenvError {
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("line {line}: the name of a variable has a character that isn't allowed")]
    Name { line: usize },
    #[error("line {line}: the quotes aren't closed")]
    Unclosed { line: usize },
}

/// Why a value can't be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DotenvEditError {
    #[error("is written with escapes")]
    Escaped,
    #[error("can't be separated from the text around it")]
    Unplaced,
}

/// Whether a file holds such lines, by its name. Others can hold them too, if something reads them like that.
pub fn is_dotenv(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".env") || name.starts_with(".env.") || name.ends_with(".properties")
}

/// Whether a file holds such lines, by its name and its text: a `.properties` file without `=` is YAML to tagbump.
pub fn has_assignments(path: &str, bytes: &[u8]) -> bool {
    is_dotenv(path) && (!path.ends_with(".properties") || bytes.contains(&b'='))
}

const BOM: char = '\u{feff}';

/// Every assignment of a file, in order. A name without a value takes its value from the shell, so it isn't one.
///
/// # Errors
/// The first line that compose would reject.
pub fn parse(bytes: &[u8]) -> Result<Vec<Assignment>, DotenvError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DotenvError::NotUtf8)?;
    let mut reader = DotenvReader {
        text,
        at: text.len() - text.strip_prefix(BOM).unwrap_or(text).len(),
        line: 1,
        counted: 0,
    };
    let mut assignments = Vec::new();
    while reader.next_statement() {
        match reader.name()? {
            Some(name) => assignments.push(reader.value(name)?),
            None => reader.skip_blanks(),
        }
    }
    Ok(assignments)
}

/// Replaces a range of one value, in bytes of [`Assignment::value`]. Quotes, comments and line ends stay.
///
/// # Errors
/// Why the value can't be edited. The result is read again, and must differ in this value only.
pub fn set(bytes: &[u8], nth: usize, range: Range<usize>, new: &str) -> Result<Vec<u8>, DotenvEditError> {
    let before = parse(bytes).map_err(|_| DotenvEditError::Unplaced)?;
    let old = before.get(nth).ok_or(DotenvEditError::Unplaced)?;
    let raw = bytes.get(old.range.clone()).ok_or(DotenvEditError::Unplaced)?;
    let bounds = if raw == old.value.as_bytes() {
        old.range.start + range.start..old.range.start + range.end
    } else if range == (0..old.value.len()) {
        old.range.clone()
    } else {
        return Err(DotenvEditError::Escaped);
    };
    let mut value = old.value.clone();
    if value.get(range.clone()).is_none() || bounds.end > old.range.end {
        return Err(DotenvEditError::Unplaced);
    }
    value.replace_range(range, new);
    let after = [&bytes[..bounds.start], new.as_bytes(), &bytes[bounds.end..]].concat();
    let wanted = before.iter().enumerate().map(|(n, one)| if n == nth { &value } else { &one.value });
    let now = parse(&after).map_err(|_| DotenvEditError::Unplaced)?;
    let same = |(one, other): (&Assignment, &Assignment)| {
        (&one.name, one.quotes, one.line) == (&other.name, other.quotes, other.line)
    };
    let verified = before.len() == now.len()
        && before.iter().zip(&now).all(same)
        && wanted.eq(now.iter().map(|one| &one.value));
    if verified { Ok(after) } else { Err(DotenvEditError::Unplaced) }
}

struct DotenvReader<'a> {
    text: &'a str,
    at: usize,
    /// The line of the byte up to which lines were counted.
    line: usize,
    counted: usize,
}

impl<'a> DotenvReader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line_here(&mut self) -> usize {
        self.line += self.text[self.counted..self.at].matches('\n').count();
        self.counted = self.at;
        self.line
    }

    /// Goes to the next statement: over blanks, empty lines and comments. (`parser.getStatementStart`)
    fn next_statement(&mut self) -> bool {
        loop {
            self.skip(char::is_whitespace);
            if !self.rest().starts_with('#') {
                return !self.rest().is_empty();
            }
            self.skip(|c| c != '\n');
        }
    }

    fn skip(&mut self, skipped: fn(char) -> bool) {
        self.at = self.text.len() - self.rest().trim_start_matches(skipped).len();
    }

    fn skip_blanks(&mut self) {
        self.skip(is_blank);
    }

    /// Reads the name, and goes to its value; `None` if there is no value. (`parser.locateKeyName`)
    fn name(&mut self) -> Result<Option<String>, DotenvError> {
        let exported = self.rest().strip_prefix("export");
        if exported.is_some_and(|rest| rest.starts_with(['\t', '\n', '\u{c}', '\r', ' '])) {
            self.at += "export".len();
            self.skip_blanks();
        }
        let rest = self.rest();
        let allowed = |c: char| is_blank(c) || c.is_alphanumeric() || "_.-[]".contains(c);
        let end = rest.char_indices().find(|&(_, c)| !allowed(c));
        let Some((end, mark)) = end else {
            // the last line of the file, without a line break
            self.at = self.text.len();
            return if rest.is_empty() { Err(self.bad_name()) } else { Ok(None) };
        };
        let name = rest[..end].trim_end();
        if !['=', ':', '\n'].contains(&mark) || name.contains(' ') {
            return Err(self.bad_name());
        }
        self.at += end + 1;
        self.skip_blanks();
        Ok((mark != '\n').then(|| name.to_owned()))
    }

    fn bad_name(&mut self) -> DotenvError {
        DotenvError::Name { line: self.line_here() }
    }

    /// (`parser.extractVarValue`)
    fn value(&mut self, name: String) -> Result<Assignment, DotenvError> {
        let line = self.line_here();
        let (start, rest) = (self.at, self.rest());
        let quotes = match rest.as_bytes().first() {
            Some(b'\'') => Quotes::Single,
            Some(b'"') => Quotes::Double,
            _ => {
                let whole = rest.split('\n').next().unwrap_or_default();
                let value = whole.split(" #").next().unwrap_or_default().trim_end();
                self.at = (start + whole.len() + 1).min(self.text.len());
                let range = start..start + value.len();
                return Ok(Assignment { name, value: value.to_owned(), quotes: Quotes::None, range, line });
            }
        };
        let length = quoted_length(rest).ok_or(DotenvError::Unclosed { line })?;
        let range = start + 1..start + 1 + length;
        self.at = range.end + 1;
        let raw = without_escaped_quotes(&self.text[range.clone()], quotes);
        let value = if quotes == Quotes::Double { decoded(&raw) } else { raw };
        Ok(Assignment { name, value, quotes, range, line })
    }
}

/// How many bytes the quotes hold, up to the first quote without a backslash before it.
fn quoted_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let quote = *bytes.first()?;
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at - 1),
            _ => at += 1,
        }
    }
}

fn without_escaped_quotes(raw: &str, quotes: Quotes) -> String {
    let quote = if quotes == Quotes::Single { '\'' } else { '"' };
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some(next)) => {
                chars.next();
                if next != quote {
                    text.push(c);
                }
                text.push(next);
            }
            _ => text.push(c),
        }
    }
    text
}

/// Decodes the escapes of a value in double quotes. `\$` becomes `$$`, so it never starts a variable.
/// (`expandEscapes`)
fn decoded(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let simple = rest.chars().next().and_then(|c| {
            "abfnrtv$\"\\"
                .find(c)
                .map(|nth| ["\u{7}", "\u{8}", "\u{c}", "\n", "\r", "\t", "\u{b}", "$$", "\"", "\\"][nth])
        });
        if let Some(simple) = simple {
            text.push_str(simple);
            rest = &rest[1..];
        } else if let Some(c) = octal(rest) {
            text.push(c);
            rest = &rest[4..];
        } else {
            text.push('\\');
        }
    }
    text + rest
}

/// The character of `0` and three octal digits.
fn octal(rest: &str) -> Option<char> {
    let digits = rest.strip_prefix('0')?.get(..3)?;
    let is_octal = digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    u8::from_str_radix(digits, 8).ok().filter(|_| is_octal).map(char::from)
}

/// A blank that doesn't end the line. (`isSpace`)
fn is_blank(c: char) -> bool {
    ['\t', '\u{b}', '\u{c}', '\r', ' ', '\u{85}', '\u{a0}'].contains(&c)
}

/// Whether any edit breaks the file: sops keeps a MAC over all values, unless only the encrypted ones count. (sops,
/// `stores/dotenv`.)
pub fn has_mac(assignments: &[Assignment]) -> bool {
    let value = |name: &str| assignments.iter().find(|one| one.name == name).map(|one| one.value.as_str());
    value("sops_mac").is_some_and(|mac| !mac.is_empty()) && value("sops_mac_only_encrypted") != Some("true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes()).unwrap().into_iter().map(|one| (one.name, one.value)).collect()
    }

    fn value(text: &str) -> String {
        values(text).remove(0).1
    }

    #[test]
    fn plain_value_ends_before_comment_and_trailing_blanks() {
        for (text, expected) in [
            ("A=v1", "v1"),
            ("A=v1 # of the release\n", "v1"),
            ("A=v1#x\n", "v1#x"),
            ("A= # c\n", "# c"),
            ("A =  v1  \r\n", "v1"),
            ("export A=v1\n", "v1"),
            ("A: v1\n", "v1"),
            ("A=\nB=2\n", ""),
            ("\u{feff}A=v1\n", "v1"),
            ("A=it's\n", "it's"),
            ("A=v1\\n\n", "v1\\n"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_value_is_read_to_its_closing_quote_with_escapes() {
        for (text, expected) in [
            ("A='v1' # c\n", "v1"),
            ("A='v 1 # x'\n", "v 1 # x"),
            (r#"A="v\"1""#, "v\"1"),
            (r"A='it\'s\n'", r"it's\n"),
            (r#"A="a\nb\$c\\d\0101\x""#, "a\nb$$c\\dA\\x"),
            ("A=\"one\ntwo\"\n", "one\ntwo"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn names_without_value_comments_and_empty_lines_are_no_assignments() {
        let text = "# A=1\n\nINHERITED\nB=2\n  C='3' D=4\nLAST";
        let expected = [("B", "2"), ("C", "3"), ("D", "4")];
        assert_eq!(values(text), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let lines: Vec<_> = parse(text.as_bytes()).unwrap().iter().map(|one| one.line).collect();
        assert_eq!(lines, [4, 5, 5]);
    }

    #[test]
    fn file_is_rejected_where_compose_rejects_it() {
        assert_eq!(parse(b"A=1\nB C=2\n"), Err(DotenvError::Name { line: 2 }));
        assert_eq!(parse(b"A=1\n?=2\n"), Err(DotenvError::Name { line: 2 }));
        assert_eq!(parse(b"A='x\n"), Err(DotenvError::Unclosed { line: 1 }));
        assert_eq!(parse(b"A=\xff"), Err(DotenvError::NotUtf8));
        assert_eq!(parse(b"export "), Err(DotenvError::Name { line: 1 }));
    }

    fn changed(text: &str, nth: usize) -> Result<String, DotenvEditError> {
        let length = parse(text.as_bytes()).unwrap()[nth].value.len();
        set(text.as_bytes(), nth, 0..length, "v2").map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn edit_keeps_quotes_export_comments_and_line_ends() {
        for text in [
            "A=v1",
            "A=v1\r\nB=v1\r\n",
            "export A='v1' # v1\n",
            "\u{feff}A =  \"v1\"  # é\n",
            "A=v1   # c\nA=v1\n",
            "A='v1'B=v1\n",
        ] {
            assert_eq!(changed(text, 0).unwrap(), text.replacen("v1", "v2", 1), "{text:?}");
        }
        assert_eq!(changed("A=v1\nB=v1 # c\r\nC=v1", 1).unwrap(), "A=v1\nB=v2 # c\r\nC=v1");
        assert_eq!(changed("A=\nB=x\n", 0).unwrap(), "A=v2\nB=x\n");
        assert_eq!(changed(r#"A="v\"1" # c"#, 0).unwrap(), r#"A="v2" # c"#);
    }

    #[test]
    fn edit_replaces_a_part_of_the_value() {
        let set = |text: &str, range, new: &str| set(text.as_bytes(), 0, range, new);
        assert_eq!(set("IMAGE='api:v1' # v1\n", 4..6, "v2"), Ok(b"IMAGE='api:v2' # v1\n".to_vec()));
        assert_eq!(set("A=${B:-v1}\n", 5..7, "v2"), Ok(b"A=${B:-v2}\n".to_vec()));
        assert_eq!(set("A=\"a\\\"v1\"\n", 2..4, "v2"), Err(DotenvEditError::Escaped));
    }

    #[test]
    fn edit_that_would_read_otherwise_is_refused() {
        let set = |text: &str, nth, range, new: &str| set(text.as_bytes(), nth, range, new);
        assert_eq!(set("A=v1\n", 0, 0..2, "v2 # x"), Err(DotenvEditError::Unplaced));
        assert_eq!(set("A=v1\n", 0, 0..2, "v2\nB=3"), Err(DotenvEditError::Unplaced));
        assert_eq!(set("A='v1'\n", 0, 0..2, "v'2"), Err(DotenvEditError::Unplaced));
        assert_eq!(set("A=v1\n", 0, 1..9, "v2"), Err(DotenvEditError::Unplaced));
        assert_eq!(set("A=v1\n", 3, 0..2, "v2"), Err(DotenvEditError::Unplaced));
    }
}
