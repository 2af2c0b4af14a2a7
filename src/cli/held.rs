//! What a command does with held references.

use clap::{Args, ValueEnum};

use super::headings::ORDER_AND_RETRIES;

/// What to do with what is held.
#[derive(Debug, Args)]
pub struct HeldArgs {
    /// On a hold: skip, fail or write [default: skip in Actions, else fail]
    ///
    /// What to do if a hold blocks a reference, or if nothing has soaked.
    #[arg(
        long,
        value_name = "WHAT",
        env = "TAGBUMP_IF_HELD",
        hide_env = true,
        default_value = "",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = ORDER_AND_RETRIES
    )]
    pub if_held: IfHeld,
}

/// What to do with a held reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfHeld {
    /// Skip in Actions, else fail.
    #[value(hide = true, alias = "")]
    Auto,
    /// Skip the reference.
    Skip,
    /// Fail.
    Fail,
    /// Write the reference anyway.
    Write,
}
