//! Finds the files that are selected, and reads them, on all cores.
//!
//! `.gitignore` files and `.git/info/exclude` are read by the `ignore` crate.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::{Worktree, read_into};
use crate::error::{Result, inline};
use crate::plan::{self, Found, Look, Shelf, SourceFile};
use crate::select::{Selection, Standing, is_yaml};

impl Shelf for Worktree {
    fn each(&self, selection: &Selection, context: bool, look: Look<'_>) -> Result<Found> {
        let search = Search { worktree: self, selection, context, look, seen: Mutex::default() };
        let mut folders = false;
        for name in selection.names() {
            let is_file = self.named(name)?.is_some();
            folders |= !is_file;
            if is_file && search.named(name)?.is_break() {
                return Ok(search.found());
            }
        }
        if !selection.names_only() || folders || context {
            search.walk();
            search.tracked();
        }
        Ok(search.found())
    }

    fn one(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>> {
        let full = self.root.join(path);
        self.check_links(path).map_err(|_| plan::symlink(path))?;
        match fs::symlink_metadata(&full) {
            Ok(meta) if meta.is_file() => {}
            _ => return Ok(None),
        }
        let file = fs::File::open(full).with_context(|| format!("{path}: can't be opened"))?;
        let mut bytes = Vec::new();
        file.take(at_most as u64)
            .read_to_end(&mut bytes)
            .with_context(|| format!("{path}: can't be read"))?;
        Ok(Some(bytes))
    }
}

struct Search<'a> {
    worktree: &'a Worktree,
    selection: &'a Selection,
    context: bool,
    look: Look<'a>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    found: Found,
    /// The files that were read, to tell what the walk passed over.
    paths: HashSet<String>,
}

impl Search<'_> {
    fn found(self) -> Found {
        let mut found = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner).found;
        found.warnings.sort();
        found
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn(&self, warning: String) {
        self.seen().found.warnings.push(warning);
    }

    /// Leaves a file out, and goes on.
    fn pass(&self, warning: String) -> ControlFlow<()> {
        self.warn(warning);
        ControlFlow::Continue(())
    }

    fn named(&self, path: &str) -> Result<ControlFlow<()>> {
        let bytes = self.worktree.bytes(path)?;
        self.seen().found.take(path, Standing::Named);
        Ok((self.look)(SourceFile { path, bytes: &bytes, standing: Standing::Named }))
    }

    fn walk(&self) {
        let root = &self.worktree.root;
        let unruly = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&unruly);
        let walk = WalkBuilder::new(root)
            .standard_filters(false)
            .git_ignore(true)
            .git_global(true)
            .git_exclude(true)
            .require_git(false)
            .parents(repository_above(root))
            .follow_links(false)
            .filter_entry(move |entry| {
                if entry.depth() > 0 && is_repository(entry) {
                    return false;
                }
                let fine = has_readable_rules(entry);
                if !fine {
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path().to_owned());
                }
                fine
            })
            .build_parallel();
        walk.run(|| {
            let mut buffer = Vec::new();
            Box::new(move |entry| {
                let flow = match entry {
                    Ok(entry) => self.visit(&entry, &mut buffer),
                    Err(e) => self.pass(format!("left out: {}", inline(&e.to_string()))),
                };
                if flow.is_break() { WalkState::Quit } else { WalkState::Continue }
            })
        });
        for path in unruly.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let path = self.relative(path).filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned());
            self.warn(format!("left out: {}: its .gitignore is no regular file", inline(&path)));
        }
    }

    fn visit(&self, entry: &DirEntry, buffer: &mut Vec<u8>) -> ControlFlow<()> {
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return ControlFlow::Continue(());
        }
        match self.relative(entry.path()) {
            Some(path) => self.take(path, entry.path(), buffer),
            None if may_be_yaml(entry.path()) => {
                let path = entry.path().display().to_string();
                self.pass(format!("left out, its name is not UTF-8: {}", inline(&path)))
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// The path below the root, with `/`; nothing for one that is no text.
    fn relative(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.worktree.root).ok()?;
        if cfg!(unix) {
            return path.to_str().map(str::to_owned);
        }
        let parts: Option<Vec<_>> = path.iter().map(|part| part.to_str()).collect();
        parts.map(|parts| parts.join("/"))
    }

    /// Reads a file that was found, if it is selected.
    fn take(&self, path: String, full: &Path, buffer: &mut Vec<u8>) -> ControlFlow<()> {
        let standing = match self.selection.standing(&path) {
            Some(Standing::Named) => return ControlFlow::Continue(()),
            Some(standing) => standing,
            None if self.context && is_yaml(&path) => Standing::Context,
            None => {
                self.seen().found.pass(&path);
                return ControlFlow::Continue(());
            }
        };
        self.seen().found.take(&path, standing);
        let flow = match read_into(full, buffer) {
            Ok(()) => (self.look)(SourceFile { path: &path, bytes: buffer, standing }),
            Err(e) => self.pass(format!("{}: {e:#}", inline(&path))),
        };
        if !self.worktree.tracked.is_empty() {
            self.seen().paths.insert(path);
        }
        flow
    }

    /// Files that the walk passed over, most likely for an ignore rule, and that git keeps track of.
    fn tracked(&self) {
        let seen = std::mem::take(&mut self.seen().paths);
        let mut buffer = Vec::new();
        for path in self.worktree.tracked.iter().filter(|path| !seen.contains(*path)) {
            let full = self.worktree.root.join(path);
            let regular = fs::symlink_metadata(&full).is_ok_and(|meta| meta.is_file());
            let is_fine = regular && self.worktree.check_links(path).is_ok();
            if is_fine && self.take(path.clone(), &full, &mut buffer).is_break() {
                return;
            }
        }
    }
}

/// By the end of its name, which may be no text before that.
fn may_be_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// `.git` itself, or a folder that holds a repository of its own.
fn is_repository(entry: &DirEntry) -> bool {
    entry.file_name() == ".git"
        || (entry.file_type().is_some_and(|kind| kind.is_dir()) && entry.path().join(".git").exists())
}

/// Ignore files are read whole and without a limit: one that never ends would never let go.
const MAX_IGNORE_FILE: u64 = 1_000_000;

/// Whether a folder's ignore file is one, if it has one.
fn has_readable_rules(entry: &DirEntry) -> bool {
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return true;
    }
    let rules = fs::metadata(entry.path().join(".gitignore"));
    rules.map_or(true, |meta| meta.is_file() && meta.len() <= MAX_IGNORE_FILE)
}

/// Whether the folder is inside of a repository whose ignore files hold for it too.
fn repository_above(root: &Path) -> bool {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    !root.join(".git").exists() && root.ancestors().skip(1).any(|folder| folder.join(".git").exists())
}
