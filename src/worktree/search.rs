//! Finds the selected files and reads them, on all cores.
//!
//! The `ignore` crate reads `.gitignore` files and `.git/info/exclude`.

use std::fs::FileType;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use foldhash::HashSet;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::descent::Descent;
use super::entry_kind::EntryKind;
use super::error::{not_opened, not_reached};
use super::ignore_files::{IgnoreFileProblem, RootPosition, odd_file, problem_of_folder};
use super::open_error::OpenError;
use super::{SurroundingRepository, Worktree, read_at_most, read_into};
use crate::dot_git::is_dot_git;
use crate::file_selection::{MatchLevel, Selection, is_yaml};
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

/// What each thread needs for reading.
struct FileReader {
    descent: Descent,
    buffer: Vec<u8>,
}

/// The folders that a walk doesn't enter, with their whole paths.
#[derive(Default)]
struct UnvisitedFolders {
    repositories: Mutex<Vec<PathBuf>>,
    /// Those whose ignore file can't be read, and why.
    odd: Mutex<Vec<(PathBuf, IgnoreFileProblem)>>,
}

impl UnvisitedFolders {
    /// Whether the walk goes on with an entry. If not, notes why.
    fn lets_pass(&self, entry: &DirEntry) -> bool {
        if entry.depth() > 0 && is_repository(entry) {
            if !is_dot_git(&entry.file_name().to_string_lossy()) {
                lock(&self.repositories).push(entry.path().to_owned());
            }
            return false;
        }
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let problem = is_folder.then(|| problem_of_folder(entry.path())).flatten();
        if let Some(problem) = problem {
            lock(&self.odd).push((entry.path().to_owned(), problem));
        }
        problem.is_none()
    }
}

impl FileSearch<'_> {
    fn reader(&self) -> FileReader {
        FileReader { descent: self.worktree.descent(), buffer: Vec::new() }
    }

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
        let root = &self.worktree.root;
        if let Some((file, problem)) = odd_file(root) {
            return self.warn(format!("skipped: .: {} {problem}", inline(&file.display().to_string())));
        }
        let setting = RootPosition::of(root);
        let unvisited = Arc::new(UnvisitedFolders::default());
        let noted = Arc::clone(&unvisited);
        let walk = WalkBuilder::new(root)
            .standard_filters(false)
            .git_ignore(true)
            .git_global(true)
            .git_exclude(true)
            // a repository ends at its top level; the ignore files above don't apply
            .require_git(setting == RootPosition::Below)
            .parents(setting == RootPosition::Below)
            .follow_links(false)
            .filter_entry(move |entry| noted.lets_pass(entry))
            .build_parallel();
        walk.run(|| {
            let mut reader = self.reader();
            Box::new(move |entry| {
                let flow = match entry {
                    Ok(entry) => self.visit(&entry, &mut reader),
                    Err(e) => self.pass(format!("skipped: {}", inline(&e.to_string()))),
                };
                if flow.is_break() { WalkState::Quit } else { WalkState::Continue }
            })
        });
        for path in lock(&unvisited.repositories).iter() {
            self.pass_repository(path);
        }
        for (path, problem) in lock(&unvisited.odd).iter() {
            let path = self.relative(path).unwrap_or_else(|| path.display().to_string());
            self.warn(format!("skipped: {}: its .gitignore {problem}", inline(&path)));
        }
    }

    /// Notes a folder that was left out, because it is a repository of its own. `git submodule` makes `.git` a file.
    fn pass_repository(&self, path: &Path) {
        let Some(relative) = self.relative(path).filter(|relative| self.selection.reaches(relative)) else {
            return;
        };
        let is_submodule = self.worktree.submodules().contains(&relative) || path.join(".git").is_file();
        self.seen().found.nested.insert(NestedRepository { path: relative, is_submodule });
    }

    /// Notes submodules that are still empty folders.
    fn submodules(&self) {
        let reached = self.worktree.submodules().iter().filter(|path| self.selection.reaches(path));
        let nested = reached.map(|path| NestedRepository { path: path.clone(), is_submodule: true });
        self.seen().found.nested.extend(nested);
    }

    fn visit(&self, entry: &DirEntry, reader: &mut FileReader) -> ControlFlow<()> {
        let is = |wanted: fn(&FileType) -> bool| entry.file_type().is_some_and(|kind| wanted(&kind));
        if is(FileType::is_symlink) {
            self.pass_symlink(entry.path());
        }
        if !is(FileType::is_file) {
            return ControlFlow::Continue(());
        }
        match self.relative(entry.path()) {
            Some(path) => self.take(path, reader),
            None if may_be_yaml(entry.path()) => {
                let path = entry.path().display().to_string();
                self.pass(format!("skipped, its name is not valid UTF-8: {}", inline(&path)))
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// Notes a symlink, with what is written in it.
    fn pass_symlink(&self, path: &Path) {
        let Some(relative) = self.relative(path) else { return };
        let target = || std::fs::read_link(path).unwrap_or_default().to_string_lossy().into_owned();
        self.seen().found.pass_symlink(relative, target);
    }

    /// The path relative to the root, separated by `/`; `None` if it isn't valid UTF-8.
    fn relative(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.worktree.root).ok()?;
        if cfg!(unix) {
            return path.to_str().map(str::to_owned);
        }
        let parts: Option<Vec<_>> = path.iter().map(|part| part.to_str()).collect();
        parts.map(|parts| parts.join("/"))
    }

    /// Reads a file that was found, if it is selected.
    fn take(&self, path: String, FileReader { descent, buffer }: &mut FileReader) -> ControlFlow<()> {
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
        let flow = match read_into(descent, &path, buffer) {
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
        let mut reader = self.reader();
        for path in tracked.iter().filter(|path| !seen.contains(*path)) {
            let is_file = matches!(reader.descent.kind(path), Ok(Some(EntryKind::File)));
            if is_file && self.take(path.clone(), &mut reader).is_break() {
                return;
            }
        }
    }
}

/// Decides by the extension, since the rest of the name may not be valid UTF-8.
fn may_be_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Whether an entry is `.git` itself, or a folder with its own repository.
fn is_repository(entry: &DirEntry) -> bool {
    is_dot_git(&entry.file_name().to_string_lossy())
        || (entry.file_type().is_some_and(|kind| kind.is_dir()) && entry.path().join(".git").exists())
}
