//! What a reference is set to: a tag, a digest, or both.

use crate::history::TagEntry;
use crate::image::join_tag;
use crate::plan::CurrentReference;

/// A tag, a digest, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TagAndDigest {
    pub tag: Option<String>,
    pub digest: Option<String>,
}

impl TagAndDigest {
    pub fn of_reference(reference: &CurrentReference) -> Self {
        TagAndDigest { tag: reference.tag.clone(), digest: reference.digest.clone() }
    }

    pub fn of_entry(entry: &TagEntry) -> Self {
        TagAndDigest { tag: entry.tag.clone(), digest: entry.digest.clone() }
    }

    /// `TAG`, `TAG@DIGEST` or `@DIGEST`.
    pub fn joined(&self) -> String {
        join_tag(self.tag.as_deref(), self.digest.as_deref())
    }
}
