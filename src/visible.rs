//! Makes foreign text safe to show.
//!
//! Files, servers and commits can contain anything: escape sequences that move the cursor or set the title,
//! characters that reverse the direction of the text around them, and characters without any width. A terminal
//! interprets them, and a reader can't see them. So they are shown as escapes, in the same way everywhere.
//!
//! Pure.

use std::borrow::Cow;

/// Whether a reader can't see a character as itself: control characters (C0, DEL, C1), and those that Unicode
/// calls default-ignorable or that change the direction of text. Variation selectors, which are part of many
/// emoji, don't count as hidden.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
        || is_noncharacter(c)
}

/// Code points that are never assigned to a character (Unicode, section 23.7).
fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// Text for a one-line message: every hidden character becomes an escape, including line breaks.
pub fn inline(text: &str) -> String {
    shown(text, |_| false).into_owned()
}

/// Text of several lines: keeps line breaks and tabs.
pub fn lines(text: &str) -> String {
    shown(text, |c| c == '\n' || c == '\t').into_owned()
}

/// One line of a file, without its line break: keeps tabs.
pub fn line(text: &str) -> Cow<'_, str> {
    shown(text, |c| c == '\t')
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_fine = |c: char| !is_hidden(c) || stays(c);
    if text.chars().all(is_fine) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            _ if is_fine(c) => shown.push(c),
            '\t' | '\n' | '\r' => shown.extend(c.escape_default()),
            _ => shown.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "a\u{1b}[31mb\u{9b}1m\u{8}\u{7f}\r\n\t\u{202e}c\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}\u{ffff}";

    #[test]
    fn hidden_characters_are_written_out() {
        let rest = r"\u{202e}c\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}\u{ffff}";
        let start = r"a\u{1b}[31mb\u{9b}1m\u{8}\u{7f}\r";
        assert_eq!(inline(HOSTILE), format!(r"{start}\n\t{rest}"));
        assert_eq!(lines(HOSTILE), format!("{start}\n\t{rest}"));
        assert_eq!(line(HOSTILE), format!("{start}\\n\t{rest}"));
    }

    #[test]
    fn what_a_reader_sees_stays() {
        for text in ["", "tag: v1 # é 日本 \u{1f600} \u{26a0}\u{fe0f} \u{5d0}\u{301}", r"\u{1b}"] {
            assert_eq!(inline(text), text);
        }
    }

    /// No character that could affect a terminal is printed as it is.
    #[test]
    fn nothing_hidden_is_left() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = c.to_string();
            assert!(!inline(&text).contains(is_hidden), "{c:?}");
            assert_eq!(inline(&text) == text, !is_hidden(c), "{c:?}");
            assert_eq!(lines(&text) == text, !is_hidden(c) || "\n\t".contains(c), "{c:?}");
        }
    }
}
