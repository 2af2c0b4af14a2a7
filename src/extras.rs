//! Shell completions and man pages, generated from the definition of the command line.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::Result;

/// The completion script for a shell.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tagbump", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a man page for each command into an existing folder.
///
/// # Errors
/// The folder can't be written to.
pub fn man(folder: &Path) -> Result<()> {
    let written = clap_mangen::generate_to(Cli::command(), folder);
    Ok(written.with_context(|| format!("{}: the man pages can't be written", folder.display()))?)
}
