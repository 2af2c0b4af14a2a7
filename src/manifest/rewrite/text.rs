//! Changes to an image that is written in one scalar, and to a field that the user named.

use super::{DesiredImage, NewDigest, RewriteBuilder, RewriteResult};
use crate::image::{Digest, Field, ParsedReference, join_tag, same_image, shortened};
use crate::manifest::reference::ValueLocation;
use crate::manifest::{argo_cd, helm_release, values};
use crate::visible::inline;
use crate::yaml::ParsedYaml;

/// The kinds whose images a chart's template puts together.
const OF_CHARTS: [&str; 3] = [values::KIND, helm_release::KIND, argo_cd::KIND];

/// Whether a scalar is the image with its name, the old or the new one.
pub(super) fn names(yaml: &ParsedYaml, slot: ValueLocation, wanted: &DesiredImage<'_>) -> bool {
    let name = ParsedReference::parse(yaml.text(slot.node).unwrap_or_default()).name;
    same_image(name, wanted.name) || matches!(wanted.new_name, Field::Set(new) if same_image(name, new))
}

impl RewriteBuilder<'_> {
    pub(super) fn text(&mut self, slot: ValueLocation) -> RewriteResult<()> {
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
    pub(super) fn override_string(&mut self, slot: ValueLocation) -> RewriteResult<()> {
        let old = self.yaml.text(slot.node).unwrap_or_default();
        let (original, rest) = old.split_once('=').map_or((None, old), |(name, rest)| (Some(name), rest));
        let runs = ParsedReference::parse(rest).name;
        let new = self.new_name().filter(|new| !same_image(new, runs));
        let original = original.or(new.map(|_| runs)).map(|name| format!("{name}=")).unwrap_or_default();
        let text = format!("{original}{}", self.written_out(new.unwrap_or(runs)));
        self.set("the image", slot, &text)
    }

    /// The new `name[:tag][@digest]`.
    pub(in crate::manifest) fn written_out(&self, name: &str) -> String {
        let parts = [(':', &self.tag), ('@', &self.digest)].into_iter();
        let parts = parts.filter_map(|(mark, part)| Some((mark, part.as_deref().filter(|p| !p.is_empty())?)));
        parts.fold(name.to_owned(), |text, (mark, part)| format!("{text}{mark}{part}"))
    }

    /// A field that the user named: it holds either the image with its name, or just a tag.
    pub(super) fn field(&mut self, slot: ValueLocation) -> RewriteResult<()> {
        if names(self.yaml, slot, self.wanted) {
            return self.text(slot);
        }
        let has_digest = self.reference.digest.is_some();
        let is_set = matches!(self.wanted.new_digest, NewDigest::BehindTag | NewDigest::InsteadOfTag);
        if !is_set && !has_digest && self.tag.is_some() {
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
}
