//! Creates new files, entirely or not at all, and never replaces anything.

use std::io::ErrorKind;

use anyhow::Context;

use super::Worktree;
use super::descent::split;
use super::open_error::OpenError;
use super::temporary_file::TemporaryFile;
use crate::error::{Failure, Result, inline};
use crate::plan;
use crate::signals;

/// The permissions of a new file, before the umask.
const RIGHTS: u32 = 0o666;

impl Worktree {
    /// Whether a path exists, even if it is a folder or a dangling symlink.
    ///
    /// # Errors
    /// Exit 2 if a folder on the path is a symlink; exit 1 if the path can't be checked.
    pub fn has(&self, path: &str) -> Result<bool> {
        let fault = |e: OpenError| match e {
            OpenError::Symlink => plan::symlink(path),
            OpenError::System(e) => Failure::other(format!("{}: can't be looked at: {e}", inline(path))),
            why => Failure::other(format!("{}: {why}", inline(path))),
        };
        let (folder, name) = match self.descent().parent(path) {
            Err(OpenError::System(e)) if e.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(fault)?,
        };
        folder.kind(name).map(|kind| kind.is_some()).map_err(|e| fault(e.into()))
    }

    /// Creates a file and its parent folders. Returns `false` and does nothing if the path exists. The file is
    /// written under a temporary name and then renamed, so nobody ever sees a part of it.
    ///
    /// # Errors
    /// Exit 2 if a folder on the path is a symlink; exit 1 if the file can't be written.
    pub fn create(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        if self.has(path)? {
            return Ok(false);
        }
        let fault = || format!("{}: can't be written", inline(path));
        let (folder, name) = split(path);
        let folder = match self.descent().create_folder(folder) {
            Err(OpenError::Symlink) => return Err(plan::symlink(path)),
            opened => opened.with_context(fault)?,
        };
        let new = TemporaryFile::create(&folder, bytes, RIGHTS, |_| Ok(())).with_context(fault)?;
        match signals::together(|| new.become_new(name, bytes)) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e).with_context(fault)?,
        }
    }
}
