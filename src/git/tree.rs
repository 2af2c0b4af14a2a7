//! Reads the files of a commit, and makes a tree with edits.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use git2::build::TreeUpdateBuilder;
use git2::{ObjectType, Repository, Tree};

use super::error::{CommitError, GitError};
use super::oid::oid;
use super::tree_search::{TreeFile, TreeSearch};
use crate::dot_git::is_path_part;
use crate::file_selection::{MAX_FILE_SIZE, MatchLevel, Selection, in_folder, split};
use crate::object_id::CommitId;
use crate::plan::{
    FileContent, FileEdit, FileSource, FoundFiles, NestedRepository, PathProblem, RepositoryFiles,
    SourceError, SourceFile, VisitScope, Visitor, is_lfs_pointer,
};

const PLAIN: i32 = 0o100_644;
pub(super) const SYMLINK: i32 = 0o120_000;
pub(super) const SUBMODULE: i32 = 0o160_000;

/// The files of a commit below a folder.
pub struct CommitFiles<'r> {
    repo: &'r Repository,
    commit: CommitId,
    /// The folder, with `/`; empty for all files.
    prefix: &'r str,
    /// The folders that a file was read in: libgit2 would read a large one again for each file.
    trees: RefCell<HashMap<String, CommitFolder<'r>>>,
}

/// A folder of a commit.
#[derive(Clone)]
enum CommitFolder<'r> {
    Tree(Rc<Tree<'r>>),
    /// A symlink leads there.
    Linked,
    Missing,
}

impl<'r> CommitFiles<'r> {
    pub fn new(repo: &'r Repository, commit: CommitId, prefix: &'r str) -> Self {
        CommitFiles { repo, commit, prefix, trees: RefCell::default() }
    }

    /// The commit that they are of.
    pub fn commit(&self) -> CommitId {
        self.commit
    }

    /// The files of another commit of the repository.
    pub fn at(&self, commit: CommitId) -> Self {
        CommitFiles::new(self.repo, commit, self.prefix)
    }

    /// A folder below the prefix, by its path.
    fn folder(&self, path: &str) -> Result<CommitFolder<'r>, SourceError> {
        let mut found = match self.known("") {
            Some(top) => top,
            None => {
                let top =
                    self.tree()?.map_or(CommitFolder::Missing, |tree| CommitFolder::Tree(Rc::new(tree)));
                self.keep("", top)
            }
        };
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let mut start = 0;
        for end in ends.filter(|_| !path.is_empty()) {
            let CommitFolder::Tree(tree) = &found else { break };
            let below = &path[..end];
            found = match self.known(below) {
                Some(known) => known,
                None => self.keep(below, self.folder_in(tree, &path[start..end])),
            };
            start = end + 1;
        }
        Ok(found)
    }

    fn known(&self, path: &str) -> Option<CommitFolder<'r>> {
        self.trees.borrow().get(path).cloned()
    }

    fn keep(&self, path: &str, folder: CommitFolder<'r>) -> CommitFolder<'r> {
        self.trees.borrow_mut().insert(path.to_owned(), folder.clone());
        folder
    }

    fn folder_in(&self, tree: &Tree<'r>, name: &str) -> CommitFolder<'r> {
        let Some(entry) = tree.get_name(name) else { return CommitFolder::Missing };
        if entry.filemode() == SYMLINK {
            return CommitFolder::Linked;
        }
        self.repo
            .find_tree(entry.id())
            .map_or(CommitFolder::Missing, |tree| CommitFolder::Tree(Rc::new(tree)))
    }
}

impl FileSource for CommitFiles<'_> {
    fn visit(
        &self,
        selection: &Selection,
        scope: VisitScope,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError> {
        let mut found = FoundFiles::default();
        let entries = self.entries(selection, scope, &mut found)?;
        check_names(selection, &entries, &found)?;
        for entry in entries.into_iter().filter(|e| e.mode != SYMLINK && e.mode != SUBMODULE) {
            if self.read(entry, look, &mut found)?.is_break() {
                break;
            }
        }
        Ok(found)
    }

    fn repository(&self) -> Option<RepositoryFiles<'_>> {
        let whole = || RepositoryFiles {
            files: Box::new(CommitFiles::new(self.repo, self.commit, "")),
            folder: self.prefix.to_owned(),
        };
        (!self.prefix.is_empty()).then(whole)
    }

    fn read(&self, path: &str, max_size: usize) -> Result<Option<FileContent>, SourceError> {
        let (folder, name) = split(path);
        let symlink = || SourceError::Symlink { path: path.to_owned() };
        let tree = match self.folder(folder)? {
            CommitFolder::Tree(tree) => tree,
            CommitFolder::Linked => return Err(symlink()),
            CommitFolder::Missing => return Ok(None),
        };
        let Some(entry) = tree.get_name(name) else { return Ok(None) };
        if entry.filemode() == SYMLINK {
            return Err(symlink());
        }
        if entry.kind() != Some(ObjectType::Blob) {
            return Ok(None);
        }
        let error = |e: git2::Error| unreadable(path, &e);
        let (size, _) = self.repo.odb().and_then(|odb| odb.read_header(entry.id())).map_err(error)?;
        if size > max_size {
            return Ok(Some(FileContent::TooLarge));
        }
        let blob = self.repo.find_blob(entry.id()).map_err(error)?;
        Ok(Some(FileContent::Bytes(blob.content().to_vec())))
    }
}

impl<'r> CommitFiles<'r> {
    /// The tree at the prefix; `None` if the commit has no such folder.
    fn tree(&self) -> Result<Option<Tree<'r>>, SourceError> {
        let top = self.repo.find_commit(oid(self.commit)).and_then(|c| c.tree());
        let top = top.map_err(|e| self.unreadable_commit(&e))?;
        if self.prefix.is_empty() {
            return Ok(Some(top));
        }
        let below = top.get_path(Path::new(self.prefix)).and_then(|e| e.to_object(self.repo));
        Ok(below.and_then(|object| object.peel_to_tree()).ok())
    }

    /// Whether the folder is a submodule that isn't cloned, or would be inside of one.
    fn is_in_submodule(&self) -> bool {
        let top = self.repo.find_commit(oid(self.commit)).and_then(|commit| commit.tree());
        let is_link = |path: &Path| {
            top.as_ref().is_ok_and(|top| top.get_path(path).is_ok_and(|e| e.filemode() == SUBMODULE))
        };
        Path::new(self.prefix).ancestors().any(is_link)
    }

    fn unreadable_commit(&self, error: &git2::Error) -> SourceError {
        let reason = error.message().to_owned();
        SourceError::UnreadableCommit { commit: self.commit.to_string(), reason }
    }

    /// The files to visit, sorted by path.
    fn entries(
        &self,
        selection: &Selection,
        scope: VisitScope,
        found: &mut FoundFiles,
    ) -> Result<Vec<TreeFile>, SourceError> {
        if self.is_in_submodule() {
            found.nested.insert(NestedRepository { path: ".".to_owned(), is_submodule: true });
        }
        let Some(tree) = self.tree()? else { return Ok(Vec::new()) };
        let search = TreeSearch::new(self.repo, selection, scope, found);
        search.run(tree.id()).map_err(|e| self.unreadable_commit(&e))
    }

    fn read(
        &self,
        entry: TreeFile,
        look: Visitor<'_>,
        found: &mut FoundFiles,
    ) -> Result<ControlFlow<()>, SourceError> {
        let TreeFile { path, id, match_level, .. } = entry;
        let error = |e: git2::Error| unreadable(&path, &e);
        let odb = self.repo.odb().map_err(error)?;
        let (size, _) = odb.read_header(id).map_err(error)?;
        if size as u64 > MAX_FILE_SIZE {
            found.warnings.push(SourceError::TooLarge { path }.to_string());
            return Ok(ControlFlow::Continue(()));
        }
        let blob = self.repo.find_blob(id).map_err(error)?;
        if is_lfs_pointer(blob.content()) {
            if match_level == MatchLevel::Explicit {
                return Err(SourceError::InLfs { path });
            }
            found.pass_in_lfs(&path, match_level);
            return Ok(ControlFlow::Continue(()));
        }
        found.take(&path, match_level);
        Ok(look(SourceFile { path: &path, bytes: blob.content(), match_level }))
    }
}

fn unreadable(path: &str, error: &git2::Error) -> SourceError {
    let path = path.to_owned();
    match error.code() {
        git2::ErrorCode::NotFound => SourceError::NotCloned { path },
        _ => SourceError::Unreadable { path, reason: error.message().to_owned() },
    }
}

fn find<'a>(entries: &'a [TreeFile], path: &str) -> Option<&'a TreeFile> {
    let at = entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
    entries.get(at)
}

fn has_folder(entries: &[TreeFile], folder: &str) -> bool {
    let inside = format!("{folder}/");
    let first = entries.partition_point(|entry| entry.path < inside);
    entries.get(first).is_some_and(|entry| entry.path.starts_with(&inside))
}

/// Checks that every name is a file, or a folder with files. `entries` must be sorted by path.
fn check_names(selection: &Selection, entries: &[TreeFile], found: &FoundFiles) -> Result<(), SourceError> {
    for name in selection.names() {
        let path = || name.clone();
        match find(entries, name) {
            Some(entry) if entry.mode == SYMLINK => {
                return Err(SourceError::BadPath { path: path(), problem: PathProblem::Symlink });
            }
            Some(_) => {}
            None if name == "." || has_folder(entries, name) => {}
            None => match found.submodule_of(name) {
                // a whole submodule is a folder without files
                Some(submodule) if submodule == name => {}
                Some(submodule) => {
                    return Err(SourceError::InSubmodule { path: path(), submodule: submodule.to_owned() });
                }
                None => return Err(SourceError::NotCommitted { path: path() }),
            },
        }
    }
    Ok(())
}

/// Writes the tree of `parent` with the edits applied. Each file keeps its mode.
pub(crate) fn edited_tree<'r>(
    repo: &'r Repository,
    parent: &git2::Commit<'_>,
    edits: &[FileEdit],
    prefix: &str,
) -> Result<Tree<'r>, GitError> {
    let not_made = |e: git2::Error| GitError::library("the commit can't be made", &e);
    let tree = parent.tree().map_err(not_made)?;
    let mut update = TreeUpdateBuilder::new();
    for edit in edits {
        let path = in_folder(prefix, &edit.path);
        if !path.split('/').all(is_path_part) {
            return Err(CommitError::BadPath { path }.into());
        }
        let mode = match tree.get_path(Path::new(&path)) {
            Ok(entry) => entry.filemode(),
            // a new file
            Err(_) if edit.before.is_empty() => PLAIN,
            Err(error) => return Err(not_made(error)),
        };
        let mode = if mode == 0o100_755 { git2::FileMode::BlobExecutable } else { git2::FileMode::Blob };
        update.upsert(path, repo.blob(&edit.after).map_err(not_made)?, mode);
    }
    let made = update.create_updated(repo, &tree).map_err(not_made)?;
    repo.find_tree(made).map_err(not_made)
}
