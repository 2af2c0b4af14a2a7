//! After landing: a clean checkout of the target branch is fast-forwarded, so that later steps see the commit.

use std::fs;
use std::path::Path;

use git2::Oid;

use super::checkout::Checkout;
use super::place::GitPlace;
use super::process;
use super::workspace::Workspace;
use crate::interrupt;

/// What became of the checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    Forwarded,
    /// Left as it was, and why.
    Left(String),
}

/// Brings the landed commit's objects into the checkout, and has git merge it, as a fast-forward only.
///
/// Only a checkout on the target branch, without uncommitted changes and without commits of its own.
pub fn sync(checkout: &Checkout, place: &GitPlace, remote: &str, commit: &str) -> Synced {
    match forward(checkout, place, remote, commit) {
        Ok(()) => Synced::Forwarded,
        Err(why) => Synced::Left(why),
    }
}

fn follows(workspace: &Workspace, landed: Oid, head: Oid) -> bool {
    head == landed || workspace.repo.graph_descendant_of(landed, head).unwrap_or(false)
}

fn forward(checkout: &Checkout, place: &GitPlace, remote: &str, commit: &str) -> Result<(), String> {
    let landed = Oid::from_str(commit).map_err(|e| e.message().to_owned())?;
    let branch = place.branch().unwrap_or_default();
    let head = checkout.head_oid().ok_or("it has no commit yet")?;
    match checkout.branch() {
        Some(here) if here == branch => {}
        Some(here) => return Err(format!("it is on branch {here}")),
        None => return Err("its HEAD is detached".to_owned()),
    }
    let workspace = place.workspace();
    if workspace.borrows && !follows(workspace, landed, head) {
        return Err("it has commits of its own".to_owned());
    }
    if !is_clean(checkout)? {
        return Err("it has uncommitted changes".to_owned());
    }
    interrupt::together(|| {
        if workspace.borrows {
            adopt(&workspace.objects(), &checkout.repo.commondir().join("objects"))
                .map_err(|e| e.to_string())?;
        } else {
            // a partial clone knows itself what it lacks
            run(checkout, &["fetch", "--quiet", "--no-tags", remote, &format!("refs/heads/{branch}")])?;
        }
        run(checkout, &["merge", "--ff-only", "--quiet", commit])?;
        track(checkout, remote, branch, landed);
        Ok(())
    })
}

/// As git sees it, which knows of filters, sparse checkouts and file systems.
fn is_clean(checkout: &Checkout) -> Result<bool, String> {
    let output = process::git(Some(&checkout.workdir))
        .args(["status", "--porcelain", "--untracked-files=no"])
        .output()
        .map_err(|_| "git was not found".to_owned())?;
    if !output.status.success() {
        return Err(format!("git status failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(output.stdout.is_empty())
}

/// Copies the workspace's own objects: what was fetched, and the commit. Each file appears whole or not at
/// all, a pack before its index, by which git finds it.
fn adopt(from: &Path, to: &Path) -> std::io::Result<()> {
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
    let aside = tempfile::Builder::new().prefix("tmp_obj_").tempfile_in(folder)?;
    fs::copy(file, aside.path())?;
    aside.persist(&target).map(|_| ()).map_err(|e| e.error)
}

fn run(checkout: &Checkout, arguments: &[&str]) -> Result<(), String> {
    let output = process::git(Some(&checkout.workdir)).args(arguments).output();
    let output = output.map_err(|_| "git was not found".to_owned())?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("git {} failed: {words}", arguments[0]))
}

/// Moves the remote-tracking branch, as a push by git would.
fn track(checkout: &Checkout, remote: &str, branch: &str, landed: Oid) {
    if let Some(name) = checkout.tracking(remote, branch) {
        // without it only `git status` counts wrong until the next fetch
        let _ = checkout.repo.reference(&name, landed, true, "update by push");
    }
}
