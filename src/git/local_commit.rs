//! `--commit`: the bump as a commit in the local repository, beside other uncommitted changes.
//!
//! The plan is made on `HEAD`; the same edit is then made in the index and in the work tree's file, each as
//! it is. Where one of them differs from `HEAD` and the same plan does not come out of it, the reference
//! itself was changed there, and nothing is done.

use std::io::Write;
use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, RepositoryState};

use super::checkout::Checkout;
use super::failure::{git_failure, no_commit};
use super::identity::Identity;
use super::place::edited_tree;
use crate::error::{Exit, Failure, Result};
use crate::interrupt;
use crate::plan::{FileEdit, Plan};
use crate::worktree::Worktree;

/// What to commit, and as whom.
pub struct CommitRequest<'a> {
    pub plan: &'a Plan,
    pub message: &'a str,
    pub author: &'a Identity,
    pub committer: &'a Identity,
    pub worktree: &'a Worktree,
    /// Plans the same bump on one file with other bytes.
    pub replan: &'a dyn Fn(&str, &[u8]) -> Result<Plan>,
}

/// One file's three versions with the edit made.
struct Edited {
    path: String,
    index: FileEdit,
    work: FileEdit,
}

/// Commits on `HEAD`, and makes the edit in index and work tree. Gives the commit's name.
///
/// # Errors
/// Exit 6 where a reference was changed there already, and is not committed; exit 1 in the middle of a
/// merge or rebase.
pub fn commit(checkout: &Checkout, request: &CommitRequest<'_>) -> Result<String> {
    let fault = |e: git2::Error| git_failure("the commit can't be made", &e);
    let repo = &checkout.repo;
    if repo.state() != RepositoryState::Clean {
        return Err(Failure::other("the repository is in the middle of a merge, rebase or the like")
            .hinted("finish it first; git status says how"));
    }
    let parent = repo.find_commit(checkout.head_oid().ok_or_else(no_commit)?).map_err(fault)?;
    let mut index = repo.index().map_err(|e| unreadable_index(&e))?;
    let edited: Vec<_> = request
        .plan
        .edits
        .iter()
        .map(|edit| versions(checkout, &index, request, edit))
        .collect::<Result<_>>()?;
    let tree = edited_tree(repo, &parent, &request.plan.edits, &checkout.prefix)?;
    let (author, committer) = (request.author.signature()?, request.committer.signature()?);
    let made = repo.commit(None, &author, &committer, request.message, &tree, &[&parent]).map_err(fault)?;
    let work: Vec<_> = edited.iter().map(|e| e.work.clone()).collect();
    // all that can fail comes before the first file changes: new files written aside, branch and index locked
    let aside = request.worktree.write_aside(&work)?;
    // the reference that HEAD leads to in the end, itself where it is detached
    let branch = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
    let branch = branch.unwrap_or_else(|| "HEAD".to_owned());
    let mut transaction = repo.transaction().map_err(fault)?;
    transaction.lock_ref(&branch).map_err(|e| locked(&e))?;
    if repo.refname_to_id(&branch).map_err(fault)? != parent.id() {
        return Err(Failure::other("somebody committed here just now").hinted("run again"));
    }
    let subject = request.message.lines().next().unwrap_or_default();
    let log = format!("commit: {subject}");
    transaction.set_target(&branch, made, Some(&committer), &log).map_err(fault)?;
    let before = index.path().and_then(|path| std::fs::read(path).ok());
    for file in &edited {
        stage(checkout, &mut index, file).map_err(fault)?;
    }
    interrupt::together(|| {
        index.write().map_err(|e| locked(&e))?;
        let done = aside.replace().and_then(|()| transaction.commit().map_err(fault));
        done.inspect_err(|_| put_back(&index, before.as_deref(), request.worktree, &edited))
    })?;
    refresh(&mut index, &edited);
    Ok(made.to_string())
}

/// The branch could not be moved in the end: index and files become what they were, as far as that goes.
fn put_back(index: &Index, before: Option<&[u8]>, worktree: &Worktree, edited: &[Edited]) {
    if let (Some(path), Some(bytes)) = (index.path(), before) {
        let folder = path.parent().unwrap_or(path);
        let aside = tempfile::NamedTempFile::new_in(folder);
        let _ = aside.and_then(|mut aside| {
            aside.write_all(bytes)?;
            aside.persist(path).map(|_| ()).map_err(|e| e.error)
        });
    }
    for Edited { work, .. } in edited {
        let FileEdit { path, before, after } = work.clone();
        let undo = FileEdit { path, before: after, after: before };
        let _ = worktree.write_aside(&[undo]).and_then(crate::worktree::Aside::replace);
    }
}

fn unreadable_index(error: &git2::Error) -> Failure {
    git_failure("the index can't be read", error).hinted(
        "a split or sparse index is not supported: git update-index --no-split-index, \
         git sparse-checkout reapply --no-sparse-index",
    )
}

fn locked(error: &git2::Error) -> Failure {
    git_failure("the repository is in use by another git", error)
        .hinted("run again when it is done; a lock that a crash left behind must be removed by hand")
}

fn versions(
    checkout: &Checkout,
    index: &Index,
    request: &CommitRequest<'_>,
    edit: &FileEdit,
) -> Result<Edited> {
    let full = checkout.full_path(&edit.path);
    let staged = index
        .get_path(Path::new(&full), 0)
        .and_then(|entry| checkout.repo.find_blob(entry.id).ok())
        .map(|blob| blob.content().to_vec());
    let staged = staged.ok_or_else(|| changed(&edit.path, "is not in the index as a file"))?;
    let work = request
        .worktree
        .read_one(&edit.path)
        .map_err(|e| changed(&edit.path, &format!("can't be edited in the work tree ({e})")))?;
    Ok(Edited {
        index: same_edit(request, edit, staged, "in the index")?,
        work: same_edit(request, edit, work, "in the work tree")?,
        path: full,
    })
}

/// The same changes on another version of the file.
fn same_edit(request: &CommitRequest<'_>, edit: &FileEdit, bytes: Vec<u8>, place: &str) -> Result<FileEdit> {
    if bytes == edit.before {
        return Ok(edit.clone());
    }
    let why = format!("has uncommitted changes {place} that touch the reference itself");
    let planned = (request.replan)(&edit.path, &bytes).map_err(|_| changed(&edit.path, &why))?;
    let told = |plan: &Plan| -> Vec<_> {
        let here = plan.changes.iter().filter(|c| c.file == edit.path);
        here.map(|c| (c.image.clone(), c.from.clone(), c.to.clone())).collect()
    };
    match planned.edits.iter().find(|found| found.path == edit.path) {
        Some(found) if told(&planned) == told(request.plan) => Ok(found.clone()),
        _ => Err(changed(&edit.path, &why)),
    }
}

fn changed(path: &str, why: &str) -> Failure {
    Failure::new(Exit::Unsafe, format!("{path}: {why}; nothing was written"))
        .hinted("commit, stash or undo those changes, then bump")
}

/// The edited blob in the place of the staged one, with its mode.
fn stage(checkout: &Checkout, index: &mut Index, file: &Edited) -> Result<(), git2::Error> {
    let blob = checkout.repo.blob(&file.index.after)?;
    let old = index.get_path(Path::new(&file.path), 0);
    let none = IndexTime::new(0, 0);
    index.add(&IndexEntry {
        ctime: none,
        mtime: none,
        dev: 0,
        ino: 0,
        mode: old.map_or(0o100_644, |entry| entry.mode),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: blob,
        flags: 0,
        flags_extended: 0,
        path: file.path.clone().into_bytes(),
    })
}

/// Files that are as they are staged get their time and size into the index, so that no later git has to
/// read them again. Without it all is right, only slower.
fn refresh(index: &mut Index, edited: &[Edited]) {
    for file in edited {
        let path = Path::new(&file.path);
        let Some(staged) = index.get_path(path, 0) else { continue };
        let same = index.add_path(path).is_ok()
            && index.get_path(path, 0).is_some_and(|now| now.id == staged.id && now.mode == staged.mode);
        if !same {
            let _ = index.add(&staged);
        }
    }
    let _ = index.write();
}
