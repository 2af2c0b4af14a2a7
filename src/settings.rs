//! From what was typed to what is meant: flags and environment, checked.

mod init;

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use crate::actions::Run;
use crate::cli::{BumpArgs, CommonArgs, Format, IfOlder, ScanArgs, TagArgs, Via};
use crate::environment::Environment;
use crate::error::{Failure, Result};
use crate::git::{Identity, Tokens, is_scp, without_user};
use crate::image::{Digest, ImageArg, Part, Tag};
use crate::select::Selection;
use crate::tag::{DEFAULT_TEMPLATE, Source};
use crate::template::Template;
use crate::yaml::FieldPath;

pub use init::{InitSettings, init};

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
    pub selection: Selection,
    pub fields: Vec<FieldPath>,
    pub all: bool,
    pub add: bool,
    pub expect: Option<usize>,
    pub reach: Reach,
    pub dry_run: bool,
    pub exit_code: bool,
    pub format: Format,
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
        f.debug_struct("LandingSettings").field("branch", &self.branch).field("remote", &self.remote).finish()
    }
}

/// A `tag`, checked.
#[derive(Clone, Debug)]
pub struct TagSettings {
    pub place: Place,
    /// None: what `tagbump.yaml` says, else the default one.
    pub templates: Vec<Template>,
    pub default_template: Template,
    pub images: Vec<String>,
}

/// A `scan`, checked.
#[derive(Clone, Debug)]
pub struct ScanSettings {
    pub root: PathBuf,
    /// Only these images; none: all.
    pub images: Vec<String>,
    pub selection: Selection,
}

/// Checks a `bump`.
///
/// # Errors
/// Exit 2, with the flag and what it takes.
pub fn bump(args: BumpArgs, environment: Environment, now: i64) -> Result<BumpSettings> {
    let run = Run::read(&environment);
    let images = args.images.iter().filter(|image| !image.is_empty());
    let images: Vec<_> = images.map(|image| ImageArg::parse(image).map_err(told)).collect::<Result<_>>()?;
    // of several, as `tag` takes them, the first is the one to deploy
    let template = args.tag_template.iter().flat_map(|text| text.lines()).find(|line| !line.is_empty());
    let settings = BumpSettings {
        images: with_digest(images, given(args.digest.as_deref()))?,
        tag: given(args.tag.as_deref()).map(Tag::parse).transpose().map_err(told)?,
        template: template.map(|text| parse_template("--tag-template", text)).transpose()?,
        default_template: parse_template("--tag-template", DEFAULT_TEMPLATE)?,
        selection: Selection::new(&listed(args.files.files))?,
        fields: fields(&listed(args.fields))?,
        all: args.all,
        add: args.add,
        expect: given(args.expect.as_deref()).map(count).transpose()?,
        reach: match (args.pr, args.push, args.commit) {
            (true, _, _) => Reach::Propose,
            (false, true, _) => Reach::Land,
            (false, false, true) => Reach::Commit,
            (false, false, false) => Reach::Edit,
        },
        dry_run: args.dry_run,
        exit_code: args.exit_code,
        format: args.format,
        commit: CommitSettings {
            message: given(args.message.as_deref()).map(|m| parse_template("--message", m)).transpose()?,
            skip_ci: match (args.skip_ci, args.no_skip_ci) {
                (_, true) => Some(false),
                (true, false) => Some(true),
                // a mark on its head would keep a pull request's required checks pending for ever
                (false, false) => args.pr.then_some(false),
            },
            author: given(args.author.as_deref()).map(Identity::parse).transpose()?,
            signoff: args.signoff,
            sign: args.sign,
        },
        landing: LandingSettings {
            branch: given(args.branch.as_deref()).map(branch).transpose()?,
            remote: given(args.remote.as_deref()).unwrap_or(DEFAULT_REMOTE).to_owned(),
            via: args.via,
            if_older: match args.if_older {
                IfOlder::Auto if run.active => IfOlder::Skip,
                IfOlder::Auto => IfOlder::Fail,
                said => said,
            },
            carry: args.carry,
            sync: !args.no_sync,
            timeout: given(args.timeout.as_deref()).map(duration).transpose()?.unwrap_or(DEFAULT_TIMEOUT),
            tokens: Tokens::read(&environment),
        },
        pull: PullSettings {
            branch: parse_template(
                "--pr-branch",
                given(args.pr_branch.as_deref()).unwrap_or(DEFAULT_PR_BRANCH),
            )?,
            title: given(args.pr_title.as_deref()).map(|t| parse_template("--pr-title", t)).transpose()?,
            body: given(args.pr_body.as_deref()).map(|t| parse_template("--pr-body", t)).transpose()?,
            labels: listed(args.labels),
            draft: args.draft,
        },
        place: place(&args.common, args.source.as_deref(), environment, now)?,
    };
    settings.check()?;
    Ok(settings)
}

/// Checks a `tag`.
///
/// # Errors
/// Exit 2, with the flag and what it takes.
pub fn tag(args: TagArgs, environment: Environment, now: i64) -> Result<TagSettings> {
    let templates = listed(args.templates);
    Ok(TagSettings {
        place: place(&args.common, args.source.as_deref(), environment, now)?,
        templates: templates.iter().map(|t| parse_template("--tag-template", t)).collect::<Result<_>>()?,
        default_template: parse_template("--tag-template", DEFAULT_TEMPLATE)?,
        images: names(args.images, "the tags are put behind it")?,
    })
}

/// Checks a `scan`.
///
/// # Errors
/// Exit 2, with the flag and what it takes.
pub fn scan(args: ScanArgs) -> Result<ScanSettings> {
    Ok(ScanSettings {
        root: folder(&args.common)?,
        images: names(args.images, "references are listed whatever their tag is")?,
        selection: Selection::new(&listed(args.files.files))?,
    })
}

impl BumpSettings {
    fn check(&self) -> Result<()> {
        let usage = |message: &str, hint: &str| Err(Failure::usage(message).hinted(hint));
        let by_api = self.landing.via == Via::Api;
        let lands = matches!(self.reach, Reach::Land | Reach::Propose);
        if matches!(self.place.root, Root::Url(_)) && !lands && !self.dry_run {
            return usage(
                "-C with a URL has no files to edit here",
                "land it with --push or --pr, or look with -n",
            );
        }
        if by_api && self.reach == Reach::Commit {
            return usage("--via api makes no local commit", "leave one of --via api and --commit out");
        }
        if by_api && self.commit.author.is_some() {
            return usage(
                "--author does not go with --via api: GitHub takes the token's owner",
                "leave --author out, or land with --via git",
            );
        }
        if by_api && self.commit.sign {
            return usage(
                "--sign does not go with --via api: GitHub makes the commit, and signs it itself",
                "leave --sign out, or land with --via git",
            );
        }
        if self.landing.carry && (by_api || self.reach == Reach::Propose) {
            return usage(
                "--carry goes with --push and git alone",
                "leave --carry out, or --via api and --pr",
            );
        }
        if self.images.is_empty() {
            return usage("no IMAGE was given", "name one: tagbump bump ghcr.io/acme/api:v2");
        }
        if !self.fields.is_empty() && self.selection.is_everything() {
            return usage("--field needs -f", "name the files whose field is to be set");
        }
        if !self.fields.is_empty() && self.images.len() != 1 {
            return usage("--field needs exactly one IMAGE", "bump the images one by one");
        }
        Ok(())
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    Folder(PathBuf),
    /// As it was typed: it can hold a password.
    Url(String),
}

fn root(common: &CommonArgs) -> Root {
    let root = given(common.repo.as_deref()).unwrap_or(".");
    if root.contains("://") || (is_scp(root) && !std::path::Path::new(root).exists()) {
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

/// Names without tag.
fn names(images: Vec<String>, hint: &str) -> Result<Vec<String>> {
    let images = listed(images);
    for image in &images {
        let parsed = ImageArg::parse(image).map_err(told)?;
        if parsed.name != *image {
            return Err(Failure::usage(format!("--image {image}: give the name alone")).hinted(hint));
        }
    }
    Ok(images)
}

fn source(text: &str) -> Result<Source> {
    Source::parse(text).ok_or_else(|| {
        Failure::usage(format!("--source {text}: is not [REPO@]SHA"))
            .hinted("write it as acme/api@1a2b3c4…, with 7 to 64 hex digits")
    })
}

fn with_digest(mut images: Vec<ImageArg>, digest: Option<&str>) -> Result<Vec<ImageArg>> {
    let Some(digest) = digest else { return Ok(images) };
    let digest = Digest::parse(digest).map_err(|e| Failure::usage(format!("--digest: {e}")))?;
    match images.as_mut_slice() {
        [image] if image.digest == Part::Unsaid => {
            image.digest = Part::Set(digest);
            image.digest_beside = true;
            Ok(images)
        }
        [_] => Err(Failure::usage("--digest and IMAGE both give a digest").hinted("give it once")),
        _ => Err(Failure::usage("--digest needs exactly one IMAGE").hinted("write IMAGE@DIGEST for each")),
    }
}

fn fields(paths: &[String]) -> Result<Vec<FieldPath>> {
    let parse = |path: &String| {
        FieldPath::parse(path).map_err(|e| {
            Failure::usage(e.to_string())
                .hinted("paths are keys parted by dots, [N] and [key=value]: list[0].tag")
        })
    };
    paths.iter().map(parse).collect()
}

fn count(text: &str) -> Result<usize> {
    text.parse().map_err(|_| Failure::usage(format!("--expect {text}: is no number")))
}

fn duration(text: &str) -> Result<Duration> {
    let fault =
        || Failure::usage(format!("--timeout {text}: is no duration")).hinted("write it as 90s, 2m or 1h30m");
    let seconds = text.parse::<u32>().map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    let parsed = seconds.or_else(|_| text.parse()).map_err(|_| fault())?;
    let parsed = Duration::try_from(parsed).map_err(|_| fault())?;
    if parsed > Duration::from_secs(24 * 60 * 60) { Err(fault()) } else { Ok(parsed) }
}

/// A branch name that git takes, without `refs/heads/`.
fn branch(text: &str) -> Result<String> {
    let name = text.strip_prefix("refs/heads/").unwrap_or(text);
    if name.starts_with('-') || !crate::git::is_branch_name(name) {
        return Err(Failure::usage(format!("--branch {text}: is no branch name"))
            .hinted("git check-ref-format --branch says what is"));
    }
    Ok(name.to_owned())
}

fn parse_template(flag: &str, text: &str) -> Result<Template> {
    Template::parse(text).map_err(|e| {
        Failure::usage(format!("{flag}: {e}"))
            .hinted("variables are {name} or {name:argument}; {{ and }} are braces")
    })
}

fn told(error: crate::image::ImageError) -> Failure {
    Failure::usage(error.to_string())
}

/// Empty values come from a workflow's `env:` and mean nothing.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn listed(values: Vec<String>) -> Vec<String> {
    let values = values.into_iter().map(|value| value.trim_end_matches('\r').to_owned());
    values.filter(|value| !value.trim().is_empty()).collect()
}
