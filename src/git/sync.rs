//! After landing: a clean checkout of the target branch is fast-forwarded, so that later steps see the commit.

use std::fs;
use std::path::Path;
use std::time::Duration;

use git2::Oid;

use super::checkout::Checkout;
use super::place::GitPlace;
use super::process;
use super::workspace::Workspace;
use crate::interrupt;

/// How long a git command may take here.
const GIT_TIME: Duration = Duration::from_secs(60);

/// What became of the checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    Forwarded,
    /// Left as it was, and why.
    Left(String),
}

/// Brings the landed commit's objects into the checkout, and has git merge it, as a fast-forward only.
///
/// Only a checkout on the target branch, without uncommitted changes, and without commits of its own that
/// were not carried along.
pub fn sync(checkout: &Checkout, place: &GitPlace, remote: &str, commit: &str) -> Synced {
    match forward(checkout, place, remote, commit) {
        Ok(()) => Synced::Forwarded,
        Err(why) => Synced::Left(place.scrub(&why)),
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
    if workspace.cut.get() {
        return Err("its history is too short for what is new; git pull brings it".to_owned());
    }
    let follows = !workspace.borrows || follows(workspace, landed, head);
    // what was carried has landed, as other commits
    let has_landed = place.carried_head() == Some(head);
    if !follows && !has_landed {
        return Err("it has commits of its own".to_owned());
    }
    if !is_clean(checkout)? {
        return Err("it has uncommitted changes".to_owned());
    }
    if !workspace.borrows {
        // a partial clone knows itself what it lacks
        run(checkout, &["fetch", "--quiet", "--no-tags", remote, &format!("refs/heads/{branch}")])?;
    }
    interrupt::together(|| {
        if workspace.borrows {
            adopt(&workspace.objects(), &checkout.repo.commondir().join("objects"))
                .map_err(|e| e.to_string())?;
        }
        match follows {
            true => run(checkout, &["merge", "--ff-only", "--quiet", commit])?,
            false => run(checkout, &["reset", "--keep", "--quiet", commit])?,
        };
        track(checkout, remote, branch, landed);
        Ok(())
    })
}

/// As git sees it, which knows of filters, sparse checkouts and file systems.
fn is_clean(checkout: &Checkout) -> Result<bool, String> {
    run(checkout, &["status", "--porcelain", "--untracked-files=no"]).map(|printed| printed.is_empty())
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
    let mut aside = tempfile::Builder::new().prefix("tmp_obj_").tempfile_in(folder)?;
    // into the open file: who shares the repository could put a symlink in the place of its name
    std::io::copy(&mut fs::File::open(file)?, aside.as_file_mut())?;
    aside.as_file().set_permissions(fs::metadata(file)?.permissions())?;
    aside.persist(&target).map(|_| ()).map_err(|e| e.error)
}

/// What git prints; else why it failed.
fn run(checkout: &Checkout, arguments: &[&str]) -> Result<String, String> {
    let mut command = process::git(Some(&checkout.workdir));
    command.args(arguments);
    process::output(command, GIT_TIME).map_err(|why| format!("git {}: {why}", arguments[0]))
}

/// Moves the remote-tracking branch, as a push by git would.
fn track(checkout: &Checkout, remote: &str, branch: &str, landed: Oid) {
    if let Some(name) = checkout.tracking(remote, branch) {
        // without it only `git status` counts wrong until the next fetch
        let _ = checkout.repo.reference(&name, landed, true, "update by push");
    }
}
