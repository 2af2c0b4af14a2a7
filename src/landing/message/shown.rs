//! Text from files, made safe for a message.

use super::super::trailers;
use crate::image::{is_version, split_tag};
use crate::markdown;

/// Shows a name or path from a file so that it can't notify people, close an issue, skip CI, or pass for our trailer.
pub fn shown(text: &str) -> String {
    let is_plain = markdown::is_plain(text) && !trailers::is_ours(text);
    if is_plain { text.to_owned() } else { code_span(text) }
}

/// The algorithms that OCI registers (image-spec 1.1, "Registered algorithms"). After the `@` of a digest, any other name
/// would mention the user who has it.
const KNOWN_DIGESTS: [&str; 2] = ["sha256:", "sha512:"];

/// Shows a tag or digest as it is, and anything else in a code span.
pub(super) fn shown_version(text: &str) -> String {
    let (tag, digest) = split_tag(text);
    let is_known = |digest: &str| KNOWN_DIGESTS.iter().any(|algorithm| digest.starts_with(algorithm));
    let is_plain =
        is_version(text) && digest.is_none_or(is_known) && (tag.is_empty() || markdown::is_plain(tag));
    if is_plain || text.is_empty() { text.to_owned() } else { code_span(text) }
}

/// CI systems look for marks such as `[skip ci]` and `***NO_CI***` in the whole text, even in code: their characters are
/// escaped.
pub fn code_span(text: &str) -> String {
    markdown::code_span(text).replace('[', "\\u{5b}").replace('*', "\\u{2a}")
}
