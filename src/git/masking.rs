//! Masks secrets in texts, however a server may repeat them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::RegexBuilder;

/// Replaces a secret.
const MASK: &str = "***";

/// Masks secrets: as they are, in hexadecimal digits, inside of any base64, and in any spelling that a URL, a JSON string or HTML
/// allows. Very short ones are not masked: masking them would garble most messages.
pub fn masked<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut secrets: Vec<&str> = secrets.into_iter().filter(|secret| secret.len() > 3).collect();
    // mask the longer of two secrets first if it contains the other
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| {
        let text = encodings(secret)
            .iter()
            .fold(text.replace(secret, MASK), |text, encoded| text.replace(encoded, MASK));
        let may_be_escaped = text.len() >= secret.len() && text.contains(['%', '\\', '&']);
        if may_be_escaped { without_escaped(&text, secret) } else { text }
    })
}

/// Masks a secret however it is escaped. If no pattern can be made for it, nothing of the text is shown.
fn without_escaped(text: &str, secret: &str) -> String {
    let pattern = RegexBuilder::new(&escaped(secret)).size_limit(MAX_PATTERN_SIZE).build();
    pattern.map_or_else(|_| MASK.to_owned(), |pattern| pattern.replace_all(text, MASK).into_owned())
}

/// In bytes. A character takes about 2,000, and no token is longer than some thousand characters.
const MAX_PATTERN_SIZE: usize = 64 * 1024 * 1024;

/// A secret in hexadecimal digits and in base64, except for the characters that depend on what is before and behind it.
fn encodings(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // three bytes make four characters, so there are three ways to begin
    let base64 = [0_usize, 1, 2].into_iter().flat_map(|before| {
        let bytes = [&vec![0; before], secret.as_bytes()].concat();
        let (start, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        let of = |encoded: String| encoded.get(start..end).unwrap_or_default().to_owned();
        [of(STANDARD_NO_PAD.encode(&bytes)), of(URL_SAFE_NO_PAD.encode(&bytes))]
    });
    let all = base64.chain([hex.to_ascii_uppercase(), hex]);
    all.filter(|encoded| encoded.len() > SHORTEST_ENCODED).collect()
}

/// Shorter encodings are part of too many texts.
const SHORTEST_ENCODED: usize = 7;

/// A pattern for a secret of which any character may be percent-encoded (RFC 3986 section 2.1), escaped as in JSON (RFC 8259
/// section 7), or a character reference of HTML.
fn escaped(secret: &str) -> String {
    let in_any_form = |c: char| {
        let in_url: String = c.to_string().bytes().map(|b| format!("%{b:02x}")).collect();
        let in_json: String =
            c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!(r"\\u{unit:04x}")).collect();
        let number = u32::from(c);
        let in_html = format!("&#0*{number};|&#x0*{number:x};");
        let named = match c {
            '&' => "|&amp;",
            '<' => "|&lt;",
            '>' => "|&gt;",
            '"' => "|&quot;",
            '\'' => "|&apos;",
            _ => "",
        };
        let plain = regex::escape(&c.to_string());
        format!(r"(?:\\?{plain}|(?i-u:{in_url}|{in_json}|{in_html}{named}))")
    };
    secret.chars().map(in_any_form).collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::super::credentials::Secrets;
    use super::*;

    /// Whatever is encoded together with it.
    #[test]
    fn token_is_masked_in_every_encoding() {
        let token = "s3cr/t+T0k&n=aZ9";
        let secrets = Secrets::of([token]);
        for (before, behind) in [("", ""), ("x", "\n"), ("token:", ""), (":", ""), ("x-oauth-basic:", ":x")] {
            let whole = format!("{before}{token}{behind}");
            let hex: String = whole.bytes().map(|byte| format!("{byte:02x}")).collect();
            for encoded in
                [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole), hex.to_ascii_uppercase(), hex]
            {
                let masked = secrets.scrub(&format!("the server said {encoded}"));
                assert!(masked.contains(MASK) && masked.len() < encoded.len() + 8, "{masked}");
            }
        }
        assert_eq!(secrets.scrub("nothing to hide"), "nothing to hide");
        for escaped in [
            r"s3cr\/t+T0k&n=aZ9",
            r"\u0073\u0033cr/t+T0k&n=aZ9",
            "s3cr/t+T0k&amp;n=aZ9",
            "s3cr&#47;t&#x2B;T0k&n=aZ9",
            "s3cr%2Ft%2bT0k%26n%3daZ9",
        ] {
            let masked = secrets.scrub(&format!("{{\"error\":\"{escaped}\"}}"));
            assert!(!masked.contains("T0k"), "{escaped}: {masked}");
        }
    }
}
