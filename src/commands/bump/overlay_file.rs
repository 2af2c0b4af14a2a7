//! Files of which one has other bytes: those of the index, or of the working tree.

use crate::file_selection::Selection;
use crate::plan::{FileContent, FileSource, FoundFiles, SourceError, SourceFile, VisitScope, Visitor};

/// Files with other bytes in one of them.
pub(super) struct OverlayFile<'a> {
    pub files: &'a dyn FileSource,
    pub path: &'a str,
    pub bytes: &'a [u8],
}

impl FileSource for OverlayFile<'_> {
    fn visit(
        &self,
        selection: &Selection,
        scope: VisitScope,
        visitor: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError> {
        let (path, bytes) = (self.path.to_owned(), self.bytes.to_vec());
        self.files.visit(selection, scope, &move |file: SourceFile<'_>| {
            visitor(if file.path == path { SourceFile { bytes: &bytes, ..file } } else { file })
        })
    }

    fn read(&self, path: &str, max_size: usize) -> Result<Option<FileContent>, SourceError> {
        match path == self.path {
            true => Ok(Some(FileContent::new(self.bytes.to_vec(), max_size))),
            false => self.files.read(path, max_size),
        }
    }
}
