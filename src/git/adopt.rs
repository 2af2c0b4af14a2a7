//! Copies the objects of a landed commit from the workspace into the checkout, where git finds them.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use git2::{Buf, Commit, ObjectType, Oid, Revwalk, TreeEntry};

use super::checkout::Checkout;
use super::fetch::DEPTHS;
use super::oid::oid;
use super::sync::LandedCommit;
use super::workspace::Workspace;
use crate::object_id::CommitId;

/// The objects that the checkout lacks.
pub enum NewObjects<'w> {
    /// All objects that were fetched into the workspace's own folder, and the commits that were made in its memory.
    Own { workspace: &'w Workspace, head: CommitId, commit: CommitId },
    /// A pack. The workspace of a partial clone also has older commits whose own parents are missing. They must not
    /// get into the checkout.
    Pack(Vec<u8>),
}

impl<'w> NewObjects<'w> {
    /// Finds the objects that lead from the checkout's commit to the landed one; `None` if there is a gap. The
    /// workspace of a partial clone starts with only the tip, so more of the history may be fetched to close the gap.
    pub fn find(checkout: &Checkout, head: CommitId, landed: &LandedCommit<'w>) -> Option<Self> {
        let (workspace, commit) = (landed.workspace, landed.commit);
        if workspace.borrows {
            return (!workspace.cut.get()).then_some(NewObjects::Own { workspace, head, commit });
        }
        let mut depths = DEPTHS.into_iter();
        while !is_connected(workspace, checkout, head, commit).unwrap_or(false) {
            (landed.deepen)(depths.next()?).ok()?;
        }
        pack(workspace, head, commit).ok().map(NewObjects::Pack)
    }

    /// Puts the objects into the checkout.
    ///
    /// # Errors
    /// Fails if they can't be written.
    pub fn adopt(&self, checkout: &Checkout) -> Result<(), String> {
        match self {
            NewObjects::Own { workspace, head, commit } => {
                let to = checkout.repo.commondir().join("objects");
                copy_all(&workspace.objects(), &to).map_err(|e| e.to_string())?;
                copy_made(workspace, checkout, *head, *commit).map_err(|e| e.message().to_owned())
            }
            NewObjects::Pack(pack) => write(checkout, pack).map_err(|e| e.message().to_owned()),
        }
    }
}

/// Walks the commits that come after `head`.
fn since(workspace: &Workspace, head: CommitId, landed: CommitId) -> Result<Revwalk<'_>, git2::Error> {
    let mut walk = workspace.repo.revwalk()?;
    walk.push(oid(landed))?;
    walk.hide(oid(head))?;
    Ok(walk)
}

/// Whether the workspace has every commit since `head`, down to commits that the checkout has.
fn is_connected(
    workspace: &Workspace,
    checkout: &Checkout,
    head: CommitId,
    landed: CommitId,
) -> Result<bool, git2::Error> {
    if !workspace.has(head) {
        return Ok(false);
    }
    let new: HashSet<Oid> = since(workspace, head, landed)?.collect::<Result<_, _>>()?;
    for commit in &new {
        let commit = workspace.repo.find_commit(*commit)?;
        if !written_parents(&commit).all(|p| new.contains(&p) || checkout.repo.find_commit(p).is_ok()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The parents that the commit names. libgit2 omits those that a shallow repository lacks.
fn written_parents(commit: &Commit<'_>) -> impl Iterator<Item = Oid> {
    let header = commit.raw_header_bytes();
    let parents = header.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"parent "));
    parents.filter_map(|hex| Oid::from_str(std::str::from_utf8(hex).ok()?).ok())
}

fn pack(workspace: &Workspace, head: CommitId, landed: CommitId) -> Result<Vec<u8>, git2::Error> {
    let mut pack = workspace.repo.packbuilder()?;
    pack.set_threads(1);
    pack.insert_walk(&mut since(workspace, head, landed)?)?;
    let mut bytes = Buf::new();
    pack.write_buf(&mut bytes)?;
    Ok(bytes.to_vec())
}

fn write(checkout: &Checkout, pack: &[u8]) -> Result<(), git2::Error> {
    let objects = checkout.repo.odb()?;
    let mut writer = objects.packwriter()?;
    writer.write_all(pack).map_err(|e| git2::Error::from_str(&e.to_string()))?;
    writer.commit().map(drop)
}

/// Copies the objects that were made in the workspace: those that the checkout lacks of the commits since `head`. They
/// become one pack, which appears as a whole or not at all, and is three files at most: an object of its own for each
/// would be two or three times as slow.
fn copy_made(
    workspace: &Workspace,
    checkout: &Checkout,
    head: CommitId,
    landed: CommitId,
) -> Result<(), git2::Error> {
    let has = checkout.repo.odb()?;
    let mut pack = workspace.repo.packbuilder()?;
    pack.set_threads(1);
    let mut left = since(workspace, head, landed)?.collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    while let Some(id) = left.pop() {
        if seen.insert(id) && !has.exists(id) {
            pack.insert_object(id, None)?;
            left.extend(named_in(workspace, id)?);
        }
    }
    if pack.object_count() == 0 {
        return Ok(());
    }
    let mut bytes = Buf::new();
    pack.write_buf(&mut bytes)?;
    write(checkout, &bytes)
}

/// The trees and files that an object names, but not the parents of a commit.
fn named_in(workspace: &Workspace, id: Oid) -> Result<Vec<Oid>, git2::Error> {
    let object = workspace.repo.find_object(id, None)?;
    if let Some(commit) = object.as_commit() {
        return Ok(vec![commit.tree_id()]);
    }
    let Some(tree) = object.as_tree() else { return Ok(Vec::new()) };
    let is_here = |entry: &TreeEntry<'_>| entry.kind() != Some(ObjectType::Commit);
    Ok(tree.iter().filter(is_here).map(|entry| entry.id()).collect())
}

/// Copies everything that was fetched. Each file appears as a whole or
/// not at all, and a pack appears before its index, because git finds packs by their index.
fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for folder in fs::read_dir(from)?.flatten() {
        let name = folder.file_name();
        if name == "info" || !folder.file_type()?.is_dir() {
            continue;
        }
        let mut files: Vec<_> = fs::read_dir(folder.path())?.flatten().map(|f| f.path()).collect();
        files.sort_by_key(|path| path.extension().is_some_and(|e| e == "idx"));
        fs::create_dir_all(to.join(&name))?;
        for file in files {
            copy(&file, &to.join(&name))?;
        }
    }
    Ok(())
}

fn copy(file: &Path, folder: &Path) -> std::io::Result<()> {
    let Some(name) = file.file_name() else { return Ok(()) };
    let target = folder.join(name);
    if target.exists() {
        return Ok(());
    }
    let mut aside = tempfile::Builder::new().prefix("tmp_obj_").tempfile_in(folder)?;
    // copy into the open file: anyone who shares the repository could replace its name with a symlink
    std::io::copy(&mut fs::File::open(file)?, aside.as_file_mut())?;
    aside.as_file().set_permissions(fs::metadata(file)?.permissions())?;
    aside.persist(&target).map(|_| ()).map_err(|e| e.error)
}
