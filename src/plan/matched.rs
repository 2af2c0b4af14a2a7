//! A reference that is meant, and what would become of it.

use crate::file_selection::MatchLevel;
use crate::manifest::{Refusal, Rewrite};
use crate::yaml::NodeId;

/// A reference that one of the wants means, with what would become of it.
pub(super) struct Match {
    pub file: usize,
    pub target: usize,
    /// How the file came to be searched, for this want.
    pub match_level: MatchLevel,
    pub at: NodeId,
    pub kind: &'static str,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Not there yet: the bump adds it.
    pub added: bool,
    /// It sets the image of workloads, whatever they say themselves.
    pub overrides: bool,
    /// Never edited, wherever it says already what is wanted.
    pub only_told: bool,
    /// Found by the B of `A=B`.
    pub by_new_name: bool,
    pub result: Result<Rewrite, Refusal>,
}
