//! The user's repository: what is checked out, and how it is configured.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use git2::{Config, Direction, ErrorCode, Oid, Repository, RepositoryInitOptions, StatusOptions};
use tempfile::TempDir;

use super::config::{self, UnmetInclude};
use super::discovery::{self, GitLocation};
use super::error::{CheckoutError, GitError, UnsupportedFeature};
use super::identity;
use super::oid::{commit_id, oid};
use super::ssh_program::SshProgram;
use super::temporary_folder::temporary_folder;
use super::tracked_paths::tracked_paths;
use super::transport::TransportConfig;
use super::tree::CommitFiles;
use crate::environment::Environment;
use crate::file_selection::in_folder;
use crate::http::HttpSettings;
use crate::object_id::CommitId;
use crate::worktree::{TrackedFiles, TrackedPaths, Worktree};

/// Marks index entries that a sparse checkout omits (git's `CE_SKIP_WORKTREE`, as it is stored).
const SKIP_WORKTREE: u16 = 1 << 14;

/// A repository whose work tree contains the root.
pub struct Checkout {
    pub(crate) repo: Repository,
    pub(super) workdir: PathBuf,
    /// How a git process finds it.
    pub(super) location: GitLocation,
    /// The root's path below the top of the work tree, with `/`; empty at the top itself.
    pub(crate) prefix: String,
    /// Set if there is no checkout at all.
    stand_in: Option<PlaceholderCheckout>,
    environment: Environment,
    unmet_includes: Vec<UnmetInclude>,
}

/// An empty repository that stands in for a checkout.
struct PlaceholderCheckout {
    url: String,
    /// Removed on drop.
    _folder: TempDir,
}

impl Checkout {
    /// Opens the repository that contains `root`; `None` if there is none.
    ///
    /// Only a `.git` counts, or what `GIT_DIR` names: a bare repository inside a work tree is never used.
    ///
    /// # Errors
    /// Fails if the repository belongs to another user, or if its format is not supported; and if git's variables or
    /// its configuration can't be used.
    pub fn open(root: &Path, environment: &Environment) -> Result<Option<Self>, GitError> {
        let root = dunce::canonicalize(root).map_err(|e| CheckoutError::BadFolder {
            folder: root.display().to_string(),
            reason: e.to_string(),
        })?;
        super::transport::prepare();
        let Some(found) = discovery::find(&root, environment)? else { return Ok(None) };
        let workdir = found.work_tree;
        let inside = root.strip_prefix(&workdir).unwrap_or(Path::new(""));
        let prefix: Option<Vec<_>> = inside.iter().map(|part| part.to_str()).collect();
        let prefix = prefix
            .map(|parts| parts.join("/"))
            .ok_or_else(|| CheckoutError::NotUtf8 { folder: root.display().to_string() })?;
        Ok(Some(Checkout {
            workdir,
            repo: found.repo,
            location: found.location,
            prefix,
            stand_in: None,
            environment: environment.clone(),
            unmet_includes: found.unmet_includes,
        }))
    }

    /// Makes an empty repository to stand in for the checkout of a repository known only by its URL. The URL may
    /// contain a password, so it is never written to disk.
    ///
    /// # Errors
    /// Fails if the temporary folder can't be written.
    pub fn of_url(url: &str, environment: &Environment) -> Result<Self, GitError> {
        super::transport::prepare();
        let folder = temporary_folder()?;
        let mut options = RepositoryInitOptions::new();
        options.external_template(false).no_reinit(true);
        let repo = Repository::init_opts(folder.path(), &options);
        let repo = repo.map_err(|e| GitError::library("no temporary repository", &e))?;
        let unmet_includes = config::apply(&repo, repo.path(), environment)?;
        Ok(Checkout {
            workdir: folder.path().to_owned(),
            repo,
            location: GitLocation::default(),
            prefix: String::new(),
            stand_in: Some(PlaceholderCheckout { url: url.to_owned(), _folder: folder }),
            environment: environment.clone(),
            unmet_includes,
        })
    }

    /// Whether this is only a stand-in, without a checkout.
    pub fn is_stand_in(&self) -> bool {
        self.stand_in.is_some()
    }

    /// The URL of a repository that has no checkout, as it was typed.
    pub(super) fn stand_in_url(&self) -> Option<&str> {
        self.stand_in.as_ref().map(|stand_in| stand_in.url.as_str())
    }

    /// git's configuration for this repository.
    ///
    /// # Errors
    /// Fails if it can't be read.
    pub(super) fn config(&self) -> Result<Config, GitError> {
        self.repo.config().map_err(|e| GitError::library("git's configuration can't be read", &e))
    }

    /// Why the name and address of who commits are not set, as far as an `includeIf` explains it.
    pub fn unread_identity(&self) -> Vec<String> {
        let is_wanted = |key: &str| ["user.", "author.", "committer."].iter().any(|s| key.starts_with(s));
        config::explanations(&self.unmet_includes, &is_wanted)
    }

    /// Why there is no credential, as far as an `includeIf` explains it.
    pub fn unread_credentials(&self) -> Vec<String> {
        let is_wanted = |key: &str| key.starts_with("credential.") || key.ends_with(".extraheader");
        config::explanations(&self.unmet_includes, &is_wanted)
    }

    /// The HTTP settings for this repository.
    ///
    /// # Errors
    /// Fails if git's configuration can't be read.
    pub fn http(&self) -> Result<HttpSettings, GitError> {
        Ok(HttpSettings::new(&self.environment, config::http(&self.config()?)))
    }

    /// How to reach servers from this checkout.
    pub(crate) fn ways(&self) -> Result<TransportConfig, GitError> {
        Ok(TransportConfig {
            http: self.http()?,
            ssh: SshProgram::choose(&self.config()?, &self.environment, self.workdir.clone()),
            environment: self.environment.clone(),
        })
    }

    /// The commit of `HEAD`; `None` before the first commit.
    pub fn head(&self) -> Option<CommitId> {
        self.repo.head().ok()?.peel_to_commit().ok().map(|commit| commit_id(commit.id()))
    }

    /// The branch of `HEAD`; `None` if it is detached.
    pub fn branch(&self) -> Option<String> {
        let head = self.repo.find_reference("HEAD").ok().filter(|_| !self.is_stand_in())?;
        let target = head.symbolic_target().ok().flatten()?;
        target.strip_prefix("refs/heads/").map(str::to_owned)
    }

    /// The names of the git tags at a commit.
    pub fn tags_at(&self, commit: CommitId) -> Vec<String> {
        let Ok(references) = self.repo.references_glob("refs/tags/*") else { return Vec::new() };
        let at_commit = |r: &git2::Reference<'_>| r.peel_to_commit().is_ok_and(|c| c.id() == oid(commit));
        let tags = references.flatten().filter(at_commit);
        tags.filter_map(|r| r.name().ok()?.strip_prefix("refs/tags/").map(str::to_owned)).collect()
    }

    /// The commit that an ID stands for, abbreviated or not.
    pub fn resolve(&self, sha: &str) -> Option<CommitId> {
        let commit = self.repo.find_commit_by_prefix(sha).ok()?;
        Some(commit_id(commit.id()))
    }

    /// Whether a commit comes after another one, as far as the history is here.
    pub fn is_descendant(&self, commit: CommitId, of: CommitId) -> bool {
        self.repo.graph_descendant_of(oid(commit), oid(of)).unwrap_or(false)
    }

    /// Whether the repository has a remote of this name.
    pub fn has_remote(&self, name: &str) -> bool {
        self.repo.find_remote(name).is_ok()
    }

    /// The name and address that git's configuration gives for a role (`author`, `committer`), each if it is set.
    ///
    /// # Errors
    /// Fails if the configuration can't be read.
    pub fn identity(&self, role: &str) -> Result<(Option<String>, Option<String>), GitError> {
        Ok(identity::of_config(&self.config()?, role))
    }

    /// The folder in which to run the user's programs: the top of the work tree, as git does, or the current folder
    /// without a checkout.
    pub(super) fn folder_of_programs(&self) -> Result<PathBuf, GitError> {
        match self.is_stand_in() {
            false => Ok(self.workdir.clone()),
            true => std::path::absolute(".").map_err(GitError::CurrentFolder),
        }
    }

    /// The environment that the checkout was opened with.
    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The files of `HEAD`.
    ///
    /// # Errors
    /// Fails if there is no commit yet.
    pub fn head_files(&self) -> Result<CommitFiles<'_>, GitError> {
        let commit = self.head().ok_or(GitError::NoCommit)?;
        Ok(CommitFiles::new(&self.repo, commit, &self.prefix))
    }

    /// The files of the root, with what git tracks among them, and with the files around them.
    pub fn inside(&self, worktree: Worktree) -> Worktree {
        let index = self.repo.path().join("index");
        let around = TrackedFiles::new(move || tracked_paths(&index, ""));
        worktree.tracking(Some(TrackedFiles::new(self.tracked()))).inside(&self.workdir, &self.prefix, around)
    }

    /// Finds the YAML files and submodules below the root that git tracks, in any thread. Ignore rules don't apply to
    /// them.
    pub fn tracked(&self) -> impl Fn() -> TrackedPaths + Send + Sync + use<> {
        let (index, prefix) = (self.repo.path().join("index"), self.prefix.clone());
        move || tracked_paths(&index, &prefix)
    }

    /// Those of the given paths below the root that have uncommitted changes.
    pub fn uncommitted<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let paths: Vec<_> = paths.map(|path| (path, self.full_path(path))).collect();
        let changed = self.changed(paths.iter().map(|(_, full)| full.as_str()));
        let index = self.repo.index().ok();
        let is_uncommitted = |(_, full): &&(&str, String)| {
            let entry = index.as_ref().and_then(|index| index.get_path(Path::new(full), 0));
            let left_out = entry.is_some_and(|e| e.flags_extended & SKIP_WORKTREE != 0);
            !left_out && changed.contains(full)
        };
        paths.iter().filter(is_uncommitted).map(|(path, _)| *path).collect()
    }

    /// Those of the given paths that differ from `HEAD`. It asks for all at once, because each query looks at every
    /// file.
    fn changed<'p>(&self, paths: impl Iterator<Item = &'p str>) -> HashSet<String> {
        let mut options = StatusOptions::new();
        options.disable_pathspec_match(true).include_untracked(true).recurse_untracked_dirs(true);
        let mut paths = paths.peekable();
        if paths.peek().is_none() {
            return HashSet::new();
        }
        paths.for_each(|path| {
            options.pathspec(path);
        });
        let Ok(statuses) = self.repo.statuses(Some(&mut options)) else { return HashSet::new() };
        let changed =
            statuses.iter().filter(|entry| !entry.status().is_empty() && !entry.status().is_ignored());
        changed.filter_map(|entry| entry.path().ok().map(str::to_owned)).collect()
    }

    /// The root's path below the top of the work tree, with `/`; empty at the top itself.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether `HEAD`, if it is detached or on `branch`, has commits that the remote lacks: neither `base`, which a runner
    /// checked out, nor the remote-tracking branch contains it; nor, if it is detached, any other branch of the remote, or a
    /// tag. Returns false if none of these is known.
    pub fn has_own_commits(&self, remote: &str, branch: &str, base: Option<CommitId>) -> bool {
        let here = self.branch();
        if here.as_ref().is_some_and(|here| here != branch) {
            return false;
        }
        let base = base.map(oid).filter(|base| self.repo.find_commit(*base).is_ok());
        let tracking = self.tracking(remote, branch).and_then(|name| self.repo.refname_to_id(&name).ok());
        let others = if here.is_none() { self.branches_and_tags(remote) } else { Vec::new() };
        let known: Vec<Oid> = base.into_iter().chain(tracking).chain(others).collect();
        !known.is_empty() && self.has_commits_beyond(&known).unwrap_or(false)
    }

    /// Whether `HEAD` has commits that none of the given ones contains.
    fn has_commits_beyond(&self, known: &[Oid]) -> Result<bool, git2::Error> {
        let mut walk = self.repo.revwalk()?;
        walk.push_head()?;
        known.iter().try_for_each(|known| walk.hide(*known))?;
        walk.next().transpose().map(|first| first.is_some())
    }

    /// The commits of a remote's branches, as far as they were fetched, and of all tags.
    fn branches_and_tags(&self, remote: &str) -> Vec<Oid> {
        let of = |glob: &str| self.repo.references_glob(glob).into_iter().flatten().flatten();
        let tracked = format!("refs/remotes/{remote}/*");
        let all = of(&tracked).chain(of("refs/tags/*"));
        all.filter_map(|reference| reference.peel_to_commit().ok().map(|commit| commit.id())).collect()
    }

    /// Whether a remote's branch, as it was fetched, contains `HEAD`.
    pub fn is_head_on(&self, remote: &str, branch: &str) -> bool {
        self.head().is_some_and(|head| self.is_on(remote, branch, head))
    }

    /// Whether a remote's branch, as it was fetched, contains a commit.
    pub fn is_on(&self, remote: &str, branch: &str, commit: CommitId) -> bool {
        let tip = self.tracking(remote, branch).and_then(|name| self.repo.refname_to_id(&name).ok());
        tip.map(commit_id).is_some_and(|tip| tip == commit || self.is_descendant(tip, commit))
    }

    /// The full name of a remote-tracking branch.
    pub(super) fn tracking(&self, remote: &str, branch: &str) -> Option<String> {
        let full = format!("refs/heads/{branch}");
        let remote = self.repo.find_remote(remote).ok()?;
        let mut specs = remote.refspecs();
        let spec = specs.find(|spec| spec.direction() == Direction::Fetch && spec.src_matches(&full))?;
        spec.transform(&full).ok()?.as_str().ok().map(str::to_owned)
    }

    /// Turns a path below the root into one below the top of the work tree.
    pub fn full_path(&self, path: &str) -> String {
        in_folder(&self.prefix, path)
    }

    /// Whether all objects of its history are here. A partial clone fetches some only on demand, and a stand-in has
    /// none.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_stand_in() && !self.is_partial()
    }

    fn is_partial(&self) -> bool {
        self.config().is_ok_and(|config| {
            config::text(&config, "extensions.partialclone").is_some()
                || config::starting_with(&config, "remote.")
                    .iter()
                    .any(|(name, _)| name.ends_with(".promisor"))
        })
    }
}

/// What it means that libgit2 can't open a repository.
pub(super) fn unreadable(workdir: &Path, error: &git2::Error) -> CheckoutError {
    let (folder, text) = (workdir.display().to_string(), error.message());
    if error.code() == ErrorCode::Owner {
        return CheckoutError::ForeignOwner { folder };
    }
    // libgit2 has no error codes for these
    let feature = if text.contains("object format") {
        Some(UnsupportedFeature::Sha256)
    } else {
        text.contains("refstorage").then_some(UnsupportedFeature::Reftable)
    };
    CheckoutError::NotOpened { folder, reason: text.to_owned(), feature }
}
