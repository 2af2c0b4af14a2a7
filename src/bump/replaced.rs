//! A set of files in which one has other bytes: what the index or the work tree has in its place.

use crate::error::Result;
use crate::plan::{Found, Look, Shelf, SourceFile};
use crate::select::Selection;

/// Files with other bytes in one of them.
pub(super) struct Replaced<'a> {
    pub shelf: &'a dyn Shelf,
    pub path: &'a str,
    pub bytes: &'a [u8],
}

impl Shelf for Replaced<'_> {
    fn each(&self, selection: &Selection, context: bool, look: Look<'_>) -> Result<Found> {
        let (path, bytes) = (self.path.to_owned(), self.bytes.to_vec());
        self.shelf.each(selection, context, &move |file: SourceFile<'_>| {
            look(if file.path == path { SourceFile { bytes: &bytes, ..file } } else { file })
        })
    }

    fn one(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>> {
        self.shelf.one(path, at_most)
    }
}
