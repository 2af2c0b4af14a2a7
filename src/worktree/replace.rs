//! Replaces whole files, so that a crash leaves either the old or the new one.
//!
//! Someone else may own the folder while root writes in it. So owner and permissions are set on the open file,
//! and a file is replaced only if it is still the one that was read, in the same folder as before.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::create::RIGHTS;
use super::descent::Descent;
use super::entry_kind::EntryKind;
use super::error::not_opened;
use super::folder::{FileIdentity, Folder};
use super::temporary_file::{TemporaryFile, has_bytes, holds};
use super::{FileChange, Worktree, WorktreeError};
use crate::file_selection::split;
use crate::plan::FileEdit;
use crate::signals;

/// Keeps others from opening the file before it has its owner and permissions.
const RIGHTS_MEANWHILE: u32 = 0o600;

impl Worktree {
    /// Replaces whole files, and keeps their modes. All new files are written before the first old one is
    /// replaced, so a full disk or a missing permission leaves everything unchanged.
    ///
    /// # Errors
    /// A file can't be written, or has changed since it was read.
    pub fn replace(&self, edits: &[FileEdit]) -> Result<(), WorktreeError> {
        let aside = self.stage(edits)?;
        signals::uninterrupted(|| aside.replace())
    }

    /// Writes the new files next to the old ones.
    ///
    /// # Errors
    /// A file can't be written, or has changed since it was read.
    pub fn stage<'e>(&self, edits: &'e [FileEdit]) -> Result<StagedFiles<'e>, WorktreeError> {
        self.stage_where(edits, Aside::Beside)
    }

    /// Writes the new files into a folder on the same file system, where a killed process may leave them. They are
    /// copies: the disk needn't have them before they replace the old ones.
    ///
    /// # Errors
    /// A file can't be written, or has changed since it was read.
    pub fn stage_copies<'e>(
        &self,
        edits: &'e [FileEdit],
        folder: &Path,
    ) -> Result<StagedFiles<'e>, WorktreeError> {
        let opened = Folder::open(folder).map_err(|e| WorktreeError::NotWritten {
            path: folder.display().to_string(),
            reason: e.to_string(),
        })?;
        self.stage_where(edits, Aside::In(&Arc::new(opened)))
    }

    fn stage_where<'e>(
        &self,
        edits: &'e [FileEdit],
        aside: Aside<'_>,
    ) -> Result<StagedFiles<'e>, WorktreeError> {
        let mut descent = self.descent();
        let staged = edits.iter().map(|edit| StagedFile::new(&mut descent, edit, aside));
        Ok(StagedFiles { root: Arc::clone(&self.top), staged: staged.collect::<Result<_, WorktreeError>>()? })
    }
}

/// Where new files are until they replace the old ones.
#[derive(Clone, Copy)]
enum Aside<'f> {
    /// Next to the old ones, and safely on the disk.
    Beside,
    /// In another folder.
    In(&'f Arc<Folder>),
}

impl Aside<'_> {
    fn folder<'a>(&'a self, target: &'a Arc<Folder>) -> &'a Arc<Folder> {
        match self {
            Aside::Beside => target,
            Aside::In(folder) => folder,
        }
    }

    fn finish(self, new: &File) -> io::Result<()> {
        match self {
            Aside::Beside => new.sync_all(),
            Aside::In(_) => Ok(()),
        }
    }
}

/// New files, each with the one that it will replace. Dropping them deletes them.
pub struct StagedFiles<'e> {
    root: Arc<Folder>,
    staged: Vec<StagedFile<'e>>,
}

impl StagedFiles<'_> {
    /// Moves them into place: all of them, or none if an old file has changed.
    ///
    /// # Errors
    /// A file was changed or swapped, or can't be replaced.
    pub fn replace(self) -> Result<(), WorktreeError> {
        self.staged.iter().try_for_each(|staged| staged.check(&self.root))?;
        for (nth, staged) in self.staged.iter().enumerate() {
            // check again: the last file could be swapped while the first ones are replaced
            let done = staged.check(&self.root).and_then(|()| staged.replace());
            done.inspect_err(|_| self.put_back(&self.staged[..nth]))?;
        }
        Ok(())
    }

    /// Restores files as far as possible. Changes that others have made since then are kept.
    fn put_back(&self, replaced: &[StagedFile<'_>]) {
        for StagedFile { edit, .. } in replaced {
            let FileEdit { path, before, after } = (*edit).clone();
            let undo = FileEdit { path, before: after, after: before };
            let staged = StagedFile::new(&mut Descent::new(&self.root), &undo, Aside::Beside);
            let _ = staged.and_then(|staged| staged.check(&self.root).and_then(|()| staged.replace()));
        }
    }
}

struct StagedFile<'e> {
    edit: &'e FileEdit,
    folder: Arc<Folder>,
    /// `None` if there was no such file.
    old: Option<FileIdentity>,
    new: TemporaryFile,
}

impl<'e> StagedFile<'e> {
    fn new(descent: &mut Descent, edit: &'e FileEdit, aside: Aside<'_>) -> Result<Self, WorktreeError> {
        let path = &edit.path;
        let (folder, name) = descent.parent(path).map_err(|e| not_opened(path, e))?;
        let not_written =
            |e: io::Error| WorktreeError::NotWritten { path: path.clone(), reason: e.to_string() };
        if edit.before.is_empty() && matches!(folder.kind(name), Ok(None)) {
            let new =
                TemporaryFile::create(aside.folder(&folder), &edit.after, RIGHTS, |new| aside.finish(new));
            return Ok(StagedFile { edit, old: None, new: new.map_err(not_written)?, folder });
        }
        let (file, old) = folder.file(name).map_err(|e| not_opened(path, e))?;
        if !has_bytes(file, &edit.before).map_err(|e| not_opened(path, e.into()))? {
            return Err(changed(path, FileChange::Edited));
        }
        let new = TemporaryFile::create(aside.folder(&folder), &edit.after, RIGHTS_MEANWHILE, |new| {
            old.give_rights_to(new)?;
            aside.finish(new)
        });
        Ok(StagedFile { edit, old: Some(old), new: new.map_err(not_written)?, folder })
    }

    /// Checks that the old file is unchanged and still in the same folder.
    fn check(&self, root: &Arc<Folder>) -> Result<(), WorktreeError> {
        let FileEdit { path, before, after } = self.edit;
        let (folder, name) = split(path);
        let is_here =
            Descent::new(root).folder(folder).is_ok_and(|now| now.is(&self.folder).unwrap_or(false));
        if !is_here {
            return Err(changed(path, FileChange::FolderSwapped));
        }
        if !self.new.is_intact(after) {
            return Err(changed(path, FileChange::NewFileSwapped));
        }
        let is_as_before = match self.old {
            Some(old) => holds(&self.folder, name, old, before),
            None => matches!(self.folder.kind(name), Ok(None)),
        };
        if is_as_before {
            return Ok(());
        }
        Err(changed(
            path,
            match self.folder.kind(name) {
                Ok(Some(EntryKind::File)) => FileChange::Edited,
                Ok(Some(EntryKind::Symlink)) => FileChange::Symlink,
                _ => FileChange::Gone,
            },
        ))
    }

    fn replace(&self) -> Result<(), WorktreeError> {
        let FileEdit { path, after, .. } = self.edit;
        let name = split(path).1;
        let done = match self.old {
            Some(_) => self.new.replace(&self.folder, name, after),
            None => self.new.become_new(&self.folder, name, after),
        };
        done.map_err(|e| WorktreeError::NotReplaced { path: path.clone(), reason: e.to_string() })
    }
}

fn changed(path: &str, change: FileChange) -> WorktreeError {
    WorktreeError::Changed { path: path.to_owned(), change }
}
