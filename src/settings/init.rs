//! What `tagbump init` is to do.

use super::parse::listed;
use super::{ScanSettings, SettingsError, folder};
use crate::cli::InitArgs;
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
/// With the flag and what it takes.
pub fn init(args: InitArgs) -> Result<InitSettings, SettingsError> {
    let selection = Selection::new(&listed(args.files.files))?;
    let scan = ScanSettings { root: folder(&args.common)?, images: Vec::new(), selection };
    Ok(InitSettings { scan, yes: args.yes })
}
