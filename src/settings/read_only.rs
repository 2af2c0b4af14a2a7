//! Validates the arguments of `tag`, `scan` and `history`.

use std::path::PathBuf;

use super::parse::{self, bare_name, count, listed, names, non_empty, parse_template, since};
use super::{BareName, DEFAULT_REMOTE, RunContext, SettingsError, WorkLocation, folder, root, run_context};
use crate::cli::{HistoryArgs, ScanArgs, TagArgs};
use crate::environment::Environment;
use crate::file_selection::Selection;
use crate::git::Tokens;
use crate::tag::DEFAULT_TEMPLATE;
use crate::template::Template;

/// The validated arguments of `tag`.
#[derive(Clone, Debug)]
pub struct TagSettings {
    pub run_context: RunContext,
    /// If empty, the template in `tagbump.yaml` or the default one applies.
    pub templates: Vec<Template>,
    pub default_template: Template,
    pub images: Vec<String>,
}

/// The validated arguments of `scan`.
#[derive(Clone, Debug)]
pub struct ScanSettings {
    pub root: PathBuf,
    /// Only these images; all images if empty.
    pub images: Vec<String>,
    pub selection: Selection,
    /// The name of an environment.
    pub env: Option<String>,
}

/// The validated arguments of `history`.
#[derive(Clone)]
pub struct HistorySettings {
    pub run_context: RunContext,
    /// A name without a tag, or a service.
    pub image: String,
    pub selection: Selection,
    /// The name of an environment.
    pub env: Option<String>,
    pub limit: Option<usize>,
    /// Seconds since the epoch.
    pub since: Option<i64>,
    pub default_template: Template,
    /// The remote branch to read; `None` reads `HEAD`.
    pub remote: Option<RemoteSettings>,
}

/// A remote branch to read.
#[derive(Clone)]
pub struct RemoteSettings {
    pub name: String,
    pub branch: Option<String>,
    pub tokens: Tokens,
}

impl RemoteSettings {
    /// Reads the flags. The environment has the tokens.
    pub(super) fn read(
        remote: Option<&str>,
        branch: Option<&str>,
        environment: &Environment,
    ) -> Result<Self, SettingsError> {
        Ok(RemoteSettings {
            name: non_empty(remote).unwrap_or(DEFAULT_REMOTE).to_owned(),
            branch: non_empty(branch).map(parse::branch).transpose()?,
            tokens: Tokens::read(environment),
        })
    }
}

/// Checks a `tag`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn tag(args: TagArgs, environment: Environment, now: i64) -> Result<TagSettings, SettingsError> {
    let templates = listed(args.templates);
    Ok(TagSettings {
        run_context: run_context(&args.common, args.source.as_deref(), DEFAULT_REMOTE, environment, now)?,
        templates: templates.iter().map(|t| parse_template("tag-template", t)).collect::<Result<_, _>>()?,
        default_template: parse_template("tag-template", DEFAULT_TEMPLATE)?,
        images: names(args.images, BareName::Tag)?,
    })
}

/// Checks a `scan`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn scan(args: ScanArgs) -> Result<ScanSettings, SettingsError> {
    Ok(ScanSettings {
        root: folder(&args.common)?,
        images: names(args.images, BareName::Scan)?,
        env: non_empty(args.env.env.as_deref()).map(str::to_owned),
        selection: Selection::new(&listed(args.files.files))?,
    })
}

/// Checks a `history`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn history(
    args: HistoryArgs,
    environment: Environment,
    now: i64,
) -> Result<HistorySettings, SettingsError> {
    let remote = RemoteSettings::read(args.remote.as_deref(), args.branch.as_deref(), &environment)?;
    let names_branch =
        [&args.branch, &args.remote].into_iter().any(|name| non_empty(name.as_deref()).is_some());
    let fetches = args.fetch || names_branch || matches!(root(&args.common), WorkLocation::Url(_));
    Ok(HistorySettings {
        run_context: run_context(&args.common, None, &remote.name, environment, now)?,
        image: bare_name(args.image, BareName::History)?,
        env: non_empty(args.env.env.as_deref()).map(str::to_owned),
        selection: Selection::new(&listed(args.files.files))?,
        limit: non_empty(args.limit.as_deref()).map(|text| count("limit", text)).transpose()?,
        since: non_empty(args.since.as_deref()).map(|text| since(text, now)).transpose()?,
        default_template: parse_template("tag-template", DEFAULT_TEMPLATE)?,
        remote: fetches.then_some(remote),
    })
}
