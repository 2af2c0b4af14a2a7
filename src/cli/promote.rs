//! The arguments of `promote`.

use clap::Args;

use super::deliver::DeliveryArgs;
use super::headings::{FILES, IMAGE_AND_TAG, ORDER_AND_RETRIES};
use super::switch::switch;
use super::{CommonArgs, FileArgs, HeldArgs, IfOlder, VerifyArgs};

const PROMOTE_EXAMPLES: &str = "\
Examples:
  tagbump promote prod -n                 show what prod would get from the environment before it
  tagbump promote prod --push             set all services of tagbump.yaml, and land
  tagbump promote prod api --soak 12h --pr";

/// Set an environment to the tags and digests that the environment before it runs
///
/// ENV is an environment of tagbump.yaml that has `from`. Without names, all services are promoted.
/// Otherwise a promotion is an ordinary bump, and each image keeps its own source.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = PROMOTE_EXAMPLES)]
pub struct PromoteArgs {
    /// The environment to set
    #[arg(value_name = "ENV", required = true)]
    pub env: String,

    /// Services or images to promote, without tags [default: all services of tagbump.yaml]
    #[arg(value_name = "SERVICE|IMAGE")]
    pub images: Vec<String>,

    /// Promote the newest tag that ran for at least this long, such as 12h
    ///
    /// It must have run that long in the environment before. Tags that were rolled back don't
    /// count. The default is `soak` in tagbump.yaml; 0 promotes what runs now.
    #[arg(
        long,
        value_name = "DUR",
        env = "TAGBUMP_SOAK",
        hide_env = true,
        help_heading = IMAGE_AND_TAG,
        verbatim_doc_comment
    )]
    pub soak: Option<String>,

    #[command(flatten)]
    pub verify: VerifyArgs,

    #[command(flatten)]
    pub files: FileArgs,

    /// Update every match, even if the tags differ
    #[arg(
        long,
        env = "TAGBUMP_ALL",
        hide_env = true,
        value_parser = switch,
        help_heading = FILES
    )]
    pub all: bool,

    /// Fail, writing nothing, unless exactly N references match
    #[arg(long, value_name = "N", env = "TAGBUMP_EXPECT", hide_env = true, help_heading = FILES)]
    pub expect: Option<String>,

    /// Add a missing `images:` entry to the environment's kustomization
    #[arg(
        long,
        env = "TAGBUMP_ADD",
        hide_env = true,
        value_parser = switch,
        help_heading = FILES
    )]
    pub add: bool,

    #[command(flatten)]
    pub deliver: DeliveryArgs,

    /// On a newer build: skip, fail or write [default: skip in Actions, else fail]
    ///
    /// What to do with a reference that runs a build whose commit comes after the promoted one's:
    /// skip it, skip it and fail, or write it anyway.
    #[arg(
        long,
        value_name = "WHAT",
        env = "TAGBUMP_IF_OLDER",
        hide_env = true,
        default_value = "",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = ORDER_AND_RETRIES,
        verbatim_doc_comment
    )]
    pub if_older: IfOlder,

    #[command(flatten)]
    pub held: HeldArgs,

    #[command(flatten)]
    pub common: CommonArgs,
}
