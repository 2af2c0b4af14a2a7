//! Changes to an entry of `images` in a kustomization.

use super::{RewriteBuilder, RewriteResult};
use crate::manifest::reference::ValueLocation;
use crate::manifest::refusal::{Refusal, RefusalReason};
use crate::yaml::{Change, EditBlocker, NewPair};

/// The values of an entry.
pub(super) struct KustomizeEntry {
    pub name: ValueLocation,
    pub new_name: Option<ValueLocation>,
    pub new_tag: Option<ValueLocation>,
    pub digest: Option<ValueLocation>,
}

impl RewriteBuilder<'_> {
    pub(super) fn entry(&mut self, entry: &KustomizeEntry) -> RewriteResult<()> {
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
        let dropped = entry.new_tag.filter(|_| self.tag.is_none());
        self.done.changes.extend(dropped.map(|slot| Change::Remove { key: slot.key }));
        self.drop_digest(entry.digest)
    }

    /// Whether the map has the same key a second time.
    fn is_repeated(&self, slot: ValueLocation) -> bool {
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
        if self.is_repeated(slot) {
            return Err(Refusal::new(slot.place(), RefusalReason::TwoDigests));
        }
        self.done.changes.push(Change::Remove { key: slot.key });
        Ok(())
    }
}
