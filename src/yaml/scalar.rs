//! Decides when a string must be quoted, and how to write it.

use std::sync::LazyLock;

use regex::Regex;

use super::document::ScalarStyle;
use crate::visible::is_hidden;

/// Words that some YAML 1.1 or 1.2 reader takes for something other than a string, in lower case.
const WORDS: [&str; 13] = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<"];

/// Numbers in any notation of YAML 1.1, YAML 1.2 and their common readers, without underscores.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?xi-u) ^(?:
            [-+]?0x[0-9a-f]*
          | [-+]?0o[-+]?[0-7]*
          | [-+]?0b[-+]?[01]*
          | [-+]?[0-9]*\.?[0-9]*(?:e[-+]?[0-9]+)?
          | [-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?
          | [-+]?\.(?:inf|nan)
        )$",
    )
});

static DATE: LazyLock<Regex> = LazyLock::new(|| compile(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?$"));

#[expect(clippy::expect_used, reason = "the patterns are constants, compiled by the tests")]
fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Whether some reader of YAML 1.1 or 1.2 (PyYAML, yaml.v2, yaml.v3, sigs.k8s.io/yaml, YAML 1.2 core) would
/// take a plain scalar with this text for something other than this string, or reject it.
///
/// `flow`: the scalar is inside `[…]` or `{…}`.
pub fn needs_quotes(text: &str, flow: bool) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.contains(&lower.as_str()) || reads_as_number(text) || !fits_plain(text, flow)
}

fn reads_as_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && (NUMBER.is_match(&text.replace('_', "")) || DATE.is_match(text))
}

/// The rules for plain scalars on one line (YAML 1.2.2 section 7.3.3), for printable ASCII only.
fn fits_plain(text: &str, flow: bool) -> bool {
    let printable = text.bytes().all(|b| (0x20..0x7f).contains(&b));
    let outer_blank = text.starts_with(' ') || text.ends_with(' ');
    let indicator = text.starts_with(|c: char| ",[]{}#&*!|>'\"%@`".contains(c))
        || ["-", "?", ":"].contains(&text)
        || ["- ", "? ", ": ", "---", "..."].iter().any(|p| text.starts_with(p));
    let inner = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    // some readers stop at a lone dash before a comma or bracket
    let lone_dash = text.ends_with(" -");
    let in_flow =
        flow && (text.contains([',', '[', ']', '{', '}']) || text.starts_with(['-', '?', ':']) || lone_dash);
    printable && !outer_blank && !indicator && !inner && !in_flow
}

/// Writes a string as a scalar on one line. It keeps the quotes of `style`; a plain scalar stays plain if it
/// can. If the text needs escapes, it gets double quotes.
pub fn render(text: &str, style: ScalarStyle, flow: bool) -> String {
    match style {
        ScalarStyle::Plain if !needs_quotes(text, flow) => text.to_owned(),
        ScalarStyle::Single if !text.contains(needs_escape) => format!("'{}'", text.replace('\'', "''")),
        _ => double_quoted(text),
    }
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // the only escape for any character that JSON has too
            _ if needs_escape(c) => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Characters that need an escape: line breaks (which a reader would fold), including those of YAML 1.1,
/// characters that YAML doesn't allow, and invisible ones. JSON has no escape for a character beyond U+FFFF.
fn needs_escape(c: char) -> bool {
    is_hidden(c) && c <= '\u{ffff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_words_are_quoted() {
        for text in [
            "1019584",
            "2994e02",
            "0123456",
            "1e10",
            "706798e8",
            "12e4567",
            "1.10",
            ".5",
            "1_000",
            "0x1f",
            "0o17",
            "0b101",
            "1:20",
            "2024-01-01",
            "2024-1-1T00:00:00Z",
            "on",
            "Off",
            "YES",
            "no",
            "y",
            "N",
            "true",
            "null",
            "~",
            "",
            ".inf",
            "-.NaN",
            "5.",
            "+1",
            "-",
            "=",
            "<<",
            "1__0",
            "1e1_0",
        ] {
            assert!(needs_quotes(text, false), "{text:?} must be quoted");
            assert_eq!(render(text, ScalarStyle::Plain, false), format!("\"{text}\""));
        }
    }

    #[test]
    fn strings_everywhere_stay_plain() {
        for text in [
            "v1.0",
            "1.2.3",
            "abc1234",
            "main-1234567",
            "1234567a",
            "12e",
            "0xfg",
            "sha-1019584",
            "latest",
            "name:tag",
            "v1@sha256:aa",
            "881869e-2021x",
            "2024-01-01-1",
            "_1",
            "1.2.3-4",
            "nil",
            "none",
        ] {
            assert!(!needs_quotes(text, true), "{text:?} must stay plain");
        }
        assert!(!needs_quotes("31e8618x", false));
        assert!(needs_quotes("31e8618", false), "a float to YAML 1.2 readers");
    }

    #[test]
    fn what_is_no_plain_scalar_is_quoted() {
        for text in ["a: b", "a #b", "a:", " a", "a ", "@x", "*x", "&x", "é", "a\tb", "[x", "- x", "#x"] {
            assert!(needs_quotes(text, false), "{text:?}");
        }
        assert!(!needs_quotes("a,b", false));
        assert!(needs_quotes("a,b", true));
        assert!(needs_quotes("a -", true));
    }

    #[test]
    fn line_breaks_and_control_characters_are_escaped() {
        for style in [ScalarStyle::Plain, ScalarStyle::Single, ScalarStyle::Double] {
            assert_eq!(render("a\nb\r\tc", style, false), r#""a\nb\r\tc""#);
            assert_eq!(
                render("\0\u{7f}\u{85}\u{2028}\u{feff}", style, true),
                r#""\u0000\u007f\u0085\u2028\ufeff""#
            );
        }
    }

    #[test]
    fn hidden_characters_are_escaped() {
        assert_eq!(render("a\u{202e}b\u{200b}", ScalarStyle::Single, false), r#""a\u202eb\u200b""#);
        assert_eq!(render("\u{26a0}\u{fe0f}", ScalarStyle::Single, false), "'\u{26a0}\u{fe0f}'");
    }

    #[test]
    fn quotes_stay_as_they_are() {
        assert_eq!(render("abc", ScalarStyle::Single, false), "'abc'");
        assert_eq!(render("it's", ScalarStyle::Single, false), "'it''s'");
        assert_eq!(render("abc", ScalarStyle::Double, false), "\"abc\"");
    }
}
