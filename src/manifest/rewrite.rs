//! How each syntax of a reference takes a new tag: which scalars change, which keys are added or removed.

use super::encrypted::is_encrypted;
use super::reference::{Reference, ReferenceSyntax, ValueLocation};
use super::refusal::{Refusal, RefusalReason};
use super::syntax::is_bare_digest;
use super::{argo_cd, helm_release, values};
use crate::image::{Digest, Field, ParsedReference, SHA256, Tag, join_tag, same_image, shortened, split_tag};
use crate::visible::inline;
use crate::yaml::{
    Change, EditBlocker, NewPair, NodeKind, ParsedYaml, ScalarStyle, edit_blocker, needs_quotes,
};

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

pub(super) type RewriteResult<T> = std::result::Result<T, Refusal>;

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
        ReferenceSyntax::Embedded { .. } if rewrite.is_there() => {}
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

struct KustomizeEntry {
    name: ValueLocation,
    new_name: Option<ValueLocation>,
    new_tag: Option<ValueLocation>,
    digest: Option<ValueLocation>,
}

/// The kinds whose images a chart's template puts together.
const OF_CHARTS: [&str; 3] = [values::KIND, helm_release::KIND, argo_cd::KIND];

/// Collects the changes to one reference.
pub(super) struct RewriteBuilder<'a> {
    pub(super) yaml: &'a ParsedYaml,
    pub(super) reference: &'a Reference,
    wanted: &'a DesiredImage<'a>,
    /// The new tag and digest.
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) done: Rewrite,
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
        RewriteBuilder {
            yaml,
            reference,
            wanted,
            tag: new_tag.or(old_tag).map(str::to_owned),
            done: Rewrite {
                dropped_digest: reference.digest.is_some() && digest.is_none(),
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
    fn is_there(&self) -> bool {
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
        if reads_otherwise {
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

    pub(super) fn new_name(&self) -> Option<&'a str> {
        match self.wanted.new_name {
            Field::Set(name) => Some(name.as_str()),
            Field::Unspecified | Field::Keep => None,
        }
    }

    fn text(&mut self, slot: ValueLocation) -> RewriteResult<()> {
        let old = ParsedReference::parse(self.yaml.text(slot.node).unwrap_or_default()).name;
        let name = self.new_name().filter(|new| !same_image(new, old)).unwrap_or(old);
        let text = self.written_out(name);
        self.set("the image", slot, &text)?;
        let had_none = self.reference.tag.is_none() && self.reference.digest.is_none();
        if had_none && self.tag.is_some() && OF_CHARTS.contains(&self.reference.kind) {
            let (name, text) = (inline(name), inline(&text));
            self.done.warning =
                Some(format!("{name} had no tag; if the chart adds one itself, {text} isn't a valid image"));
        }
        Ok(())
    }

    /// kustomize's `name=newName:tag`: a new name goes after the `=`.
    fn override_string(&mut self, slot: ValueLocation) -> RewriteResult<()> {
        let old = self.yaml.text(slot.node).unwrap_or_default();
        let (original, rest) = old.split_once('=').map_or((None, old), |(name, rest)| (Some(name), rest));
        let runs = ParsedReference::parse(rest).name;
        let new = self.new_name().filter(|new| !same_image(new, runs));
        let original = original.or(new.map(|_| runs)).map(|name| format!("{name}=")).unwrap_or_default();
        let text = format!("{original}{}", self.written_out(new.unwrap_or(runs)));
        self.set("the image", slot, &text)
    }

    /// The new `name[:tag][@digest]`.
    pub(super) fn written_out(&self, name: &str) -> String {
        let parts = [(':', &self.tag), ('@', &self.digest)].into_iter();
        let parts = parts.filter_map(|(mark, part)| Some((mark, part.as_deref().filter(|p| !p.is_empty())?)));
        parts.fold(name.to_owned(), |text, (mark, part)| format!("{text}{mark}{part}"))
    }

    /// A field that the user named: it holds either the image with its name, or just a tag.
    fn field(&mut self, slot: ValueLocation) -> RewriteResult<()> {
        let names_it = self.yaml.text(slot.node).is_some_and(|old| {
            let name = ParsedReference::parse(old).name;
            same_image(name, self.wanted.name) || self.new_name().is_some_and(|new| same_image(name, new))
        });
        if names_it {
            return self.text(slot);
        }
        let has_digest = self.reference.digest.is_some();
        if self.wanted.new_digest != NewDigest::BehindTag && !has_digest && self.tag.is_some() {
            self.leave_out_digest();
        }
        let holds_digest =
            self.yaml.text(slot.node).is_some_and(|old| old.is_empty() || Digest::parse(old).is_ok());
        let tag = self.tag.as_deref().filter(|_| self.wanted.tag.is_some() || !holds_digest);
        let value = match (tag, self.digest.as_deref()) {
            (None, Some(digest)) => digest.to_owned(),
            (tag, digest) => join_tag(tag, digest),
        };
        self.set("the field", slot, &value)?;
        // no tag has these characters
        let other =
            self.yaml.text(slot.node).filter(|old| old.contains(['/', ':']) && Digest::parse(old).is_err());
        if let Some(old) = other.filter(|_| !self.done.changes.is_empty()) {
            let (old, value) = (inline(&shortened(old)), inline(&value));
            self.done.warning =
                Some(format!("the field held {old}, which isn't a tag; now it holds {value}"));
        }
        Ok(())
    }

    fn block(&mut self, tag: ValueLocation, digest: Option<ValueLocation>) -> RewriteResult<()> {
        let old = self.yaml.text(tag.node).unwrap_or_default();
        let (_, in_tag) = split_tag(old);
        // the digest stays where it is, or else goes after the tag
        let own_key = digest.filter(|d| in_tag.is_none() || self.yaml.text(d.node) != Some(""));
        if own_key.is_none() && self.tag.is_none() && self.digest.is_some() {
            return Err(self.no_tag(tag));
        }
        let (behind_tag, new_key) = match own_key {
            Some(_) => (None, None),
            None if in_tag.is_some() => (self.digest.clone(), None),
            None => self.place_new_digest(),
        };
        self.set("the tag", tag, &join_tag(self.tag.as_deref(), behind_tag.as_deref()))?;
        self.insert(tag, new_key.into_iter().collect())?;
        if let Some(key) = own_key {
            let value = self.digest.clone().unwrap_or_default();
            self.digest_key(key, &value)?;
        }
        Ok(())
    }

    /// The error for a digest without a tag, which can't go into a key for tags.
    fn no_tag(&self, at: ValueLocation) -> Refusal {
        Refusal::new(at.place(), RefusalReason::DigestWithoutTag)
    }

    /// Sets a digest key. A removed digest becomes `""`: without the key, the chart's default would apply
    /// again.
    fn digest_key(&mut self, key: ValueLocation, value: &str) -> RewriteResult<()> {
        let is_bare = is_bare_digest(self.yaml, key);
        let value = value.strip_prefix(SHA256).filter(|_| is_bare).unwrap_or(value);
        // an unchanged digest needs no edit, even if it is written in a way that can't be edited
        if self.yaml.text(key.node) == Some(value) { Ok(()) } else { self.set("the digest", key, value) }
    }

    /// Where a digest goes in a block that has no place for one: after the tag, or into a new key.
    fn place_new_digest(&mut self) -> (Option<String>, Option<NewPair>) {
        match self.wanted.new_digest {
            NewDigest::BehindTag => (self.digest.clone(), None),
            NewDigest::OwnKey => (None, self.digest.clone().map(|value| NewPair { key: "digest", value })),
            NewDigest::LeftOut => {
                self.leave_out_digest();
                (None, None)
            }
            NewDigest::Never => (None, None),
        }
    }

    fn leave_out_digest(&mut self) {
        self.done.left_out_digest = self.digest.take().is_some();
    }

    fn untagged(&mut self, repository: ValueLocation, digest: Option<ValueLocation>) -> RewriteResult<()> {
        let has_key = digest.is_some();
        if !has_key && self.tag.is_none() && self.digest.is_some() {
            return Err(self.no_tag(repository));
        }
        let (behind_tag, new_key) = if has_key { (None, None) } else { self.place_new_digest() };
        if let Some(tag) = self.tag.clone() {
            let value = join_tag(Some(&tag), behind_tag.as_deref());
            self.insert(repository, [NewPair { key: "tag", value }].into_iter().chain(new_key).collect())?;
        }
        match digest {
            Some(key) => {
                let value = self.digest.clone().unwrap_or_default();
                self.digest_key(key, &value)
            }
            None => Ok(()),
        }
    }

    fn rename_block(&mut self, repository: ValueLocation, registry: Option<&str>) -> RewriteResult<()> {
        let Some(new) = self.new_name().filter(|new| !same_image(new, &self.reference.image)) else {
            return Ok(());
        };
        let inside = match registry {
            Some(registry) => new.strip_prefix(registry).and_then(|rest| rest.strip_prefix('/')),
            None => Some(new),
        };
        let inside = inside.ok_or_else(|| {
            let name = new.to_owned();
            Refusal::new(repository.place(), RefusalReason::OtherRegistry { name })
        })?;
        self.set("the repository", repository, inside)
    }

    fn entry(&mut self, entry: &KustomizeEntry) -> RewriteResult<()> {
        let mut behind_name = Vec::new();
        if let Some(new) = self.new_name().filter(|new| *new != self.reference.image) {
            match entry.new_name {
                Some(slot) => self.set("newName", slot, new)?,
                None => behind_name.push(NewPair { key: "newName", value: new.to_owned() }),
            }
        }
        let last_name = entry.new_name.filter(|_| behind_name.is_empty()).unwrap_or(entry.name);
        let mut behind_tag = Vec::new();
        if let Some(digest) = self.digest.clone() {
            match entry.digest {
                Some(slot) => self.digest_key(slot, &digest)?,
                None => behind_tag.push(NewPair { key: "digest", value: digest }),
            }
        }
        match (entry.new_tag, self.tag.clone()) {
            (Some(slot), Some(tag)) => {
                self.set("newTag", slot, &tag)?;
                self.insert(slot, behind_tag)?;
            }
            (None, Some(tag)) => {
                behind_name.push(NewPair { key: "newTag", value: tag });
                behind_name.extend(behind_tag);
            }
            (_, None) => behind_name.extend(behind_tag),
        }
        self.insert(last_name, behind_name)?;
        self.drop_digest(entry.digest)
    }

    /// Whether the map has the same key a second time.
    fn is_there_twice(&self, slot: ValueLocation) -> bool {
        let key = self.yaml.text(slot.key);
        let keys = self.yaml.node(slot.key).parent.into_iter().flat_map(|map| self.yaml.pairs(map));
        keys.filter(|&(other, _)| self.yaml.text(other) == key).count() > 1
    }

    fn drop_digest(&mut self, digest: Option<ValueLocation>) -> RewriteResult<()> {
        let Some(slot) = digest.filter(|_| self.done.dropped_digest) else {
            return Ok(());
        };
        if slot.shared_by.is_some() || self.yaml.node(slot.node).anchored {
            return Err(Refusal::blocked(slot.place(), "the digest", EditBlocker::Alias));
        }
        if self.is_there_twice(slot) {
            return Err(Refusal::new(slot.place(), RefusalReason::TwoDigests));
        }
        self.done.changes.push(Change::Remove { key: slot.key });
        Ok(())
    }
}
