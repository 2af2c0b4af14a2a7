//! The commands that look, and change nothing, as they are typed.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::{CommonArgs, FileArgs, Format};

/// Print the tag of the current commit: what the build step should push
///
/// Templates are text with {sha} {sha:N} {branch} {ref} {pr} {version} {semver} {run} {date:%Y%m%d}.
#[derive(Debug, Args)]
pub struct TagArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// The built commit [default: the one in an explicit tag, else the event's]
    #[arg(long, value_name = "[REPO@]SHA", env = "TAGBUMP_SOURCE", hide_env = true)]
    pub source: Option<String>,

    /// How to compute the tag; repeatable, the first is the one to deploy [default: {sha:7}]
    #[arg(
        short = 'T',
        long = "tag-template",
        value_name = "T",
        env = "TAGBUMP_TAG_TEMPLATE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub templates: Vec<String>,

    /// Print full names of this image; repeatable
    #[arg(
        long = "image",
        value_name = "NAME",
        env = "TAGBUMP_IMAGE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub images: Vec<String>,
}

/// List every reference that is found: file:line, kind, image, tag, digest, or why it can't be edited
#[derive(Debug, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// Only references to this image; repeatable
    #[arg(
        long = "image",
        value_name = "NAME",
        env = "TAGBUMP_IMAGE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub images: Vec<String>,

    #[command(flatten)]
    pub files: FileArgs,

    /// What is written to stdout
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text")]
    pub format: Format,
}

/// List the tags that an image has had, newest first: when, by which commit, for how long
///
/// Told from the commits that changed its references, whoever wrote them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tagbump history ghcr.io/acme/api -n 5                    the last five
  tagbump history api -f prod --since '2 weeks ago'        of a service, in one environment
  tagbump history ghcr.io/acme/api --fetch --format mermaid >> \"$GITHUB_STEP_SUMMARY\"")]
pub struct HistoryArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// The image, or service
    #[arg(value_name = "IMAGE")]
    pub image: String,

    /// Only the newest N
    #[arg(short = 'n', long, value_name = "N", env = "TAGBUMP_LIMIT", hide_env = true)]
    pub limit: Option<String>,

    /// Only those that came since: 2026-11-21, 2026-11-21T12:00:00Z, '2 weeks ago', 36h
    #[arg(long, value_name = "WHEN", env = "TAGBUMP_SINCE", hide_env = true)]
    pub since: Option<String>,

    #[command(flatten)]
    pub files: FileArgs,

    /// Read the remote branch, as it is now, and fetch as much of its history as is needed
    #[arg(long, env = "TAGBUMP_FETCH", hide_env = true, value_parser = FalseyValueParser::new())]
    pub fetch: bool,

    /// The remote branch to read; implies --fetch [default: the one of HEAD]
    #[arg(long, value_name = "B", env = "TAGBUMP_BRANCH", hide_env = true)]
    pub branch: Option<String>,

    /// The remote to read; implies --fetch [default: origin]
    #[arg(long, value_name = "R", env = "TAGBUMP_REMOTE", hide_env = true)]
    pub remote: Option<String>,

    /// What is written to stdout
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text")]
    pub format: HistoryFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    #[value(alias = "")]
    Text,
    Json,
    /// A timeline as a picture, for Markdown.
    Mermaid,
}
