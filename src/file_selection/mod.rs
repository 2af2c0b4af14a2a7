//! Which files are looked at: those that were asked for, or every YAML file, by path alone.
//!
//! Pure: paths are relative to the root, with `/`. Both the working tree and a commit's tree are selected
//! from with this.

mod index;
mod selection;

use std::collections::BTreeSet;

use crate::dot_git::is_dot_git;
use crate::visible::inline;

pub use index::SelectionIndex;
pub use selection::Selection;

/// Files with more than this many bytes are skipped.
pub const MAX_FILE_SIZE: u64 = 50 * 1000 * 1000;

/// The possible paths of a repository's configuration, relative to the root.
pub const CONFIG_PATHS: [&str; 2] = ["tagbump.yaml", ".github/tagbump.yaml"];

/// Where the holds of a repository are, relative to the root.
pub const HOLDS_PATH: &str = "tagbump-holds.yaml";

/// Whether a file is tagbump's own, which deploys nothing.
pub fn is_own_file(path: &str) -> bool {
    CONFIG_PATHS.contains(&path) || path == HOLDS_PATH
}

/// A path or pattern that selects no files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("{}: {reason}", inline(.pattern))]
    Pattern { pattern: String, reason: String },
    #[error("{}: is outside the root", inline(.path))]
    OutsideRoot { path: String },
    #[error("{}: is inside .git{}", inline(.path), if *.by_alias { ", as some file systems read that name" } else { "" })]
    InsideDotGit {
        path: String,
        /// It is another name for `.git`.
        by_alias: bool,
    },
}

/// How strongly a selection asks for a file, in increasing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchLevel {
    /// Never edited, but shows how workloads spell an image.
    ContextOnly,
    /// Found by search.
    Discovered,
    /// Selected by a pattern, or by naming its folder.
    Pattern,
    /// Named by its path, without a wildcard.
    Explicit,
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// An `-f` argument that selects only this file, whatever characters its name has.
pub fn literal(path: &str) -> String {
    if !is_pattern(path) {
        return path.to_owned();
    }
    let plain = |c: char| if "*?[]{}\\".contains(c) { format!("[{c}]") } else { c.to_string() };
    path.chars().map(plain).collect()
}

/// Whether the name is that of a YAML file: `.yaml`, `.yml`, or kustomize's `Kustomization`.
pub fn is_yaml(path: &str) -> bool {
    let name = file_name(path);
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    split(path).1
}

/// The folder of a file; empty at the root.
pub fn folder(path: &str) -> &str {
    split(path).0
}

/// A path's folder, empty at the root, and its last part. This is asked for every file of a repository, often.
pub fn split(path: &str) -> (&str, &str) {
    memchr::memrchr(b'/', path.as_bytes()).map_or(("", path), |at| (&path[..at], &path[at + 1..]))
}

/// The path of what is in a folder; the root's is empty.
pub fn in_folder(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Those of the paths that are below a folder, which is empty for the root.
pub fn paths_below<'p>(
    folder: &str,
    paths: &'p BTreeSet<String>,
) -> impl Iterator<Item = &'p String> + use<'p> {
    let start = in_folder(folder, "");
    paths.range(start.clone()..).take_while(move |path| path.starts_with(&start))
}

/// Validates a path, and removes its `.` parts.
fn inside_root(argument: &str) -> Result<String, SelectionError> {
    inside_root_of(argument, cfg!(windows))
}

/// On Windows, a backslash separates too, and a colon ends a drive or begins a stream: no file there has one in its name.
fn inside_root_of(argument: &str, windows: bool) -> Result<String, SelectionError> {
    let path = if windows { argument.replace('\\', "/") } else { argument.to_owned() };
    let leaves = path.starts_with('/')
        || path.split('/').any(|part| part == "..")
        || path.contains('\0')
        || (windows && path.contains(':'));
    if leaves {
        return Err(SelectionError::OutsideRoot { path: argument.to_owned() });
    }
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if let Some(part) = parts.iter().find(|part| is_dot_git(part)) {
        return Err(SelectionError::InsideDotGit { path: argument.to_owned(), by_alias: *part != ".git" });
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests;
