//! What a path or pattern that selects no file was probably meant to select: `prod` or `prod/**` where the files are in
//! `apps/prod`.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::{FileSource, PlanError, Request, SourceError, UpdateTarget, VisitScope};
use crate::file_selection::Selection;

/// A pattern that selects files, in place of one that selects none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WiderPattern {
    pub pattern: String,
    /// How many files it selects.
    pub files: usize,
}

impl WiderPattern {
    /// Looks for the paths and patterns of a selection in all folders.
    pub(super) fn find(source: &dyn FileSource, selection: &Selection) -> Option<Self> {
        let typed: Vec<String> = selection.texts().filter(|text| !text.starts_with("**")).collect();
        let patterns = typed.iter().flat_map(|text| {
            let text = text.trim_end_matches('/');
            [format!("**/{text}"), format!("**/{text}/**")]
        });
        let candidates: Vec<CountedPattern> = patterns.filter_map(CountedPattern::new).collect();
        let everything = Selection::new(&[]).ok().filter(|_| !candidates.is_empty())?;
        let count = |file: super::SourceFile<'_>| {
            candidates.iter().for_each(|candidate| candidate.count(file.path));
            ControlFlow::Continue(())
        };
        source.visit(&everything, VisitScope::Selected, &count).ok()?;
        candidates.into_iter().map(CountedPattern::counted).find(|wider| wider.files > 0)
    }
}

struct CountedPattern {
    pattern: String,
    selection: Selection,
    files: AtomicUsize,
}

impl CountedPattern {
    fn new(pattern: String) -> Option<Self> {
        let selection = Selection::new(std::slice::from_ref(&pattern)).ok()?;
        Some(CountedPattern { pattern, selection, files: AtomicUsize::new(0) })
    }

    fn count(&self, path: &str) {
        if self.selection.match_level(path).is_some() {
            self.files.fetch_add(1, Relaxed);
        }
    }

    fn counted(self) -> WiderPattern {
        WiderPattern { pattern: self.pattern, files: self.files.into_inner() }
    }
}

/// Adds to the error about a missing path which service has it, or where such a path is.
pub(super) fn with_wider(
    error: PlanError,
    source: &dyn FileSource,
    selection: &Selection,
    request: &Request,
) -> PlanError {
    let error = match error {
        PlanError::Source(error) => error,
        other => return other,
    };
    let (SourceError::NotFound { path, .. } | SourceError::NotCommitted { path }) = &error else {
        return error.into();
    };
    let named = |target: &&UpdateTarget| target.service.is_some() && target.scope.names(path);
    if let Some(service) = request.targets.iter().find(named).and_then(|target| target.service.clone()) {
        let wider = WiderPattern::find(source, &Selection::of_file(path)).map(Box::new);
        return PlanError::ServiceFileMissing { config: request.config.clone(), service, error, wider };
    }
    match WiderPattern::find(source, selection) {
        Some(wider) => PlanError::NotFoundHere { error, wider },
        None => error.into(),
    }
}
