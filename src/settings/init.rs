//! Validates the arguments of `init`.

use super::parse::listed;
use super::{ScanSettings, SettingsError, folder};
use crate::cli::InitArgs;
use crate::file_selection::Selection;

/// The validated arguments of `init`.
#[derive(Clone, Debug)]
pub struct InitSettings {
    /// The files to search, as for `scan`.
    pub scan: ScanSettings,
    /// Don't ask for confirmation.
    pub yes: bool,
}

/// Checks an `init`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn init(args: InitArgs) -> Result<InitSettings, SettingsError> {
    let selection = Selection::new(&listed(args.files.files))?;
    let scan = ScanSettings { root: folder(&args.common)?, images: Vec::new(), selection, env: None };
    Ok(InitSettings { scan, yes: args.yes })
}
