//! Where a change comes from: the commit that its image was built from, and the commits that it includes.

use std::sync::Arc;

use crate::history::CommitRange;

/// What is known about one change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeOrigin {
    /// The commit that the new image was built from, as `REPOSITORY@SHA`.
    pub source: Option<String>,
    /// With the commit that the old one was built from.
    pub comparison: Option<Arc<Comparison>>,
}

/// The commits that the old and the new image were built from, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The page that shows the difference.
    pub url: String,
    /// Whether the new image is the older one. Then the page, and the range, have the commits that are taken away.
    pub goes_back: bool,
    /// `None` if the commits aren't known, or weren't asked for.
    pub range: Option<CommitRange>,
}
