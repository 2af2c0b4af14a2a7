//! The arguments of `hold` and `unhold`, and what a bump does with held references.

use clap::{Args, ValueEnum};

use super::deliver::DeliveryArgs;
use super::headings::{HOLD, ORDER_AND_RETRIES};
use super::{CommonArgs, EnvArgs, FileArgs};

const HOLD_EXAMPLES: &str = "\
Examples:
  tagbump hold ghcr.io/acme/api --reason 'incident 42' --until 4h --push
  tagbump hold api worker --reason freeze --until 2026-12-27 --push
  tagbump hold api --env prod --reason 'load test' -n";

const UNHOLD_EXAMPLES: &str = "\
Examples:
  tagbump unhold ghcr.io/acme/api --push
  tagbump unhold api --env prod --push    end only the hold of this environment";

/// Block bumps and rollbacks of images for a while
///
/// Writes tagbump-holds.yaml in the root. Bumps skip held images and report who holds them and why.
/// Entries that have ended are removed.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = HOLD_EXAMPLES)]
pub struct HoldArgs {
    /// Images or services to hold, without a tag
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// Why, in one line
    #[arg(long, value_name = "TEXT", env = "TAGBUMP_REASON", hide_env = true, help_heading = HOLD)]
    pub reason: Option<String>,

    /// When it ends: a time, a date, or how long, such as 7d [default: never]
    ///
    /// Write a time as 2026-12-01T08:00:00Z; a date means 00:00 UTC; 4h means in four hours.
    #[arg(
        long,
        value_name = "TIME|DUR",
        env = "TAGBUMP_UNTIL",
        hide_env = true,
        help_heading = HOLD
    )]
    pub until: Option<String>,

    #[command(flatten)]
    pub env: EnvArgs,

    #[command(flatten)]
    pub files: FileArgs,

    #[command(flatten)]
    pub deliver: DeliveryArgs,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// Allow bumps of held images again
#[derive(Debug, Args)]
#[command(after_help = UNHOLD_EXAMPLES)]
pub struct UnholdArgs {
    /// Images or services that are held, without a tag
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    #[command(flatten)]
    pub env: EnvArgs,

    #[command(flatten)]
    pub files: FileArgs,

    #[command(flatten)]
    pub deliver: DeliveryArgs,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// What to do with what someone holds.
#[derive(Debug, Args)]
pub struct HeldArgs {
    /// On a hold: skip, fail or write [default: fail; skip for bumps in Actions]
    ///
    /// What to do with references that tagbump hold blocks: skip them with a warning, fail and
    /// write nothing, or write them anyway, which the commit records. A rollback fails in Actions
    /// too. A promotion for which nothing has soaked yet is skipped or fails in the same way.
    #[arg(
        long,
        value_name = "WHAT",
        env = "TAGBUMP_IF_HELD",
        hide_env = true,
        default_value = "",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = ORDER_AND_RETRIES,
        verbatim_doc_comment
    )]
    pub if_held: IfHeld,
}

/// What to do with references that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfHeld {
    /// Skip for a bump in Actions, else fail.
    #[value(hide = true, alias = "")]
    Auto,
    /// Skip them.
    Skip,
    /// Write nothing, and fail.
    Fail,
    /// Write them anyway.
    Write,
}
