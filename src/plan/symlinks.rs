//! Warnings about symlinks beside the files that are set. What they lead to may override it, and tagbump doesn't follow them.

use std::collections::BTreeSet;

use super::edits::FileEdit;
use super::files::ScannedFiles;
use crate::file_selection::folder;
use crate::visible::inline;

/// How many of them get a warning of their own.
const LISTED: usize = 5;

/// A warning for each symlink in a folder of these edits.
pub(super) fn warnings(scanned: &ScannedFiles, edits: &[FileEdit]) -> Vec<String> {
    let folders: BTreeSet<&str> = edits.iter().map(|edit| folder(&edit.path)).collect();
    let beside: Vec<&String> =
        scanned.symlinks.iter().filter(|path| folders.contains(folder(path))).collect();
    let warning = |path: &&String| {
        format!(
            "{}: is a symlink, which tagbump doesn't follow; check whether it overrides this",
            inline(path)
        )
    };
    let mut warnings: Vec<String> = beside.iter().take(LISTED).map(warning).collect();
    let more = beside.len().saturating_sub(LISTED);
    warnings.extend(match more {
        0 => None,
        1 => Some("1 more symlink beside them isn't followed".to_owned()),
        more => Some(format!("{more} more symlinks beside them aren't followed")),
    });
    warnings
}
