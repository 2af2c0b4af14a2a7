//! Replaces files whole, so that a crash leaves the old or the new one.
//!
//! Someone else may own the folder, and root may write in it. So owner and rights are given to the open file, and a
//! file is replaced only if, in the same folder as before, it still is the one that was read.

use std::sync::Arc;

use super::descent::{Descent, split};
use super::error::not_opened;
use super::folder::{EntryKind, FileIdentity, Folder};
use super::temporary_file::{TemporaryFile, has_bytes, holds};
use super::{FileChange, Worktree, WorktreeError};
use crate::plan::FileEdit;
use crate::signals;

/// Until the file has its owner and rights, nobody else may open it.
const RIGHTS_MEANWHILE: u32 = 0o600;

impl Worktree {
    /// Replaces files whole, each with its mode. All are written aside before the first is replaced, so that
    /// a full disk or a missing right leaves everything as it was.
    ///
    /// # Errors
    /// Where a file can't be written, or is not what it was when it was read.
    pub fn replace(&self, edits: &[FileEdit]) -> Result<(), WorktreeError> {
        let aside = self.stage(edits)?;
        signals::together(|| aside.replace())
    }

    /// Writes the new files beside the old ones.
    ///
    /// # Errors
    /// Where a file can't be written, or is not what it was when it was read.
    pub fn stage<'e>(&self, edits: &'e [FileEdit]) -> Result<StagedFiles<'e>, WorktreeError> {
        let mut descent = self.descent();
        let staged = edits.iter().map(|edit| StagedFile::new(&mut descent, edit));
        Ok(StagedFiles { root: Arc::clone(&self.top), staged: staged.collect::<Result<_, WorktreeError>>()? })
    }
}

/// New files, each beside the one that it will replace; dropped, they are gone.
pub struct StagedFiles<'e> {
    root: Arc<Folder>,
    staged: Vec<StagedFile<'e>>,
}

impl StagedFiles<'_> {
    /// Puts them in place: all, or none where one of the old files is not what it was.
    ///
    /// # Errors
    /// Where a file was changed or swapped, or can't be replaced.
    pub fn replace(self) -> Result<(), WorktreeError> {
        self.staged.iter().try_for_each(|staged| staged.check(&self.root))?;
        for (nth, staged) in self.staged.iter().enumerate() {
            // once more: while the first are replaced there is time to swap the last
            let done = staged.check(&self.root).and_then(|()| staged.replace());
            done.inspect_err(|_| self.put_back(&self.staged[..nth]))?;
        }
        Ok(())
    }

    /// As far as that goes: whoever changed them since wins.
    fn put_back(&self, replaced: &[StagedFile<'_>]) {
        for StagedFile { edit, .. } in replaced {
            let FileEdit { path, before, after } = (*edit).clone();
            let undo = FileEdit { path, before: after, after: before };
            let staged = StagedFile::new(&mut Descent::new(&self.root), &undo);
            let _ = staged.and_then(|staged| staged.check(&self.root).and_then(|()| staged.replace()));
        }
    }
}

struct StagedFile<'e> {
    edit: &'e FileEdit,
    folder: Arc<Folder>,
    old: FileIdentity,
    new: TemporaryFile,
}

impl<'e> StagedFile<'e> {
    fn new(descent: &mut Descent, edit: &'e FileEdit) -> Result<Self, WorktreeError> {
        let path = &edit.path;
        let (folder, name) = descent.parent(path).map_err(|e| not_opened(path, e))?;
        let (file, old) = folder.file(name).map_err(|e| not_opened(path, e))?;
        if !has_bytes(file, &edit.before).map_err(|e| not_opened(path, e.into()))? {
            return Err(changed(path, FileChange::Edited));
        }
        let new =
            TemporaryFile::create(&folder, &edit.after, RIGHTS_MEANWHILE, |new| old.give_rights_to(new));
        let new = new.map_err(|e| WorktreeError::NotWritten { path: path.clone(), reason: e.to_string() })?;
        Ok(StagedFile { edit, folder, old, new })
    }

    /// The old file must be what it was, where it was.
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
        if holds(&self.folder, name, self.old, before) {
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
        let done = self.new.replace(split(path).1, after);
        done.map_err(|e| WorktreeError::NotReplaced { path: path.clone(), reason: e.to_string() })
    }
}

fn changed(path: &str, change: FileChange) -> WorktreeError {
    WorktreeError::Changed { path: path.to_owned(), change }
}
