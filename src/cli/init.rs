//! The arguments of `init`.

use clap::Args;

use super::headings::FILES;
use super::switch::switch;
use super::{CommonArgs, FileArgs};

/// Propose a tagbump.yaml and a workflow, based on the references found; never overwrites
///
/// Shows both files, and writes them if you answer yes, or with --yes. A file that already exists stays
/// unchanged.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InitArgs {
    #[command(flatten)]
    pub files: FileArgs,

    /// Write the files without asking
    #[arg(
        short,
        long,
        env = "TAGBUMP_YES",
        hide_env = true,
        value_parser = switch,
        help_heading = FILES
    )]
    pub yes: bool,

    #[command(flatten)]
    pub common: CommonArgs,
}
