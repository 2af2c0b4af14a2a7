//! A branch of a git remote: reads its tip and its files, and makes commits on it. A [`super::Publisher`] publishes them.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use git2::Oid;

use super::pr_branch::{self, Committers, PrBranch, RefUpdate};
use super::remote_history::no_branch;
use super::withheld::explain_fetch;
use super::{LandingTarget, classify};
use crate::error::{Failure, Result};
use crate::git::credentials::{Credentials, Tokens};
use crate::git::failure::git_failure;
use crate::git::fetch::{self, DEPTHS, FetchRequest, TIP};
use crate::git::signing::{CommitDraft, is_signed};
use crate::git::transport::{Endpoint, TransferError};
use crate::git::tree::{CommitFiles, edited_tree};
use crate::git::workspace::Workspace;
use crate::git::{self, Checkout, LandedCommit, RemoteUrl, SyncResult, carry, equivalent_commit};
use crate::http::HttpSettings;
use crate::landing::{self, FetchError, PublishOutcome, Tip};
use crate::plan::{FileEdit, FileSource};

const DEEPER: &str = "refs/tagbump/deeper";

/// A branch of a git remote.
pub struct GitBranch {
    workspace: Workspace,
    fetch: Arc<Endpoint>,
    push: Arc<Endpoint>,
    target: LandingTarget,
    /// The branch, once the server has told its default one.
    branch: Option<String>,
    /// The remote's default branch and its tip, where the server tells.
    default: Option<(String, Oid)>,
    /// The pull request's branch, as it was found.
    head: PrBranch,
    /// The target's tip, as it was found.
    base: Option<Oid>,
    /// The local commits on a tip, as they were put there: not once more while it stands still.
    carried: Option<(Oid, Oid)>,
    /// What was, or may have been, published.
    published: Vec<Oid>,
    /// Whether the bump goes on top of a pull request's branch, whoever made it.
    keeps: bool,
    prefix: String,
    http: HttpSettings,
    /// How deep the branch's history was fetched.
    depth: Cell<i32>,
}

impl GitBranch {
    /// # Errors
    /// Where no workspace can be made, or the remote can't be talked to in principle.
    pub fn new(checkout: &Checkout, target: LandingTarget, tokens: &Tokens) -> Result<Self> {
        let ways = checkout.ways()?;
        let endpoint = |url: &RemoteUrl| {
            let helpers = checkout.credential_helpers();
            Endpoint::new(url, Credentials::new(url, &target.origin, tokens, &ways.http, helpers), &ways)
        };
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
            keeps: false,
            prefix: checkout.prefix.clone(),
            http: ways.http,
            depth: Cell::default(),
        })
    }

    /// The branch that is landed on, once it is known.
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// Where a browser shows the repository, on a host that has pages for it.
    pub fn page(&self) -> Option<String> {
        self.target.push.page()
    }

    /// `owner/name`, as the host knows the repository.
    pub fn slug(&self) -> Option<String> {
        self.target.push.slug()
    }

    /// Whether the pull request's branch is there, and holds nothing but tagbump's commits.
    pub fn has_own_head(&self) -> bool {
        matches!(self.head, PrBranch::OwnedByTagbump(_))
    }

    /// Whether the pull request's branch is there.
    pub fn has_head(&self) -> bool {
        self.head != PrBranch::Missing
    }

    /// How HTTP is to be talked here, to the host's API too.
    pub fn http(&self) -> &HttpSettings {
        &self.http
    }

    /// The token for the host's API.
    pub fn api_token(&self) -> Option<String> {
        self.push.token()
    }

    /// What says who we are to the server.
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

    /// Takes every secret of the remote out of a text.
    pub fn scrub(&self, text: &str) -> String {
        self.push.scrub(&self.fetch.scrub(text))
    }

    pub(super) fn default_branch(&self) -> Option<(&str, Oid)> {
        self.default.as_ref().map(|(name, tip)| (name.as_str(), *tip))
    }

    pub(super) fn fetch_endpoint(&self) -> &Arc<Endpoint> {
        &self.fetch
    }

    pub(super) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn url(&self) -> String {
        self.target.fetch.to_string()
    }

    /// The last of the local commits that are carried along.
    fn carried_head(&self) -> Option<Oid> {
        self.target.carry.map(|carried| carried.head)
    }

    /// Brings a landed commit into the checkout, if that is clean and on the same branch.
    pub fn sync(&self, checkout: &Checkout, remote: &str, commit: &str, deadline: Instant) -> SyncResult {
        let commit = match Oid::from_str(commit) {
            Ok(commit) => commit,
            Err(error) => return SyncResult::Skipped(error.message().to_owned()),
        };
        let landed = LandedCommit {
            commit,
            branch: self.branch().unwrap_or_default(),
            workspace: &self.workspace,
            carried_head: self.carried_head(),
            deepen: &|depth| self.deepen(depth, deadline),
        };
        match git::sync(checkout, remote, &landed) {
            SyncResult::Skipped(why) => SyncResult::Skipped(self.scrub(&why)),
            done => done,
        }
    }

    /// The URL that commits are pushed to, with everything that is needed to talk to it.
    pub(super) fn push_endpoint(&self) -> (&Arc<Endpoint>, &RemoteUrl) {
        (&self.push, &self.target.push)
    }

    /// The tips that the server has: of the target, and of the pull request's branch.
    pub(super) fn known_tips(&self) -> (Option<Oid>, Option<Oid>) {
        (self.base, self.head.tip())
    }

    /// What the bump is made on: the tip, or the local commits put on it.
    fn carried_onto(&mut self, tip: Oid) -> Result<Oid> {
        let Some(carried) = self.target.carry else { return Ok(tip) };
        if let Some((_, onto)) = self.carried.filter(|(on, _)| *on == tip) {
            return Ok(onto);
        }
        let (committer, signer) = (self.target.committer.signature()?, self.target.signer.as_deref());
        let onto = carry::onto(&self.workspace.repo, tip, carried, &committer, signer)?;
        self.carried = Some((tip, onto));
        Ok(onto)
    }

    /// Remembers a commit that is about to be published: it may be on the branch from then on.
    pub fn expect(&mut self, commit: &str) {
        self.published.extend(oid(commit));
    }

    /// Whether the tip has a commit that was published.
    fn has_published(&self, tip: Oid) -> bool {
        let repo = &self.workspace.repo;
        let has = |oid: &Oid| *oid == tip || repo.graph_descendant_of(tip, *oid).unwrap_or(false);
        self.target.carry.is_some() && self.published.iter().any(has)
    }

    /// The images that a pull request's branch of ours has brought so far.
    pub fn proposed_images(&self) -> Vec<String> {
        let tip = self.head.tip().zip(self.base);
        let images = |(tip, base)| pr_branch::images(&self.workspace.repo, tip, base, &self.committers());
        tip.map(images).unwrap_or_default()
    }

    /// The committers whose commits on a pull request's branch may be ours.
    fn committers(&self) -> Committers<'_> {
        Committers { ours: &self.target.committer, host: self.target.push.host() }
    }

    /// Rebuilding a branch would lose the images that it proposes besides ours: then it is built on, from the
    /// next look at it.
    pub fn keep_others(&mut self, commit: &str) -> Option<PublishOutcome> {
        if !matches!(self.course(commit), RefUpdate::Replace { .. }) {
            return None;
        }
        let made = self.workspace.repo.find_commit(oid(commit).ok()?).ok()?;
        let ours = landing::brought(&String::from_utf8_lossy(made.message_bytes()));
        if self.proposed_images().iter().all(|image| ours.iter().any(|our| our.name == *image)) {
            return None;
        }
        self.keeps = true;
        Some(PublishOutcome::NonFastForward {
            what: "the branch proposes other images too: the bump goes on top".to_owned(),
        })
    }

    /// Asks for the tip, and fetches it where it is new. One connection.
    fn fetch_tip(&mut self, deadline: Instant) -> Result<Oid, FetchError> {
        let head = self.target.head.as_deref();
        let wanted = FetchRequest { branch: self.branch.as_deref(), head, ours: !self.published.is_empty() };
        match fetch::fetch(&self.workspace, &self.fetch, &wanted, deadline) {
            Ok(Some(found)) => {
                self.branch = Some(found.branch);
                self.default = found.default;
                let base = self.fetched(found.tip)?;
                self.head = self.head_of(found.head, base, deadline);
                Ok(base)
            }
            Ok(None) => Err(FetchError::Permanent(no_branch(&self.target.fetch, self.branch()))),
            Err(stopped) => {
                let trouble = classify::of_fetch(stopped, &self.fetch, &self.url());
                Err(explain_fetch(trouble, &self.fetch))
            }
        }
    }

    /// What a pull request's branch is. From a shallow history that takes a deeper one, where the base has
    /// moved on.
    fn head_of(&self, tip: Option<Oid>, base: Oid, deadline: Instant) -> PrBranch {
        let repo = &self.workspace.repo;
        let mut head = PrBranch::of(repo, tip, base, &self.committers());
        for depth in DEPTHS {
            let told = !matches!(head, PrBranch::Shared(_)) || !repo.is_shallow();
            if told || self.deepen(depth, deadline).is_err() {
                break;
            }
            head = PrBranch::of(repo, tip, base, &self.committers());
        }
        match head {
            PrBranch::OwnedByTagbump(tip) if self.keeps => PrBranch::Shared(tip),
            head => head,
        }
    }

    /// Makes the target branch's history so deep, in the workspace.
    pub(super) fn deepen(&self, depth: i32, deadline: Instant) -> Result<(), TransferError> {
        if depth <= self.depth.get() {
            return Ok(());
        }
        let branch = self.branch().unwrap_or_default();
        fetch::deepen(&self.workspace, &self.fetch, branch, DEEPER, depth, deadline)?;
        self.depth.set(depth);
        Ok(())
    }

    /// The branch may have moved between the list and the fetch: then the fetched commit is the tip.
    fn fetched(&self, listed: Oid) -> Result<Oid, FetchError> {
        if self.workspace.has(listed) {
            return Ok(listed);
        }
        let fetched = self.workspace.repo.refname_to_id(TIP).ok().filter(|oid| self.workspace.has(*oid));
        fetched.ok_or_else(|| FetchError::Transient {
            what: format!("{}: the tip {listed} did not come with the fetch", self.url()),
            retry_after: None,
        })
    }

    /// Where a commit that was made here goes.
    pub fn course(&self, commit: &str) -> RefUpdate {
        let Some(branch) = self.target.head.clone() else {
            return RefUpdate::FastForward { branch: self.branch.clone().unwrap_or_default() };
        };
        match self.head {
            PrBranch::Missing => RefUpdate::Create { branch },
            PrBranch::OwnedByTagbump(tip) if tip.to_string() == commit => RefUpdate::UpToDate,
            PrBranch::OwnedByTagbump(tip) if Some(tip) != self.base => {
                RefUpdate::Replace { branch, tip: tip.to_string() }
            }
            PrBranch::OwnedByTagbump(_) | PrBranch::Shared(_) => RefUpdate::FastForward { branch },
        }
    }

    /// The commit that a server made from one that was made here, if the branch has it.
    ///
    /// # Errors
    /// Where the history can't be read.
    pub fn find_equivalent(&self, tip: &Tip, commit: &str) -> Result<Option<String>> {
        let found = equivalent_commit::find(&self.workspace.repo, published(tip)?, oid(commit)?);
        found.map(|same| same.map(|oid| oid.to_string())).map_err(|e| unparsable(&e))
    }

    /// A file's mode in a commit, and its path below the repository's top.
    ///
    /// # Errors
    /// Where the commit can't be read, or has no such file.
    pub fn file_mode(&self, commit: &str, path: &str) -> Result<(String, i32)> {
        let path = self.full_path(path);
        let tree = self.workspace.repo.find_commit(oid(commit)?).and_then(|commit| commit.tree());
        let entry = tree.and_then(|tree| tree.get_path(Path::new(&path))).map_err(|e| unparsable(&e))?;
        Ok((path, entry.filemode()))
    }

    fn full_path(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }
}

impl GitBranch {
    /// Asks the server where the branch is now, and fetches what is new.
    ///
    /// # Errors
    /// If the server can't be asked, or has no such branch.
    pub fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError> {
        let base = self.fetch_tip(deadline)?;
        self.base = Some(base);
        if self.target.head.is_none() {
            if self.has_published(base) {
                // what was carried is there; on top of itself it would conflict
                return Ok(Tip::of(base.to_string()));
            }
            let onto = self.carried_onto(base).map_err(FetchError::Permanent)?;
            let carries = onto != base;
            return Ok(Tip { commit: onto.to_string(), carries, ..Tip::of(base.to_string()) });
        }
        let beside = match self.head {
            PrBranch::Missing => None,
            PrBranch::OwnedByTagbump(tip) => Some(tip),
            PrBranch::Shared(_) => Some(base),
        };
        Ok(Tip {
            commit: self.head.onto(base).to_string(),
            published: self.head.tip().map(|tip| tip.to_string()),
            beside: beside.map(|oid| oid.to_string()),
            carries: false,
        })
    }

    /// The files of a tip.
    ///
    /// # Errors
    /// If the tip has no valid name.
    pub fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>> {
        let (repo, commit) = (&self.workspace.repo, oid(&tip.commit)?);
        Ok(Box::new(CommitFiles { repo, commit, prefix: &self.prefix }))
    }

    /// Makes a commit on a tip, in the workspace. Gives its name.
    ///
    /// # Errors
    /// If the commit can't be made.
    pub fn commit(&self, tip: &Tip, edits: &[FileEdit], message: &str) -> Result<String> {
        let fault = |e: git2::Error| git_failure("the commit can't be made", &e);
        let repo = &self.workspace.repo;
        let parent = repo.find_commit(oid(&tip.commit)?).map_err(fault)?;
        let tree = edited_tree(repo, &parent, edits, &self.prefix)?;
        let (author, committer) = (self.target.author.signature()?, self.target.committer.signature()?);
        let draft =
            CommitDraft { author: &author, committer: &committer, message, tree: &tree, parent: &parent };
        let made = draft.make(repo, None)?;
        let signer = self.target.signer.as_deref();
        // a pull request that says all this already is left as it is
        let there = self.head.tip().and_then(|tip| repo.find_commit(tip).ok());
        let there = there
            .filter(|there| repo.find_commit(made).is_ok_and(|made| equivalent_commit::are(there, &made)));
        match there.filter(|there| signer.is_none() || is_signed(there)) {
            Some(there) => Ok(there.id().to_string()),
            None if signer.is_none() => Ok(made.to_string()),
            None => Ok(draft.make(repo, signer)?.to_string()),
        }
    }
}

/// What the branch points at; of one that is not there yet, what it will start from.
pub(super) fn published(tip: &Tip) -> Result<Oid> {
    oid(tip.published.as_ref().unwrap_or(&tip.commit))
}

pub(super) fn unparsable(error: &git2::Error) -> Failure {
    git_failure("the history can't be read", error)
}

pub(super) fn oid(text: &str) -> Result<Oid> {
    Oid::from_str(text).map_err(|e| git_failure("no object name", &e))
}
