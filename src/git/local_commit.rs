//! `--commit`: the bump as a commit in the local repository, beside other uncommitted changes.
//!
//! The plan is made on `HEAD`; the same edit is then made in the index and in the work tree's file, each as
//! it is. Where one of them differs from `HEAD` and the same plan does not come out of it, the reference
//! itself was changed there, and nothing is done.

use std::path::Path;

use anyhow::Context;
use git2::{Index, IndexEntry, IndexTime, Oid, Repository, RepositoryState, Transaction};

use super::checkout::Checkout;
use super::failure::{git_failure, no_commit};
use super::identity::Identity;
use super::signing::{CommitDraft, Signer};
use super::tree::edited_tree;
use crate::error::{Exit, Failure, Result, inline};
use crate::plan::{FileEdit, Plan};
use crate::signals;
use crate::worktree::Worktree;

/// What to commit, and as whom.
pub struct CommitRequest<'a> {
    pub plan: &'a Plan,
    pub message: &'a str,
    pub author: &'a Identity,
    pub committer: &'a Identity,
    pub signer: Option<&'a Signer>,
    pub worktree: &'a Worktree,
    pub replan: &'a Replan<'a>,
}

/// One file's three versions with the edit made.
struct EditedFile {
    path: String,
    index: FileEdit,
    work: FileEdit,
}

/// Commits on `HEAD`, and makes the edit in index and work tree. Gives the commit's name.
///
/// # Errors
/// Exit 6 where a reference was changed there already, and is not committed; exit 1 in the middle of a
/// merge or rebase, and where the commit can't be signed (exit 2 where nothing says how).
pub fn commit(checkout: &Checkout, request: &CommitRequest<'_>) -> Result<String> {
    let fault = |e: git2::Error| git_failure("the commit can't be made", &e);
    let repo = &checkout.repo;
    check_state(repo)?;
    let parent = repo.find_commit(checkout.head_oid().ok_or_else(no_commit)?).map_err(fault)?;
    let mut index = repo.index().map_err(|e| unreadable_index(&e))?;
    let before = index.path().and_then(|path| std::fs::read(path).ok());
    let versions = IndexAndWorkTree {
        checkout,
        index: &index,
        plan: request.plan,
        worktree: request.worktree,
        replan: request.replan,
    };
    let edited: Vec<_> = request.plan.edits.iter().map(|edit| versions.of(edit)).collect::<Result<_>>()?;
    let tree = edited_tree(repo, &parent, &request.plan.edits, &checkout.prefix)?;
    let (author, committer) = (request.author.signature()?, request.committer.signature()?);
    let message = request.message;
    let draft = CommitDraft { author: &author, committer: &committer, message, tree: &tree, parent: &parent };
    let made = draft.make(repo, request.signer)?;
    let work: Vec<_> = edited.iter().map(|e| e.work.clone()).collect();
    let aside = request.worktree.stage(&work)?;
    signals::together(|| {
        // all that can fail comes before the first file changes
        let mut transaction = repo.transaction().map_err(fault)?;
        move_branch(repo, &mut transaction, parent.id(), made, request)?;
        for file in &edited {
            stage(checkout, &mut index, file).map_err(fault)?;
        }
        if index.path().and_then(|path| std::fs::read(path).ok()) != before {
            return Err(Failure::other("somebody changed the index just now").hinted("run again"));
        }
        index.write().map_err(|e| locked(&e))?;
        let done = aside.replace().map_err(Failure::from).and_then(|()| transaction.commit().map_err(fault));
        done.inspect_err(|_| put_back(&index, before, request.worktree, &edited))?;
        refresh(&mut index, request.worktree, &edited);
        Ok(made.to_string())
    })
}

fn check_state(repo: &Repository) -> Result<()> {
    if repo.state() != RepositoryState::Clean {
        return Err(Failure::other("the repository is in the middle of a merge, rebase or the like")
            .hinted("finish it first; git status says how"));
    }
    Ok(())
}

/// Locks the branch and says where it shall go; nothing moves before the transaction is committed.
fn move_branch(
    repo: &Repository,
    transaction: &mut Transaction<'_>,
    from: Oid,
    to: Oid,
    request: &CommitRequest<'_>,
) -> Result<()> {
    let fault = |e: git2::Error| git_failure("the commit can't be made", &e);
    // the reference that HEAD leads to in the end, itself where it is detached
    let branch = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
    let branch = branch.unwrap_or_else(|| "HEAD".to_owned());
    transaction.lock_ref(&branch).map_err(|e| locked(&e))?;
    if repo.refname_to_id(&branch).map_err(fault)? != from {
        return Err(Failure::other("somebody committed here just now").hinted("run again"));
    }
    let subject = request.message.lines().next().unwrap_or_default();
    let committer = request.committer.signature()?;
    transaction.set_target(&branch, to, Some(&committer), &format!("commit: {subject}")).map_err(fault)
}

/// What [`commit`] would refuse, without doing anything.
///
/// # Errors
/// As [`commit`]: exit 6 where a reference was changed already, exit 1 in the middle of a merge.
pub fn rehearse(checkout: &Checkout, plan: &Plan, worktree: &Worktree, replan: &Replan<'_>) -> Result<()> {
    check_state(&checkout.repo)?;
    let index = checkout.repo.index().map_err(|e| unreadable_index(&e))?;
    let versions = IndexAndWorkTree { checkout, index: &index, plan, worktree, replan };
    plan.edits.iter().try_for_each(|edit| versions.of(edit).map(|_| ()))
}

/// The branch could not be moved in the end: index and files become what they were, as far as that goes.
fn put_back(index: &Index, before: Option<Vec<u8>>, worktree: &Worktree, edited: &[EditedFile]) {
    if let (Some(path), Some(before)) = (index.path(), before) {
        let _ = put_index_back(path, before);
    }
    for EditedFile { work, .. } in edited {
        let FileEdit { path, before, after } = work.clone();
        let undo = FileEdit { path, before: after, after: before };
        let _ = worktree.stage(&[undo]).and_then(crate::worktree::StagedFiles::replace);
    }
}

/// As the file that it was, for whom it was.
fn put_index_back(path: &Path, before: Vec<u8>) -> Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let after = std::fs::read(path).context("the index can't be read")?;
    let undo = [FileEdit { path: name.to_string_lossy().into_owned(), before: after, after: before }];
    Ok(Worktree::open(folder)?.stage(&undo)?.replace()?)
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

/// Plans the same bump on one file with other bytes.
pub type Replan<'a> = dyn Fn(&str, &[u8]) -> Result<Plan> + 'a;

/// Makes the plan's edits on what index and work tree have.
struct IndexAndWorkTree<'a> {
    checkout: &'a Checkout,
    index: &'a Index,
    plan: &'a Plan,
    worktree: &'a Worktree,
    replan: &'a Replan<'a>,
}

impl IndexAndWorkTree<'_> {
    fn of(&self, edit: &FileEdit) -> Result<EditedFile> {
        let full = self.checkout.full_path(&edit.path);
        let staged = self.index.get_path(Path::new(&full), 0);
        let staged = staged.and_then(|entry| self.checkout.repo.find_blob(entry.id).ok());
        let staged = staged.ok_or_else(|| changed(&edit.path, "is not in the index as a file"))?;
        let work = self.worktree.read_one(&edit.path);
        let work =
            work.map_err(|e| changed(&edit.path, &format!("can't be edited in the work tree ({e})")))?;
        Ok(EditedFile {
            index: self.same_edit(edit, staged.content().to_vec(), "in the index")?,
            work: self.same_edit(edit, work, "in the work tree")?,
            path: full,
        })
    }

    /// The same changes on another version of the file.
    fn same_edit(&self, edit: &FileEdit, bytes: Vec<u8>, place: &str) -> Result<FileEdit> {
        if bytes == edit.before {
            return Ok(edit.clone());
        }
        let why = format!("has uncommitted changes {place} that touch the reference itself");
        let planned = (self.replan)(&edit.path, &bytes).map_err(|_| changed(&edit.path, &why))?;
        let told = |plan: &Plan| -> Vec<_> {
            let here = plan.changes.iter().filter(|c| c.file == edit.path);
            here.map(|c| (c.image.clone(), c.from.clone(), c.to.clone())).collect()
        };
        match planned.edits.iter().find(|found| found.path == edit.path) {
            Some(found) if told(&planned) == told(self.plan) => Ok(found.clone()),
            _ => Err(changed(&edit.path, &why)),
        }
    }
}

fn changed(path: &str, why: &str) -> Failure {
    Failure::new(Exit::NotEditable, format!("{}: {why}; nothing was written", inline(path)))
        .hinted("commit, stash or undo those changes, then bump")
}

/// The edited blob in the place of the staged one, with its mode.
fn stage(checkout: &Checkout, index: &mut Index, file: &EditedFile) -> Result<(), git2::Error> {
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
#[cfg(unix)]
fn refresh(index: &mut Index, worktree: &Worktree, edited: &[EditedFile]) {
    use std::os::unix::fs::MetadataExt;
    // git's index has the low bits alone
    let time = |seconds: i64, nanoseconds: i64| IndexTime::new(seconds as i32, nanoseconds as u32);
    for EditedFile { path, index: staged, work } in
        edited.iter().filter(|file| file.index.after == file.work.after)
    {
        let about = worktree.about_same(&work.path, &staged.after);
        let Some((about, entry)) = about.zip(index.get_path(Path::new(path), 0)) else { continue };
        let _ = index.add(&IndexEntry {
            ctime: time(about.ctime(), about.ctime_nsec()),
            mtime: time(about.mtime(), about.mtime_nsec()),
            ino: about.ino() as u32,
            uid: about.uid(),
            gid: about.gid(),
            file_size: about.len() as u32,
            ..entry
        });
    }
    let _ = index.write();
}

#[cfg(not(unix))]
fn refresh(_: &mut Index, _: &Worktree, _: &[EditedFile]) {}
