//! Replaces files whole, so that a crash leaves the old or the new one.

use std::fs::{self, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

use super::Worktree;
use crate::error::Result;
use crate::interrupt;
use crate::plan::FileEdit;

impl Worktree {
    /// Replaces files whole, each with its mode. All are written aside before the first is replaced, so that
    /// a full disk or a missing right leaves everything as it was.
    ///
    /// # Errors
    /// Where a file can't be written, or is not what it was when it was read.
    pub fn replace(&self, edits: &[FileEdit]) -> Result<()> {
        let aside = self.write_aside(edits)?;
        interrupt::together(|| aside.replace())
    }

    /// Writes the new files beside the old ones.
    ///
    /// # Errors
    /// Where a file can't be written, or is not what it was when it was read.
    pub fn write_aside(&self, edits: &[FileEdit]) -> Result<Aside> {
        let written = edits.iter().map(|edit| self.write_one_aside(edit)).collect::<anyhow::Result<_>>()?;
        Ok(Aside(written))
    }

    fn write_one_aside(&self, edit: &FileEdit) -> anyhow::Result<(NamedTempFile, PathBuf)> {
        let path = self.root.join(&edit.path);
        if self.bytes(&edit.path)? != edit.before {
            anyhow::bail!("{}: was changed by somebody else just now; run again", edit.path);
        }
        let meta = fs::symlink_metadata(&path).with_context(|| format!("{}: is gone", edit.path))?;
        let folder = path.parent().unwrap_or(&self.root);
        let write = || -> std::io::Result<_> {
            let mut aside = tempfile::Builder::new().prefix(".tagbump-").tempfile_in(folder)?;
            interrupt::remember(aside.path());
            aside.write_all(&edit.after)?;
            keep_owner(aside.path(), &meta);
            aside.as_file().set_permissions(meta.permissions())?;
            aside.as_file().sync_all()?;
            Ok(aside)
        };
        let aside = write().with_context(|| format!("{}: can't be written", edit.path))?;
        Ok((aside, path))
    }
}

/// New files, each beside the one that it will replace; dropped, they are gone.
#[derive(Debug)]
pub struct Aside(Vec<(NamedTempFile, PathBuf)>);

impl Aside {
    /// Puts them in place.
    ///
    /// # Errors
    /// Where a file can't be replaced.
    pub fn replace(self) -> Result<()> {
        for (aside, path) in self.0 {
            aside.persist(&path).with_context(|| format!("{}: can't be replaced", path.display()))?;
        }
        Ok(())
    }
}

/// Root writes for others, as in a container: the file stays theirs where that is allowed.
#[cfg(unix)]
fn keep_owner(path: &Path, meta: &Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    // not being allowed to is no fault: the file is then the user's who runs this, as with any editor
    let _ = chown(path, Some(meta.uid()), Some(meta.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &Metadata) {}
