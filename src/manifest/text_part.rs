//! A version in a part of a scalar: the default of a placeholder, or the value of a variable.

use std::ops::Range;

use super::reference::{Holds, ValueLocation};
use super::refusal::{Refusal, RefusalReason};
use super::rewrite::{RewriteBuilder, RewriteResult};
use crate::image::{ParsedReference, join_tag, same_image};
use crate::yaml::{Change, EditBlocker, part_blocker};

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
