//! Paths without symlinks.

use std::path::{Path, PathBuf};

/// The path without symlinks; the same one if it can't be resolved.
pub(super) fn real_path(path: &Path) -> PathBuf {
    dunce::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
