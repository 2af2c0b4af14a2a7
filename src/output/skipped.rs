//! References that a run left as they are, although they match.

use serde::Serialize;

/// A reference that keeps its tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedReference {
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub image: String,
    pub reason: SkipReason,
    /// The whole reason, for people.
    pub detail: String,
}

/// Why a reference keeps its tag. The words are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SkipReason {
    /// Someone holds its image.
    Held,
    /// A newer build is there.
    Superseded,
}
