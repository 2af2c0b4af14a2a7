//! Fetches from a remote: finds its branches, and gets new commits into the workspace.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use git2::{AutotagOption, Direction, FetchOptions, RemoteCallbacks, RemoteConnection, RemoteHead};

use super::answers::limits::FETCHED_OBJECTS;
use super::answers::{AnswerError, LimitExceeded};
use super::oid::{commit_id, oid};
use super::transport::{self, Endpoint, TransferError};
use super::workspace::Workspace;
use crate::object_id::CommitId;
use crate::visible::inline;

/// The workspace's references to commits that were fetched before. libgit2 offers to the server what references point at.
const FETCHED: &str = "refs/tagbump/fetched";

/// How many commits to fetch if there are none to build on, and one of ours may be among them.
const HISTORY: i32 = 100;

/// A fetch into a shallow checkout rarely brings more objects than this. If the tip has merged a branch that forked
/// before the checkout's only commit, the fetch brings all the history in between, unless it has a depth.
const MANY_OBJECTS: usize = 5000;

/// The depths, in commits, to which a shallow history is fetched step by step.
pub const DEPTHS: [i32; 3] = [50, 250, 1000];

/// What to fetch.
pub struct FetchRequest<'a> {
    /// `None` means the default branch.
    pub branch: Option<&'a str>,
    /// The branch of a pull request.
    pub head: Option<&'a str>,
    /// Whether a commit of ours may be below the tip.
    pub ours: bool,
    /// Tips that were fetched before.
    pub fetched: Vec<CommitId>,
}

/// Where the server's branches are.
pub struct AdvertisedBranches {
    pub branch: String,
    pub tip: CommitId,
    /// The tip of the pull request's branch.
    pub head: Option<CommitId>,
    /// The default branch and its tip, if the server says which one it is.
    pub default: Option<(String, CommitId)>,
}

/// Fetches from a remote into a workspace.
#[derive(Clone, Copy)]
pub struct Fetcher<'a> {
    pub workspace: &'a Workspace,
    pub endpoint: &'a Arc<Endpoint>,
    pub deadline: Instant,
}

impl Fetcher<'_> {
    /// Looks up the branches and fetches the missing commits, over one connection. Returns `None` if the branch doesn't
    /// exist. Before anything is downloaded, `meanwhile` gets the branch's name, to start something that can happen at the same time.
    ///
    /// # Errors
    /// If the server can't be reached, refuses, or sends something unusable.
    pub fn fetch(
        &self,
        wanted: &FetchRequest<'_>,
        meanwhile: &mut dyn FnMut(&str),
    ) -> Result<Option<AdvertisedBranches>, TransferError> {
        let workspace = self.workspace;
        let too_many = Cell::new(false);
        let shallow = workspace.borrows && workspace.repo.is_shallow();
        let limit = shallow.then_some(&too_many);
        let depth = match (workspace.borrows, wanted.ours || wanted.head.is_some()) {
            (true, _) => 0,
            (false, true) => HISTORY,
            (false, false) => 1,
        };
        match self.fetch_to_depth(wanted, depth, limit, meanwhile) {
            Err(_) if too_many.get() => {
                workspace.cut.set(true);
                self.fetch_to_depth(wanted, DEPTHS[0], None, &mut |_| ())
            }
            done => done,
        }
    }

    fn fetch_to_depth(
        &self,
        wanted: &FetchRequest<'_>,
        depth: i32,
        limit: Option<&Cell<bool>>,
        meanwhile: &mut dyn FnMut(&str),
    ) -> Result<Option<AdvertisedBranches>, TransferError> {
        let Fetcher { workspace, endpoint, deadline } = *self;
        endpoint.during(deadline, || {
            let mut remote = workspace.repo.remote_anonymous(transport::URL)?;
            let mut connection = remote.connect_auth(Direction::Fetch, None, None)?;
            let Some(found) = find(connection.list()?, wanted) else { return Ok(None) };
            let mut refspecs = Vec::new();
            if !workspace.has(found.tip) {
                refspecs.push(format!("refs/heads/{}", found.branch));
            }
            if let (Some(head), Some(_)) = (wanted.head, found.head.filter(|tip| !workspace.has(*tip))) {
                refspecs.push(format!("refs/heads/{head}"));
            }
            if !refspecs.is_empty() {
                meanwhile(&found.branch);
                offer(workspace, &wanted.fetched)?;
                self.download(&mut connection, &refspecs, depth, limit)?;
            }
            Ok(Some(found))
        })
    }

    /// Fetches a branch to a depth, or without one if it is 0. The checkout stays as shallow as it is. `fetched` are tips that
    /// were fetched before.
    ///
    /// # Errors
    /// As [`Fetcher::fetch`].
    pub fn deepen(&self, branch: &str, fetched: &[CommitId], depth: i32) -> Result<(), TransferError> {
        let Fetcher { workspace, endpoint, deadline } = *self;
        endpoint.during(deadline, || {
            let mut remote = workspace.repo.remote_anonymous(transport::URL)?;
            let mut connection = remote.connect_auth(Direction::Fetch, None, None)?;
            offer(workspace, fetched)?;
            self.download(&mut connection, &[format!("refs/heads/{branch}")], depth, None)
        })
    }

    /// Fetches the commits of these references to a depth, or without one if it is 0. Makes no references: each would be
    /// a file. Stops and sets `limit` if more objects come than expected.
    fn download(
        &self,
        connection: &mut RemoteConnection<'_, '_, '_>,
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
                // libgit2's own error doesn't say why
                let _ = self.endpoint.refuse(AnswerError::TooLong(LimitExceeded::FetchedObjects));
            }
            fits && many.is_none()
        });
        let mut options = FetchOptions::new();
        options.download_tags(AutotagOption::None).remote_callbacks(callbacks);
        if depth > 0 {
            options.depth(depth);
        }
        connection.remote().download(refspecs, Some(&mut options))
    }
}

/// Offers commits to the server, so that it sends only what comes after them.
fn offer(workspace: &Workspace, fetched: &[CommitId]) -> Result<(), git2::Error> {
    let known = fetched.iter().filter(|tip| workspace.has(**tip)).enumerate();
    for (nth, tip) in known {
        workspace.repo.reference(&format!("{FETCHED}/{nth}"), oid(*tip), true, "")?;
    }
    Ok(())
}

/// Finds the wanted branch, or the default one, in the server's list.
fn find(listed: &[RemoteHead<'_>], wanted: &FetchRequest<'_>) -> Option<AdvertisedBranches> {
    let tip_of = |branch: &str| {
        let full = format!("refs/heads/{branch}");
        listed.iter().find(|head| head.name() == full).map(|head| commit_id(head.oid()))
    };
    let default = default_of(listed);
    let branch = wanted.branch.or(default.as_ref().map(|(name, _)| name.as_str()))?.to_owned();
    Some(AdvertisedBranches { tip: tip_of(&branch)?, head: wanted.head.and_then(tip_of), branch, default })
}

/// The server's default branch and its tip.
fn default_of(listed: &[RemoteHead<'_>]) -> Option<(String, CommitId)> {
    let head = listed.iter().find(|head| head.name() == "HEAD")?;
    // the name is shown to users, and a server can put anything into it
    let branch = head.symref_target()?.strip_prefix("refs/heads/").filter(|name| inline(name) == *name)?;
    Some((branch.to_owned(), commit_id(head.oid())))
}
