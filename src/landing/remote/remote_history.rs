//! The commits of a remote branch, as it is now. Nothing in the checkout moves.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use git2::Sort;

use super::error::RemoteError;
use super::withheld::{explain_fetch, missing_token};
use super::{classify, endpoint};
use crate::git::fetch::{AdvertisedBranches, DEPTHS, FetchRequest, Fetcher};
use crate::git::oid::{commit_id, oid};
use crate::git::transport::Endpoint;
use crate::git::tree::CommitFiles;
use crate::git::workspace::Workspace;
use crate::git::{Checkout, RemoteUrl, Tokens};
use crate::history::git::{CommitWalk, Deepen};
use crate::http::HttpSettings;
use crate::landing::{Backoff, FetchError};
use crate::object_id::CommitId;

/// A remote branch and its history, fetched as far as it is needed.
pub struct RemoteHistory {
    url: RemoteUrl,
    http: HttpSettings,
    workspace: Workspace,
    endpoint: Arc<Endpoint>,
    branch: String,
    tip: CommitId,
    prefix: String,
    deadline: Instant,
}

/// The secrets of a remote.
pub struct RemoteSecrets(Arc<Endpoint>);

impl RemoteSecrets {
    /// Removes every secret of the remote from a text.
    pub fn scrub(&self, text: &str) -> String {
        self.0.scrub(text)
    }
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
        let endpoint = endpoint(checkout, &url, &origin, tokens, &ways)?;
        let workspace = Workspace::new(checkout)?;
        let found = backoff.retry(timed_out, |backoff| {
            let fetcher =
                Fetcher { workspace: &workspace, endpoint: &endpoint, deadline: backoff.deadline() };
            found(fetcher, &url, branch, None)
        })?;
        let (branch, tip, prefix) = (found.branch, found.tip, checkout.prefix.clone());
        let http = ways.http.clone();
        let deadline = backoff.deadline();
        Ok(RemoteHistory { url, http, workspace, endpoint, branch, tip, prefix, deadline })
    }

    /// Reads the tip of the branch again, and fetches new commits; gives up at `deadline`.
    ///
    /// # Errors
    /// As [`RemoteHistory::fetch`], without trying again.
    pub fn refresh(&mut self, deadline: Instant) -> Result<(), FetchError<RemoteError>> {
        let (branch, fetched) = (Some(self.branch.as_str()), Some(self.tip));
        let found = found(self.fetcher(deadline), &self.url, branch, fetched)?;
        self.tip = found.tip;
        self.deadline = deadline;
        Ok(())
    }

    fn fetcher(&self, deadline: Instant) -> Fetcher<'_> {
        Fetcher { workspace: &self.workspace, endpoint: &self.endpoint, deadline }
    }

    pub fn tip(&self) -> CommitId {
        self.tip
    }

    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The repository's URL.
    pub fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// The settings for HTTP, also for the host's API.
    pub fn http(&self) -> &HttpSettings {
        &self.http
    }

    /// The token for the host's API.
    pub fn api_token(&self) -> Option<String> {
        self.endpoint.token()
    }

    /// Why there is no token for the host's API, as far as it is known.
    pub fn missing_token(&self) -> Vec<String> {
        missing_token(&self.endpoint)
    }

    /// What must be removed from texts once this is gone.
    pub fn secrets(&self) -> RemoteSecrets {
        RemoteSecrets(Arc::clone(&self.endpoint))
    }

    /// Whether a commit is here.
    pub fn has(&self, commit: CommitId) -> bool {
        self.workspace.has(commit)
    }

    /// The commit with an ID that may be abbreviated, if it is on the branch. Fetches more of the history as long as it isn't found.
    pub fn find(&self, sha: &str) -> Option<CommitId> {
        let found = || {
            let commit = commit_id(self.workspace.repo.find_commit_by_prefix(sha).ok()?.id());
            self.is_in_tip(commit).then_some(commit)
        };
        let deeper = DEPTHS.iter().take_while(|_| self.workspace.repo.is_shallow());
        found().or_else(|| deeper.map_while(|depth| self.deepen(*depth).ok()).find_map(|()| found()))
    }

    /// Whether a commit that is here is on the branch, as it is now.
    pub fn is_in_tip(&self, commit: CommitId) -> bool {
        let is_below = || self.workspace.repo.graph_descendant_of(oid(self.tip), oid(commit));
        commit == self.tip || is_below().unwrap_or(false)
    }

    fn deepen(&self, depth: i32) -> Result<(), String> {
        deepen(self.fetcher(self.deadline), &self.branch, vec![self.tip])(depth)
    }

    /// The next commits of the branch that come after one, oldest first, at most `most`. Commits of other branches that were
    /// merged later don't count: they don't have the change.
    ///
    /// # Errors
    /// If the history that was fetched can't be read.
    pub fn after(&self, commit: CommitId, most: usize) -> Result<Vec<CommitId>, RemoteError> {
        self.try_after(commit, most).map_err(|error| RemoteError::NotRead {
            url: self.url.to_string(),
            reason: error.message().to_owned(),
        })
    }

    fn try_after(&self, commit: CommitId, most: usize) -> Result<Vec<CommitId>, git2::Error> {
        let repo = &self.workspace.repo;
        let mut walk = repo.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        walk.push(oid(self.tip))?;
        walk.hide(oid(commit))?;
        let mut descendants = HashSet::from([oid(commit)]);
        let mut found = Vec::new();
        for id in walk {
            let id = id?;
            if repo.find_commit(id)?.parent_ids().any(|parent| descendants.contains(&parent)) {
                descendants.insert(id);
                found.push(commit_id(id));
            }
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    /// The message of a commit.
    pub fn message(&self, commit: CommitId) -> Option<String> {
        let commit = self.workspace.repo.find_commit(oid(commit)).ok()?;
        Some(String::from_utf8_lossy(commit.message_bytes()).into_owned())
    }

    /// The files of a commit.
    pub fn files_at(&self, commit: CommitId) -> CommitFiles<'_> {
        self.files().at(commit)
    }

    /// The history, and the tip's commit.
    pub fn past(&self) -> (CommitWalk<'_>, CommitId) {
        let deepen = deepen(self.fetcher(self.deadline), &self.branch, vec![self.tip]);
        (CommitWalk::new(&self.workspace.repo, Some(deepen)), self.tip)
    }

    /// The files of the tip.
    pub fn files(&self) -> CommitFiles<'_> {
        CommitFiles::new(&self.workspace.repo, self.tip, &self.prefix)
    }

    /// Removes every secret of the remote from a text.
    pub fn scrub(&self, text: &str) -> String {
        self.endpoint.scrub(text)
    }
}

/// Fetches more of a branch's history when it is called. `fetched` are tips that were fetched before.
pub(super) fn deepen<'a>(fetcher: Fetcher<'a>, branch: &'a str, fetched: Vec<CommitId>) -> Box<Deepen<'a>> {
    Box::new(move |depth| {
        let done = fetcher.deepen(branch, &fetched, depth);
        done.map_err(|stopped| classify::of_fetch(stopped, fetcher.endpoint, "the server").into_message())
    })
}

fn timed_out(problem: String) -> RemoteError {
    RemoteError::HistoryTimedOut { problem }
}

/// Asks once where the branch is, and fetches its new commits. `fetched` is the tip that was fetched before.
fn found(
    fetcher: Fetcher<'_>,
    url: &RemoteUrl,
    branch: Option<&str>,
    fetched: Option<CommitId>,
) -> Result<AdvertisedBranches, FetchError<RemoteError>> {
    let wanted = FetchRequest { branch, head: None, ours: false, fetched: fetched.into_iter().collect() };
    match fetcher.fetch(&wanted, &mut |_| ()) {
        Ok(Some(found)) if fetcher.workspace.has(found.tip) => Ok(found),
        Ok(Some(found)) => Err(classify::without_tip(&url.to_string(), found.tip)),
        Ok(None) => Err(FetchError::Permanent(no_branch(url, branch))),
        Err(stopped) => {
            let error = classify::of_fetch(stopped, fetcher.endpoint, &url.to_string());
            Err(explain_fetch(error, fetcher.endpoint))
        }
    }
}

pub(super) fn no_branch(url: &RemoteUrl, branch: Option<&str>) -> RemoteError {
    let url = url.to_string();
    match branch {
        Some(branch) => RemoteError::NoBranch { url, branch: branch.to_owned() },
        None => RemoteError::NoDefaultBranch { url },
    }
}
