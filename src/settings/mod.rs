//! From what was typed to what is meant: flags and environment, checked.

mod bump;
mod init;
mod look;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use crate::actions::Run;
use crate::cli::{CommonArgs, IfOlder, Via};
use crate::environment::Environment;
use crate::error::{Failure, Result};
use crate::git::{Identity, Tokens, is_scp, misspelt_url, without_user};
use crate::image::{ImageArg, Tag};
use crate::select::Selection;
use crate::tag::Source;
use crate::template::Template;
use crate::yaml::FieldPath;
use words::{given, source};

pub use bump::{bump, rollback};
pub use init::{InitSettings, init};
pub use look::{HistorySettings, RemoteSettings, ScanSettings, TagSettings, history, scan, tag};

const DEFAULT_PR_BRANCH: &str = "tagbump/{base}/{name}";
const DEFAULT_REMOTE: &str = "origin";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// How far a bump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The files of the working tree.
    Edit,
    /// A commit in the local repository.
    Commit,
    /// A commit on the remote branch.
    Land,
    /// A commit on a branch of its own, in a pull request to the remote branch.
    Propose,
}

/// A `bump`, checked.
#[derive(Clone, Debug)]
pub struct BumpSettings {
    pub place: Place,
    pub images: Vec<ImageArg>,
    pub tag: Option<Tag>,
    /// It computes the tag of a bare IMAGE.
    pub template: Option<Template>,
    pub default_template: Template,
    pub places: Places,
    pub add: bool,
    /// Where it is a rollback: tags are those to go back to.
    pub back: Option<Back>,
    pub delivery: Delivery,
}

/// Which references are meant.
#[derive(Clone, Debug)]
pub struct Places {
    pub selection: Selection,
    pub fields: Vec<FieldPath>,
    /// Several places with different tags are all meant.
    pub all: bool,
    pub expect: Option<usize>,
}

/// What a rollback is asked for besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// Also to a tag that was never there.
    pub force: bool,
}

/// How far a change goes, and what is made of it.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub reach: Reach,
    pub dry_run: bool,
    pub exit_code: bool,
    pub commit: CommitSettings,
    pub landing: LandingSettings,
    pub pull: PullSettings,
}

/// The pull request, where there shall be one.
#[derive(Clone, Debug)]
pub struct PullSettings {
    pub branch: Template,
    pub title: Option<Template>,
    pub body: Option<Template>,
    pub labels: Vec<String>,
    pub draft: bool,
}

/// Where to work, and what is known of the commit that was built.
#[derive(Clone, Debug)]
pub struct Place {
    pub root: Root,
    pub source: Option<Source>,
    pub run: Run,
    pub environment: Environment,
    /// Seconds since the epoch.
    pub now: i64,
}

/// What a commit says.
#[derive(Clone, Debug)]
pub struct CommitSettings {
    pub message: Option<Template>,
    /// Nothing: on where the target's repository is the one that was built.
    pub skip_ci: Option<bool>,
    pub author: Option<Identity>,
    pub signoff: bool,
    /// Without it git's `commit.gpgsign` decides.
    pub sign: bool,
}

/// Where a commit goes.
#[derive(Clone)]
pub struct LandingSettings {
    pub branch: Option<String>,
    pub remote: String,
    pub via: Via,
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

fn place(
    common: &CommonArgs,
    typed_source: Option<&str>,
    environment: Environment,
    now: i64,
) -> Result<Place> {
    Ok(Place {
        root: root(common),
        source: given(typed_source).map(source).transpose()?,
        run: Run::read(&environment),
        environment,
        now,
    })
}

/// A folder, or the URL of a repository that is worked on without a checkout.
#[derive(Clone, PartialEq, Eq)]
pub enum Root {
    Folder(PathBuf),
    /// As it was typed: it can hold a password.
    Url(String),
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Root::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
            Root::Url(url) => f.debug_tuple("Url").field(&without_user(url)).finish(),
        }
    }
}

fn root(common: &CommonArgs) -> Root {
    let root = given(common.repo.as_deref()).unwrap_or(".");
    let is_like_url = is_scp(root) || misspelt_url(root).is_some();
    if root.contains("://") || (is_like_url && !std::path::Path::new(root).exists()) {
        return Root::Url(root.to_owned());
    }
    Root::Folder(PathBuf::from(root))
}

/// For what works in a folder alone.
fn folder(common: &CommonArgs) -> Result<PathBuf> {
    match root(common) {
        Root::Folder(folder) => Ok(folder),
        Root::Url(url) => Err(Failure::usage(format!("-C {}: this needs a folder", without_user(&url)))
            .hinted("clone the repository, and name the folder; bump with --push or --pr does without")),
    }
}
