//! Tags and digests. (OCI distribution specification 1.1, OCI image specification 1.1.)

use std::fmt;

use super::error::{DigestProblem, ImageError, TagProblem};

/// A valid tag, by the OCI specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// The longest tag that the OCI distribution specification allows.
const TAG_LENGTH: usize = 128;

impl Tag {
    /// # Errors
    /// The text doesn't match `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let problem = match text.as_bytes() {
            [] => TagProblem::Empty,
            [first, ..] if !word(*first) => TagProblem::Start,
            bytes if bytes.len() > TAG_LENGTH => TagProblem::TooLong,
            bytes if !bytes.iter().all(|&b| word(b) || b == b'.' || b == b'-') => TagProblem::Character,
            _ => return Ok(Tag(text.to_owned())),
        };
        Err(ImageError::Tag { text: text.to_owned(), problem })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a digest begins with if it is a SHA-256.
pub const SHA256: &str = "sha256:";

/// Whether a text is a SHA-256 in hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A valid digest, such as `sha256:` with 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// # Errors
    /// The text isn't a digest, or has the wrong number of hex digits for sha256 or sha512.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let wrong = |problem| Err(ImageError::Digest { text: text.to_owned(), problem });
        let Some((algorithm, hex)) = text.split_once(':') else {
            return wrong(DigestProblem::NoAlgorithm);
        };
        let known = algorithm.starts_with(|c: char| c.is_ascii_lowercase())
            && algorithm
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b));
        let digits = hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let wanted = match algorithm {
            "sha256" => 64..=64,
            "sha512" => 128..=128,
            _ => 32..=1024,
        };
        match (known && digits, wanted.contains(&hex.len())) {
            (true, true) => Ok(Digest(text.to_owned())),
            (true, false) => wrong(DigestProblem::Length(hex.len())),
            (false, _) => wrong(DigestProblem::Syntax),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Splits `TAG@DIGEST`, the form of some tag fields.
pub fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest)),
        None => (text, None),
    }
}

/// Joins a tag and a digest to `tag@digest`. One of them may be missing.
pub fn join_tag(tag: Option<&str>, digest: Option<&str>) -> String {
    let tag = tag.unwrap_or_default();
    match digest.filter(|d| !d.is_empty()) {
        Some(digest) => format!("{tag}@{digest}"),
        None => tag.to_owned(),
    }
}

/// Whether two of `TAG`, `TAG@DIGEST` or `@DIGEST` can run the same image: they have the same tag, and don't
/// have different digests.
pub fn same_tag(one: &str, other: &str) -> bool {
    let ((one, digest), (other, others)) = (split_tag(one), split_tag(other));
    one == other && digest.zip(others).is_none_or(|(one, other)| one == other)
}

/// Whether a text is a valid `TAG`, `TAG@DIGEST` or `@DIGEST`.
pub fn is_version(text: &str) -> bool {
    let (tag, digest) = split_tag(text);
    let tag_fits = Tag::parse(tag).is_ok() || (tag.is_empty() && digest.is_some());
    tag_fits && digest.is_none_or(|digest| Digest::parse(digest).is_ok())
}

/// Tags that builds move from image to image. Nobody deploys one on purpose.
const FLOATING: [&str; 9] =
    ["latest", "main", "master", "dev", "develop", "edge", "nightly", "stable", "HEAD"];

/// Whether builds move a tag from image to image.
pub fn is_floating(tag: &str) -> bool {
    FLOATING.contains(&tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_by_the_oci_grammar() {
        assert!(Tag::parse(&"a".repeat(128)).is_ok());
        assert!(Tag::parse(&"a".repeat(129)).is_err());
        for wrong in ["", ".x", "-x", "a:b", "a/b", "é", "a+b"] {
            assert!(Tag::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
