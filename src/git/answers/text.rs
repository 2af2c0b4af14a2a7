//! Makes a server's text fit for a message.

use super::limits::TEXT_BYTES;
use crate::visible::inline;

/// Text from a server: valid UTF-8, of limited length, and without control characters except for line breaks.
///
/// If a server overwrites a line to show progress, the last state is kept. The text is cut off between words: half a
/// token would not be recognised as a secret later.
pub fn server_text(bytes: &[u8]) -> String {
    short_server_text(bytes, TEXT_BYTES)
}

/// Like [`server_text`], up to `limit` bytes.
pub fn short_server_text(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(whole_words(bytes, limit));
    let lines: Vec<String> = text.trim().lines().map(visible).collect();
    lines.join("\n")
}

/// What a terminal would show in the end.
fn visible(line: &str) -> String {
    let shown = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    inline(&shown.replace('\t', " "))
}

fn whole_words(bytes: &[u8], limit: usize) -> &[u8] {
    let Some(cut) = bytes.get(..limit).filter(|cut| cut.len() < bytes.len()) else { return bytes };
    let end = cut.iter().rposition(u8::is_ascii_whitespace);
    &cut[..end.unwrap_or(0)]
}

/// Adds bytes to a text until it is one byte longer than the limit, which tells [`server_text`] to cut it off.
pub fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = (TEXT_BYTES + 1).saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_last_state_of_an_overwritten_line() {
        assert_eq!(server_text(b" 10%\r 100%\r\nno\tdeploys\xff\n\n"), " 100%\nno deploys\u{fffd}");
    }

    #[test]
    fn text_escapes_control_and_bidi_characters() {
        assert_eq!(
            server_text("\u{1b}[31ma\u{9b}b\u{202e}c\0".as_bytes()),
            "\\u{1b}[31ma\\u{9b}b\\u{202e}c\\u{0}"
        );
    }

    #[test]
    fn text_is_cut_before_a_word() {
        let mut kept = Vec::new();
        let long = format!("{} s3cret-token", "x".repeat(TEXT_BYTES - 5));
        long.as_bytes().chunks(1000).for_each(|chunk| keep(&mut kept, chunk));
        assert_eq!(kept.len(), TEXT_BYTES + 1);
        assert_eq!(server_text(&kept), "x".repeat(TEXT_BYTES - 5));
        assert_eq!(server_text("x".repeat(TEXT_BYTES).as_bytes()).len(), TEXT_BYTES);
    }
}
