//! Workloads whose image a kustomization sets: the kustomization is edited, and they are told.

use super::files::Survey;
use super::matched::Match;
use super::{Request, messages};
use crate::manifest::WORKLOAD;
use crate::select::Standing;

/// Takes such workloads out of the matches, unless the user named their files. Gives what is to be told.
pub(super) fn drop(survey: &Survey, request: &Request, matches: &mut Vec<Match>) -> Vec<String> {
    let mut notices = Vec::new();
    for (want, wanted) in request.wants.iter().enumerate() {
        let by = matches.iter().find(|m| m.want == want && m.overrides);
        let Some((file, at)) = by.map(|m| (m.file, m.at)) else { continue };
        let overridden = |m: &Match| m.want == want && m.kind == WORKLOAD && m.standing != Standing::Named;
        let (left, kept): (Vec<_>, Vec<_>) = std::mem::take(matches).into_iter().partition(overridden);
        *matches = kept;
        if !left.is_empty() {
            let by = survey.files[file].place(at);
            notices.push(messages::overridden(survey, wanted, &by, &left));
        }
    }
    notices
}
