//! How each syntax of a reference takes a new tag: which scalars change, which keys are added or removed. `text`, `block` and
//! `kustomize_entry` have the ways in which images are written.

mod block;
mod kustomize_entry;
mod text;

use super::encrypted::is_encrypted;
use super::reference::{Holds, Reference, ReferenceSyntax, ValueLocation};
use super::refusal::{Refusal, RefusalReason};
use crate::image::{Digest, Field, Tag, join_tag, same_image, shortened};
use crate::visible::inline;
use crate::yaml::{
    Change, EditBlocker, NewPair, NodeKind, ParsedYaml, ScalarStyle, edit_blocker, needs_quotes,
};
use kustomize_entry::KustomizeEntry;

/// The name, tag and digest that a reference should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredImage<'a> {
    /// The image that the reference must match.
    pub name: &'a str,
    pub new_name: &'a Field<String>,
    /// `None` keeps the tag.
    pub tag: Option<&'a Tag>,
    pub digest: &'a Field<Digest>,
    /// Where a digest goes that no place is there for yet.
    pub new_digest: NewDigest,
}

/// What happens to a digest in a block that has neither a key for it nor an `@` in its tag. Many charts use the tag
/// in a label, where an `@` is not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewDigest {
    /// It goes after the tag.
    #[default]
    BehindTag,
    /// The block gets the tag alone.
    LeftOut,
    /// The block gets a key for it.
    OwnKey,
    /// No digest is set, and an existing one is removed even if the tag stays: a promotion copies exactly.
    Never,
    /// It takes the place of the tag, which goes where the digest can do without: a promotion copies exactly.
    InsteadOfTag,
}

/// The changes that bring a reference up to date; no changes if it already is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    pub changes: Vec<Change>,
    /// Tag and digest, before and after.
    pub from: String,
    pub to: String,
    pub dropped_digest: bool,
    /// There was no place for the digest, so it is not set.
    pub left_out_digest: bool,
    pub warning: Option<String>,
}

impl Rewrite {
    /// Whether anything changes.
    pub fn is_edit(&self) -> bool {
        !self.changes.is_empty()
    }
}

pub(in crate::manifest) type RewriteResult<T> = std::result::Result<T, Refusal>;

/// Plans the changes to one reference.
///
/// # Errors
/// Why the reference can't be edited safely.
pub fn rewrite(
    yaml: &ParsedYaml,
    reference: &Reference,
    wanted: &DesiredImage<'_>,
) -> RewriteResult<Rewrite> {
    let mut rewrite = RewriteBuilder::new(yaml, reference, wanted);
    match &reference.syntax {
        ReferenceSyntax::Text(slot) => rewrite.text(*slot)?,
        ReferenceSyntax::Field(slot) => rewrite.field(*slot)?,
        ReferenceSyntax::Override(slot) => rewrite.override_string(*slot)?,
        ReferenceSyntax::BesideBlock(slot) => {
            return Err(Refusal::new(slot.place(), RefusalReason::PartOfBlock));
        }
        ReferenceSyntax::Embedded { .. } if rewrite.is_up_to_date() => {}
        ReferenceSyntax::Part { slot, range, holds } => rewrite.part(*slot, range, holds)?,
        // what can be edited there is a matter of `EmbeddedText`
        ReferenceSyntax::Embedded { line, .. } => {
            return Err(Refusal::in_text(reference.at, *line, EditBlocker::Folded));
        }
        ReferenceSyntax::Block { repository, registry, tag, digest } => {
            rewrite.rename_block(*repository, registry.as_deref())?;
            rewrite.block(*tag, *digest)?;
        }
        ReferenceSyntax::TagAndDigest { tag, digest } => rewrite.block(*tag, Some(*digest))?,
        ReferenceSyntax::Digest(slot) => {
            let digest = rewrite.digest.clone().unwrap_or_default();
            rewrite.digest_key(*slot, &digest)?;
        }
        ReferenceSyntax::BlockWithoutTag { repository, registry, digest } => {
            rewrite.rename_block(*repository, registry.as_deref())?;
            rewrite.untagged(*repository, *digest)?;
        }
        ReferenceSyntax::Entry { name, new_name, new_tag, digest, tag_suffix } => {
            if *tag_suffix && new_tag.is_none() {
                return Err(Refusal::new(name.place(), RefusalReason::TagSuffix));
            }
            rewrite.entry(&KustomizeEntry {
                name: *name,
                new_name: *new_name,
                new_tag: *new_tag,
                digest: *digest,
            })?;
        }
    }
    Ok(rewrite.finish())
}

/// Collects the changes to one reference.
pub(in crate::manifest) struct RewriteBuilder<'a> {
    pub(in crate::manifest) yaml: &'a ParsedYaml,
    pub(in crate::manifest) reference: &'a Reference,
    wanted: &'a DesiredImage<'a>,
    /// The new tag and digest.
    pub(in crate::manifest) tag: Option<String>,
    pub(in crate::manifest) digest: Option<String>,
    pub(in crate::manifest) done: Rewrite,
}

/// Whether a reference can do without a tag: it has the image's name too, and isn't a block of a chart, whose templates may need
/// the tag.
fn holds_name(yaml: &ParsedYaml, reference: &Reference, wanted: &DesiredImage<'_>) -> bool {
    match &reference.syntax {
        ReferenceSyntax::Text(_) | ReferenceSyntax::Override(_) => true,
        ReferenceSyntax::Entry { new_tag, .. } => new_tag.is_none_or(|slot| is_removable(yaml, slot)),
        ReferenceSyntax::Part { holds, .. } => *holds == Holds::Image,
        ReferenceSyntax::Field(slot) => text::names(yaml, *slot, wanted),
        _ => false,
    }
}

/// Whether a key can be removed: no alias elsewhere reads its value, and no merge key brings it.
fn is_removable(yaml: &ParsedYaml, slot: ValueLocation) -> bool {
    match slot.shared_by {
        None => !yaml.node(slot.node).anchored,
        Some(by) => yaml.node(by).key == Some(slot.key),
    }
}

impl<'a> RewriteBuilder<'a> {
    fn new(yaml: &'a ParsedYaml, reference: &'a Reference, wanted: &'a DesiredImage<'a>) -> Self {
        let old_tag = reference.tag.as_deref();
        let new_tag = wanted.tag.map(Tag::as_str);
        let tag_changes = new_tag.is_some() && new_tag != old_tag;
        // if both are set, the digest wins, so an old digest next to a new tag would still run the old image
        let digest = match wanted.digest {
            Field::Set(digest) => Some(digest.as_str().to_owned()),
            Field::Unspecified if tag_changes || wanted.new_digest == NewDigest::Never => None,
            Field::Unspecified | Field::Keep => reference.digest.clone(),
        };
        let from = join_tag(old_tag, reference.digest.as_deref());
        let is_alone = wanted.new_digest == NewDigest::InsteadOfTag && matches!(wanted.digest, Field::Set(_));
        let drops_tag = is_alone && new_tag.is_none() && holds_name(yaml, reference, wanted);
        let kept = old_tag.filter(|_| !drops_tag);
        let warning = kept.filter(|_| is_alone).map(|tag| {
            format!(
                "keeps the tag {} beside the new digest, which decides what runs",
                inline(&shortened(tag))
            )
        });
        RewriteBuilder {
            yaml,
            reference,
            wanted,
            tag: new_tag.or(kept).map(str::to_owned),
            done: Rewrite {
                dropped_digest: reference.digest.is_some() && digest.is_none(),
                warning,
                from,
                ..Rewrite::default()
            },
            digest,
        }
    }

    fn finish(mut self) -> Rewrite {
        self.done.to = join_tag(self.tag.as_deref(), self.digest.as_deref());
        self.done
    }

    /// Whether name, tag and digest are up to date.
    fn is_up_to_date(&self) -> bool {
        let named = self.new_name().is_none_or(|new| same_image(new, &self.reference.image));
        named && self.tag == self.reference.tag && self.digest == self.reference.digest
    }

    /// Sets a scalar to `value`, unless it has this value already.
    fn set(&mut self, what: &'static str, slot: ValueLocation, value: &str) -> RewriteResult<()> {
        let node = self.yaml.node(slot.node);
        let NodeKind::Scalar { value: old, style, .. } = &node.kind else {
            return Err(Refusal::blocked(slot.place(), what, EditBlocker::NotScalar));
        };
        let reads_otherwise = *style == ScalarStyle::Plain && needs_quotes(old, false) && !node.is_null();
        if is_encrypted(old) {
            return Err(Refusal::new(slot.place(), RefusalReason::Encrypted));
        }
        if old == value && !reads_otherwise {
            return Ok(());
        }
        if slot.shared_by.is_some() {
            let written_at = Some(slot.node);
            return Err(Refusal { written_at, ..Refusal::blocked(slot.place(), what, EditBlocker::Alias) });
        }
        if let Some(obstacle) = edit_blocker(self.yaml, slot.node) {
            return Err(Refusal::blocked(slot.node, what, obstacle));
        }
        // an edit that leaves the tag as it is needs a reason
        if old == value {
            self.done.warning = Some(format!(
                "not every YAML reader reads {what} {} as a string; the new one is a string to all of them",
                inline(&shortened(old))
            ));
        }
        self.done.changes.push(Change::Set { node: slot.node, value: value.to_owned() });
        Ok(())
    }

    fn insert(&mut self, behind: ValueLocation, pairs: Vec<NewPair>) -> RewriteResult<()> {
        if behind.shared_by.is_some_and(|by| self.yaml.node(by).key != Some(behind.key)) {
            return Err(Refusal::blocked(behind.place(), "the entry", EditBlocker::Alias));
        }
        if !pairs.is_empty() {
            self.done.changes.push(Change::InsertAfter { key: behind.key, pairs });
        }
        Ok(())
    }

    pub(in crate::manifest) fn new_name(&self) -> Option<&'a str> {
        match self.wanted.new_name {
            Field::Set(name) => Some(name.as_str()),
            Field::Unspecified | Field::Keep => None,
        }
    }
}
