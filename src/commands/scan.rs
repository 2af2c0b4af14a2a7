//! `tagbump scan`: lists every reference below the root.

use crate::environment::Environment;
use crate::error::Result;
use crate::git::Checkout;
use crate::plan::{self, Listing};
use crate::settings::ScanSettings;
use crate::worktree::Worktree;

/// Lists the references. `looked` is called after each file, from several threads.
///
/// # Errors
/// Exit 1 if a named file isn't valid YAML, exit 2 if it may not be read, exit 3 if it doesn't exist.
pub fn run(settings: &ScanSettings, looked: &(dyn Fn() + Sync)) -> Result<Listing> {
    let worktree = Worktree::open(&settings.root)?;
    // files can be searched even if git can't open the repository; git's configuration isn't needed here
    let checkout = Checkout::open(&settings.root, &Environment::default()).ok().flatten();
    let worktree = worktree.tracking(checkout.map(|c| c.tracked()).unwrap_or_default());
    plan::list(&worktree, &settings.selection, &settings.images, looked)
}
