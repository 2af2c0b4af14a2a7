//! After landing: a clean checkout of the target branch is fast-forwarded, so that later steps see the commit.
//!
//! git does that, so that the checkout's filters and hooks run. tagbump gives it no URL and no credential: the new
//! objects come from the workspace.

use std::time::{Duration, Instant};

use git2::Oid;

use super::adopt::NewObjects;
use super::checkout::Checkout;
use super::place::GitRemoteBranch;
use super::process::{self, Interruption, NotRun, ProcessOutput, Purpose};
use super::workspace::Workspace;
use crate::signals;

/// How long a git command may take here.
const GIT_TIME: Duration = Duration::from_secs(60);

/// What became of the checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncResult {
    FastForwarded,
    /// Left as it was, and why.
    Skipped(String),
}

/// Brings the landed commit's objects into the checkout, and has git merge it, as a fast-forward only.
///
/// Only a checkout on the target branch, without uncommitted changes, and without commits of its own that
/// were not carried along. For a partial clone, more of the history may be fetched, until a deadline.
pub fn sync(
    checkout: &Checkout,
    place: &GitRemoteBranch,
    remote: &str,
    commit: &str,
    deadline: Instant,
) -> SyncResult {
    match forward(checkout, place, remote, commit, deadline) {
        Ok(()) => SyncResult::FastForwarded,
        Err(why) => SyncResult::Skipped(place.scrub(&why)),
    }
}

fn follows(workspace: &Workspace, landed: Oid, head: Oid) -> bool {
    head == landed || workspace.repo.graph_descendant_of(landed, head).unwrap_or(false)
}

fn forward(
    checkout: &Checkout,
    place: &GitRemoteBranch,
    remote: &str,
    commit: &str,
    deadline: Instant,
) -> Result<(), String> {
    let landed = Oid::from_str(commit).map_err(|e| e.message().to_owned())?;
    let branch = place.branch().unwrap_or_default();
    let head = checkout.head_oid().ok_or("it has no commit yet")?;
    match checkout.branch() {
        Some(here) if here == branch => {}
        Some(here) => return Err(format!("it is on branch {here}")),
        None => return Err("its HEAD is detached".to_owned()),
    }
    let workspace = place.workspace();
    let own_commits = || Err("it has commits of its own".to_owned());
    if !workspace.borrows && checkout.has_own_commits(remote, branch, None) {
        return own_commits();
    }
    let objects = NewObjects::find(checkout, place, head, landed, deadline)
        .ok_or("its history is too short for what is new; git pull brings it")?;
    let follows = follows(workspace, landed, head);
    // what was carried has landed, as other commits
    let has_landed = place.carried_head() == Some(head);
    if !follows && !has_landed {
        return own_commits();
    }
    if !is_clean(checkout)? {
        return Err("it has uncommitted changes".to_owned());
    }
    signals::together(|| {
        objects.adopt(checkout)?;
        match follows {
            true => run(checkout, &["merge", "--ff-only", "--quiet", commit], Interruption::HeldOff)?,
            false => run(checkout, &["reset", "--keep", "--quiet", commit], Interruption::HeldOff)?,
        };
        track(checkout, remote, branch, landed);
        Ok(())
    })
}

/// As git sees it, which knows of filters, sparse checkouts and file systems.
fn is_clean(checkout: &Checkout) -> Result<bool, String> {
    let arguments = ["status", "--porcelain", "--untracked-files=no"];
    let status = run(checkout, &arguments, Interruption::EndsIt)?;
    match status.complete {
        true => Ok(status.stdout.is_empty()),
        // the missing part may name a file
        false => Err("git status left a process behind, so its output is incomplete".to_owned()),
    }
}

/// What git prints; else why it failed.
fn run(checkout: &Checkout, arguments: &[&str], interruption: Interruption) -> Result<ProcessOutput, String> {
    let mut command = process::git(Some(&checkout.workdir), Purpose::Checkout, checkout.environment());
    command.args(arguments);
    let name = arguments[0];
    match process::run(command, b"", GIT_TIME, interruption) {
        Ok(output) if output.success => Ok(output),
        Ok(output) => match output.stderr.trim() {
            "" => Err(format!("git {name} failed without a message")),
            message => Err(format!("git {name}: {message}")),
        },
        Err(NotRun::Missing) => Err(format!("git {name}: git was not found")),
        Err(NotRun::Unstartable(e)) => Err(format!("git {name}: {e}")),
        Err(NotRun::Late) => Err(format!("git {name} took longer than {} s", GIT_TIME.as_secs())),
    }
}

/// Moves the remote-tracking branch, as a push by git would.
fn track(checkout: &Checkout, remote: &str, branch: &str, landed: Oid) {
    if let Some(name) = checkout.tracking(remote, branch) {
        // without it only `git status` counts wrong until the next fetch
        let _ = checkout.repo.reference(&name, landed, true, "update by push");
    }
}
