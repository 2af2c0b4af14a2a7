//! A temporary bare repository to land from, so that nothing in the checkout moves.
//!
//! It borrows the checkout's objects (`objects/info/alternates`) and its list of shallow commits, so a
//! fetch brings only what is new. Of a partial clone nothing can be borrowed: objects may be missing there,
//! and libgit2 can't fetch them one by one.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use anyhow::Context;
use git2::{Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};
use tempfile::TempDir;

use super::checkout::Checkout;
use crate::error::Result;
use crate::interrupt;

pub struct Workspace {
    pub repo: Repository,
    /// Whether it has the checkout's objects.
    pub borrows: bool,
    /// Whether a fetch has cut the history off above what the checkout has.
    pub cut: Cell<bool>,
    folder: TempDir,
}

impl Workspace {
    /// # Errors
    /// Where the temporary folder can't be written.
    pub fn new(checkout: &Checkout) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tagbump-").tempdir().context("no temporary folder")?;
        interrupt::remember(folder.path());
        let borrows = checkout.is_whole();
        let options = || {
            let mut options = RepositoryInitOptions::new();
            options.bare(true).external_template(false).no_reinit(true);
            options
        };
        let made = Repository::init_opts(folder.path(), &options()).context("no temporary repository")?;
        if borrows {
            borrow(checkout, folder.path()).context("the temporary repository can't be set up")?;
        }
        drop(made);
        // only this way of opening reads the list of shallow commits
        let none: [&Path; 0] = [];
        let repo = Repository::open_ext(folder.path(), RepositoryOpenFlags::NO_SEARCH, none)
            .context("no temporary repository")?;
        let workspace = Workspace { repo, borrows, cut: Cell::new(false), folder };
        if borrows {
            workspace.offer(checkout);
        }
        Ok(workspace)
    }

    /// Tells the server what we have: libgit2 offers what references point at.
    fn offer(&self, checkout: &Checkout) {
        let tips = checkout.repo.references_glob("refs/remotes/*").into_iter().flatten().flatten();
        let tips = tips.filter_map(|reference| reference.target());
        for (nth, oid) in checkout.head_oid().into_iter().chain(tips).take(64).enumerate() {
            // without it the fetch is larger, not wrong
            let _ = self.repo.reference(&format!("refs/tagbump/have/{nth}"), oid, true, "");
        }
    }

    pub fn has(&self, commit: Oid) -> bool {
        self.repo.find_commit(commit).is_ok()
    }

    /// The objects that are in the workspace alone: folder and files.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }
}

fn borrow(checkout: &Checkout, workspace: &Path) -> std::io::Result<()> {
    let common = checkout.repo.commondir();
    let objects = std::fs::canonicalize(common.join("objects"))?;
    let mut line = objects.into_os_string().into_encoded_bytes();
    line.push(b'\n');
    std::fs::create_dir_all(workspace.join("objects/info"))?;
    std::fs::write(workspace.join("objects/info/alternates"), line)?;
    let shallow = common.join("shallow");
    if shallow.exists() {
        std::fs::copy(shallow, workspace.join("shallow"))?;
    }
    Ok(())
}
