//! A branch of a git remote, as the landing loop sees it.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use git2::build::TreeUpdateBuilder;
use git2::{ErrorClass, ErrorCode, Oid, PushOptions, RemoteCallbacks};

use super::checkout::Checkout;
use super::credentials::{Credentials, Tokens};
use super::failure::git_failure;
use super::fetch::{self, DEPTHS, TIP, Wanted};
use super::head::{Course, Head};
use super::identity::Identity;
use super::transport::{self, Endpoint, Stopped};
use super::tree::CommitFiles;
use super::workspace::Workspace;
use super::{Carried, RemoteUrl, carry, twin, verdict};
use crate::error::{Failure, Result};
use crate::http::Settings;
use crate::land::{History, Place, Tip, Trouble, Verdict};
use crate::plan::{FileEdit, Shelf};

const DEEPER: &str = "refs/tagbump/deeper";

/// Where to land, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    pub fetch: RemoteUrl,
    pub push: RemoteUrl,
    /// Nothing: the remote's default branch.
    pub branch: Option<String>,
    /// The branch of a pull request to that one, where there shall be one.
    pub head: Option<String>,
    /// Local commits that go below the bump.
    pub carry: Option<Carried>,
    pub author: Identity,
    pub committer: Identity,
}

/// A branch of a git remote.
pub struct GitPlace {
    workspace: Workspace,
    fetch: Arc<Endpoint>,
    push: Arc<Endpoint>,
    target: Target,
    /// The branch, once the server has told its default one.
    branch: Option<String>,
    /// The remote's default branch and its tip, where the server tells.
    default: Option<(String, Oid)>,
    /// The pull request's branch, as it was found.
    head: Head,
    /// The target's tip, as it was found.
    base: Option<Oid>,
    /// Whether a push was tried.
    published: bool,
    prefix: String,
    http: Settings,
}

impl GitPlace {
    /// # Errors
    /// Where no workspace can be made, or the remote can't be talked to in principle.
    pub fn new(checkout: &Checkout, target: Target, tokens: &Tokens) -> Result<Self> {
        let http = checkout.http()?;
        let endpoint = |url: &RemoteUrl| {
            Endpoint::new(url, Credentials::new(url, tokens, &http, &checkout.workdir), &http)
        };
        let fetch = endpoint(&target.fetch)?;
        let push = if target.push == target.fetch { Arc::clone(&fetch) } else { endpoint(&target.push)? };
        Ok(GitPlace {
            workspace: Workspace::new(checkout)?,
            fetch,
            push,
            branch: target.branch.clone(),
            target,
            default: None,
            head: Head::New,
            base: None,
            published: false,
            prefix: checkout.prefix.clone(),
            http,
        })
    }

    /// The branch that is landed on, once it is known.
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// Where a browser shows a commit, on a host that has pages for it.
    pub fn commit_url(&self, commit: &str) -> Option<String> {
        Some(format!("{}/commit/{commit}", self.target.push.page()?))
    }

    /// `owner/name`, as the host knows the repository.
    pub fn slug(&self) -> Option<String> {
        self.target.push.slug()
    }

    /// Whether the pull request's branch is there, and holds nothing but tagbump's commits.
    pub fn has_own_head(&self) -> bool {
        matches!(self.head, Head::Ours(_))
    }

    /// Whether the pull request's branch is there.
    pub fn has_head(&self) -> bool {
        self.head != Head::New
    }

    /// How HTTP is to be talked here, to the host's API too.
    pub fn http(&self) -> &Settings {
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

    /// Takes every secret of the remote out of a text.
    pub(super) fn scrub(&self, text: &str) -> String {
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
    pub(super) fn carried_head(&self) -> Option<Oid> {
        self.target.carry.map(|carried| carried.head)
    }

    /// What the bump is made on: the tip, or the local commits put on it.
    fn carried_onto(&self, tip: Oid) -> Result<Oid> {
        let Some(carried) = self.target.carry else { return Ok(tip) };
        carry::onto(&self.workspace.repo, tip, carried, &self.target.committer.signature()?)
    }

    /// Asks for the tip, and fetches it where it is new. One connection.
    fn fetch_tip(&mut self, until: Instant) -> Result<Oid, Trouble> {
        let head = self.target.head.as_deref();
        let wanted = Wanted { branch: self.branch.as_deref(), head, ours: self.published };
        match fetch::fetch(&self.workspace, &self.fetch, &wanted, until) {
            Ok(Some(found)) => {
                self.branch = Some(found.branch);
                self.default = found.default;
                let base = self.fetched(found.tip)?;
                self.head = self.head_of(found.head, base, until);
                Ok(base)
            }
            Ok(None) => Err(Trouble::Final(self.no_branch())),
            Err(stopped) => Err(verdict::of_fetch(stopped, &self.fetch, &self.url())),
        }
    }

    /// What a pull request's branch is. From a shallow history that takes a deeper one, where the base has
    /// moved on.
    fn head_of(&self, tip: Option<Oid>, base: Oid, until: Instant) -> Head {
        let repo = &self.workspace.repo;
        let mut head = Head::of(repo, tip, base);
        for depth in DEPTHS {
            let told = !matches!(head, Head::Shared(_)) || !repo.is_shallow();
            if told || self.deepen(depth, until).is_err() {
                break;
            }
            head = Head::of(repo, tip, base);
        }
        head
    }

    /// Makes the target branch's history so deep, in the workspace.
    pub(super) fn deepen(&self, depth: i32, until: Instant) -> Result<(), Stopped> {
        fetch::deepen(&self.workspace, &self.fetch, self.branch().unwrap_or_default(), DEEPER, depth, until)
    }

    /// The branch may have moved between the list and the fetch: then the fetched commit is the tip.
    fn fetched(&self, listed: Oid) -> Result<Oid, Trouble> {
        if self.workspace.has(listed) {
            return Ok(listed);
        }
        let fetched = self.workspace.repo.refname_to_id(TIP).ok().filter(|oid| self.workspace.has(*oid));
        fetched.ok_or_else(|| Trouble::Passing {
            what: format!("{}: the tip {listed} did not come with the fetch", self.url()),
            retry_after: None,
        })
    }

    /// Where a commit that was made here goes.
    pub fn course(&self, commit: &str) -> Course {
        let Some(branch) = self.target.head.clone() else {
            return Course::OnTop { branch: self.branch.clone().unwrap_or_default() };
        };
        match self.head {
            Head::New => Course::New { branch },
            Head::Ours(tip) if tip.to_string() == commit => Course::There,
            Head::Ours(tip) if Some(tip) != self.base => Course::Anew { branch, tip: tip.to_string() },
            Head::Ours(_) | Head::Shared(_) => Course::OnTop { branch },
        }
    }

    /// What is pushed where, and the commit that must be there; nothing where there is nothing to push.
    fn goal(&self, commit: &str) -> Option<(String, Option<Oid>)> {
        match self.course(commit) {
            Course::There => None,
            Course::OnTop { branch } => {
                Some((format!("{commit}:refs/heads/{branch}"), self.head.tip().or(self.base)))
            }
            Course::New { branch } => Some((format!("{commit}:refs/heads/{branch}"), Some(Oid::ZERO_SHA1))),
            // forced, with a lease: what is expected there is checked before anything is sent
            Course::Anew { branch, .. } => Some((format!("+{commit}:refs/heads/{branch}"), self.head.tip())),
        }
    }

    /// What a server made of a commit that was made here, if the branch has it.
    ///
    /// # Errors
    /// Where the history can't be read.
    pub fn find_twin(&self, tip: &Tip, commit: &str) -> Result<Option<String>> {
        let found = twin::find(&self.workspace.repo, published(tip)?, oid(commit)?);
        found.map(|twin| twin.map(|oid| oid.to_string())).map_err(|e| unread(&e))
    }

    /// A file's mode in a commit, and its path below the repository's top.
    ///
    /// # Errors
    /// Where the commit can't be read, or has no such file.
    pub fn file_mode(&self, commit: &str, path: &str) -> Result<(String, i32)> {
        let path = self.full_path(path);
        let tree = self.workspace.repo.find_commit(oid(commit)?).and_then(|commit| commit.tree());
        let entry = tree.and_then(|tree| tree.get_path(Path::new(&path))).map_err(|e| unread(&e))?;
        Ok((path, entry.filemode()))
    }

    fn full_path(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    fn no_branch(&self) -> Failure {
        let url = self.url();
        match &self.branch {
            Some(branch) => Failure::usage(format!("{url} has no branch {branch}"))
                .hinted("name another with --branch; only a pull request would create one"),
            None => Failure::usage(format!("{url} has no default branch")).hinted("name one with --branch"),
        }
    }
}

impl Place for GitPlace {
    fn tip(&mut self, until: Instant) -> Result<Tip, Trouble> {
        let base = self.fetch_tip(until)?;
        self.base = Some(base);
        if self.target.head.is_none() {
            let onto = self.carried_onto(base).map_err(Trouble::Final)?;
            let carries = onto != base;
            return Ok(Tip { commit: onto.to_string(), carries, ..Tip::of(base.to_string()) });
        }
        let beside = match self.head {
            Head::New => None,
            Head::Ours(tip) => Some(tip),
            Head::Shared(_) => Some(base),
        };
        Ok(Tip {
            commit: self.head.onto(base).to_string(),
            published: self.head.tip().map(|tip| tip.to_string()),
            beside: beside.map(|oid| oid.to_string()),
            carries: false,
        })
    }

    fn files(&self, tip: &Tip) -> Result<Box<dyn Shelf + '_>> {
        let (repo, commit) = (&self.workspace.repo, oid(&tip.commit)?);
        Ok(Box::new(CommitFiles { repo, commit, prefix: &self.prefix }))
    }

    fn history(&self) -> &dyn History {
        self
    }

    fn commit(&mut self, tip: &Tip, edits: &[FileEdit], message: &str) -> Result<String> {
        let fault = |e: git2::Error| git_failure("the commit can't be made", &e);
        let repo = &self.workspace.repo;
        let parent = repo.find_commit(oid(&tip.commit)?).map_err(fault)?;
        let tree = edited_tree(repo, &parent, edits, &self.prefix)?;
        let author = self.target.author.signature()?;
        let committer = self.target.committer.signature()?;
        let made = repo.commit(None, &author, &committer, message, &tree, &[&parent]).map_err(fault)?;
        // a pull request that says all this already is left as it is
        let there = self.head.tip().and_then(|tip| repo.find_commit(tip).ok());
        let there = there.filter(|there| repo.find_commit(made).is_ok_and(|made| twin::are(there, &made)));
        Ok(there.map_or(made, |there| there.id()).to_string())
    }

    fn publish(&mut self, commit: &str, until: Instant) -> Verdict {
        let published = || Verdict::Published { commit: commit.to_owned() };
        let Some((refspec, expected)) = self.goal(commit) else { return published() };
        self.published = true;
        let refusal = RefCell::new(None);
        let words = RefCell::new(Vec::new());
        let pushed = self.push.during(until, || {
            let mut callbacks = RemoteCallbacks::new();
            // without this callback libgit2 calls a rejected push a success
            callbacks.push_update_reference(|_, status| {
                *refusal.borrow_mut() = status.map(str::to_owned);
                Ok(())
            });
            callbacks.sideband_progress(|bytes| {
                let mut words = words.borrow_mut();
                let room = MAX_WORDS.saturating_sub(words.len());
                words.extend_from_slice(&bytes[..bytes.len().min(room)]);
                true
            });
            // the commit belongs on this tip: neither on one that was set back meanwhile, nor on nothing
            callbacks.push_negotiation(|updates| match updates.iter().find(|u| Some(u.src()) != expected) {
                Some(_) => {
                    Err(git2::Error::new(ErrorCode::NotFastForward, ErrorClass::Reference, "it has moved"))
                }
                None => Ok(()),
            });
            let mut options = PushOptions::new();
            options.remote_callbacks(callbacks).packbuilder_parallelism(1);
            let mut remote = self.workspace.repo.remote_anonymous(transport::URL)?;
            remote.push(&[refspec], Some(&mut options))
        });
        let url = self.target.push.to_string();
        let words = self.push.scrub(String::from_utf8_lossy(&words.into_inner()).trim());
        match (pushed, refusal.into_inner()) {
            (Ok(()), None) => published(),
            (_, Some(status)) => verdict::of_status(&self.push.scrub(&status), &words, &url),
            (Err(stopped), None) => verdict::of_push(stopped, &words, &self.push, &url),
        }
    }

    fn find(&mut self, tip: &Tip, commit: &str) -> Result<Option<String>> {
        let (tip, wanted) = (published(tip)?, oid(commit)?);
        let after = || self.workspace.repo.graph_descendant_of(tip, wanted).map_err(|e| unread(&e));
        Ok((tip == wanted || after()?).then(|| commit.to_owned()))
    }
}

/// How much of the server's words is kept.
const MAX_WORDS: usize = 64 * 1024;

/// A commit's tree with the edits made, each file with its mode.
pub(super) fn edited_tree<'r>(
    repo: &'r git2::Repository,
    parent: &git2::Commit<'_>,
    edits: &[FileEdit],
    prefix: &str,
) -> Result<git2::Tree<'r>> {
    let fault = |e: git2::Error| git_failure("the commit can't be made", &e);
    let tree = parent.tree().map_err(fault)?;
    let mut update = TreeUpdateBuilder::new();
    for edit in edits {
        let path = if prefix.is_empty() { edit.path.clone() } else { format!("{prefix}/{}", edit.path) };
        let mode = tree.get_path(Path::new(&path)).map_err(fault)?.filemode();
        let mode = if mode == 0o100_755 { git2::FileMode::BlobExecutable } else { git2::FileMode::Blob };
        update.upsert(path, repo.blob(&edit.after).map_err(fault)?, mode);
    }
    let made = update.create_updated(repo, &tree).map_err(fault)?;
    repo.find_tree(made).map_err(fault)
}

/// What the branch points at; of one that is not there yet, what it will start from.
fn published(tip: &Tip) -> Result<Oid> {
    oid(tip.published.as_ref().unwrap_or(&tip.commit))
}

fn unread(error: &git2::Error) -> Failure {
    git_failure("the history can't be read", error)
}

fn oid(text: &str) -> Result<Oid> {
    Oid::from_str(text).map_err(|e| git_failure("no object name", &e))
}
