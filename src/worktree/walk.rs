//! Walks through the folders below the root, on all cores.
//!
//! Each folder is opened by its name in the open folder above, and listed once: the list says whether it is a repository
//! of its own, and whether it has an ignore file. Its files are opened by their names in it. That takes about half the
//! time that paths take, and no symlink that appears meanwhile can lead elsewhere.

use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, available_parallelism};

use super::entry_kind::EntryKind;
use super::folder::Folder;
use super::ignore_rules::{FolderRules, IgnoreFileProblem};
use super::open_error::OpenError;
use crate::dot_git::is_dot_git;
use crate::mutex::{lock, wait};

/// More threads wait for each other, or for the disk.
const MOST_THREADS: usize = 12;

/// How far below the root a folder stays open as long as its subfolders wait: each thread can have as many open, and a process may
/// open only some hundred files. Most trees aren't deeper.
const MOST_OPEN: usize = 8;

/// The longest path of a folder, as on Linux (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// What a walk finds. Paths are relative to the root, separated by `/`.
pub enum Found<'w> {
    /// A file, and the open folder that it is in.
    File {
        path: String,
        folder: &'w Folder,
    },
    /// A file with a path that isn't valid UTF-8.
    Unnameable(PathBuf),
    Symlink(PathBuf),
    /// A folder with a repository of its own, which isn't entered. `git submodule` makes `.git` a file.
    Repository {
        path: PathBuf,
        dot_git: EntryKind,
    },
    /// A folder that isn't entered because of its ignore file.
    OddRules {
        path: PathBuf,
        problem: IgnoreFileProblem,
    },
    /// A folder that can't be opened or listed.
    Closed {
        path: PathBuf,
        reason: String,
    },
}

/// A walk through the folders below a root.
pub struct FolderWalk<'a> {
    root: &'a Path,
    top: &'a Arc<Folder>,
    folders: Mutex<FolderQueue>,
    wake: Condvar,
}

/// The folders that wait to be entered.
struct FolderQueue {
    waiting: Vec<Pending>,
    /// How many are being entered, and may add others.
    entered: usize,
    is_over: bool,
}

/// A folder that waits to be entered.
struct Pending {
    path: OsString,
    depth: usize,
    /// The folder above; `None` for the root, and far below it.
    above: Option<Arc<Folder>>,
    /// The rules of the folders above.
    rules: FolderRules,
}

impl<'a> FolderWalk<'a> {
    /// A walk from `top`, which is the folder at `root`.
    pub fn new(root: &'a Path, top: &'a Arc<Folder>, rules: FolderRules) -> Self {
        let start = Pending { path: OsString::new(), depth: 0, above: None, rules };
        let folders = FolderQueue { waiting: vec![start], entered: 0, is_over: false };
        FolderWalk { root, top, folders: Mutex::new(folders), wake: Condvar::new() }
    }

    /// Walks, and gives everything to a visitor, of which each thread makes one. It ends when one of them breaks off.
    pub fn run<V: FnMut(Found<'_>) -> ControlFlow<()>>(&self, visitor: impl Fn() -> V + Sync) {
        let threads = available_parallelism().map_or(1, |count| count.get().min(MOST_THREADS));
        thread::scope(|scope| {
            for _ in 1..threads {
                // without another thread, there is still this one
                let _ = thread::Builder::new().spawn_scoped(scope, || self.work(visitor()));
            }
            self.work(visitor());
        });
    }

    fn work(&self, mut visit: impl FnMut(Found<'_>) -> ControlFlow<()>) {
        while let Some(pending) = self.next() {
            let entered = Entered(self);
            if self.enter(pending, &mut visit).is_break() {
                entered.end();
            }
        }
    }

    fn folders(&self) -> MutexGuard<'_, FolderQueue> {
        lock(&self.folders)
    }

    /// The next folder; `None` at the end.
    fn next(&self) -> Option<Pending> {
        let mut folders = self.folders();
        loop {
            if folders.is_over {
                return None;
            }
            if let Some(pending) = folders.waiting.pop() {
                folders.entered += 1;
                return Some(pending);
            }
            if folders.entered == 0 {
                return None;
            }
            folders = wait(&self.wake, folders);
        }
    }

    fn enter(
        &self,
        pending: Pending,
        visit: &mut impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let path = || PathBuf::from(&pending.path);
        let listed = self.open(&pending).and_then(|folder| Ok((folder.entries()?, folder)));
        let (entries, folder) = match listed {
            Ok(listed) => listed,
            Err(error) => return visit(Found::Closed { path: path(), reason: error.to_string() }),
        };
        if let Some(dot_git) = self.dot_git(&pending, &entries) {
            return visit(Found::Repository { path: path(), dot_git });
        }
        let rules = match pending.rules.in_folder(&folder, &pending.path, &entries) {
            Ok(rules) => rules,
            Err(problem) => return visit(Found::OddRules { path: path(), problem }),
        };
        let folder = Arc::new(folder);
        let entries = entries.into_iter().filter(|(name, _)| !is_dot_git(&name.to_string_lossy()));
        let entries = entries.map(|(name, kind)| (join(&pending.path, &name), kind));
        let is_kept =
            |(path, kind): &(OsString, EntryKind)| !rules.ignore(path.as_ref(), *kind == EntryKind::Folder);
        let (below, others): (Vec<_>, Vec<_>) =
            entries.filter(is_kept).partition(|(_, kind)| *kind == EntryKind::Folder);
        self.add(&pending, &folder, &rules, below.into_iter().map(|(path, _)| path));
        others.into_iter().try_for_each(|(path, kind)| match kind {
            EntryKind::File => match path.into_string() {
                Ok(path) => visit(Found::File { path, folder: &folder }),
                Err(path) => visit(Found::Unnameable(path.into())),
            },
            EntryKind::Symlink => visit(Found::Symlink(path.into())),
            EntryKind::Folder | EntryKind::Other => ControlFlow::Continue(()),
        })
    }

    /// Adds the folders in one that was entered to those that wait, before its files are read: other threads can enter them.
    fn add(
        &self,
        entered: &Pending,
        folder: &Arc<Folder>,
        rules: &FolderRules,
        below: impl ExactSizeIterator<Item = OsString>,
    ) {
        if below.len() == 0 {
            return;
        }
        let depth = entered.depth + 1;
        let above = || (depth < MOST_OPEN).then(|| Arc::clone(folder));
        let pending = |path| Pending { path, depth, above: above(), rules: rules.clone() };
        self.folders().waiting.extend(below.map(pending));
        self.wake.notify_all();
    }

    fn open(&self, pending: &Pending) -> Result<Folder, OpenError> {
        if pending.path.len() > LONGEST_PATH {
            return Err(std::io::Error::other("its path is too long").into());
        }
        let path = Path::new(&pending.path);
        match (&pending.above, path.file_name()) {
            (Some(above), Some(name)) => above.to_list(name),
            (None, Some(_)) => {
                let mut parts = path.iter();
                let first = self.top.to_list(parts.next().unwrap_or_default())?;
                parts.try_fold(first, |folder, part| folder.to_list(part))
            }
            (_, None) => self.top.to_list(OsStr::new(".")),
        }
    }

    /// What `.git` is in a folder below the root, if that makes it a repository.
    fn dot_git(&self, pending: &Pending, entries: &[(OsString, EntryKind)]) -> Option<EntryKind> {
        let is_named = |name: &OsStr| match cfg!(any(windows, target_vendor = "apple")) {
            true => name.eq_ignore_ascii_case(".git"),
            false => name == ".git",
        };
        let (name, kind) = entries.iter().find(|(name, _)| pending.depth > 0 && is_named(name))?;
        let exists = || self.root.join(&pending.path).join(name).exists();
        (*kind != EntryKind::Symlink || exists()).then_some(*kind)
    }
}

/// A folder that is being entered.
struct Entered<'w, 'a>(&'w FolderWalk<'a>);

impl Entered<'_, '_> {
    /// Ends the whole walk.
    fn end(self) {
        self.0.folders().is_over = true;
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        let mut folders = self.0.folders();
        folders.entered -= 1;
        // the other threads must not wait for one that panics
        folders.is_over |= thread::panicking();
        let is_last = folders.entered == 0 && folders.waiting.is_empty();
        if is_last || folders.is_over {
            drop(folders);
            self.0.wake.notify_all();
        }
    }
}

fn join(folder: &OsStr, name: &OsStr) -> OsString {
    if folder.is_empty() {
        return name.to_owned();
    }
    let mut path = OsString::with_capacity(folder.len() + 1 + name.len());
    path.push(folder);
    path.push("/");
    path.push(name);
    path
}
