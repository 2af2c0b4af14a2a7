//! Workloads whose image a kustomization overrides: tagbump edits the kustomization, and only reports the
//! workloads.

use super::files::ScannedFiles;
use super::matched::Match;
use super::{Request, TargetIndex, UpdateTarget};
use crate::file_selection::MatchLevel;
use crate::location::Location;
use crate::manifest::WORKLOAD;
use crate::visible::inline;

/// How many places a notice lists.
const LISTED: usize = 10;

/// Removes such workloads from the matches, unless the user named their files. Returns the notices about them.
pub(super) fn remove_overridden(
    survey: &ScannedFiles,
    request: &Request,
    matches: &mut Vec<Match>,
) -> Vec<String> {
    let mut notices = Vec::new();
    for (target, wanted) in TargetIndex::each(&request.targets) {
        let by = matches.iter().find(|m| m.target == target && m.overrides);
        let Some((file, at)) = by.map(|m| (m.file, m.at)) else { continue };
        let overridden =
            |m: &Match| m.target == target && m.kind == WORKLOAD && m.match_level != MatchLevel::Explicit;
        let (left, kept): (Vec<_>, Vec<_>) = std::mem::take(matches).into_iter().partition(overridden);
        *matches = kept;
        if !left.is_empty() {
            let by = survey.files[file].place(at);
            notices.push(notice(survey, wanted, &by, &left));
        }
    }
    notices
}

fn notice(survey: &ScannedFiles, target: &UpdateTarget, by: &Location, left: &[Match]) -> String {
    let places: Vec<_> =
        left.iter().take(LISTED).map(|m| survey.files[m.file].place(m.at).to_string()).collect();
    let more = if left.len() > LISTED { format!(" and {} more", left.len() - LISTED) } else { String::new() };
    let (places, name) = (places.join(", "), inline(&target.name));
    format!(
        "skipped, because {by} overrides the tag of {name}: {places}{more}; select a file by its path to edit it too"
    )
}
