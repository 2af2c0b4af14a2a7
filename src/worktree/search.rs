//! Finds the selected files and reads them, on all cores.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use foldhash::HashSet;

use super::entry_kind::EntryKind;
use super::error::{not_opened, not_reached};
use super::ignore_rules::FolderRules;
use super::open_error::OpenError;
use super::walk::{FolderWalk, Found};
use super::{SurroundingRepository, Worktree, read_at_most, read_into, read_opened};
use crate::file_selection::{MatchLevel, Selection, file_name, is_yaml};
use crate::mutex::{into_inner, lock};
use crate::plan::{
    FileContent, FileSource, FoundFiles, NestedRepository, RepositoryFiles, SourceError, SourceFile,
    VisitScope, Visitor, is_lfs_pointer,
};
use crate::visible::inline;

impl FileSource for Worktree {
    fn visit(
        &self,
        selection: &Selection,
        scope: VisitScope,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError> {
        let search = FileSearch { worktree: self, selection, scope, look, seen: Mutex::default() };
        let mut folders = false;
        for name in selection.names() {
            let is_file = self.is_file(name)?;
            folders |= !is_file;
            if is_file && search.named(name)?.is_break() {
                return Ok(search.found());
            }
        }
        if !selection.names_only() || folders || scope == VisitScope::WithContext {
            search.walk_and_tracked();
            search.submodules();
        }
        Ok(search.found())
    }

    fn repository(&self) -> Option<RepositoryFiles<'_>> {
        let SurroundingRepository { top, tracked, folder } = self.around.as_ref()?;
        let files = Worktree::open(top).ok()?.tracking(Some(tracked.clone()));
        Some(RepositoryFiles { files: Box::new(files), folder: folder.clone() })
    }

    fn read(&self, path: &str, max_size: usize) -> Result<Option<FileContent>, SourceError> {
        let (file, about) = match self.descent().file(path) {
            Ok(opened) => opened,
            Err(OpenError::NotRegular) => return Ok(None),
            Err(e) if e.is_not_found() => return Ok(None),
            Err(e) => return Err(not_reached(path, e)),
        };
        let mut bytes = Vec::new();
        let limit = (max_size as u64).saturating_add(1);
        read_at_most(file, about.size, limit, &mut bytes).map_err(|e| not_opened(path, e.into()))?;
        Ok(Some(FileContent::new(bytes, max_size)))
    }
}

struct FileSearch<'a> {
    worktree: &'a Worktree,
    selection: &'a Selection,
    scope: VisitScope,
    look: Visitor<'a>,
    seen: Mutex<SearchState>,
}

#[derive(Default)]
struct SearchState {
    found: FoundFiles,
    /// The files that were read, to find those that the walk skipped.
    paths: HashSet<String>,
}

impl FileSearch<'_> {
    fn found(self) -> FoundFiles {
        let mut found = into_inner(self.seen).found;
        found.warnings.sort();
        found
    }

    fn seen(&self) -> MutexGuard<'_, SearchState> {
        lock(&self.seen)
    }

    fn warn(&self, warning: String) {
        self.seen().found.warnings.push(warning);
    }

    /// Skips a file with a warning, and goes on.
    fn pass(&self, warning: String) -> ControlFlow<()> {
        self.warn(warning);
        ControlFlow::Continue(())
    }

    fn named(&self, path: &str) -> Result<ControlFlow<()>, SourceError> {
        let bytes = self.worktree.read_one(path)?;
        if is_lfs_pointer(&bytes) {
            return Err(SourceError::InLfs { path: path.to_owned() });
        }
        self.seen().found.take(path, MatchLevel::Explicit);
        Ok((self.look)(SourceFile { path, bytes: &bytes, match_level: MatchLevel::Explicit }))
    }

    /// Walks, and meanwhile finds out what git tracks.
    fn walk_and_tracked(&self) {
        let Some(tracked) = &self.worktree.tracked else { return self.walk() };
        std::thread::scope(|scope| {
            scope.spawn(|| tracked.paths());
            self.walk();
        });
        self.tracked(&tracked.paths().files);
    }

    fn walk(&self) {
        let Worktree { root, top, .. } = self.worktree;
        let rules = match FolderRules::around(root) {
            Ok(rules) => rules,
            Err((file, problem)) => {
                return self.warn(format!("skipped: .: {} {problem}", inline(&file.display().to_string())));
            }
        };
        FolderWalk::new(root, top, rules).run(|| {
            let mut buffer = Vec::new();
            move |found| self.visit(found, &mut buffer)
        });
    }

    fn visit(&self, found: Found<'_>, buffer: &mut Vec<u8>) -> ControlFlow<()> {
        match found {
            Found::File { path, folder } => {
                let read = |path: &str, buffer: &mut Vec<u8>| {
                    read_opened(folder.file(file_name(path)), path, buffer)
                };
                return self.take(path, buffer, read);
            }
            Found::Unnameable(path) if may_be_yaml(&path) => {
                self.warn(format!("skipped, its name is not valid UTF-8: {}", inline(&self.shown(&path))));
            }
            Found::Unnameable(_) => {}
            Found::Symlink(path) => self.pass_symlink(path),
            Found::Repository { path, dot_git } => self.pass_repository(path, dot_git),
            Found::OddRules { path, problem } => {
                let path = if path.as_os_str().is_empty() { "." } else { &*path.to_string_lossy() };
                self.warn(format!("skipped: {}: its .gitignore {problem}", inline(path)));
            }
            Found::Closed { path, reason } => {
                self.warn(format!("skipped: {}: {}", inline(&self.shown(&path)), inline(&reason)));
            }
        }
        ControlFlow::Continue(())
    }

    /// A path below the root, with that of the root.
    fn shown(&self, path: &Path) -> String {
        self.worktree.root.join(path).display().to_string()
    }

    /// Notes a folder that was left out, because it is a repository of its own.
    fn pass_repository(&self, path: PathBuf, dot_git: EntryKind) {
        let Some(path) = path.into_os_string().into_string().ok().filter(|path| self.selection.reaches(path))
        else {
            return;
        };
        let is_submodule = dot_git == EntryKind::File || self.worktree.submodules().contains(&path);
        self.seen().found.nested.insert(NestedRepository { path, is_submodule });
    }

    /// Notes submodules that are still empty folders.
    fn submodules(&self) {
        let reached = self.worktree.submodules().iter().filter(|path| self.selection.reaches(path));
        let nested = reached.map(|path| NestedRepository { path: path.clone(), is_submodule: true });
        self.seen().found.nested.extend(nested);
    }

    /// Notes a symlink, with what is written in it.
    fn pass_symlink(&self, path: PathBuf) {
        let whole = self.worktree.root.join(&path);
        let target = || std::fs::read_link(whole).unwrap_or_default().to_string_lossy().into_owned();
        if let Ok(path) = path.into_os_string().into_string() {
            self.seen().found.pass_symlink(path, target);
        }
    }

    /// Reads a file that was found, if it is selected.
    fn take(
        &self,
        path: String,
        buffer: &mut Vec<u8>,
        read: impl FnOnce(&str, &mut Vec<u8>) -> Result<(), SourceError>,
    ) -> ControlFlow<()> {
        let match_level = match self.selection.match_level(&path) {
            Some(MatchLevel::Explicit) => return ControlFlow::Continue(()),
            Some(match_level) => match_level,
            None if self.scope == VisitScope::WithContext && is_yaml(&path) => MatchLevel::ContextOnly,
            None => {
                self.seen().found.pass(&path);
                return ControlFlow::Continue(());
            }
        };
        self.seen().found.take(&path, match_level);
        let flow = match read(&path, buffer) {
            Ok(()) if is_lfs_pointer(buffer) => {
                self.seen().found.pass_in_lfs(&path, match_level);
                ControlFlow::Continue(())
            }
            Ok(()) => (self.look)(SourceFile { path: &path, bytes: buffer, match_level }),
            Err(e) => self.pass(e.to_string()),
        };
        if self.worktree.tracked.is_some() {
            self.seen().paths.insert(path);
        }
        flow
    }

    /// Reads the files that git tracks but the walk skipped, most likely because of an ignore rule.
    fn tracked(&self, tracked: &[String]) {
        let seen = std::mem::take(&mut self.seen().paths);
        let (mut descent, mut buffer) = (self.worktree.descent(), Vec::new());
        for path in tracked.iter().filter(|path| !seen.contains(*path)) {
            let is_file = matches!(descent.kind(path), Ok(Some(EntryKind::File)));
            let read = |path: &str, buffer: &mut Vec<u8>| read_into(&mut descent, path, buffer);
            if is_file && self.take(path.clone(), &mut buffer, read).is_break() {
                return;
            }
        }
    }
}

/// Decides by the extension, since the rest of the name may not be valid UTF-8.
fn may_be_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
