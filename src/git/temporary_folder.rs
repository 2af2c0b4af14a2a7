//! Folders for private temporary files: objects of private repositories, commits to sign, configuration with tokens.

use tempfile::{Builder, TempDir};

use super::GitError;
use crate::signals;

/// Makes a folder that no other user can read. It is removed when dropped, or when a signal ends the process.
///
/// # Errors
/// Fails if the folder can't be made.
pub fn temporary_folder() -> Result<TempDir, GitError> {
    let mut builder = Builder::new();
    builder.prefix("tagbump-");
    close_to_others(&mut builder);
    let folder = builder.tempdir().map_err(GitError::Temporary)?;
    signals::remember(folder.path());
    Ok(folder)
}

/// Sets the mode when the folder is made, because the umask may leave it open.
#[cfg(unix)]
fn close_to_others(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o700));
}

/// Does nothing: there, temporary folders belong to the user.
#[cfg(not(unix))]
fn close_to_others(_: &mut Builder<'_, '_>) {}
