//! Folders for what is private while it lasts: objects of private repositories, commits to sign, configuration with
//! tokens.

use tempfile::{Builder, TempDir};

use super::GitError;
use crate::signals;

/// A new folder that nobody else may look into. It goes when it is dropped, or when a signal ends the process.
///
/// # Errors
/// Where it can't be made.
pub fn temporary_folder() -> Result<TempDir, GitError> {
    let mut builder = Builder::new();
    builder.prefix("tagbump-");
    close_to_others(&mut builder);
    let folder = builder.tempdir().map_err(GitError::Temporary)?;
    signals::remember(folder.path());
    Ok(folder)
}

/// From the start: the umask may leave it open.
#[cfg(unix)]
fn close_to_others(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o700));
}

/// Temporary folders are the user's own there.
#[cfg(not(unix))]
fn close_to_others(_: &mut Builder<'_, '_>) {}
