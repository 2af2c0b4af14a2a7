//! A set of files in which one has other bytes: what the index or the work tree has in its place.

use crate::file_selection::Selection;
use crate::plan::{FileSource, FoundFiles, SourceError, SourceFile, Visitor};

/// Files with other bytes in one of them.
pub(super) struct OverlayFile<'a> {
    pub shelf: &'a dyn FileSource,
    pub path: &'a str,
    pub bytes: &'a [u8],
}

impl FileSource for OverlayFile<'_> {
    fn visit(
        &self,
        selection: &Selection,
        context: bool,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError> {
        let (path, bytes) = (self.path.to_owned(), self.bytes.to_vec());
        self.shelf.visit(selection, context, &move |file: SourceFile<'_>| {
            look(if file.path == path { SourceFile { bytes: &bytes, ..file } } else { file })
        })
    }

    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        self.shelf.read(path, at_most)
    }
}
