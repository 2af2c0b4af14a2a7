//! After landing, fast-forwards a clean checkout of the target branch, so that later steps see the commit.
//!
//! Where there are filters, hooks or the like, git does this, so that they run. tagbump gives it no URL and no
//! credential: the new objects come from the workspace. Elsewhere, `fast_forward` does it without starting git.

use std::time::Duration;

use super::adopt::NewObjects;
use super::checkout::Checkout;
#[cfg(unix)]
use super::fast_forward::FastForward;
use super::oid::oid;
use super::process::{self, Interruption, NotRun, ProcessOutput, Purpose};
use super::transport::TransferError;
use super::workspace::Workspace;
use crate::object_id::CommitId;
use crate::signals;

/// How long a git command may take here.
const GIT_TIME: Duration = Duration::from_secs(60);

/// What happened to the checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncResult {
    FastForwarded,
    /// Left unchanged, with the reason.
    Skipped(String),
}

/// A landed commit, and the workspace that it landed from.
pub struct LandedCommit<'a> {
    pub commit: CommitId,
    /// The branch that it is on.
    pub branch: &'a str,
    pub workspace: &'a Workspace,
    /// The last of the local commits that were carried along.
    pub carried_head: Option<CommitId>,
    /// Fetches the branch into the workspace to the given depth.
    pub deepen: &'a dyn Fn(i32) -> Result<(), TransferError>,
}

/// Copies the landed commit's objects into the checkout, then has git fast-forward to it. If local commits were
/// carried, git resets to it instead, and keeps uncommitted work.
///
/// This happens only if the checkout is on the target branch, has no uncommitted changes, and no commits other than
/// those that were carried along. For a partial clone, it may fetch more of the history.
pub fn sync(checkout: &Checkout, remote: &str, landed: &LandedCommit<'_>) -> SyncResult {
    match forward(checkout, remote, landed) {
        Ok(()) => SyncResult::FastForwarded,
        Err(why) => SyncResult::Skipped(why),
    }
}

fn follows(workspace: &Workspace, landed: CommitId, head: CommitId) -> bool {
    head == landed || workspace.repo.graph_descendant_of(oid(landed), oid(head)).unwrap_or(false)
}

fn forward(checkout: &Checkout, remote: &str, landed: &LandedCommit<'_>) -> Result<(), String> {
    let LandedCommit { commit, branch, workspace, carried_head, .. } = *landed;
    let head = checkout.head().ok_or("it has no commit yet")?;
    match checkout.branch() {
        Some(here) if here == branch => {}
        Some(here) => return Err(format!("it is on branch {here}")),
        None => return Err("its HEAD is detached".to_owned()),
    }
    let own_commits = || Err("it has commits of its own".to_owned());
    if !workspace.borrows && checkout.has_own_commits(remote, branch, None) {
        return own_commits();
    }
    let objects = NewObjects::find(checkout, head, landed)
        .ok_or("its history is too shallow for the new commits; run git pull")?;
    let follows = follows(workspace, commit, head);
    // carried commits have landed under other IDs
    let has_landed = carried_head == Some(head);
    if !follows && !has_landed {
        return own_commits();
    }
    if follows && try_fast_forward(checkout, head, landed, &objects)? {
        track(checkout, remote, branch, commit);
        return Ok(());
    }
    if !is_clean(checkout)? {
        return Err("it has uncommitted changes".to_owned());
    }
    signals::uninterrupted(|| {
        objects.adopt(checkout)?;
        let name = commit.to_string();
        match follows {
            true => run(checkout, &["merge", "--ff-only", "--quiet", &name], Interruption::HeldOff)?,
            false => run(checkout, &["reset", "--keep", "--quiet", &name], Interruption::HeldOff)?,
        };
        track(checkout, remote, branch, commit);
        Ok(())
    })
}

/// Fast-forwards the checkout without git, where git would do nothing special. If that can't be done, git does it, or
/// says why not.
#[cfg(unix)]
fn try_fast_forward(
    checkout: &Checkout,
    head: CommitId,
    landed: &LandedCommit<'_>,
    objects: &NewObjects<'_>,
) -> Result<bool, String> {
    let Some(step) = FastForward::find(checkout, head, landed) else { return Ok(false) };
    signals::uninterrupted(|| {
        objects.adopt(checkout)?;
        Ok(step.make().is_ok())
    })
}

#[cfg(not(unix))]
fn try_fast_forward(
    _: &Checkout,
    _: CommitId,
    _: &LandedCommit<'_>,
    _: &NewObjects<'_>,
) -> Result<bool, String> {
    Ok(false)
}

/// Asks git, because it knows about filters, sparse checkouts and file systems.
fn is_clean(checkout: &Checkout) -> Result<bool, String> {
    let arguments = ["status", "--porcelain", "--untracked-files=no"];
    let status = run(checkout, &arguments, Interruption::EndsIt)?;
    match status.complete {
        true => Ok(status.stdout.is_empty()),
        // the missing part may name a file
        false => Err("git status left a process behind, so its output is incomplete".to_owned()),
    }
}

/// Runs git and returns its output, or the reason why it failed.
fn run(checkout: &Checkout, arguments: &[&str], interruption: Interruption) -> Result<ProcessOutput, String> {
    let mut command = process::git(Some(&checkout.workdir), Purpose::Checkout, checkout.environment());
    checkout.location.name_for(&mut command);
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

/// Moves the remote-tracking branch, as `git push` would.
fn track(checkout: &Checkout, remote: &str, branch: &str, landed: CommitId) {
    if let Some(name) = checkout.tracking(remote, branch) {
        // if this fails, `git status` only compares with an old commit until the next fetch
        let _ = checkout.repo.reference(&name, oid(landed), true, "update by push");
    }
}
