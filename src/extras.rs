//! Shell completions and man pages, generated from the definition of the command line.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

/// The completion script for a shell.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tagbump", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Man pages that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{folder}: the man pages can't be written: {error}")]
pub struct ManError {
    folder: String,
    error: std::io::Error,
}

/// Writes a man page for each command into an existing folder.
///
/// # Errors
/// The folder can't be written to.
pub fn man(folder: &Path) -> Result<(), ManError> {
    let written = clap_mangen::generate_to(Cli::command(), folder);
    written.map_err(|error| ManError { folder: folder.display().to_string(), error })
}
