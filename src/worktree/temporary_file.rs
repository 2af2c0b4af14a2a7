//! A new file under a temporary name, until it becomes another one. It gets its final name only if it still has the
//! content that was written.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::entry_kind::EntryKind;
use super::folder::{FileIdentity, Folder};
use crate::signals::{self, CleanupGuard};

/// Removed when it is dropped, or when a signal ends the process.
pub struct TemporaryFile {
    folder: Arc<Folder>,
    name: String,
    identity: FileIdentity,
    _at_signal: CleanupGuard,
}

impl TemporaryFile {
    /// Writes a file into a folder. `finish` gets it at the end, to set its owner and permissions.
    pub fn create(
        folder: &Arc<Folder>,
        bytes: &[u8],
        mode: u32,
        finish: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<Self> {
        let name = format!(".tagbump-{:016x}", fastrand::u64(..));
        // register this before the file exists, because a signal can come at any time
        let at_signal = signals::at_signal({
            let (folder, name) = (Arc::clone(folder), name.clone());
            move || drop(folder.remove(&name))
        });
        let mut file = folder.create_file(&name, mode)?;
        let mut made = TemporaryFile {
            folder: Arc::clone(folder),
            name,
            identity: FileIdentity::new(&file)?,
            _at_signal: at_signal,
        };
        file.write_all(bytes)?;
        finish(&file)?;
        made.identity = FileIdentity::new(&file)?;
        Ok(made)
    }

    /// Whether it still has the content that was written. Others may be able to swap it.
    pub fn is_intact(&self, bytes: &[u8]) -> bool {
        holds(&self.folder, &self.name, self.identity, bytes)
    }

    /// Replaces the file `name` in a folder with this one.
    ///
    /// # Errors
    /// The new file was swapped, or can't be renamed.
    pub fn replace(&self, folder: &Folder, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.place(bytes, (folder, name), || self.folder.rename(&self.name, folder, name))
    }

    /// Becomes the file `name` in a folder, if that doesn't exist yet.
    ///
    /// # Errors
    /// `AlreadyExists`; otherwise the same as for [`Self::replace`].
    pub fn become_new(&self, folder: &Folder, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.place(bytes, (folder, name), || self.folder.rename_new(&self.name, folder, name))
    }

    fn place(
        &self,
        bytes: &[u8],
        (folder, name): (&Folder, &str),
        rename: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let swapped = || Err(io::Error::other("the new file was swapped"));
        if !self.is_intact(bytes) {
            return swapped();
        }
        rename()?;
        if holds(folder, name, self.identity, bytes) {
            return Ok(());
        }
        // if it was swapped right after the check, our rename has put a symlink there
        if matches!(folder.kind(name), Ok(Some(EntryKind::Symlink))) {
            let _ = folder.remove(name);
        }
        swapped()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // after the final rename, this name no longer exists
        let _ = self.folder.remove(&self.name);
    }
}

/// Whether a name refers to this file, with this content.
pub fn holds(folder: &Folder, name: &str, identity: FileIdentity, bytes: &[u8]) -> bool {
    let Ok((file, found)) = folder.file(name) else { return false };
    found == identity && has_bytes(file, bytes).unwrap_or(false)
}

/// Whether a file has exactly this content.
pub fn has_bytes(file: File, bytes: &[u8]) -> io::Result<bool> {
    let mut found = Vec::with_capacity(bytes.len() + 1);
    file.take(bytes.len() as u64 + 1).read_to_end(&mut found)?;
    Ok(found == bytes)
}
