//! The files of a commit.

use git2::{ObjectType, Oid, Repository};

use super::failure::git_failure;
use crate::error::{Exit, Failure, Result};
use crate::plan::{Files, SourceFile};
use crate::select::{MAX_FILE_SIZE, Selection, Standing, is_yaml};

const SYMLINK: i32 = 0o120_000;
const SUBMODULE: i32 = 0o160_000;
/// How a Git LFS pointer starts, by its specification.
const LFS: &[u8] = b"version https://git-lfs";

struct Entry {
    path: String,
    id: Oid,
    mode: i32,
    standing: Standing,
}

/// Reads the files below `prefix` that are selected; with `context` every other YAML file too.
///
/// # Errors
/// Exit 3 where a named file is not there, exit 2 where it is a symlink or a submodule, exit 6 where it is
/// kept by LFS.
pub fn files(
    repo: &Repository,
    commit: Oid,
    prefix: &str,
    selection: &Selection,
    context: bool,
) -> Result<Files> {
    let entries = entries(repo, commit, prefix, selection, context)?;
    check_names(selection, &entries)?;
    let mut found = Files::default();
    for entry in entries.into_iter().filter(|e| e.mode != SYMLINK && e.mode != SUBMODULE) {
        read(repo, entry, &mut found)?;
    }
    Ok(found)
}

fn entries(
    repo: &Repository,
    commit: Oid,
    prefix: &str,
    selection: &Selection,
    context: bool,
) -> Result<Vec<Entry>> {
    let fault = |e: git2::Error| git_failure(&format!("commit {commit} can't be read"), &e);
    let top = repo.find_commit(commit).and_then(|c| c.tree()).map_err(fault)?;
    let tree = if prefix.is_empty() {
        top
    } else {
        let below = top.get_path(std::path::Path::new(prefix)).and_then(|entry| entry.to_object(repo));
        match below.and_then(|object| object.peel_to_tree()) {
            Ok(tree) => tree,
            Err(_) => return Ok(Vec::new()),
        }
    };
    let mut entries = Vec::new();
    let mut folders = vec![(String::new(), tree)];
    while let Some((folder, tree)) = folders.pop() {
        for entry in &tree {
            // what has no name in UTF-8 has none in a report either
            let Ok(name) = entry.name() else { continue };
            let path = format!("{folder}{name}");
            if entry.kind() == Some(ObjectType::Tree) {
                folders.push((format!("{path}/"), repo.find_tree(entry.id()).map_err(fault)?));
                continue;
            }
            let standing = selection.standing(&path);
            let standing = standing.or((context && is_yaml(&path)).then_some(Standing::Context));
            entries.extend(standing.map(|standing| Entry {
                path,
                id: entry.id(),
                mode: entry.filemode(),
                standing,
            }));
        }
    }
    entries.sort_by(|a: &Entry, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// Every name must be a file, or a folder with files.
fn check_names(selection: &Selection, entries: &[Entry]) -> Result<()> {
    for name in selection.names() {
        let folder = format!("{name}/");
        match entries.iter().find(|e| e.path == *name) {
            Some(entry) if entry.mode == SYMLINK || entry.mode == SUBMODULE => {
                return Err(Failure::usage(format!("-f {name}: is a symlink or a submodule"))
                    .hinted("name the file itself, inside of the root"));
            }
            Some(_) => {}
            None if name == "." || entries.iter().any(|e| e.path.starts_with(&folder)) => {}
            None => {
                return Err(Failure::new(Exit::NoMatch, format!("-f {name}: no such file in the commit"))
                    .hinted("paths are relative to the root; only what is committed can be landed"));
            }
        }
    }
    Ok(())
}

fn read(repo: &Repository, entry: Entry, found: &mut Files) -> Result<()> {
    let Entry { path, id, standing, .. } = entry;
    let fault = |e: git2::Error| git_failure(&format!("{path}: can't be read from the repository"), &e);
    let odb = repo.odb().map_err(fault)?;
    let (size, _) = odb.read_header(id).map_err(fault)?;
    if size as u64 > MAX_FILE_SIZE {
        found.warnings.push(format!("{path}: skipped, over 50 MB"));
        return Ok(());
    }
    let bytes = repo.find_blob(id).map_err(fault)?.content().to_vec();
    if bytes.starts_with(LFS) {
        let message = format!("{path}: is kept by Git LFS: the repository has a pointer to it only");
        if standing == Standing::Named {
            return Err(
                Failure::new(Exit::Unsafe, message).hinted("take manifests out of LFS: git lfs untrack")
            );
        }
        found.warnings.push(message);
        return Ok(());
    }
    found.files.push(SourceFile { path, bytes, standing });
    Ok(())
}
