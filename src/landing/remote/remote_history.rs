//! The commits of a remote branch, as it is now. Nothing in the checkout moves.

use std::sync::Arc;
use std::time::Instant;

use super::classify;
use super::error::RemoteError;
use super::withheld::explain_fetch;
use crate::git::credentials::Credentials;
use crate::git::fetch::{self, AdvertisedBranches, FetchRequest, TIP};
use crate::git::oid::commit_id;
use crate::git::transport::Endpoint;
use crate::git::tree::CommitFiles;
use crate::git::workspace::Workspace;
use crate::git::{Checkout, RemoteUrl, Tokens};
use crate::history::git::{CommitWalk, Deepen};
use crate::landing::{Backoff, FetchError};
use crate::object_id::CommitId;

const DEEPER: &str = "refs/tagbump/past";

/// A remote branch and its history, fetched as far as it is needed.
pub struct RemoteHistory {
    workspace: Workspace,
    endpoint: Arc<Endpoint>,
    branch: String,
    tip: CommitId,
    prefix: String,
    deadline: Instant,
}

impl RemoteHistory {
    /// Reads the tip of a branch (by default the remote's default branch), and fetches new commits. The remote is a name or a URL.
    ///
    /// # Errors
    /// If there is no such remote or branch, or if the server refuses or can't be reached in time.
    pub fn fetch(
        checkout: &Checkout,
        remote: &str,
        branch: Option<&str>,
        tokens: &Tokens,
        backoff: &mut Backoff<'_>,
    ) -> Result<Self, RemoteError> {
        let (url, _) = checkout.remote(remote)?;
        let origin = checkout.url_origin(remote);
        let ways = checkout.ways()?;
        let helpers = checkout.credential_helpers();
        let credentials = Credentials::new(&url, &origin, tokens, &ways.http, helpers);
        let credentials = credentials.with_unread(checkout.unread_credentials());
        let endpoint = Endpoint::new(&url, credentials, &ways)?;
        let workspace = Workspace::new(checkout)?;
        let found = found(&workspace, &endpoint, &url, branch, backoff)?;
        let fetched = || workspace.repo.refname_to_id(TIP).ok().map(commit_id);
        let tip = if workspace.has(found.tip) { Some(found.tip) } else { fetched() };
        let not_fetched = || RemoteError::TipNotFetched { url: url.to_string(), tip: found.tip };
        let tip = tip.ok_or_else(not_fetched)?;
        let (branch, prefix, deadline) = (found.branch, checkout.prefix.clone(), backoff.deadline());
        Ok(RemoteHistory { workspace, endpoint, branch, tip, prefix, deadline })
    }

    /// The history, and the tip's commit.
    pub fn past(&self) -> (CommitWalk<'_>, CommitId) {
        let deepen = deepen(&self.workspace, &self.endpoint, &self.branch, self.deadline);
        (CommitWalk::new(&self.workspace.repo, Some(deepen)), self.tip)
    }

    /// The files of the tip.
    pub fn files(&self) -> CommitFiles<'_> {
        CommitFiles { repo: &self.workspace.repo, commit: self.tip, prefix: &self.prefix }
    }

    /// Removes every secret of the remote from a text.
    pub fn scrub(&self, text: &str) -> String {
        self.endpoint.scrub(text)
    }
}

/// Fetches more of a branch's history into the workspace, until the deadline.
pub(super) fn deepen<'a>(
    workspace: &'a Workspace,
    endpoint: &'a Arc<Endpoint>,
    branch: &'a str,
    deadline: Instant,
) -> Box<Deepen<'a>> {
    Box::new(move |depth| {
        let done = fetch::deepen(workspace, endpoint, branch, DEEPER, depth, deadline);
        done.map_err(|stopped| classify::of_fetch(stopped, endpoint, "the server").into_message())
    })
}

/// Asks until there is an answer, or the budget is spent.
fn found(
    workspace: &Workspace,
    endpoint: &Arc<Endpoint>,
    url: &RemoteUrl,
    branch: Option<&str>,
    backoff: &mut Backoff<'_>,
) -> Result<AdvertisedBranches, RemoteError> {
    let wanted = FetchRequest { branch, head: None, ours: false };
    let timed_out = |problem| RemoteError::HistoryTimedOut { problem };
    backoff.retry(timed_out, |backoff| match fetch::fetch(workspace, endpoint, &wanted, backoff.deadline()) {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(FetchError::Permanent(no_branch(url, branch))),
        Err(stopped) => {
            let error = classify::of_fetch(stopped, endpoint, &url.to_string());
            Err(explain_fetch(error, endpoint))
        }
    })
}

pub(super) fn no_branch(url: &RemoteUrl, branch: Option<&str>) -> RemoteError {
    let url = url.to_string();
    match branch {
        Some(branch) => RemoteError::NoBranch { url, branch: branch.to_owned() },
        None => RemoteError::NoDefaultBranch { url },
    }
}
