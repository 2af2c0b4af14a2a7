//! Looks up which fields to set in a file. It is asked for every file, and there may be thousands of fields.

use super::indexes::FieldPosition;
use super::{Request, TargetIndex};
use crate::file_selection::{SelectionError, SelectionIndex};

pub(super) struct FieldIndex<'a> {
    request: &'a Request,
    files: SelectionIndex,
    /// In the order of the index.
    fields: Vec<FieldPosition>,
}

impl<'a> FieldIndex<'a> {
    /// # Errors
    /// As `Selection::new`.
    pub fn of(request: &'a Request) -> Result<Self, SelectionError> {
        let positions = TargetIndex::each(&request.targets)
            .flat_map(|(target, w)| (0..w.scope.fields.len()).map(move |nth| FieldPosition { target, nth }));
        let files =
            request.targets.iter().flat_map(|target| target.scope.fields.iter().map(|field| &field.files));
        Ok(FieldIndex { request, files: SelectionIndex::new(files)?, fields: positions.collect() })
    }

    /// The fields to set in a file.
    pub fn in_file(&self, path: &str) -> Vec<FieldPosition> {
        if self.fields.is_empty() {
            return Vec::new();
        }
        let found = self.files.selecting(path).into_iter().map(|nth| self.fields[nth]);
        found.filter(|&field| self.request.targets[field.target].scope.takes(path)).collect()
    }
}
