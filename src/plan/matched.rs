//! A reference that a target matches, and its planned edit.

use super::TargetIndex;
use super::indexes::FileIndex;
use crate::file_selection::MatchLevel;
use crate::manifest::{Refusal, Rewrite};
use crate::yaml::NodeId;

/// A reference that one of the targets matches, with its planned edit.
pub(super) struct Match {
    pub file: FileIndex,
    pub target: TargetIndex,
    /// How strongly the target's selection asks for the file.
    pub match_level: MatchLevel,
    pub at: NodeId,
    pub kind: &'static str,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Not there yet: the bump adds it.
    pub added: bool,
    /// It overrides the images of workloads.
    pub overrides: bool,
    /// It is reported, but never edited.
    pub only_told: bool,
    /// Found by the B of `A=B`.
    pub by_new_name: bool,
    pub result: Result<Rewrite, Refusal>,
}
