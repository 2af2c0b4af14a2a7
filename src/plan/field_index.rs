//! Looks up which fields to set in a file. It is asked for every file, and there may be thousands of fields.

use super::Request;
use crate::file_selection::{SelectionError, SelectionIndex};

pub(super) struct FieldIndex<'a> {
    request: &'a Request,
    files: SelectionIndex,
    /// Target and number of each field, in the order of the index.
    fields: Vec<(usize, usize)>,
}

impl<'a> FieldIndex<'a> {
    /// # Errors
    /// As `Selection::new`.
    pub fn of(request: &'a Request) -> Result<Self, SelectionError> {
        let targets = request.targets.iter().enumerate();
        let numbered =
            targets.flat_map(|(target, w)| (0..w.scope.fields.len()).map(move |nth| (target, nth)));
        let files =
            request.targets.iter().flat_map(|target| target.scope.fields.iter().map(|field| &field.files));
        Ok(FieldIndex { request, files: SelectionIndex::new(files)?, fields: numbered.collect() })
    }

    /// Target and number of each field to set in a file.
    pub fn in_file(&self, path: &str) -> Vec<(usize, usize)> {
        let found = self.files.selecting(path).into_iter().map(|nth| self.fields[nth]);
        found.filter(|&field| self.is_within(field, path)).collect()
    }

    /// Whether the scope of the target allows the field to be set in this file.
    fn is_within(&self, (target, nth): (usize, usize), path: &str) -> bool {
        let scope = &self.request.targets[target].scope;
        let within = scope.fields[nth].within.as_ref();
        scope.takes(path) && within.is_none_or(|within| within.match_level(path).is_some())
    }
}
