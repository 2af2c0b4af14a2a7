//! Landing on a branch of a git remote.
//!
//! `git_branch` reads the branch and `commits` makes commits on it, over git; a [`Publisher`] publishes them: `git_push` pushes, a forge's API makes
//! its own commits. `conflicts` tells whether a pull request still merges. `pr_branch` is a pull request's branch, `commit_history` orders the commits before a tip, `commit_range` lists those between two others, `remote_history` reads
//! those of a branch that nothing is landed on. `classify` turns a server's answer into an outcome for the landing loop, `known_messages`
//! recognises the rules that hosts report in words, and `withheld` adds which credentials were not sent. `error` is why the branch can't be read, or takes no commit.

mod classify;
mod commit_history;
mod commit_range;
mod commits;
mod conflicts;
mod error;
mod git_branch;
mod git_push;
mod known_messages;
mod pr_branch;
mod publisher;
mod remote_history;
mod withheld;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use crate::git::credentials::Credentials;
use crate::git::transport::{Endpoint, TransportConfig};
use crate::git::{CarriedCommits, Checkout, GitError, Identity, RemoteUrl, Signer, Tokens, UrlOrigin};
use crate::landing::{FetchError, History, Proposal, PublishOutcome, TargetBranch, Tip};
use crate::object_id::CommitId;
use crate::plan::FileSource;

pub use classify::{of_fetch_fault, of_push_fault, of_status};
pub use error::{BranchRule, HttpRefusal, RemoteError};
pub use git_branch::GitBranch;
pub use git_push::{GitPush, push_commit};
pub use known_messages::{ForbiddingHost, rules};
pub use pr_branch::RefUpdate;
pub use publisher::{Publisher, Verification};
pub use remote_history::{RemoteHistory, RemoteSecrets};

/// Where to land, and as whom.
#[derive(Clone, Debug)]
pub struct LandingTarget {
    pub fetch: RemoteUrl,
    pub push: RemoteUrl,
    /// Who chose these URLs.
    pub origin: UrlOrigin,
    /// `None` is the remote's default branch.
    pub branch: Option<String>,
    /// The pull request's branch, if there is to be one.
    pub head: Option<String>,
    /// Local commits that go below the bump.
    pub carry: Option<CarriedCommits>,
    pub author: Identity,
    pub committer: Identity,
    /// `None` if commits are not signed.
    pub signer: Option<Arc<Signer>>,
}

/// A branch of a git remote, and the way to publish commits on it. `E` is the error of all publishers.
pub struct RemoteBranch<E> {
    pub git: GitBranch,
    publisher: Box<dyn Publisher<E>>,
}

impl<E> RemoteBranch<E> {
    pub fn new(git: GitBranch, publisher: Box<dyn Publisher<E>>) -> Self {
        RemoteBranch { git, publisher }
    }

    pub fn publisher(&self) -> &dyn Publisher<E> {
        &*self.publisher
    }
}

impl<E: Display + From<RemoteError>> TargetBranch for RemoteBranch<E> {
    type Error = E;

    fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError<E>> {
        let RemoteBranch { git, publisher } = self;
        let meanwhile =
            &mut |server: &Arc<Endpoint>, branch: &str| publisher.while_fetching(server, branch, deadline);
        git.tip_while(deadline, meanwhile).map_err(|error| error.map(E::from))
    }

    fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>, E> {
        Ok(self.git.files(tip.commit))
    }

    fn history(&self) -> &dyn History {
        &self.git
    }

    fn commit(&mut self, tip: &Tip, proposal: &dyn Proposal) -> Result<CommitId, E> {
        let commit = self.git.commit(tip, &proposal.plan().edits, proposal.message())?;
        self.publisher.prepare(&self.git, tip, commit, proposal)?;
        Ok(commit)
    }

    fn publish(&mut self, commit: CommitId, deadline: Instant) -> PublishOutcome<E> {
        if let Some(outcome) = self.git.keep_others(commit) {
            return outcome;
        }
        self.git.note_published(commit);
        self.publisher.publish(&self.git, commit, deadline)
    }

    fn find(&mut self, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, E> {
        self.publisher.find(&self.git, tip, commit)
    }
}

/// One of a remote's URLs, with everything that is needed to talk to it.
fn endpoint(
    checkout: &Checkout,
    url: &RemoteUrl,
    origin: &UrlOrigin,
    tokens: &Tokens,
    ways: &TransportConfig,
) -> Result<Arc<Endpoint>, GitError> {
    let credentials = Credentials::new(url, origin, tokens, &ways.http, checkout.credential_helpers());
    Endpoint::new(url, credentials.with_unread(checkout.unread_credentials()), ways)
}
