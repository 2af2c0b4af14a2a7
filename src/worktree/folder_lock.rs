//! Keeps other runs of tagbump out of a folder while one changes what is in it.
//!
//! The lock is an `flock` of the open folder itself: it ends with the process, however that ends, and leaves no file. Other programs don't
//! know it.

use std::fs::File;
use std::path::Path;

/// No other run has the lock of the folder while this is alive.
pub struct FolderLock {
    /// `None` where folders can't be locked: on Windows, and on some network file systems.
    _folder: Option<File>,
}

impl FolderLock {
    /// Takes the lock; `None` if another run has it.
    pub fn take(folder: &Path) -> Option<Self> {
        let folder = File::open(folder).ok();
        let is_free = !folder.as_ref().is_some_and(is_taken);
        is_free.then_some(FolderLock { _folder: folder })
    }
}

/// Tries to take the lock, and says whether another run has it. Where folders can't be locked, it is always free.
#[cfg(unix)]
fn is_taken(folder: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    matches!(flock(folder, FlockOperation::NonBlockingLockExclusive), Err(Errno::WOULDBLOCK | Errno::INTR))
}

#[cfg(not(unix))]
fn is_taken(_: &File) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn lock_ends_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let other = File::open(folder.path()).unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        assert!(is_taken(&other));
        drop(lock);
        assert!(!is_taken(&other));
    }
}
