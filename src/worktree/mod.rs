//! Finds, reads and replaces files below one folder, the root. Nothing outside of it is touched.
//!
//! Needs no git. Symlinks are neither followed nor replaced, `.git` is never entered, nor is a repository
//! inside of the root. `search` finds and reads, `replace` writes what is there, `create` what is not.

mod create;
mod replace;
mod search;

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;

use crate::error::{Exit, Failure, Result, inline};
use crate::select::MAX_FILE_SIZE;

pub use replace::Aside;

/// A folder to work in.
#[derive(Clone, Debug)]
pub struct Worktree {
    root: PathBuf,
    /// Files that git keeps track of: they are looked at although an ignore rule names them.
    tracked: Vec<String>,
}

impl Worktree {
    /// # Errors
    /// Exit 2 where `root` is no folder.
    pub fn open(root: &Path) -> Result<Self> {
        let fault =
            |why: &str| Failure::usage(format!("{}: {why}", root.display())).hinted("name a folder with -C");
        match fs::metadata(root) {
            Ok(meta) if meta.is_dir() => Ok(Worktree { root: root.to_owned(), tracked: Vec::new() }),
            Ok(_) => Err(fault("is no folder")),
            Err(e) => Err(fault(&e.to_string())),
        }
    }

    /// With the files that git keeps track of, below the root.
    #[must_use]
    pub fn tracking(self, tracked: Vec<String>) -> Self {
        Worktree { tracked, ..self }
    }

    /// What a name stands for: a file, or a folder (nothing).
    fn named(&self, name: &str) -> Result<Option<Metadata>> {
        let refused = |why: &str| {
            Failure::usage(format!("{}: {why}", inline(name)))
                .hinted("name the file itself, inside of the root")
        };
        let mut path = self.root.clone();
        let mut meta = fs::metadata(&path).map_err(|e| refused(&e.to_string()))?;
        for part in Path::new(name).components().filter(|c| *c != Component::CurDir) {
            path.push(part);
            meta = fs::symlink_metadata(&path).map_err(|e| {
                Failure::new(Exit::NoMatch, format!("{}: {e}", inline(name)))
                    .hinted("paths in -f and tagbump.yaml are relative to the root; choose the root with -C")
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

    fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.check_links(path)?;
        let mut bytes = Vec::new();
        read_into(&self.root.join(path), &mut bytes).with_context(|| inline(path))?;
        Ok(bytes)
    }

    /// No part of a path may be a symlink: it could lead anywhere.
    fn check_links(&self, path: &str) -> anyhow::Result<()> {
        let mut full = self.root.clone();
        for part in Path::new(path).components() {
            full.push(part);
            if fs::symlink_metadata(&full).is_ok_and(|meta| meta.is_symlink()) {
                anyhow::bail!(
                    "{}: goes through a symlink, which is neither followed nor replaced",
                    inline(path)
                );
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
}

/// A file's bytes, in the place of what was in the buffer.
fn read_into(path: &Path, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    let file = File::open(path).context("can't be opened")?;
    file.take(MAX_FILE_SIZE + 1).read_to_end(buffer).context("can't be read")?;
    if buffer.len() as u64 > MAX_FILE_SIZE {
        anyhow::bail!("skipped, over 50 MB");
    }
    Ok(())
}
