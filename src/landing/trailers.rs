//! The trailers of a commit message: reads the claims of other messages, and writes the trailers of ours.
//!
//! Pure. The author of a commit also writes its message, so a trailer is only a claim: `provenance` decides which claims
//! count. `Tagbump-Image: NAME:TAG@DIGEST`, `Tagbump-Source: [REPOSITORY@]SHA`, and
//! `Tagbump-Rollback: NAME:TAG@DIGEST [REPOSITORY@]SHA [-> TAG]`, `Tagbump-Promoted-From: ENV@COMMIT`.
//! `Tagbump-Hold-Overridden: NAME` is for people.

use std::collections::HashMap;

use crate::image::{full_name, is_name, is_version, same_image, same_tag, split_tag};
use crate::plan::ImageVersion;
use crate::tag::Source;
use crate::visible::inline;

const IMAGE: &str = "Tagbump-Image";
const SOURCE: &str = "Tagbump-Source";
const ROLLBACK: &str = "Tagbump-Rollback";
const PROMOTED_FROM: &str = "Tagbump-Promoted-From";
const OVERRIDDEN: &str = "Tagbump-Hold-Overridden";
/// Each of our trailers.
const OURS: [&str; 5] = [IMAGE, SOURCE, ROLLBACK, PROMOTED_FROM, OVERRIDDEN];

/// The claims that a message makes about a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The commit that the image was built from.
    pub source: Option<Source>,
    /// Tags that were rolled back, by this commit or an earlier one.
    pub rolled_back: Vec<RolledBack>,
}

/// A tag that a rollback removed. Neither it nor an older build may come back by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RolledBack {
    /// `TAG`, `TAG@DIGEST` or `@DIGEST`.
    pub tag: String,
    /// The commit that it was built from, if known.
    pub source: Option<Source>,
}

impl RolledBack {
    /// The value of the trailer; with `to` if the image goes back to several tags in one message. `None` if this is not a tag: no
    /// build can bring it back, and other text could forge a trailer.
    pub fn trailer(&self, image: &str, to: Option<&str>) -> Option<String> {
        let reference = reference(image, &self.tag)?;
        if to.is_some_and(|to| !is_version(to)) {
            return None;
        }
        let source = self.source.as_ref().map(|source| format!(" {source}")).unwrap_or_default();
        let to = to.map(|to| format!(" -> {to}")).unwrap_or_default();
        Some(format!("{ROLLBACK}: {reference}{source}{to}"))
    }

    /// Reads a trailer's value; `None` if it is about another image, or about another tag of it.
    fn parse(value: &str, image: &str, tag: &str) -> Option<Self> {
        let (value, to) = value.split_once(" -> ").map_or((value, None), |(value, to)| (value, Some(to)));
        let (reference, source) = value.split_once(' ').unwrap_or((value, ""));
        let (name, taken) = name_and_version(reference)?;
        let is_meant = same_image(name, image) && to.is_none_or(|to| same_tag(to, tag));
        is_meant.then(|| RolledBack { tag: taken.to_owned(), source: Source::parse(source.trim()) })
    }
}

/// The claims that a message makes about a tag of an image. Its trailers may be anywhere: a squash merge appends text to
/// them, and joins the messages of several commits. The trailers of one commit are one paragraph.
pub fn claims(message: &str, image: &str, tag: &str) -> Option<Claims> {
    MessageClaims::read(message).of(image, tag)
}

/// All claims of a message, read once. A commit can set a hundred thousand references, and its message have a line for each.
#[derive(Default)]
pub struct MessageClaims<'m> {
    blocks: Vec<ClaimBlock<'m>>,
    /// The last block with a trailer for an image, by its full name and its tag, or its digest if it has no tag.
    by_image: HashMap<(String, &'m str), usize>,
}

/// Trailers without an empty line between them: those of one commit.
struct ClaimBlock<'m> {
    source: Option<Source>,
    rollbacks: Vec<&'m str>,
}

impl<'m> MessageClaims<'m> {
    pub fn read(message: &'m str) -> Self {
        let mut claims = MessageClaims::default();
        for (nth, block) in blocks(message).enumerate() {
            for (name, version) in values(&block, IMAGE).filter_map(name_and_version) {
                claims.by_image.insert((full_name(name), tag_or_digest(version)), nth);
            }
            let source = values(&block, SOURCE).find_map(Source::parse);
            claims.blocks.push(ClaimBlock { source, rollbacks: values(&block, ROLLBACK).collect() });
        }
        claims
    }

    /// The claims about a tag of an image; `None` if the message doesn't claim to set it.
    pub fn of(&self, image: &str, tag: &str) -> Option<Claims> {
        let block = self.blocks.get(*self.by_image.get(&(full_name(image), tag_or_digest(tag)))?)?;
        let rollbacks = block.rollbacks.iter().filter_map(|value| RolledBack::parse(value, image, tag));
        Some(Claims { source: block.source.clone(), rolled_back: rollbacks.collect() })
    }
}

/// If there is a tag, the digest doesn't matter.
fn tag_or_digest(version: &str) -> &str {
    let (tag, digest) = split_tag(version);
    if tag.is_empty() { digest.unwrap_or_default() } else { tag }
}

/// The images that a message claims to bring.
pub fn images_in_trailers(message: &str) -> Vec<ImageVersion> {
    let values = message.lines().filter_map(|line| value(line, IMAGE));
    let parts = values.filter_map(name_and_version);
    parts.map(|(name, version)| ImageVersion { name: name.to_owned(), version: version.to_owned() }).collect()
}

/// The trailer for an image. `None` if no registry takes the name or version: they may come from a file, which can contain
/// anything.
pub(super) fn image(name: &str, version: &str) -> Option<String> {
    Some(format!("{IMAGE}: {}", reference(name, version)?))
}

pub(super) fn source(source: &Source) -> String {
    format!("{SOURCE}: {source}")
}

/// `from` is `ENV@COMMIT`.
pub(super) fn promoted_from(from: &str) -> String {
    format!("{PROMOTED_FROM}: {from}")
}

/// A hold that a commit doesn't respect: of an image, or the file of holds.
pub(super) fn overridden_hold(hold: &str) -> String {
    inline(&format!("{OVERRIDDEN}: {hold}"))
}

/// Whether a reader would take the line for one of our trailers.
pub(super) fn is_ours(line: &str) -> bool {
    let key = line.split_once(':').map(|(key, _)| key.trim());
    key.is_some_and(|key| OURS.iter().any(|ours| ours.eq_ignore_ascii_case(key)))
}

/// `NAME:TAG@DIGEST`, checked.
fn reference(name: &str, version: &str) -> Option<String> {
    let colon = if version.is_empty() || version.starts_with('@') { "" } else { ":" };
    let text = format!("{name}{colon}{version}");
    name_and_version(&text).is_some_and(|parts| parts == (name, version)).then_some(text)
}

/// Lines without an empty one between them.
fn blocks(message: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    let blocks: Vec<Vec<&str>> = lines.split(|line| line.is_empty()).map(<[&str]>::to_vec).collect();
    blocks.into_iter()
}

fn values<'m>(block: &[&'m str], key: &'static str) -> impl Iterator<Item = &'m str> {
    block.iter().filter_map(move |line| value(line, key)).collect::<Vec<_>>().into_iter()
}

fn value<'m>(line: &'m str, key: &str) -> Option<&'m str> {
    line.trim().strip_prefix(key)?.strip_prefix(':').map(str::trim)
}

/// Splits `NAME:TAG@DIGEST` after the name; `None` if a part is not valid.
fn name_and_version(reference: &str) -> Option<(&str, &str)> {
    let plain = reference.split('@').next().unwrap_or(reference);
    let slash = plain.rfind('/').map_or(0, |at| at + 1);
    let (name, version) = match plain[slash..].find(':') {
        Some(colon) => (&reference[..slash + colon], &reference[slash + colon + 1..]),
        None => reference.split_at(plain.len()),
    };
    (is_name(name) && (version.is_empty() || is_version(version))).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    #[test]
    fn rollback_trailer_takes_only_a_version_as_its_target() {
        let bad = RolledBack { tag: "v2".to_owned(), source: None };
        let trailer = |to| bad.trailer("ghcr.io/acme/api", to);
        assert_eq!(trailer(Some("v1")).unwrap(), "Tagbump-Rollback: ghcr.io/acme/api:v2 -> v1");
        for forged in ["v1\nTagbump-Source: acme/api@0123456", "v1 fixes #1", "@acme/everyone"] {
            assert_eq!(trailer(Some(forged)), None, "{forged:?}");
        }
    }

    #[test]
    fn trailers_are_found_anywhere() {
        let text = format!(
            "Merge\n\nTagbump-Image: ghcr.io/acme/api:v1@{}\nTagbump-Source: acme/api@0123456789\n\nCo-authored-by: x\n",
            digest("0")
        );
        let found = claims(&text, "ghcr.io/acme/api", "v1").unwrap().source.unwrap();
        assert_eq!((found.repository.as_deref(), found.sha.as_str()), (Some("acme/api"), "0123456789"));
        let other = format!("v1@{}", digest("1"));
        assert_eq!(claims(&text, "ghcr.io/acme/api", &other).unwrap().source.unwrap(), found);
        assert_eq!(claims(&text, "ghcr.io/acme/api", "v2"), None);
        assert_eq!(claims(&text, "ghcr.io/acme/web", "v1"), None);
        let squashed = "* one\n\nTagbump-Image: a:v2\nTagbump-Source: o/r@2222222\n\n* two\n\n\
                        Tagbump-Image: a:v4\nTagbump-Source: o/r@4444444\n\n* three\n\nTagbump-Image: a:v5\n";
        let source = |tag: &str| claims(squashed, "a", tag).map(|w| w.source.map(|source| source.sha));
        assert_eq!(source("v4"), Some(Some("4444444".to_owned())));
        assert_eq!((source("v5"), source("v6")), (Some(None), None));
        let names: Vec<_> = images_in_trailers(squashed).into_iter().map(|image| image.version).collect();
        assert_eq!(names, ["v2", "v4", "v5"]);
        let port = "Tagbump-Image: localhost:5000/api:v1";
        assert_eq!(claims(port, "localhost:5000/api", "v1").unwrap().source, None);
    }

    #[test]
    fn rollback_is_claimed_for_its_image_alone() {
        let bad =
            RolledBack { tag: format!("v3@{}", digest("0")), source: Source::parse("acme/api@3333333") };
        let unknown = RolledBack { tag: format!("@{}", digest("1")), source: None };
        let lines = [bad.trailer("ghcr.io/acme/api", None), unknown.trailer("nginx", None)];
        let lines = lines.map(Option::unwrap).join("\n");
        let text = format!("back\n\nTagbump-Image: ghcr.io/acme/api:v2\nTagbump-Image: nginx:1\n{lines}\n");
        let line = format!("\nTagbump-Rollback: ghcr.io/acme/api:v3@{} acme/api@3333333\n", digest("0"));
        assert!(text.contains(&line), "{text}");
        assert_eq!(claims(&text, "ghcr.io/acme/api", "v2").unwrap().rolled_back, std::slice::from_ref(&bad));
        assert_eq!(claims(&text, "docker.io/library/nginx", "1").unwrap().rolled_back, [unknown]);
        assert_eq!(claims(&text, "ghcr.io/acme/api", "v3"), None);
        let parted =
            [bad.trailer("a", Some("v2")), bad.trailer("a", Some("v1"))].map(Option::unwrap).join("\n");
        assert!(parted.ends_with(" acme/api@3333333 -> v1"), "{parted}");
        let parted = format!("x\n\nTagbump-Image: a:v1\nTagbump-Image: a:v2\n{parted}\n");
        assert_eq!(claims(&parted, "a", "v1").unwrap().rolled_back.len(), 1);
        let digests = format!("x\n\nTagbump-Image: a@{}\nTagbump-Source: o/r@1111111\n", digest("1"));
        assert!(claims(&digests, "a", &format!("@{}", digest("1"))).is_some());
        assert_eq!(claims(&digests, "a", &format!("@{}", digest("2"))), None);
    }

    #[test]
    fn text_that_is_no_image_makes_no_trailer() {
        assert_eq!(image("ghcr.io/acme/api", "v1").as_deref(), Some("Tagbump-Image: ghcr.io/acme/api:v1"));
        for (name, version) in [
            ("a b", "v1"),
            ("a", "v1 x"),
            ("a\nb", "v1"),
            ("a", "v1\nTagbump-Image: b:v1"),
            ("a:v0", "v1"),
            ("", "v1"),
        ] {
            assert_eq!(image(name, version), None, "{name:?} {version:?}");
        }
        let bad = RolledBack { tag: "v1 fixes #1".to_owned(), source: None };
        assert_eq!(bad.trailer("a", None), None);
        let found = images_in_trailers("Tagbump-Image: v0 -> v1 (k8s/a.yaml)\nTagbump-Image: a:v1\n");
        assert_eq!(found, [ImageVersion { name: "a".to_owned(), version: "v1".to_owned() }]);
    }
}
