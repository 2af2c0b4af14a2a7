//! An image as a file names it.

/// An image as it is written in a file: `name[:tag][@digest]`. The parts aren't validated, since files can
/// contain anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedReference<'a> {
    pub name: &'a str,
    pub tag: Option<&'a str>,
    pub digest: Option<&'a str>,
}

impl<'a> ParsedReference<'a> {
    /// Splits the text into its parts. The colon of a port (`localhost:5000/x`) doesn't start a tag, because a
    /// tag has no `/` after it. Neither does a colon inside a placeholder: `${TAG:-v1}`, `$(TAG)`,
    /// `{{ tag }}`.
    pub fn parse(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        match tag_colon(rest) {
            Some(colon) => ParsedReference { name: &rest[..colon], tag: Some(&rest[colon + 1..]), digest },
            None => ParsedReference { name: rest, tag: None, digest },
        }
    }
}

/// The last colon outside of placeholders, unless a `/` outside of them follows it.
fn tag_colon(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut colon = None;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => colon = Some(at),
            '/' if depth == 0 => colon = None,
            _ => {}
        }
    }
    colon
}

/// Tags and digests in files are cut at this length. No real one is as long, not even a placeholder or
/// template.
const READ_LENGTH: usize = 2048;

/// A tag or digest from a file, cut if it is too long to be valid. Otherwise a file with a text of megabytes
/// could make tagbump copy it over and over.
pub fn shortened(text: &str) -> String {
    let end = (0..=text.len().min(READ_LENGTH)).rev().find(|&end| text.is_char_boundary(end));
    text[..end.unwrap_or(0)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_names() {
        let w = ParsedReference::parse("host:5000/x:v1@sha256:aa");
        assert_eq!((w.name, w.tag, w.digest), ("host:5000/x", Some("v1"), Some("sha256:aa")));
        assert_eq!(ParsedReference::parse("host:5000/x").tag, None);
        assert_eq!(ParsedReference::parse("x@sha256:aa").tag, None);
        let default = ParsedReference::parse("ghcr.io/a/b:${TAG:-v1}");
        assert_eq!((default.name, default.tag), ("ghcr.io/a/b", Some("${TAG:-v1}")));
        assert_eq!(ParsedReference::parse("${REG:-ghcr.io}/a").tag, None);
        let both = ParsedReference::parse("${IMG:-a/b}:${VERSION}-agent");
        assert_eq!((both.name, both.tag), ("${IMG:-a/b}", Some("${VERSION}-agent")));
        assert_eq!(ParsedReference::parse("a/{{ .x }}:{{ .y }}").tag, Some("{{ .y }}"));
    }
}
