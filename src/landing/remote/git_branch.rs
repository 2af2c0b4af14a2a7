//! A branch of a git remote: reads its tip and its files. `commits` makes commits on it, and a [`super::Publisher`] publishes them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use super::error::RemoteError;
use super::pr_branch::{self, Committers, PrBranch, RefUpdate};
use super::remote_history::no_branch;
use super::withheld::{explain_fetch, missing_token};
use super::{LandingTarget, classify, endpoint};
use crate::git::credentials::Tokens;
use crate::git::fetch::{DEPTHS, FetchRequest, Fetcher};
use crate::git::oid::oid;
use crate::git::transport::{Endpoint, TransferError};
use crate::git::tree::CommitFiles;
use crate::git::workspace::Workspace;
use crate::git::{Checkout, RemoteUrl};
use crate::http::HttpSettings;
use crate::landing::{self, FetchError, PublishOutcome, Tip};
use crate::object_id::CommitId;
use crate::plan::FileSource;

/// What starts before new commits are fetched, with the server to push to and the name of the target branch.
type Meanwhile<'a> = dyn FnMut(&Arc<Endpoint>, &str) + 'a;

/// A branch of a git remote.
pub struct GitBranch {
    pub(super) workspace: Workspace,
    fetch: Arc<Endpoint>,
    push: Arc<Endpoint>,
    pub(super) target: LandingTarget,
    /// `None` until the server has named its default branch.
    branch: Option<String>,
    /// The remote's default branch and its tip, if the server names it.
    default: Option<(String, CommitId)>,
    /// The pull request's branch, as it was read last.
    pub(super) head: PrBranch,
    /// The target's tip, as it was read last.
    base: Option<CommitId>,
    /// A tip, and the last of the local commits that were rebased onto it: not again as long as the tip stays.
    pub(super) carried: Option<(CommitId, CommitId)>,
    /// The commits that were published, or may have been.
    pub(super) published: Vec<CommitId>,
    /// Whether the bump goes on top of a pull request's branch, whoever made it.
    builds_on_pr_branch: bool,
    pub(super) prefix: String,
    http: HttpSettings,
    push_options: Vec<String>,
    /// How deep the branch's history was fetched.
    depth: Cell<i32>,
}

impl GitBranch {
    /// # Errors
    /// If no workspace can be made, or the remote's URL can't be used.
    pub fn new(checkout: &Checkout, target: LandingTarget, tokens: &Tokens) -> Result<Self, RemoteError> {
        let ways = checkout.ways()?;
        let endpoint = |url: &RemoteUrl| endpoint(checkout, url, &target.origin, tokens, &ways);
        let fetch = endpoint(&target.fetch)?;
        let push = if target.push == target.fetch { Arc::clone(&fetch) } else { endpoint(&target.push)? };
        Ok(GitBranch {
            workspace: Workspace::new(checkout)?,
            fetch,
            push,
            branch: target.branch.clone(),
            target,
            default: None,
            head: PrBranch::Missing,
            base: None,
            carried: None,
            published: Vec::new(),
            builds_on_pr_branch: false,
            prefix: checkout.prefix.clone(),
            http: ways.http,
            push_options: checkout.push_options()?,
            depth: Cell::default(),
        })
    }

    /// The branch to land on, once it is known.
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// The branch of the pull request, if the bump goes to one.
    pub fn head_name(&self) -> Option<&str> {
        self.target.head.as_deref()
    }

    /// Where a browser shows the repository, if the remote is reached over HTTP.
    pub fn page(&self) -> Option<String> {
        self.target.push.page()
    }

    /// `owner/name`, for hosts without nested groups.
    pub fn slug(&self) -> Option<String> {
        self.target.push.slug()
    }

    /// The repository's name on its host: `owner/name`, or a longer path on GitLab.
    pub fn repository(&self) -> Option<String> {
        self.target.push.repository()
    }

    /// Whether the bump goes to a pull request's branch.
    pub fn has_pull_request(&self) -> bool {
        self.target.head.is_some()
    }

    /// Whether the pull request's branch exists, and has only tagbump's commits.
    pub fn has_own_head(&self) -> bool {
        matches!(self.head, PrBranch::OwnedByTagbump(_))
    }

    /// Whether the pull request's branch exists.
    pub fn has_head(&self) -> bool {
        self.head != PrBranch::Missing
    }

    /// The settings for HTTP, also for the host's API.
    pub fn http(&self) -> &HttpSettings {
        &self.http
    }

    /// The token for the host's API.
    pub fn api_token(&self) -> Option<String> {
        self.push.token()
    }

    /// Which credential was used, for the report.
    pub fn credential_label(&self) -> Option<String> {
        self.push.credential_label()
    }

    /// Why credentials that the user may expect to be sent were not.
    pub fn withheld(&self) -> Vec<String> {
        let mut withheld = self.fetch.withheld();
        withheld.extend(self.push.withheld());
        withheld.dedup();
        withheld
    }

    /// Why there is no token for the host's API, as far as it is known.
    pub fn missing_token(&self) -> Vec<String> {
        missing_token(&self.push)
    }

    /// Removes every secret of the remote from a text.
    pub fn scrub(&self, text: &str) -> String {
        self.push.scrub(&self.fetch.scrub(text))
    }

    pub(super) fn default_branch(&self) -> Option<(&str, CommitId)> {
        self.default.as_ref().map(|(name, tip)| (name.as_str(), *tip))
    }

    pub(super) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn url(&self) -> String {
        self.target.fetch.to_string()
    }

    /// The URL that commits are pushed to, with everything that is needed to talk to it.
    pub(super) fn push_endpoint(&self) -> (&Arc<Endpoint>, &RemoteUrl) {
        (&self.push, &self.target.push)
    }

    /// What git's configuration has to say to the server's hooks.
    pub fn push_options(&self) -> &[String] {
        &self.push_options
    }

    /// The tips that the server has: of the target, and of the pull request's branch.
    pub(super) fn known_tips(&self) -> (Option<CommitId>, Option<CommitId>) {
        (self.base, self.head.tip())
    }

    /// The images that tagbump's commits on the pull request's branch have set so far.
    pub fn proposed_images(&self) -> Vec<String> {
        let tip = self.head.tip().zip(self.base);
        let images = |(tip, base)| pr_branch::images(&self.workspace.repo, tip, base, &self.committers());
        tip.map(images).unwrap_or_default()
    }

    /// The committers whose commits on a pull request's branch may be ours.
    fn committers(&self) -> Committers<'_> {
        Committers { ours: &self.target.committer, host: self.target.push.host() }
    }

    /// Rebuilding a branch would lose the images that it proposes besides ours. Then the bump goes on top of it, from the next time that
    /// the tip is read.
    pub fn keep_others<E>(&mut self, commit: CommitId) -> Option<PublishOutcome<E>> {
        if !matches!(self.ref_update(commit), RefUpdate::Replace { .. }) {
            return None;
        }
        let made = self.workspace.repo.find_commit(oid(commit)).ok()?;
        let ours = landing::images_in_trailers(&String::from_utf8_lossy(made.message_bytes()));
        if self.proposed_images().iter().all(|image| ours.iter().any(|our| our.name == *image)) {
            return None;
        }
        self.builds_on_pr_branch = true;
        Some(PublishOutcome::Outdated {
            what: "the branch proposes other images too: the bump goes on top".to_owned(),
        })
    }

    pub(super) fn fetcher(&self, deadline: Instant) -> Fetcher<'_> {
        Fetcher { workspace: &self.workspace, endpoint: &self.fetch, deadline }
    }

    /// Asks for the tip, and fetches it if it is new, over one connection.
    fn fetch_tip(
        &mut self,
        deadline: Instant,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Result<CommitId, FetchError<RemoteError>> {
        let head = self.target.head.as_deref();
        let wanted = FetchRequest {
            branch: self.branch.as_deref(),
            head,
            ours: !self.published.is_empty(),
            fetched: self.fetched_tips(),
        };
        match self.fetcher(deadline).fetch(&wanted, &mut |branch| meanwhile(&self.push, branch)) {
            Ok(Some(found)) => {
                self.branch = Some(found.branch);
                self.default = found.default;
                let base = self.fetched(found.tip)?;
                self.base = Some(base);
                self.head = self.head_of(found.head, base, deadline);
                Ok(base)
            }
            Ok(None) => Err(FetchError::Permanent(no_branch(&self.target.fetch, self.branch()))),
            Err(stopped) => {
                let error = classify::of_fetch(stopped, &self.fetch, &self.url());
                Err(explain_fetch(error, &self.fetch))
            }
        }
    }

    /// Who owns a pull request's branch. If the base has moved on, a shallow history must be deepened to find out.
    fn head_of(&self, tip: Option<CommitId>, base: CommitId, deadline: Instant) -> PrBranch {
        let repo = &self.workspace.repo;
        let mut head = PrBranch::of(repo, tip, base, &self.committers());
        for depth in DEPTHS {
            let is_certain = !matches!(head, PrBranch::Shared(_)) || !repo.is_shallow();
            if is_certain || self.deepen(depth, deadline).is_err() {
                break;
            }
            head = PrBranch::of(repo, tip, base, &self.committers());
        }
        match head {
            PrBranch::OwnedByTagbump(tip) if self.builds_on_pr_branch => PrBranch::Shared(tip),
            head => head,
        }
    }

    /// Fetches the target branch's history into the workspace, to this depth.
    pub(super) fn deepen(&self, depth: i32, deadline: Instant) -> Result<(), TransferError> {
        if depth <= self.depth.get() {
            return Ok(());
        }
        let branch = self.branch().unwrap_or_default();
        self.fetcher(deadline).deepen(branch, &self.fetched_tips(), depth)?;
        self.depth.set(depth);
        Ok(())
    }

    /// The tips that were read last, which the workspace has.
    pub(super) fn fetched_tips(&self) -> Vec<CommitId> {
        self.base.into_iter().chain(self.head.tip()).collect()
    }

    /// The tip that the server listed, if the fetch got it.
    fn fetched(&self, listed: CommitId) -> Result<CommitId, FetchError<RemoteError>> {
        if self.workspace.has(listed) { Ok(listed) } else { Err(classify::without_tip(&self.url(), listed)) }
    }

    /// Where a commit that was made here goes.
    pub fn ref_update(&self, commit: CommitId) -> RefUpdate {
        let Some(branch) = self.target.head.clone() else {
            return RefUpdate::FastForward { branch: self.branch.clone().unwrap_or_default() };
        };
        match self.head {
            PrBranch::Missing => RefUpdate::Create { branch },
            PrBranch::OwnedByTagbump(tip) if tip == commit => RefUpdate::UpToDate,
            PrBranch::OwnedByTagbump(tip) if Some(tip) != self.base => RefUpdate::Replace { branch, tip },
            PrBranch::OwnedByTagbump(_) | PrBranch::Shared(_) => RefUpdate::FastForward { branch },
        }
    }

    /// Reads the tip from the server, and fetches new commits.
    ///
    /// # Errors
    /// If the server can't be reached, or has no such branch.
    pub fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError<RemoteError>> {
        self.tip_while(deadline, &mut |_, _| ())
    }

    /// As [`GitBranch::tip`]. Before new commits are fetched, `meanwhile` gets the server to push to and the name of the target branch.
    ///
    /// # Errors
    /// As [`GitBranch::tip`].
    pub(super) fn tip_while(
        &mut self,
        deadline: Instant,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Result<Tip, FetchError<RemoteError>> {
        let base = self.fetch_tip(deadline, meanwhile)?;
        if self.target.head.is_none() {
            if self.has_published(base) {
                // the local commits are on the branch; on top of themselves they would conflict
                return Ok(Tip::of(base));
            }
            let onto = self.carried_onto(base).map_err(RemoteError::from)?;
            let carries = onto != base;
            return Ok(Tip { commit: onto, carries, ..Tip::of(base) });
        }
        let other_branch = match self.head {
            PrBranch::Missing => None,
            PrBranch::OwnedByTagbump(tip) => Some(tip),
            PrBranch::Shared(_) => Some(base),
        };
        Ok(Tip { commit: self.head.onto(base), published: self.head.tip(), other_branch, carries: false })
    }

    /// The files of a tip.
    pub fn files(&self, commit: CommitId) -> Box<dyn FileSource + '_> {
        Box::new(CommitFiles::new(&self.workspace.repo, commit, &self.prefix))
    }
}
