//! What `tagbump init` is to do.

use super::parse::listed;
use super::{ScanSettings, folder};
use crate::cli::InitArgs;
use crate::error::Result;
use crate::file_selection::Selection;

/// An `init`, checked.
#[derive(Clone, Debug)]
pub struct InitSettings {
    /// What is looked at: everything that `scan` would.
    pub scan: ScanSettings,
    /// Nobody is asked.
    pub yes: bool,
}

/// Checks an `init`.
///
/// # Errors
/// Exit 2, with the flag and what it takes.
pub fn init(args: InitArgs) -> Result<InitSettings> {
    let selection = Selection::new(&listed(args.files.files))?;
    let scan = ScanSettings { root: folder(&args.common)?, images: Vec::new(), selection };
    Ok(InitSettings { scan, yes: args.yes })
}
