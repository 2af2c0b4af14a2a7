//! Finds, reads, replaces and creates files below one folder, the root. Nothing outside of it is touched.
//!
//! Needs no git. Symlinks are neither followed nor replaced, `.git` is never entered, nor is a repository
//! inside of the root. `search` finds and reads, `replace` writes what is there, `create` what is not.
//!
//! Others may be able to write below the root, so no path is trusted to mean the same file twice. The root is opened
//! once; `descent` opens each folder on the way from it (`folder`), and all that is done to a file is done by its
//! name in its open folder, or to the open file.

mod create;
mod descent;
#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "folder_by_path.rs"]
mod folder;
#[cfg(all(test, unix))]
mod folder_by_path;
mod ignore_files;
mod open_error;
mod replace;
mod search;
mod temporary_file;

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};

use crate::error::{Exit, Failure, Result, inline};
use crate::file_selection::MAX_FILE_SIZE;
use descent::Descent;
use folder::{EntryKind, Folder};
use temporary_file::has_bytes;

pub use folder::open_regular_file;
pub use open_error::OpenError;
pub use replace::StagedFiles;

/// A folder to work in.
#[derive(Clone, Debug)]
pub struct Worktree {
    root: PathBuf,
    top: Arc<Folder>,
    /// Files that git keeps track of: they are looked at although an ignore rule names them.
    tracked: Vec<String>,
}

impl Worktree {
    /// # Errors
    /// Exit 2 where `root` is no folder.
    pub fn open(root: &Path) -> Result<Self> {
        let fault = |e: std::io::Error| {
            let why = match e.kind() {
                std::io::ErrorKind::NotADirectory => "is no folder".to_owned(),
                _ => e.to_string(),
            };
            Failure::usage(format!("{}: {why}", root.display())).hinted("name a folder with -C")
        };
        let top = Arc::new(Folder::open(root).map_err(fault)?);
        Ok(Worktree { root: root.to_owned(), top, tracked: Vec::new() })
    }

    /// With the files that git keeps track of, below the root.
    #[must_use]
    pub fn tracking(self, tracked: Vec<String>) -> Self {
        Worktree { tracked, ..self }
    }

    fn descent(&self) -> Descent {
        Descent::new(&self.top)
    }

    /// Whether a name stands for a file; else it stands for a folder.
    fn is_file(&self, name: &str) -> Result<bool> {
        let refused = |why: OpenError| {
            Failure::usage(format!("{}: {why}", inline(name)))
                .hinted("name the file itself, inside of the root")
        };
        let missing = |why: &str| {
            Failure::new(Exit::NoMatch, format!("{}: {why}", inline(name)))
                .hinted("paths in -f and tagbump.yaml are relative to the root; choose the root with -C")
        };
        match self.descent().kind(name) {
            Ok(Some(EntryKind::File)) => Ok(true),
            Ok(Some(EntryKind::Folder)) => Ok(false),
            Ok(Some(EntryKind::Symlink)) => Err(refused(OpenError::Symlink)),
            Ok(Some(EntryKind::Other)) => Err(refused(OpenError::NotRegular)),
            Ok(None) => Err(missing("no such file or folder")),
            Err(OpenError::System(e)) => Err(missing(&e.to_string())),
            Err(why) => Err(refused(why)),
        }
    }

    /// One file's bytes as they are now.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read_one(&self, path: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        read_into(&mut self.descent(), path, &mut bytes).with_context(|| inline(path))?;
        Ok(bytes)
    }

    /// What the system knows of a file, where it has just these bytes.
    pub fn about_same(&self, path: &str, bytes: &[u8]) -> Option<Metadata> {
        let (file, _) = self.descent().file(path).ok()?;
        let about = file.metadata().ok()?;
        has_bytes(file, bytes).ok().filter(|same| *same).map(|_| about)
    }
}

/// A file's bytes, in the place of what was in the buffer.
fn read_into(descent: &mut Descent, path: &str, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    let (file, about) = descent.file(path)?;
    if about.size > MAX_FILE_SIZE {
        return Err(anyhow!("skipped, over 50 MB"));
    }
    read_at_most(file, about.size, MAX_FILE_SIZE + 1, buffer)?;
    if buffer.len() as u64 > MAX_FILE_SIZE {
        return Err(anyhow!("skipped, over 50 MB"));
    }
    Ok(())
}

fn read_at_most(file: File, size: u64, most: u64, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    // to look for more than there was a moment ago would be one more system call a file; what is edited is compared
    // as a whole before it is replaced
    let length = if size == 0 { most } else { size.min(most) };
    buffer.reserve(usize::try_from(size.min(most)).unwrap_or_default());
    file.take(length).read_to_end(buffer).context("can't be read")?;
    Ok(())
}
