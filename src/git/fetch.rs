//! Fetching: where the server's branches are, and what of it is brought into the workspace.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use git2::{AutotagOption, Direction, FetchOptions, Oid, RemoteCallbacks, RemoteConnection, RemoteHead};

use super::answers::limits::FETCHED_OBJECTS;
use super::answers::{AnswerError, LimitExceeded};
use super::transport::{self, Endpoint, TransferError};
use super::workspace::Workspace;
use crate::error::inline;

pub const TIP: &str = "refs/tagbump/tip";
const HEAD: &str = "refs/tagbump/head";

/// How many commits are fetched where there are none to build on, and a commit of ours may be among them.
const HISTORY: i32 = 100;

/// More objects than a checkout misses of what was pushed since. A tip that has merged a branch which forked
/// before a shallow checkout's one commit brings all of the history in between, unless a depth is set.
const MANY_OBJECTS: usize = 5000;

/// How deep a shallow history is made, step by step.
pub const DEPTHS: [i32; 3] = [50, 250, 1000];

/// What is asked for.
pub struct FetchRequest<'a> {
    /// Nothing: the default one.
    pub branch: Option<&'a str>,
    /// A pull request's branch.
    pub head: Option<&'a str>,
    /// Whether a commit of ours may be below the tip.
    pub ours: bool,
}

/// Where the branches are.
pub struct AdvertisedBranches {
    pub branch: String,
    pub tip: Oid,
    /// Of the pull request's branch.
    pub head: Option<Oid>,
    /// The default branch and its tip, where the server tells.
    pub default: Option<(String, Oid)>,
}

/// Asks for the branches, and fetches what is not here. One connection. Nothing where there is no such
/// branch.
pub fn fetch(
    workspace: &Workspace,
    endpoint: &Arc<Endpoint>,
    wanted: &FetchRequest<'_>,
    deadline: Instant,
) -> Result<Option<AdvertisedBranches>, TransferError> {
    let too_many = Cell::new(false);
    let shallow = workspace.borrows && workspace.repo.is_shallow();
    let limit = shallow.then_some(&too_many);
    let depth = match (workspace.borrows, wanted.ours || wanted.head.is_some()) {
        (true, _) => 0,
        (false, true) => HISTORY,
        (false, false) => 1,
    };
    match connected(workspace, endpoint, wanted, depth, limit, deadline) {
        Err(_) if too_many.get() => {
            workspace.cut.set(true);
            connected(workspace, endpoint, wanted, DEPTHS[0], None, deadline)
        }
        done => done,
    }
}

fn connected(
    workspace: &Workspace,
    endpoint: &Arc<Endpoint>,
    wanted: &FetchRequest<'_>,
    depth: i32,
    limit: Option<&Cell<bool>>,
    deadline: Instant,
) -> Result<Option<AdvertisedBranches>, TransferError> {
    endpoint.during(deadline, || {
        let mut remote = workspace.repo.remote_anonymous(transport::URL)?;
        let mut connection = remote.connect_auth(Direction::Fetch, None, None)?;
        let Some(found) = find(connection.list()?, wanted) else { return Ok(None) };
        let mut refspecs = Vec::new();
        if !workspace.has(found.tip) {
            refspecs.push(format!("+refs/heads/{}:{TIP}", found.branch));
        }
        if let (Some(head), Some(_)) = (wanted.head, found.head.filter(|tip| !workspace.has(*tip))) {
            refspecs.push(format!("+refs/heads/{head}:{HEAD}"));
        }
        if !refspecs.is_empty() {
            download(&mut connection, endpoint, &refspecs, depth, limit)?;
        }
        Ok(Some(found))
    })
}

/// Fetches a branch to a depth, or without one. The checkout stays as shallow as it is.
pub fn deepen(
    workspace: &Workspace,
    endpoint: &Arc<Endpoint>,
    branch: &str,
    to: &str,
    depth: i32,
    deadline: Instant,
) -> Result<(), TransferError> {
    endpoint.during(deadline, || {
        let mut remote = workspace.repo.remote_anonymous(transport::URL)?;
        let mut connection = remote.connect_auth(Direction::Fetch, None, None)?;
        download(&mut connection, endpoint, &[format!("+refs/heads/{branch}:{to}")], depth, None)
    })
}

/// A depth of 0 is none. Gives up, and sets `limit`, where more comes than is wanted.
fn download(
    connection: &mut RemoteConnection<'_, '_, '_>,
    endpoint: &Endpoint,
    refspecs: &[String],
    depth: i32,
    limit: Option<&Cell<bool>>,
) -> Result<(), git2::Error> {
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|progress| {
        let many = limit.filter(|_| progress.total_objects() > MANY_OBJECTS);
        many.inspect(|many| many.set(true));
        let fits = progress.total_objects() <= FETCHED_OBJECTS;
        if !fits {
            // libgit2 has an error of its own for it, which does not say why
            let _ = endpoint.refuse(AnswerError::TooLong(LimitExceeded::FetchedObjects));
        }
        fits && many.is_none()
    });
    let mut options = FetchOptions::new();
    options.download_tags(AutotagOption::None).update_fetchhead(false).remote_callbacks(callbacks);
    if depth > 0 {
        options.depth(depth);
    }
    connection.remote().fetch(refspecs, Some(&mut options), None)
}

/// The wanted branch among what the server lists, or its default one.
fn find(listed: &[RemoteHead<'_>], wanted: &FetchRequest<'_>) -> Option<AdvertisedBranches> {
    let tip_of = |branch: &str| {
        let full = format!("refs/heads/{branch}");
        listed.iter().find(|head| head.name() == full).map(RemoteHead::oid)
    };
    let default = default_of(listed);
    let branch = wanted.branch.or(default.as_ref().map(|(name, _)| name.as_str()))?.to_owned();
    Some(AdvertisedBranches { tip: tip_of(&branch)?, head: wanted.head.and_then(tip_of), branch, default })
}

/// The server's default branch, and its tip.
fn default_of(listed: &[RemoteHead<'_>]) -> Option<(String, Oid)> {
    let head = listed.iter().find(|head| head.name() == "HEAD")?;
    // a name is shown, and a server may have put anything into it
    let branch = head.symref_target()?.strip_prefix("refs/heads/").filter(|name| inline(name) == *name)?;
    Some((branch.to_owned(), head.oid()))
}
