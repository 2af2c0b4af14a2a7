//! Finds the files of a commit's tree that a selection asks for.

use git2::{ObjectType, Oid, Repository, TreeEntry};

use super::tree::{SUBMODULE, SYMLINK};
use crate::dot_git::is_path_part;
use crate::file_selection::{MatchLevel, Selection, is_yaml};
use crate::plan::{FoundFiles, NestedRepository, VisitScope, is_other_kind};
use crate::visible::inline;

/// How many entries of folders whose names aren't UTF-8 are looked at for YAML.
const MAX_LOOKED_AT: usize = 10_000;
/// How many entries whose names aren't UTF-8 get a warning of their own.
const MISNAMED: usize = 10;

/// A file that was found.
pub(super) struct TreeFile {
    pub path: String,
    pub id: Oid,
    pub mode: i32,
    pub match_level: MatchLevel,
}

/// A search for the files of a tree.
pub(super) struct TreeSearch<'a> {
    repo: &'a Repository,
    selection: &'a Selection,
    scope: VisitScope,
    found: &'a mut FoundFiles,
    files: Vec<TreeFile>,
    /// Those that are still to be searched, with a slash at their end.
    folders: Vec<(String, Oid)>,
}

impl<'a> TreeSearch<'a> {
    pub fn new(
        repo: &'a Repository,
        selection: &'a Selection,
        scope: VisitScope,
        found: &'a mut FoundFiles,
    ) -> Self {
        TreeSearch { repo, selection, scope, found, files: Vec::new(), folders: Vec::new() }
    }

    /// The files below a tree, sorted by path.
    pub fn run(mut self, tree: Oid) -> Result<Vec<TreeFile>, git2::Error> {
        let (mut misnamed_paths, mut left) = (Vec::new(), MAX_LOOKED_AT);
        self.folders.push((String::new(), tree));
        while let Some((folder, tree)) = self.folders.pop() {
            for entry in &self.repo.find_tree(tree)? {
                match entry.name() {
                    Ok(name) if is_path_part(name) => self.take(&folder, name, &entry),
                    // git never writes such a name, but a server may send one
                    Ok(_) => {}
                    Err(_) => misnamed_paths.extend(misnamed(self.repo, &folder, &entry, &mut left)),
                }
            }
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.found.warnings.extend(misnamed_warnings(misnamed_paths));
        Ok(self.files)
    }

    fn take(&mut self, folder: &str, name: &str, entry: &TreeEntry<'_>) {
        let with_context = self.scope == VisitScope::WithContext;
        let path = || format!("{folder}{name}");
        if entry.kind() == Some(ObjectType::Tree) {
            let below = path();
            if with_context || self.selection.reaches(&below) {
                self.folders.push((below + "/", entry.id()));
            }
            return;
        }
        if entry.filemode() == SUBMODULE && self.selection.reaches(&path()) {
            self.found.nested.insert(NestedRepository { path: path(), is_submodule: true });
        }
        if entry.filemode() == SYMLINK {
            let repo = self.repo;
            self.found.pass_symlink(path(), || link_target(repo, entry.id()).unwrap_or_default());
        }
        // most files of a large repository are irrelevant: don't even build their paths
        if self.selection.names().is_empty() && !is_yaml(name) && !is_other_kind(name) {
            return;
        }
        let path = path();
        self.found.pass(&path);
        let context = (with_context && is_yaml(&path)).then_some(MatchLevel::ContextOnly);
        let Some(match_level) = self.selection.match_level(&path).or(context) else { return };
        self.files.push(TreeFile { path, id: entry.id(), mode: entry.filemode(), match_level });
    }
}

/// What a symlink leads to; `None` if the clone doesn't have it.
fn link_target(repo: &Repository, id: Oid) -> Option<String> {
    let (size, _) = repo.odb().ok()?.read_header(id).ok()?;
    let blob = (size <= MAX_TARGET).then(|| repo.find_blob(id)).and_then(Result::ok)?;
    String::from_utf8(blob.content().to_vec()).ok()
}

/// Linux allows no longer targets.
const MAX_TARGET: usize = 4096;

/// The path of an entry whose name isn't UTF-8, if it may be YAML, or a folder with YAML. `left` counts the entries that are still
/// looked at.
fn misnamed(repo: &Repository, folder: &str, entry: &TreeEntry<'_>, left: &mut usize) -> Option<String> {
    let name = String::from_utf8_lossy(entry.name_bytes());
    match entry.kind() {
        Some(ObjectType::Tree) => may_have_yaml(repo, entry.id(), left).then(|| format!("{folder}{name}/")),
        _ => is_yaml(&name).then(|| format!("{folder}{name}")),
    }
}

/// Whether a folder has YAML below it, or too much to tell.
fn may_have_yaml(repo: &Repository, folder: Oid, left: &mut usize) -> bool {
    // libgit2's own walk recurses, and a deep tree would overflow the stack
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let Ok(tree) = repo.find_tree(folder) else { continue };
        for entry in &tree {
            *left = left.saturating_sub(1);
            if *left == 0 || is_yaml(&String::from_utf8_lossy(entry.name_bytes())) {
                return true;
            }
            folders.extend((entry.kind() == Some(ObjectType::Tree)).then(|| entry.id()));
        }
    }
    false
}

/// Warns about entries whose names aren't UTF-8.
fn misnamed_warnings(mut paths: Vec<String>) -> impl Iterator<Item = String> {
    paths.sort();
    let more = paths.len().saturating_sub(MISNAMED);
    let each = paths.into_iter().take(MISNAMED);
    let each = each.map(|path| format!("skipped, its name is not valid UTF-8: {}", inline(&path)));
    each.chain((more > 0).then(|| format!("skipped {more} more whose names are not valid UTF-8")))
}
