//! What can be typed behind `tagbump init`.

use clap::Args;
use clap::builder::FalseyValueParser;

use super::{CommonArgs, FileArgs};

/// Propose a tagbump.yaml and a workflow, made of the references that are found; never overwrites
///
/// Both are shown, and written when you say yes, or with --yes. What is there already stays as it is.
#[derive(Debug, Args)]
pub struct InitArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    #[command(flatten)]
    pub files: FileArgs,

    /// Write the files without asking
    #[arg(short, long, env = "TAGBUMP_YES", hide_env = true, value_parser = FalseyValueParser::new())]
    pub yes: bool,
}
