//! The arguments of `tag`, `scan` and `history`, which change nothing.

use clap::{Args, ValueEnum};

use super::headings::{IMAGE_AND_TAG, OUTPUT, REMOTE_BRANCH};
use super::switch::switch;
use super::{CommonArgs, EnvArgs, FileArgs, Format};

/// Print the tag for the current commit; the build step should push this tag
///
/// A template is text with variables: {sha} {sha:N} {branch} {ref} {pr} {version} {semver} {run}
/// {date:%Y%m%d}. Write {{ and }} for braces.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TagArgs {
    /// How to compute the tag; repeatable [default: {sha:7}]
    ///
    /// The first one is the tag to deploy.
    #[arg(
        short = 'T',
        long = "tag-template",
        value_name = "T",
        env = "TAGBUMP_TAG_TEMPLATE",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = IMAGE_AND_TAG
    )]
    pub templates: Vec<String>,

    /// Print full names of this image or service, NAME:TAG; repeatable
    #[arg(
        long = "image",
        value_name = "NAME",
        env = "TAGBUMP_IMAGE",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = IMAGE_AND_TAG
    )]
    pub images: Vec<String>,

    /// The commit that was built [default: the event's, else HEAD]
    #[arg(
        long,
        value_name = "[REPO@]SHA",
        env = "TAGBUMP_SOURCE",
        hide_env = true,
        help_heading = IMAGE_AND_TAG
    )]
    pub source: Option<String>,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// List every reference found: file:line, kind, image, tag, digest, or why it can't be edited
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// List only references to this image; repeatable
    #[arg(
        long = "image",
        value_name = "NAME",
        env = "TAGBUMP_IMAGE",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = IMAGE_AND_TAG
    )]
    pub images: Vec<String>,

    #[command(flatten)]
    pub env: EnvArgs,

    #[command(flatten)]
    pub files: FileArgs,

    /// Output format
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text", help_heading = OUTPUT)]
    pub format: Format,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// List the tags that an image has had, newest first: when, by which commit, for how long
///
/// Read from the commits that changed the image's references, no matter who made them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tagbump history ghcr.io/acme/api -n 5                    the five newest tags
  tagbump history api --env prod --since '2 weeks ago'     a service in one environment
  tagbump history ghcr.io/acme/api --fetch --format mermaid >> \"$GITHUB_STEP_SUMMARY\"")]
pub struct HistoryArgs {
    /// The image, or a service from tagbump.yaml
    #[arg(value_name = "IMAGE")]
    pub image: String,

    /// List only the newest N
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        env = "TAGBUMP_LIMIT",
        hide_env = true,
        help_heading = IMAGE_AND_TAG
    )]
    pub limit: Option<String>,

    /// List only tags set since then, such as 2026-11-21, '2 weeks ago' or 36h
    ///
    /// Also takes a point in time, such as 2026-11-21T12:00:00Z.
    #[arg(
        long,
        value_name = "WHEN",
        env = "TAGBUMP_SINCE",
        hide_env = true,
        help_heading = IMAGE_AND_TAG
    )]
    pub since: Option<String>,

    #[command(flatten)]
    pub env: EnvArgs,

    #[command(flatten)]
    pub files: FileArgs,

    /// Read the remote branch, and fetch as much of its history as needed
    ///
    /// Fetches into a temporary folder; the checkout stays unchanged.
    #[arg(
        long,
        env = "TAGBUMP_FETCH",
        hide_env = true,
        value_parser = switch,
        help_heading = REMOTE_BRANCH
    )]
    pub fetch: bool,

    /// Branch to read; implies --fetch [default: the one of HEAD]
    #[arg(
        long,
        value_name = "B",
        env = "TAGBUMP_BRANCH",
        hide_env = true,
        help_heading = REMOTE_BRANCH
    )]
    pub branch: Option<String>,

    /// Remote to read; implies --fetch [default: origin]
    #[arg(
        long,
        value_name = "R",
        env = "TAGBUMP_REMOTE",
        hide_env = true,
        help_heading = REMOTE_BRANCH
    )]
    pub remote: Option<String>,

    /// Output format
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text", help_heading = OUTPUT)]
    pub format: HistoryFormat,

    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    #[value(alias = "")]
    Text,
    Json,
    /// A timeline as a picture, for Markdown.
    Mermaid,
}
