//! A reference that keeps its tag although the command names its image, and why.

use std::fmt;

use serde::Serialize;

use crate::visible::inline;

/// Why a reference keeps its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SkipReason {
    /// It is held for a while.
    Held,
    /// A newer build is there.
    Superseded,
    /// No tag has run long enough in the environment before.
    Soaking,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SkipReason::Held => "held",
            SkipReason::Superseded => "superseded",
            SkipReason::Soaking => "soaking",
        })
    }
}

/// A reference that keeps its tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SkippedReference {
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub image: String,
    pub reason: SkipReason,
    /// The rest of a sentence that starts with the image: `stays at v2, …`.
    pub detail: String,
}

impl fmt::Display for SkippedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SkippedReference { file, line, image, detail, .. } = self;
        write!(f, "{}:{line}: {} {detail}", inline(file), inline(image))
    }
}
