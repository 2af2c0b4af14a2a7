//! What came before: which commit brought a tag to the branch, and which of two builds is the newer one.
//!
//! Order is by ancestry, never by time: a slow build of an old commit ends late.

use std::time::Instant;

use super::Tip;
use crate::image::{same_image, same_tag, split_tag};
use crate::tag::Source;
use crate::timeline::Commits;

/// What is known of the commits before a tip, and of those that images are built from.
pub trait History {
    /// The commit that wrote what stands there, by its trailers; with `deeper` also where that takes asking the
    /// server. Where none of those has changed the file, as it was moved since, the newest one that wrote the
    /// same tag. Nothing where none is found.
    fn written(&self, there: There<'_>, deeper: Option<Instant>) -> Option<Written>;

    /// Whether commits that come after this one may be on the branch, and not at hand.
    fn may_lack_newer(&self, commit: &str) -> bool;

    /// Whether more commits are at hand than are looked through for who wrote what.
    fn goes_further(&self, tip: &Tip) -> bool;

    /// A commit and all that came before it, deepened as far as it is asked for.
    fn past(&self, until: Instant) -> Box<dyn Commits + '_>;

    /// The order of two commits of the repository that is landed in.
    fn order(&self, ours: &str, theirs: &str, until: Instant) -> Order;
}

/// A tag in a file of a tip.
#[derive(Clone, Copy, Debug)]
pub struct There<'a> {
    pub tip: &'a Tip,
    /// Below the root.
    pub file: &'a str,
    pub image: &'a str,
    pub tag: &'a str,
}

/// What a commit's trailers say of a tag that it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether it is known to have changed the file that was asked for.
    pub in_file: bool,
    /// What the image was built from.
    pub source: Option<Source>,
    /// What was there before, where it was put in the place of that by a rollback.
    pub rolled_back: Vec<RolledBack>,
}

/// A tag that a rollback took away. It must not come back by itself, nor what was built before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// `TAG`, `TAG@DIGEST` or `@DIGEST`.
    pub tag: String,
    /// What it was built from, where that is known.
    pub source: Option<Source>,
}

impl RolledBack {
    /// As it stands in a trailer: `NAME:TAG@DIGEST [REPOSITORY@]SHA`; with `-> TAG` behind it where one message
    /// tells of several tags that the image goes back to.
    pub fn trailer(&self, image: &str, to: Option<&str>) -> String {
        let colon = if self.tag.is_empty() || self.tag.starts_with('@') { "" } else { ":" };
        let source = self.source.as_ref().map(|source| format!(" {source}")).unwrap_or_default();
        let to = to.map(|to| format!(" -> {to}")).unwrap_or_default();
        format!("{ROLLBACK}: {image}{colon}{}{source}{to}", self.tag)
    }

    /// What a trailer says was taken from an image that has this tag now.
    fn of(value: &str, image: &str, tag: &str) -> Option<Self> {
        let (value, to) = value.split_once(" -> ").map_or((value, None), |(value, to)| (value, Some(to)));
        let (reference, source) = value.split_once(' ').unwrap_or((value, ""));
        let (name, taken) = name_and_tag(reference);
        let is_meant = same_image(name, image) && to.is_none_or(|to| same_tag(to, tag));
        is_meant.then(|| RolledBack { tag: taken.to_owned(), source: Source::parse(source.trim()) })
    }
}

/// How our commit stands to the one that was built before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Same,
    /// Ours comes before theirs: we are late.
    Before,
    /// Ours comes after theirs.
    After,
    /// Neither comes before the other, and only theirs is on the default branch.
    DivergedTheirs,
    /// Neither comes before the other, and theirs is not what is on the default branch.
    DivergedOurs,
    /// It can't be told, and why.
    Unknown(String),
}

impl Order {
    /// Whether what is there shall stay.
    pub fn is_late(&self) -> bool {
        matches!(self, Order::Before | Order::DivergedTheirs)
    }
}

/// What a message says of a tag of an image: its trailers, wherever they stand, as a squash merge puts text
/// behind them, and one commit's behind another's. Those of one commit stand together.
pub fn written(message: &str, image: &str, tag: &str) -> Option<Written> {
    let said = tag;
    let (tag, digest) = split_tag(tag);
    let wrote = |reference: &str| {
        let (name, rest) = name_and_tag(reference);
        let (its, its_digest) = split_tag(rest);
        // a digest goes by its tag's name, where there is one
        same_image(name, image) && its == tag && (!tag.is_empty() || its_digest == digest)
    };
    blocks(message).rev().find(|block| values(block, IMAGE).any(wrote)).map(|block| Written {
        in_file: false,
        source: values(&block, SOURCE).find_map(Source::parse),
        rolled_back: values(&block, ROLLBACK)
            .filter_map(|value| RolledBack::of(value, image, said))
            .collect(),
    })
}

/// The names of the images that a message says it has brought.
pub fn brought(message: &str) -> Vec<String> {
    let name = |reference: &str| name_and_tag(reference).0.to_owned();
    message.lines().filter_map(|line| value(line, IMAGE)).map(name).collect()
}

const IMAGE: &str = "Tagbump-Image";
const SOURCE: &str = "Tagbump-Source";
const ROLLBACK: &str = "Tagbump-Rollback";

/// Lines without an empty one between them.
fn blocks(message: &str) -> impl DoubleEndedIterator<Item = Vec<&str>> {
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

/// `NAME:TAG@DIGEST`, parted behind the name.
fn name_and_tag(reference: &str) -> (&str, &str) {
    let plain = reference.split('@').next().unwrap_or(reference);
    let slash = plain.rfind('/').map_or(0, |at| at + 1);
    match plain[slash..].find(':') {
        Some(colon) => (&reference[..slash + colon], &reference[slash + colon + 1..]),
        None => reference.split_at(plain.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_found_anywhere() {
        let text = "Merge\n\nTagbump-Image: ghcr.io/acme/api:v1@sha256:00\nTagbump-Source: acme/api@0123456789\n\nCo-authored-by: x\n";
        let found = written(text, "ghcr.io/acme/api", "v1").unwrap().source.unwrap();
        assert_eq!((found.repository.as_deref(), found.sha.as_str()), (Some("acme/api"), "0123456789"));
        assert_eq!(written(text, "ghcr.io/acme/api", "v1@sha256:11").unwrap().source.unwrap(), found);
        assert_eq!(written(text, "ghcr.io/acme/api", "v2"), None);
        assert_eq!(written(text, "ghcr.io/acme/web", "v1"), None);
        let squashed = "* one\n\nTagbump-Image: a:v2\nTagbump-Source: o/r@2222222\n\n* two\n\n\
                        Tagbump-Image: a:v4\nTagbump-Source: o/r@4444444\n\n* three\n\nTagbump-Image: a:v5\n";
        let source = |tag: &str| written(squashed, "a", tag).map(|w| w.source.map(|source| source.sha));
        assert_eq!(source("v4"), Some(Some("4444444".to_owned())));
        assert_eq!((source("v5"), source("v6")), (Some(None), None));
        assert_eq!(brought(squashed), ["a", "a", "a"]);
        let port = "Tagbump-Image: localhost:5000/api:v1";
        assert_eq!(written(port, "localhost:5000/api", "v1").unwrap().source, None);
    }

    #[test]
    fn what_was_rolled_back_is_told_for_its_image_alone() {
        let source = Source::parse("acme/api@3333333");
        let bad = RolledBack { tag: "v3@sha256:00".to_owned(), source };
        let unknown = RolledBack { tag: "@sha256:11".to_owned(), source: None };
        let trailers = [bad.trailer("ghcr.io/acme/api", None), unknown.trailer("nginx", None)].join("\n");
        let text =
            format!("back\n\nTagbump-Image: ghcr.io/acme/api:v2\nTagbump-Image: nginx:1\n{trailers}\n");
        assert!(
            text.contains("\nTagbump-Rollback: ghcr.io/acme/api:v3@sha256:00 acme/api@3333333\n"),
            "{text}"
        );
        assert_eq!(written(&text, "ghcr.io/acme/api", "v2").unwrap().rolled_back, std::slice::from_ref(&bad));
        assert_eq!(written(&text, "docker.io/library/nginx", "1").unwrap().rolled_back, [unknown]);
        assert_eq!(written(&text, "ghcr.io/acme/api", "v3"), None);
        let parted = [bad.trailer("a", Some("v2")), bad.trailer("a", Some("v1"))].join("\n");
        assert!(parted.ends_with("a:v3@sha256:00 acme/api@3333333 -> v1"), "{parted}");
        let parted = format!("x\n\nTagbump-Image: a:v1\nTagbump-Image: a:v2\n{parted}\n");
        assert_eq!(written(&parted, "a", "v1").unwrap().rolled_back.len(), 1);
        let digests = "x\n\nTagbump-Image: a@sha256:11\nTagbump-Source: o/r@1111111\n";
        assert!(written(digests, "a", "@sha256:11").is_some());
        assert_eq!(written(digests, "a", "@sha256:22"), None);
    }
}
