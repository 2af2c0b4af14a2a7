//! Makes new files, whole or not at all, and never in the place of anything that is there.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use super::Worktree;
use crate::error::{Result, inline};
use crate::interrupt;
use crate::plan;

impl Worktree {
    /// Whether anything is at a path, be it a folder or a symlink that leads nowhere.
    ///
    /// # Errors
    /// Exit 2 where a folder on the way is a symlink; exit 1 where that can't be told.
    pub fn has(&self, path: &str) -> Result<bool> {
        self.check_folders(path)?;
        match fs::symlink_metadata(self.root.join(path)) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e).with_context(|| format!("{}: can't be looked at", inline(path)))?,
        }
    }

    /// Makes a file, and the folders that it is in; says no, and does nothing, where something is there already.
    /// It is written aside and then given its name, so that nobody ever sees a part of it.
    ///
    /// # Errors
    /// Exit 2 where a folder on the way is a symlink; exit 1 where it can't be written.
    pub fn create(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        if self.has(path)? {
            return Ok(false);
        }
        let full = self.root.join(path);
        let folder = full.parent().unwrap_or(&self.root);
        let fault = || format!("{}: can't be written", inline(path));
        fs::create_dir_all(folder).with_context(fault)?;
        // one may have been put there since
        self.check_folders(path)?;
        let mut aside = new_file_in(folder).with_context(fault)?;
        interrupt::remember(aside.path());
        aside.write_all(bytes).and_then(|()| aside.as_file().sync_all()).with_context(fault)?;
        match interrupt::together(|| aside.persist_noclobber(&full)) {
            Ok(_) => Ok(true),
            Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e.error).with_context(fault)?,
        }
    }

    fn check_folders(&self, path: &str) -> Result<()> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.check_links(folder).map_err(|_| plan::symlink(path))
    }
}

/// With the rights that any editor gives to a new file.
fn new_file_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    if let Some(rights) = rights() {
        builder.permissions(rights);
    }
    builder.prefix(".tagbump-").tempfile_in(folder)
}

/// Those that the umask leaves of them.
#[cfg(unix)]
fn rights() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn rights() -> Option<Permissions> {
    None
}
