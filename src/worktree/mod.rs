//! Finds, reads, replaces and creates files below one folder, the root. Never touches anything outside of it.
//!
//! It doesn't need git. It neither follows nor replaces symlinks, and never enters `.git` or a repository
//! inside the root. `search` finds and reads files, `replace` replaces existing ones, `create` creates new
//! ones. `walk` goes through the folders, and `ignore_rules` knows what git ignores there.
//!
//! Others may be able to write below the root, so a path may not refer to the same file twice. The root is
//! opened once; `descent` opens each folder from there (`folder`), and all operations use a file's name in its
//! open folder, or the open file.

mod create;
mod descent;
mod entry_kind;
mod error;
#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "folder_by_path.rs"]
mod folder;
#[cfg(all(test, unix))]
mod folder_by_path;
mod folder_lock;
mod ignore_rules;
mod open_error;
mod replace;
mod search;
mod temporary_file;
mod tracked_files;
mod walk;

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file_selection::MAX_FILE_SIZE;
use crate::plan::{PathProblem, SourceError};
use descent::Descent;
use entry_kind::EntryKind;
use error::not_opened;
use folder::{FileIdentity, Folder};
use temporary_file::has_bytes;

pub use error::{FileChange, WorktreeError};
pub use folder::open_regular_file;
pub use folder_lock::FolderLock;
pub use open_error::OpenError;
pub use replace::StagedFiles;
pub use tracked_files::{TrackedFiles, TrackedPaths};

/// The folder to work in.
#[derive(Clone, Debug)]
pub struct Worktree {
    root: PathBuf,
    top: Arc<Folder>,
    /// Files that git tracks are read even if an ignore rule matches them.
    tracked: Option<TrackedFiles>,
    /// Set if the root isn't the top of a repository itself.
    around: Option<SurroundingRepository>,
}

/// The repository that a root is a folder of.
#[derive(Clone, Debug)]
struct SurroundingRepository {
    top: PathBuf,
    tracked: TrackedFiles,
    /// The root's path.
    folder: String,
}

impl Worktree {
    /// # Errors
    /// Where `root` is not a folder.
    pub fn open(root: &Path) -> Result<Self, WorktreeError> {
        let error = |e: std::io::Error| {
            let reason = (e.kind() != std::io::ErrorKind::NotADirectory).then(|| e.to_string());
            WorktreeError::BadRoot { path: root.display().to_string(), reason }
        };
        let top = Arc::new(Folder::open(root).map_err(error)?);
        Ok(Worktree { root: root.to_owned(), top, tracked: None, around: None })
    }

    /// Adds what git tracks.
    #[must_use]
    pub fn tracking(self, tracked: Option<TrackedFiles>) -> Self {
        Worktree { tracked, ..self }
    }

    /// Adds the repository that the root is a folder of, with what git tracks there; `folder` is empty if the root is its top.
    #[must_use]
    pub fn inside(self, top: &Path, folder: &str, tracked: TrackedFiles) -> Self {
        let around = || SurroundingRepository { top: top.to_owned(), tracked, folder: folder.to_owned() };
        let around = (!folder.is_empty()).then(around);
        Worktree { around, ..self }
    }

    /// Submodules below the root, also those that are still empty folders.
    fn submodules(&self) -> &[String] {
        self.tracked.as_ref().map_or(&[], |tracked| &tracked.paths().submodules)
    }

    fn descent(&self) -> Descent {
        Descent::new(&self.top)
    }

    /// A submodule that isn't cloned yet is an empty folder.
    fn not_found(&self, name: &str, reason: Option<String>) -> SourceError {
        let path = name.to_owned();
        let holds =
            |submodule: &&String| name.strip_prefix(submodule.as_str()).is_some_and(|r| r.starts_with('/'));
        match self.submodules().iter().find(holds) {
            Some(submodule) => SourceError::InSubmodule { path, submodule: submodule.clone() },
            None => SourceError::NotFound { path, reason },
        }
    }

    /// Whether a name is that of a file. If not, it is that of a folder.
    fn is_file(&self, name: &str) -> Result<bool, SourceError> {
        let path = || name.to_owned();
        let bad = |problem| SourceError::BadPath { path: path(), problem };
        match self.descent().kind(name) {
            Ok(Some(EntryKind::File)) => Ok(true),
            Ok(Some(EntryKind::Folder)) => Ok(false),
            Ok(Some(EntryKind::Symlink)) => Err(bad(PathProblem::Symlink)),
            Ok(Some(EntryKind::Other)) => Err(bad(PathProblem::NotRegular)),
            Ok(None) => Err(self.not_found(name, None)),
            Err(OpenError::System(e)) => Err(self.not_found(name, Some(e.to_string()))),
            Err(error) => Err(not_opened(name, error)),
        }
    }

    /// The current content of one file.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read_one(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        read_into(&mut self.descent(), path, &mut bytes)?;
        Ok(bytes)
    }

    /// The metadata of a file, if it has exactly this content.
    pub fn about_same(&self, path: &str, bytes: &[u8]) -> Option<Metadata> {
        let (file, _) = self.descent().file(path).ok()?;
        let about = file.metadata().ok()?;
        has_bytes(file, bytes).ok().filter(|same| *same).map(|_| about)
    }
}

/// Replaces the content of the buffer by that of the file.
fn read_into(descent: &mut Descent, path: &str, buffer: &mut Vec<u8>) -> Result<(), SourceError> {
    read_opened(descent.file(path), path, buffer)
}

/// As [`read_into`], for a file that was opened, or why it can't be.
fn read_opened(
    opened: Result<(File, FileIdentity), OpenError>,
    path: &str,
    buffer: &mut Vec<u8>,
) -> Result<(), SourceError> {
    buffer.clear();
    let (file, about) = opened.map_err(|e| not_opened(path, e))?;
    let too_large = || SourceError::TooLarge { path: path.to_owned() };
    if about.size > MAX_FILE_SIZE {
        return Err(too_large());
    }
    read_at_most(file, about.size, MAX_FILE_SIZE + 1, buffer).map_err(|e| not_opened(path, e.into()))?;
    if buffer.len() as u64 > MAX_FILE_SIZE {
        return Err(too_large());
    }
    Ok(())
}

fn read_at_most(file: File, size: u64, most: u64, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    // reading past the known size would cost another system call per file; a file that grew meanwhile is not
    // damaged, because its whole content is compared before it is replaced
    let length = if size == 0 { most } else { size.min(most) };
    buffer.reserve(usize::try_from(size.min(most)).unwrap_or_default());
    file.take(length).read_to_end(buffer)?;
    Ok(())
}
