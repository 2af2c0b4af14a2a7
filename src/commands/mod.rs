//! The commands, one module each. `branch_choice` and `remote_site` answer what several of them ask: which branch, and which forge.

mod branch_choice;
pub mod bump;
pub mod history;
pub mod init;
mod remote_site;
pub mod scan;
pub mod tag;
pub mod wait;

use crate::diagnostics::{CommandError, Error};
use crate::git::Checkout;
use crate::settings::{RunContext, WorkLocation};

/// Opens the repository that a command reads.
fn open_checkout(run_context: &RunContext) -> Result<Checkout, Error> {
    Ok(match &run_context.root {
        WorkLocation::Url(url) => Checkout::of_url(url, &run_context.environment)?,
        WorkLocation::Folder(folder) => Checkout::open(folder, &run_context.environment)?
            .ok_or_else(|| CommandError::NoRepository { folder: folder.display().to_string() })?,
    })
}
