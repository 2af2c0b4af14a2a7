//! Publishes commits by pushing them with git.

use std::sync::Arc;
use std::time::Instant;

use super::classify;
use super::commits::{published, unreadable};
use super::error::RemoteError;
use super::git_branch::GitBranch;
use super::pr_branch::RefUpdate;
use super::publisher::Publisher;
use super::withheld::explain_push;
use crate::git::RefAdvertisement;
use crate::git::early_advertisement::EarlyAdvertisement;
use crate::git::oid::oid;
use crate::git::push::{self, PushRequest, PushResult};
use crate::git::transport::Endpoint;
use crate::landing::{PublishOutcome, Tip};
use crate::object_id::CommitId;

/// Pushes with git.
#[derive(Default)]
pub struct GitPush {
    first: FirstPush,
}

/// When the server is asked for what the first push needs to know. Later pushes follow a lost race, and the sooner before
/// one the branch is read, the better.
#[derive(Default)]
enum FirstPush {
    /// At the time of the push, as for all others.
    #[default]
    LikeOthers,
    /// While new commits are fetched.
    AskEarly,
    Asked(EarlyAdvertisement),
}

impl GitPush {
    /// Asks the server for what the first push needs to know while new commits are fetched.
    pub fn asking_early() -> Self {
        GitPush { first: FirstPush::AskEarly }
    }
}

impl<E: From<RemoteError>> Publisher<E> for GitPush {
    fn while_fetching(&mut self, server: &Arc<Endpoint>, branch: &str, deadline: Instant) {
        if let FirstPush::AskEarly = self.first {
            let early = EarlyAdvertisement::request(server, branch, deadline);
            self.first = early.map(FirstPush::Asked).unwrap_or_default();
        }
    }

    fn publish(&mut self, git: &GitBranch, commit: CommitId, deadline: Instant) -> PublishOutcome<E> {
        let early = match std::mem::take(&mut self.first) {
            FirstPush::Asked(early) => early.wait(),
            FirstPush::LikeOthers | FirstPush::AskEarly => None,
        };
        push_commit(git, commit, &[], early, deadline).0.map(E::from)
    }

    fn find(&self, git: &GitBranch, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, E> {
        let is_there = is_on_branch(git, tip, commit)?;
        Ok(is_there.then_some(commit))
    }
}

/// Pushes a commit, with more push options than git's configuration has. `early` is what the server has said about the branch, if it was
/// asked before. Returns what the server printed, too, if it accepted the push.
pub fn push_commit(
    git: &GitBranch,
    commit: CommitId,
    more_options: &[String],
    early: Option<RefAdvertisement>,
    deadline: Instant,
) -> (PublishOutcome<RemoteError>, Option<String>) {
    let Some((branch, expected)) = goal(git, commit) else {
        return (PublishOutcome::Published { commit }, None);
    };
    let is_fast_forward = matches!(git.ref_update(commit), RefUpdate::FastForward { .. });
    if is_fast_forward && !is_after(git, commit, expected) {
        // never overwrite another push, whatever went wrong here
        return (PublishOutcome::Refused(RemoteError::NotAfterTip { commit }), None);
    }
    let options = [git.push_options(), more_options].concat();
    let (base, head) = git.known_tips();
    let push = PushRequest {
        repo: &git.workspace().repo,
        commit,
        branch: &branch,
        expected,
        known: base.into_iter().chain(head).collect(),
        options: &options,
        makes_merge_request: !more_options.is_empty(),
        early,
    };
    let (endpoint, url) = git.push_endpoint();
    let url = url.to_string();
    let outcome = match push::push(endpoint, &push, deadline) {
        Ok(PushResult::Accepted { printed }) => {
            return (PublishOutcome::Published { commit }, Some(endpoint.scrub(&printed)));
        }
        Ok(PushResult::RefMoved) => PublishOutcome::Outdated { what: "the branch moved".to_owned() },
        Ok(PushResult::Rejected { status, message }) => {
            classify::of_status(&endpoint.scrub(&status), &endpoint.scrub(&message), &url)
        }
        Err(stopped) => explain_push(classify::of_push(stopped, endpoint, &url), endpoint),
    };
    (outcome, None)
}

/// Whether the tip is a commit, or comes after it.
fn is_on_branch(git: &GitBranch, tip: &Tip, commit: CommitId) -> Result<bool, RemoteError> {
    let (repo, tip) = (&git.workspace().repo, published(tip));
    let is_below = || repo.graph_descendant_of(oid(tip), oid(commit)).map_err(|e| unreadable(&e));
    Ok(tip == commit || is_below()?)
}

/// The branch to push to, and the commit that it must point at. `None` if there is nothing to push.
fn goal(git: &GitBranch, commit: CommitId) -> Option<(String, Option<CommitId>)> {
    let (base, head) = git.known_tips();
    match git.ref_update(commit) {
        RefUpdate::UpToDate => None,
        RefUpdate::FastForward { branch } => Some((branch, head.or(base))),
        RefUpdate::Create { branch } => Some((branch, None)),
        RefUpdate::Replace { branch, .. } => Some((branch, head)),
    }
}

fn is_after(git: &GitBranch, commit: CommitId, tip: Option<CommitId>) -> bool {
    let repo = &git.workspace().repo;
    let is_below = |tip| repo.graph_descendant_of(oid(commit), oid(tip)).unwrap_or(false);
    tip.is_none_or(|tip| tip == commit || is_below(tip))
}
