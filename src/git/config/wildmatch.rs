//! git's patterns for paths, branches and URLs: `*` and `?` stop at a slash, `**` doesn't.
//!
//! Source: git's `wildmatch.c` (`dowild` with `WM_PATHNAME`), `gitignore(5)`. The pattern becomes a regular
//! expression, which takes linear time whatever the pattern is.

use regex::bytes::{Regex, RegexBuilder};

/// Whether the whole text matches. An invalid pattern matches nothing.
pub fn matches(pattern: &str, text: &str, ignores_case: bool) -> bool {
    let Some(expression) = expression(pattern.as_bytes()) else { return false };
    built(&expression, ignores_case).is_some_and(|regex| regex.is_match(text.as_bytes()))
}

fn built(expression: &str, ignores_case: bool) -> Option<Regex> {
    let mut builder = RegexBuilder::new(&format!("^(?:{expression})$"));
    builder.unicode(false).dot_matches_new_line(true).case_insensitive(ignores_case).build().ok()
}

fn expression(pattern: &[u8]) -> Option<String> {
    let mut expression = String::new();
    let mut at = 0;
    while let Some(byte) = pattern.get(at).copied() {
        at += 1;
        match byte {
            b'?' => expression.push_str("[^/]"),
            b'*' => {
                let starts_part = at == 1 || pattern[at - 2] == b'/';
                let stars = pattern[at..].iter().take_while(|byte| **byte == b'*').count();
                at += stars;
                let after = &pattern[at..];
                let ends_part = after.is_empty() || after[0] == b'/' || after.starts_with(b"\\/");
                match stars > 0 && starts_part && ends_part {
                    true if after.first() == Some(&b'/') => {
                        at += 1;
                        expression.push_str("(?:.*/)?");
                    }
                    true => expression.push_str(".*"),
                    false => expression.push_str("[^/]*"),
                }
            }
            b'[' => at += bracket(&pattern[at..], &mut expression)?,
            b'\\' => {
                push(*pattern.get(at)?, &mut expression);
                at += 1;
            }
            byte => push(byte, &mut expression),
        }
    }
    Some(expression)
}

fn push(byte: u8, expression: &mut String) {
    expression.push_str(&format!("\\x{byte:02x}"));
}

/// Translates a bracket expression, whose `[` is read already. Returns its length. It never matches a slash.
fn bracket(pattern: &[u8], expression: &mut String) -> Option<usize> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let first = at;
    let mut members = String::new();
    loop {
        match *pattern.get(at)? {
            b']' if at > first => break,
            b'[' if pattern.get(at + 1) == Some(&b':') => at += class(&pattern[at..], &mut members)?,
            _ => {
                let (from, length) = member(&pattern[at..])?;
                at += length;
                let is_range = pattern.get(at) == Some(&b'-') && pattern.get(at + 1) != Some(&b']');
                let to = if is_range {
                    let (to, length) = member(&pattern[at + 1..])?;
                    at += 1 + length;
                    to
                } else {
                    from
                };
                if from <= to {
                    push(from, &mut members);
                    members.push('-');
                    push(to, &mut members);
                }
            }
        }
    }
    let negation = if negated { "^" } else { "" };
    match members.is_empty() {
        // only empty ranges
        true if negated => expression.push_str("[^/]"),
        true => expression.push_str("[a&&b]"),
        false => expression.push_str(&format!("[[{negation}{members}]&&[^/]]")),
    }
    Some(at + 1)
}

/// One character of a bracket expression, and its length with a backslash before it.
fn member(pattern: &[u8]) -> Option<(u8, usize)> {
    match *pattern.first()? {
        b'\\' => Some((*pattern.get(1)?, 2)),
        byte => Some((byte, 1)),
    }
}

/// A class such as `[:digit:]`. Returns its length.
fn class(pattern: &[u8], members: &mut String) -> Option<usize> {
    const CLASSES: [&str; 12] = [
        "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "xdigit",
    ];
    let rest = std::str::from_utf8(pattern.get(2..)?).ok()?;
    let (name, _) = rest.split_once(":]")?;
    members.push_str(&format!("[:{}:]", CLASSES.iter().find(|class| **class == name)?));
    Some(name.len() + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_in_git() {
        for (pattern, text, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a/**", "a/b/c", true),
            ("a/**", "a/", true),
            ("a/**", "a", false),
            ("**/a", "a", true),
            ("**/a", "x/y/a", true),
            ("**/a", "xa", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a**b", "a/b", false),
            ("a**b", "axb", true),
            ("a?b", "a/b", false),
            ("a?b", "axb", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("a[^x]b", "a/b", false),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("[[:digit:]_]", "7", true),
            ("[[:none:]]", "7", false),
            ("[\\]]", "]", true),
            ("[", "[", false),
            ("[a", "a", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a.b{c}(d)+$", "a.b{c}(d)+$", true),
            ("a.b", "axb", false),
            ("ü*", "üx", true),
            ("A", "a", false),
            ("**", "", true),
            ("[z-a]", "a", false),
            ("[~&|-]", "&", true),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
        assert!(matches("/Users/*/[w]ORK/**", "/users/ada/Work/x", true));
    }
}
