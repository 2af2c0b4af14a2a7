//! Turns flags and the environment into validated settings.

mod bump;
mod error;
mod hold;
mod init;
mod parse;
mod promote;
mod read_only;
mod wait;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::actions::ActionsRun;
use crate::ci::Ci;
use crate::cli::{AutoMerge, Changes, CommonArgs, ForgeArg, IfHeld, IfOlder, Via};
use crate::environment::Environment;
use crate::file_selection::Selection;
use crate::git::{Identity, Tokens, is_scp, misspelt_url, without_user};
use crate::image::{ImageArg, Tag};
use crate::tag::Source;
use crate::template::Template;
use crate::verify::Verify;
use crate::yaml::FieldPath;
use parse::{non_empty, source};

pub use bump::{bump, rollback};
pub use error::{BadCombination, BareName, ExpectedValue, SettingsError};
pub use hold::{hold, unhold};
pub use init::{InitSettings, init};
pub use promote::promote;
pub use read_only::{HistorySettings, RemoteSettings, ScanSettings, TagSettings, history, scan, tag};
pub use wait::{StatusPattern, WaitSettings, wait};

const DEFAULT_PR_BRANCH: &str = "tagbump/{base}/{name}";
pub const DEFAULT_REMOTE: &str = "origin";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);
const DEFAULT_VERIFY_TIMEOUT: Duration = Duration::from_secs(60);

/// How far a bump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// In the files of the work tree.
    WorkTree,
    /// In a commit in the local repository.
    LocalCommit,
    /// In a commit on the remote branch.
    Push,
    /// In a commit on a separate branch, with a pull request to the remote branch.
    PullRequest,
}

/// The validated arguments of a command that changes files: `bump`, `rollback`, `promote`, `hold` or `unhold`.
#[derive(Clone, Debug)]
pub struct BumpSettings {
    pub run_context: RunContext,
    pub operation: Operation,
    pub images: Vec<ImageArg>,
    pub tag: Option<Tag>,
    /// Computes the tag of an IMAGE without one.
    pub template: Option<Template>,
    pub default_template: Template,
    pub references: ReferenceSelection,
    pub add: bool,
    pub registry: RegistrySettings,
    /// What to do with references that are held.
    pub if_held: IfHeld,
    pub delivery: Delivery,
}

/// What a run does with its images.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Sets the tag of a build.
    Bump,
    /// Goes back to an earlier tag.
    Rollback(RollbackOptions),
    /// Sets what another environment runs.
    Promotion(PromotionOptions),
    /// Edits the file of holds, and changes no reference.
    HoldChange(HoldOptions),
}

impl Operation {
    /// Whether the tags were in use before: they are not those of the build that runs this.
    pub fn sets_earlier_tags(&self) -> bool {
        matches!(self, Operation::Rollback(_) | Operation::Promotion(_))
    }

    pub fn is_rollback(&self) -> bool {
        matches!(self, Operation::Rollback(_))
    }

    pub fn is_promotion(&self) -> bool {
        matches!(self, Operation::Promotion(_))
    }
}

/// What the registries of the images are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrySettings {
    /// `None` leaves it to `tagbump.yaml`.
    pub verify: Option<Verify>,
    /// How long to wait for an image.
    pub timeout: Duration,
    /// Every image gets the digest that its registry has for the tag.
    pub pins_digests: bool,
}

/// Which references to update.
#[derive(Clone, Debug)]
pub struct ReferenceSelection {
    /// The name of an environment.
    pub env: Option<String>,
    pub selection: Selection,
    pub fields: Vec<FieldPath>,
    /// Update every match, even if their tags differ.
    pub all: bool,
    pub expect: Option<usize>,
}

/// What a `hold` or `unhold` does.
#[derive(Clone, Debug)]
pub struct HoldOptions {
    pub action: HoldAction,
    /// Only in this environment.
    pub env: Option<String>,
    /// Who started the CI system's job.
    pub by: Option<String>,
}

/// Whether images are held from now on, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldAction {
    Hold { reason: String, until: Option<Timestamp> },
    Unhold,
}

/// Additional options of a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollbackOptions {
    /// Allow a tag that was never deployed.
    pub force: bool,
}

/// What is promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionOptions {
    /// The environment to set.
    pub env: String,
    /// How long a tag must have run in the environment before, in seconds; `None` leaves it to `tagbump.yaml`.
    pub soak: Option<u64>,
}

/// Where to put the change, and how to make the commit.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub destination: Destination,
    pub dry_run: bool,
    pub exit_code: bool,
    /// How to describe the commits that the change includes.
    pub changes: Changes,
    pub commit: CommitSettings,
    pub landing: LandingSettings,
    pub pull: PullSettings,
    /// Flags for a pull request, if there is to be none.
    pub without_effect: Vec<&'static str>,
}

/// The settings for a pull request, if there is one.
#[derive(Clone, Debug)]
pub struct PullSettings {
    pub branch: Template,
    pub title: Option<Template>,
    pub body: Option<Template>,
    pub labels: Vec<String>,
    /// People, and teams as `ORG/TEAM`.
    pub reviewers: Vec<String>,
    pub assignees: Vec<String>,
    pub draft: bool,
    pub auto_merge: AutoMerge,
}

/// The place to work in, and the facts about the commit that was built.
#[derive(Clone, Debug)]
pub struct RunContext {
    pub root: WorkLocation,
    pub source: Option<Source>,
    /// For what only GitHub Actions provides.
    pub run: ActionsRun,
    pub ci: Ci,
    pub environment: Environment,
    /// Seconds since the epoch.
    pub now: i64,
}

/// How to make the commit.
#[derive(Clone, Debug)]
pub struct CommitSettings {
    pub message: Option<Template>,
    /// `None` skips CI if the target's repository is the one that was built.
    pub skip_ci: Option<bool>,
    pub author: Option<Identity>,
    pub signoff: bool,
    /// If not set, git's `commit.gpgsign` decides.
    pub sign: bool,
}

/// How to land the commit.
#[derive(Clone)]
pub struct LandingSettings {
    pub branch: Option<String>,
    pub remote: String,
    pub via: Via,
    pub forge: ForgeArg,
    pub if_older: IfOlder,
    pub carry: bool,
    pub sync: bool,
    pub timeout: Duration,
    pub tokens: Tokens,
}

impl std::fmt::Debug for LandingSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LandingSettings")
            .field("branch", &self.branch)
            .field("remote", &without_user(&self.remote))
            .finish()
    }
}

fn run_context(
    common: &CommonArgs,
    typed_source: Option<&str>,
    remote: &str,
    environment: Environment,
    now: i64,
) -> Result<RunContext, SettingsError> {
    let run = ActionsRun::read(&environment);
    Ok(RunContext {
        root: root(common),
        source: non_empty(typed_source).map(source).transpose()?,
        ci: Ci::read(&environment, remote, run.pipeline()),
        run,
        environment,
        now,
    })
}

/// A folder, or the URL of a repository to work on without a checkout.
#[derive(Clone, PartialEq, Eq)]
pub enum WorkLocation {
    Folder(PathBuf),
    /// As it was typed, so it may contain a password.
    Url(String),
}

impl std::fmt::Debug for WorkLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WorkLocation::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
            WorkLocation::Url(url) => f.debug_tuple("Url").field(&without_user(url)).finish(),
        }
    }
}

fn root(common: &CommonArgs) -> WorkLocation {
    let root = non_empty(common.repo.as_deref()).unwrap_or(".");
    let is_like_url = is_scp(root) || misspelt_url(root).is_some();
    if root.contains("://") || (is_like_url && !std::path::Path::new(root).exists()) {
        return WorkLocation::Url(root.to_owned());
    }
    WorkLocation::Folder(PathBuf::from(root))
}

/// The folder of a command that can't work on a URL.
fn folder(common: &CommonArgs) -> Result<PathBuf, SettingsError> {
    match root(common) {
        WorkLocation::Folder(folder) => Ok(folder),
        WorkLocation::Url(url) => Err(SettingsError::NeedsFolder { url: without_user(&url) }),
    }
}
