//! Walks from the root down to a file: opens one folder after the other, none of them through a symlink.

use std::fs::File;
use std::sync::Arc;

use super::entry_kind::EntryKind;
use super::folder::{FileIdentity, Folder};
use super::open_error::OpenError;
use crate::dot_git::{is_dot_git, is_path_part};
use crate::file_selection::split;

/// How many folders to keep open. A tree can be deeper than the number of files that a process may open.
const MOST: usize = 16;

/// Keeps folders open, because the next file is usually in the same folder as the last one, or in one close to
/// it.
#[derive(Debug)]
pub struct Descent {
    root: Arc<Folder>,
    /// The first folders on the way to the last one, with their names.
    open: Vec<(String, Arc<Folder>)>,
    /// The last folder, with its path.
    last: Option<(String, Arc<Folder>)>,
}

impl Descent {
    pub fn new(root: &Arc<Folder>) -> Self {
        Descent { root: Arc::clone(root), open: Vec::new(), last: None }
    }

    /// Opens a path's folder. Also returns the last part of the path.
    pub fn parent<'p>(&mut self, path: &'p str) -> Result<(Arc<Folder>, &'p str), OpenError> {
        let (folder, name) = split(path);
        check(name)?;
        Ok((self.folder(folder)?, name))
    }

    /// Opens a folder; an empty path means the root.
    pub fn folder(&mut self, path: &str) -> Result<Arc<Folder>, OpenError> {
        if let Some((_, folder)) = self.last.as_ref().filter(|(last, _)| last == path) {
            return Ok(Arc::clone(folder));
        }
        let folder = self.descend(path, |_, _| Ok(()))?;
        self.last = Some((path.to_owned(), Arc::clone(&folder)));
        Ok(folder)
    }

    /// Opens a folder, and creates it and its parents if they are missing.
    pub fn create_folder(&mut self, path: &str) -> Result<Arc<Folder>, OpenError> {
        self.descend(path, |folder, name| Ok(folder.create_folder(name)?))
    }

    /// Opens a regular file for reading.
    pub fn file(&mut self, path: &str) -> Result<(File, FileIdentity), OpenError> {
        path.split('/').try_for_each(check)?;
        if let Some(opened) = self.root.file_below(path) {
            return opened;
        }
        let (folder, name) = self.parent(path)?;
        folder.file(name)
    }

    /// The kind of entry that a path refers to; `None` if it doesn't exist. The root is `.` or empty.
    pub fn kind(&mut self, path: &str) -> Result<Option<EntryKind>, OpenError> {
        if path.is_empty() || path == "." {
            return Ok(Some(EntryKind::Folder));
        }
        let (folder, name) = self.parent(path)?;
        Ok(folder.kind(name)?)
    }

    fn descend(
        &mut self,
        path: &str,
        prepare: impl Fn(&Folder, &str) -> Result<(), OpenError>,
    ) -> Result<Arc<Folder>, OpenError> {
        let parts = || path.split('/').filter(|_| !path.is_empty());
        let kept = self.open.iter().zip(parts()).take_while(|((name, _), part)| name == part).count();
        self.open.truncate(kept);
        let mut last = self.open.last().map_or(&self.root, |(_, folder)| folder).clone();
        for (depth, part) in parts().enumerate().skip(kept) {
            check(part)?;
            prepare(&last, part)?;
            last = Arc::new(last.folder(part)?);
            if depth < MOST {
                self.open.push((part.to_owned(), Arc::clone(&last)));
            }
        }
        Ok(last)
    }
}

/// Checks one part of a path, since paths come from users and from git's index: each part must be a plain name
/// that doesn't lead anywhere else.
fn check(part: &str) -> Result<(), OpenError> {
    // on Windows, these can name a drive, a stream or a folder
    let leads_elsewhere = cfg!(windows) && part.contains(['\\', ':']);
    match is_path_part(part) {
        true if !leads_elsewhere => Ok(()),
        false if is_dot_git(part) => Err(OpenError::InsideDotGit),
        _ => Err(OpenError::OutsideRoot),
    }
}
