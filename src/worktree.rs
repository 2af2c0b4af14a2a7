//! Finds, reads and replaces files below one folder, the root. Nothing outside of it is touched.
//!
//! Needs no git: `.gitignore` files and `.git/info/exclude` are read by the `ignore` crate. Symlinks are
//! neither followed nor replaced, `.git` is never entered, nor is a repository inside of the root.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use ignore::WalkBuilder;
use tempfile::NamedTempFile;

use crate::error::{Exit, Failure, Result};
use crate::interrupt;
use crate::plan::{FileEdit, Files, SourceFile};
use crate::select::{MAX_FILE_SIZE, Selection, Standing, is_yaml};

/// A folder to work in.
#[derive(Clone, Debug)]
pub struct Worktree {
    root: PathBuf,
}

impl Worktree {
    /// # Errors
    /// Exit 2 where `root` is no folder.
    pub fn open(root: &Path) -> Result<Self> {
        let fault =
            |why: &str| Failure::usage(format!("{}: {why}", root.display())).hinted("name a folder with -C");
        match fs::metadata(root) {
            Ok(meta) if meta.is_dir() => Ok(Worktree { root: root.to_owned() }),
            Ok(_) => Err(fault("is no folder")),
            Err(e) => Err(fault(&e.to_string())),
        }
    }

    /// Reads the selected files; with `context` every other YAML file too, to look things up in. `tracked`
    /// are looked at although an ignore rule names them.
    ///
    /// # Errors
    /// A named file that is not there (exit 3), or that may not be edited (exit 2).
    pub fn read(&self, selection: &Selection, context: bool, tracked: &[String]) -> Result<Files> {
        let mut found = Files::default();
        let mut folders = false;
        for name in selection.names() {
            match self.named(name)? {
                Some(meta) => self.take(name.clone(), Standing::Named, meta.len(), &mut found)?,
                None => folders = true,
            }
        }
        let only_files = !selection.is_everything() && !folders && selection.names_only();
        if !only_files || context {
            self.walk(selection, context, &mut found)?;
            self.add_tracked(selection, context, tracked, &mut found)?;
        }
        found.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// What a name stands for: a file, or a folder (nothing).
    fn named(&self, name: &str) -> Result<Option<Metadata>> {
        let refused = |why: &str| {
            Failure::usage(format!("-f {name}: {why}")).hinted("name the file itself, inside of the root")
        };
        let mut path = self.root.clone();
        let mut meta = fs::metadata(&path).map_err(|e| refused(&e.to_string()))?;
        for part in Path::new(name).components().filter(|c| *c != Component::CurDir) {
            path.push(part);
            meta = fs::symlink_metadata(&path).map_err(|e| {
                Failure::new(Exit::NoMatch, format!("-f {name}: {e}"))
                    .hinted("paths are relative to the root; choose the root with -C")
            })?;
            if meta.is_symlink() {
                return Err(refused("goes through a symlink, which is neither followed nor replaced"));
            }
            if part.as_os_str() == ".git" {
                return Err(refused("is inside of .git"));
            }
        }
        match meta.file_type() {
            kind if kind.is_dir() => Ok(None),
            kind if kind.is_file() => Ok(Some(meta)),
            _ => Err(refused("is no regular file")),
        }
    }

    fn walk(&self, selection: &Selection, context: bool, found: &mut Files) -> Result<()> {
        let walk = WalkBuilder::new(&self.root)
            .standard_filters(false)
            .git_ignore(true)
            .git_global(true)
            .git_exclude(true)
            .require_git(false)
            .parents(repository_above(&self.root))
            .follow_links(false)
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .filter_entry(|entry| entry.depth() == 0 || !is_repository(entry.path()))
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    found.warnings.push(format!("left out: {e}"));
                    continue;
                }
            };
            let regular = entry.file_type().is_some_and(|kind| kind.is_file());
            if !regular {
                continue;
            }
            let Some(path) = self.relative(entry.path()) else {
                found.warnings.push(format!("left out, its name is not UTF-8: {}", entry.path().display()));
                continue;
            };
            let standing = match selection.standing(&path) {
                Some(Standing::Named) => continue,
                Some(standing) => standing,
                None if context && is_yaml(&path) => Standing::Context,
                None => continue,
            };
            let length = entry.metadata().map_or(0, |meta| meta.len());
            self.take(path, standing, length, found)?;
        }
        Ok(())
    }

    /// Files that the walk passed over, most likely for an ignore rule, and that git keeps track of.
    fn add_tracked(
        &self,
        selection: &Selection,
        context: bool,
        tracked: &[String],
        found: &mut Files,
    ) -> Result<()> {
        let seen: HashSet<String> = found.files.iter().map(|file| file.path.clone()).collect();
        for path in tracked.iter().filter(|path| !seen.contains(*path)) {
            let standing = selection.standing(path).or(context.then_some(Standing::Context));
            let meta = fs::symlink_metadata(self.root.join(path)).ok().filter(|meta| meta.is_file());
            if let (Some(standing), Some(meta), Ok(())) = (standing, meta, self.check_links(path)) {
                self.take(path.clone(), standing, meta.len(), found)?;
            }
        }
        Ok(())
    }

    /// The path below the root, with `/`; nothing for one that is no text.
    fn relative(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<_>> = path.iter().map(|part| part.to_str()).collect();
        parts.map(|parts| parts.join("/"))
    }

    fn take(&self, path: String, standing: Standing, length: u64, found: &mut Files) -> Result<()> {
        if length > MAX_FILE_SIZE {
            found.warnings.push(format!("{path}: skipped, over 50 MB"));
            return Ok(());
        }
        match self.bytes(&path) {
            Ok(bytes) => found.files.push(SourceFile { path, bytes, standing }),
            Err(e) if standing == Standing::Named => return Err(e.into()),
            Err(e) => found.warnings.push(format!("left out: {e:#}")),
        }
        Ok(())
    }

    fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.check_links(path)?;
        let mut bytes = Vec::new();
        let file = File::open(self.root.join(path)).with_context(|| format!("{path}: can't be opened"))?;
        file.take(MAX_FILE_SIZE + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("{path}: can't be read"))?;
        if bytes.len() as u64 > MAX_FILE_SIZE {
            anyhow::bail!("{path}: is over 50 MB");
        }
        Ok(bytes)
    }

    /// No part of a path may be a symlink: it could lead anywhere.
    fn check_links(&self, path: &str) -> anyhow::Result<()> {
        let mut full = self.root.clone();
        for part in Path::new(path).components() {
            full.push(part);
            if fs::symlink_metadata(&full).is_ok_and(|meta| meta.is_symlink()) {
                anyhow::bail!("{path}: goes through a symlink, which is neither followed nor replaced");
            }
        }
        Ok(())
    }

    /// One file's bytes as they are now.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read_one(&self, path: &str) -> Result<Vec<u8>> {
        Ok(self.bytes(path)?)
    }

    /// Replaces files whole, each with its mode. All are written aside before the first is replaced, so that
    /// a full disk or a missing right leaves everything as it was.
    ///
    /// # Errors
    /// Where a file can't be written, or is not what it was when it was read.
    pub fn replace(&self, edits: &[FileEdit]) -> Result<()> {
        let aside = self.write_aside(edits)?;
        interrupt::together(|| aside.replace())
    }

    /// Writes the new files beside the old ones.
    ///
    /// # Errors
    /// Where a file can't be written, or is not what it was when it was read.
    pub fn write_aside(&self, edits: &[FileEdit]) -> Result<Aside> {
        let written = edits.iter().map(|edit| self.write_one_aside(edit)).collect::<anyhow::Result<_>>()?;
        Ok(Aside(written))
    }

    fn write_one_aside(&self, edit: &FileEdit) -> anyhow::Result<(NamedTempFile, PathBuf)> {
        let path = self.root.join(&edit.path);
        if self.bytes(&edit.path)? != edit.before {
            anyhow::bail!("{}: was changed by somebody else just now; run again", edit.path);
        }
        let meta = fs::symlink_metadata(&path).with_context(|| format!("{}: is gone", edit.path))?;
        let folder = path.parent().unwrap_or(&self.root);
        let write = || -> std::io::Result<_> {
            let mut aside = tempfile::Builder::new().prefix(".tagbump-").tempfile_in(folder)?;
            interrupt::remember(aside.path());
            aside.write_all(&edit.after)?;
            keep_owner(aside.path(), &meta);
            aside.as_file().set_permissions(meta.permissions())?;
            aside.as_file().sync_all()?;
            Ok(aside)
        };
        let aside = write().with_context(|| format!("{}: can't be written", edit.path))?;
        Ok((aside, path))
    }
}

/// New files, each beside the one that it will replace; dropped, they are gone.
#[derive(Debug)]
pub struct Aside(Vec<(NamedTempFile, PathBuf)>);

impl Aside {
    /// Puts them in place.
    ///
    /// # Errors
    /// Where a file can't be replaced.
    pub fn replace(self) -> Result<()> {
        for (aside, path) in self.0 {
            aside.persist(&path).with_context(|| format!("{}: can't be replaced", path.display()))?;
        }
        Ok(())
    }
}

/// Root writes for others, as in a container: the file stays theirs where that is allowed.
#[cfg(unix)]
fn keep_owner(path: &Path, meta: &Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    // not being allowed to is no fault: the file is then the user's who runs this, as with any editor
    let _ = chown(path, Some(meta.uid()), Some(meta.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &Metadata) {}

/// `.git` itself, or a folder that holds a repository of its own.
fn is_repository(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".git") || (path.is_dir() && path.join(".git").exists())
}

/// Whether the folder is inside of a repository whose ignore files hold for it too.
fn repository_above(root: &Path) -> bool {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    !root.join(".git").exists() && root.ancestors().skip(1).any(|folder| folder.join(".git").exists())
}
