//! A version in a part of a scalar: the default of a placeholder, or the value of a variable.

use std::borrow::Cow;
use std::ops::Range;

use super::reference::{Holds, ValueLocation};
use super::refusal::{Refusal, RefusalReason};
use super::rewrite::{RewriteBuilder, RewriteResult};
use crate::image::{ParsedReference, join_tag, same_image};
use crate::yaml::{Change, EditBlocker, part_blocker};

/// A part of a text, by the text around it: in another version of the file, it may be longer or shorter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartOfText {
    before: String,
    after: String,
    pub(super) holds: Holds,
}

impl PartOfText {
    /// `None` if the part is the whole text, and all of the tag or the image.
    pub fn new(text: &str, range: Range<usize>, holds: &Holds) -> Option<Self> {
        let (before, after) = (text.get(..range.start)?.to_owned(), text.get(range.end..)?.to_owned());
        let is_whole = before.is_empty() && after.is_empty();
        let is_plain = *holds == Holds::Image || *holds == Holds::whole_tag();
        (!(is_whole && is_plain)).then(|| PartOfText { before, after, holds: holds.clone() })
    }

    /// Where the part is in a text that has the same text around it.
    pub(super) fn range_in(&self, text: &str) -> Option<Range<usize>> {
        let part = text.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        Some(self.before.len()..self.before.len() + part.len())
    }

    /// The image, or its version, of which this is the part.
    pub(super) fn version<'t>(&self, part: &'t str) -> Cow<'t, str> {
        match &self.holds {
            Holds::Tag { prefix, suffix } => format!("{prefix}{part}{suffix}").into(),
            Holds::Digest => format!("@{part}").into(),
            Holds::Image | Holds::NoTag => part.into(),
        }
    }
}

impl RewriteBuilder<'_> {
    /// Sets a part of a scalar.
    pub(super) fn part(
        &mut self,
        slot: ValueLocation,
        range: &Range<usize>,
        holds: &Holds,
    ) -> RewriteResult<()> {
        let text = self.yaml.text(slot.node).unwrap_or_default();
        let unplaced = || Refusal::blocked(slot.place(), "the value", EditBlocker::Unplaced);
        let old = text.get(range.clone()).ok_or_else(unplaced)?;
        let value = self.part_value(slot, old, holds)?;
        if value == old {
            return Ok(());
        }
        if slot.shared_by.is_some() {
            let written_at = Some(slot.node);
            return Err(Refusal {
                written_at,
                ..Refusal::blocked(slot.place(), "the image", EditBlocker::Alias)
            });
        }
        if let Some(blocker) = part_blocker(self.yaml, slot.node) {
            return Err(Refusal::blocked(slot.node, "the value", blocker));
        }
        self.done.changes.push(Change::SetPart { node: slot.node, range: range.clone(), value });
        Ok(())
    }

    fn part_value(&self, slot: ValueLocation, old: &str, holds: &Holds) -> RewriteResult<String> {
        let around = |around: String| Refusal::new(slot.place(), RefusalReason::AroundVariable { around });
        let new_name = self.new_name().filter(|new| !same_image(new, &self.reference.image));
        if let Holds::Image = holds {
            return Ok(self.written_out(new_name.unwrap_or(ParsedReference::parse(old).name)));
        }
        if new_name.is_some() {
            let reason = "the name of the image is written apart from its tag".to_owned();
            return Err(Refusal::new(slot.place(), RefusalReason::Fixed { reason }));
        }
        match (holds, &self.tag, &self.digest) {
            (Holds::Digest, None, Some(digest)) => Ok(digest.clone()),
            (Holds::Digest, ..) => Err(around("a digest and no tag".to_owned())),
            (Holds::Tag { prefix, suffix }, tag, digest) => {
                let version = join_tag(tag.as_deref(), digest.as_deref());
                inside(&version, prefix, suffix).ok_or_else(|| match holds.is_pinned() {
                    true => Refusal::new(slot.place(), RefusalReason::DigestBehindVariable),
                    false => around(quoted(prefix, suffix)),
                })
            }
            (Holds::Image | Holds::NoTag, ..) => Ok(self.written_out("")),
        }
    }
}

/// The tag without the text around the variable.
fn inside(version: &str, prefix: &str, suffix: &str) -> Option<String> {
    let inner = version.strip_prefix(prefix)?.strip_suffix(suffix)?;
    (!inner.is_empty()).then(|| inner.to_owned())
}

fn quoted(prefix: &str, suffix: &str) -> String {
    let both = [prefix, suffix].into_iter().filter(|text| !text.is_empty());
    both.map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_is_found_in_other_text_that_has_the_same_around_it() {
        let part = PartOfText::new("api:${T:=v2}", 9..11, &Holds::whole_tag()).unwrap();
        assert_eq!(part.range_in("api:${T:=v10}"), Some(9..12));
        assert_eq!(
            [part.range_in("api:v1"), part.range_in("api:${T:="), part.range_in("web:${T:=v1}")],
            [const { None }; 3]
        );
    }

    #[test]
    fn version_has_what_is_written_around_the_part() {
        let holds = Holds::Tag { prefix: "v".to_owned(), suffix: "-ad".to_owned() };
        assert_eq!(PartOfText::new("2", 0..1, &holds).unwrap().version("1"), "v1-ad");
        assert_eq!(
            PartOfText::new("sha256:2", 0..8, &Holds::Digest).unwrap().version("sha256:1"),
            "@sha256:1"
        );
        assert_eq!(PartOfText::new("v2", 0..2, &Holds::whole_tag()), None);
    }
}
