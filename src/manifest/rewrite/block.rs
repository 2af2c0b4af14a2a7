//! Changes to blocks: repository, tag and digest, each under a key of its own.

use super::{NewDigest, RewriteBuilder, RewriteResult};
use crate::image::{SHA256, join_tag, same_image, split_tag};
use crate::manifest::reference::ValueLocation;
use crate::manifest::refusal::{Refusal, RefusalReason};
use crate::manifest::syntax::is_bare_digest;
use crate::yaml::NewPair;

impl RewriteBuilder<'_> {
    pub(super) fn block(&mut self, tag: ValueLocation, digest: Option<ValueLocation>) -> RewriteResult<()> {
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
    pub(super) fn digest_key(&mut self, key: ValueLocation, value: &str) -> RewriteResult<()> {
        let is_bare = is_bare_digest(self.yaml, key);
        let value = value.strip_prefix(SHA256).filter(|_| is_bare).unwrap_or(value);
        // an unchanged digest needs no edit, even if it is written in a way that can't be edited
        if self.yaml.text(key.node) == Some(value) { Ok(()) } else { self.set("the digest", key, value) }
    }

    /// Where a digest goes in a block that has no place for one: after the tag, or into a new key.
    fn place_new_digest(&mut self) -> (Option<String>, Option<NewPair>) {
        match self.wanted.new_digest {
            NewDigest::BehindTag | NewDigest::InsteadOfTag => (self.digest.clone(), None),
            NewDigest::OwnKey => (None, self.digest.clone().map(|value| NewPair { key: "digest", value })),
            NewDigest::LeftOut => {
                self.leave_out_digest();
                (None, None)
            }
            NewDigest::Never => (None, None),
        }
    }

    pub(super) fn leave_out_digest(&mut self) {
        self.done.left_out_digest = self.digest.take().is_some();
    }

    pub(super) fn untagged(
        &mut self,
        repository: ValueLocation,
        digest: Option<ValueLocation>,
    ) -> RewriteResult<()> {
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

    pub(super) fn rename_block(
        &mut self,
        repository: ValueLocation,
        registry: Option<&str>,
    ) -> RewriteResult<()> {
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
}
