//! References that must keep what they have, because someone holds their image.

use std::collections::HashMap;

use super::files::ScannedFiles;
use super::indexes::FileIndex;
use super::matched::Match;
use super::what_runs::reports::Reports;
use super::{Plan, Request};
use crate::file_selection::Selection;
use crate::image::same_image;
use crate::manifest::Rewrite;
use crate::yaml::Change;

/// An image that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldImage {
    /// The name that runs, without a tag.
    pub image: String,
    /// Only in these files.
    pub files: Option<Selection>,
    /// Only in this environment.
    pub env: Option<String>,
}

/// A reference that would change if its image weren't held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldReference {
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub image: String,
    /// As in [`super::ChangedReference::from`].
    pub from: String,
    /// Which of the request's held images it is.
    pub nth: usize,
}

impl HeldImage {
    /// Whether an image is held in a file, in some environment.
    pub fn covers(&self, image: &str, path: &str) -> bool {
        same_image(&self.image, image)
            && self.files.as_ref().is_none_or(|files| files.match_level_of_any(path).is_some())
    }

    fn holds(&self, request: &Request, path: &str, m: &Match) -> bool {
        let runs = [m.image.as_str(), request.targets[m.target].effective_name()];
        runs.iter().any(|image| self.covers(image, path))
    }
}

/// Notes which matches are held: those of held images, and those that would set the same value as one of them.
pub(super) fn mark(scanned: &ScannedFiles, request: &Request, reports: &Reports, matches: &mut [Match]) {
    for m in matches.iter_mut() {
        let path = scanned.files[m.file].path.as_str();
        m.held = request.holds.iter().position(|hold| {
            let is_in = |env: &String| request.is_in_environment(env, path, m, reports);
            hold.holds(request, path, m) && hold.env.as_ref().is_none_or(is_in)
        });
    }
    let changes = |m: &Match| -> Vec<(FileIndex, Change)> {
        let changes = m.result.iter().flat_map(|rewrite| &rewrite.changes);
        changes.map(|change| (m.file, change.clone())).collect()
    };
    let held = matches.iter().filter_map(|m| m.held.map(|nth| (changes(m), nth)));
    let stays: HashMap<_, _> =
        held.flat_map(|(all, nth)| all.into_iter().map(move |one| (one, nth))).collect();
    if stays.is_empty() || request.overrides_holds {
        return;
    }
    for m in matches.iter_mut().filter(|m| m.held.is_none()) {
        m.held = changes(m).iter().find_map(|change| stays.get(change)).copied();
    }
}

impl Request {
    /// Whether a hold is about an environment.
    pub(super) fn holds_environments(&self) -> bool {
        self.holds.iter().any(|hold| hold.env.is_some())
    }

    /// Whether a match sets what runs in an environment: by the roots that it wins in, those that its file is part of, or
    /// the file alone. One that isn't configured could be any.
    fn is_in_environment(&self, env: &str, path: &str, m: &Match, reports: &Reports) -> bool {
        if !self.environments.all.iter().any(|known| known.name == env) {
            return true;
        }
        match m.environments.as_ref().or_else(|| reports.environments_of(path)) {
            Some(environments) => environments.contains(env),
            None => self.environments.of_file(path).is_some_and(|found| found.name == env),
        }
    }

    /// Whether a match keeps what it has.
    pub(super) fn keeps(&self, m: &Match) -> bool {
        m.held.is_some() && !self.overrides_holds
    }
}

/// Notes a reference that is held, and would change.
pub(super) fn note(scanned: &ScannedFiles, m: &Match, rewrite: &Rewrite, plan: &mut Plan) {
    let Some(nth) = m.held else { return };
    if rewrite.is_edit() {
        let file = scanned.files[m.file].path.clone();
        let (line, image, from) = (m.line, m.image.clone(), rewrite.from.clone());
        plan.held.push(HeldReference { file, line, image, from, nth });
    }
}
