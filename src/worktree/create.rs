//! Creates new files, entirely or not at all, and never replaces anything.

use std::fs::File;
use std::io::ErrorKind;

use super::error::not_reached;
use super::open_error::OpenError;
use super::temporary_file::TemporaryFile;
use super::{Worktree, WorktreeError};
use crate::file_selection::split;
use crate::signals;

/// The permissions of a new file, before the umask.
pub(super) const RIGHTS: u32 = 0o666;

impl Worktree {
    /// Whether anything is at a path, be it a folder or a symlink that leads nowhere.
    ///
    /// # Errors
    /// If a folder on the way is a symlink, or can't be opened.
    pub fn has(&self, path: &str) -> Result<bool, WorktreeError> {
        let error = |e: OpenError| WorktreeError::from(not_reached(path, e));
        let (folder, name) = match self.descent().parent(path) {
            Err(OpenError::System(e)) if e.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(error)?,
        };
        folder.kind(name).map(|kind| kind.is_some()).map_err(|e| error(e.into()))
    }

    /// Creates a file, and the folders that it is in. Returns `false`, and does nothing, if something exists at the
    /// path. The file is written under another name and then renamed, so that no one ever sees a part of it.
    ///
    /// # Errors
    /// If a folder on the way is a symlink, or the file can't be written.
    pub fn create(&self, path: &str, bytes: &[u8]) -> Result<bool, WorktreeError> {
        if self.has(path)? {
            return Ok(false);
        }
        let not_written = |reason: String| WorktreeError::NotWritten { path: path.to_owned(), reason };
        let (folder, name) = split(path);
        let folder = match self.descent().create_folder(folder) {
            Err(OpenError::Symlink) => return Err(not_reached(path, OpenError::Symlink).into()),
            opened => opened.map_err(|e| not_written(e.to_string()))?,
        };
        let new = TemporaryFile::create(&folder, bytes, RIGHTS, File::sync_all);
        let new = new.map_err(|e| not_written(e.to_string()))?;
        match signals::uninterrupted(|| new.become_new(&folder, name, bytes)) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(not_written(e.to_string())),
        }
    }

    /// Removes a file that was created with this content, unless someone has changed it since.
    pub fn remove_created(&self, path: &str, bytes: &[u8]) {
        if self.about_same(path, bytes).is_some()
            && let Ok((folder, name)) = self.descent().parent(path)
        {
            // it can stay: git shows it as untracked
            let _ = folder.remove(name);
        }
    }
}
