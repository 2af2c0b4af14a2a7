//! Workloads whose image a kustomization overrides: tagbump edits the kustomization, and only reports the
//! workloads.

use super::files::ScannedFiles;
use super::matched::Match;
use super::{Request, messages};
use crate::file_selection::MatchLevel;
use crate::manifest::WORKLOAD;

/// Removes such workloads from the matches, unless the user named their files. Returns the notices about them.
pub(super) fn remove_overridden(
    survey: &ScannedFiles,
    request: &Request,
    matches: &mut Vec<Match>,
) -> Vec<String> {
    let mut notices = Vec::new();
    for (target, wanted) in request.targets.iter().enumerate() {
        let by = matches.iter().find(|m| m.target == target && m.overrides);
        let Some((file, at)) = by.map(|m| (m.file, m.at)) else { continue };
        let overridden =
            |m: &Match| m.target == target && m.kind == WORKLOAD && m.match_level != MatchLevel::Explicit;
        let (left, kept): (Vec<_>, Vec<_>) = std::mem::take(matches).into_iter().partition(overridden);
        *matches = kept;
        if !left.is_empty() {
            let by = survey.files[file].place(at);
            notices.push(messages::overridden(survey, wanted, &by, &left));
        }
    }
    notices
}
