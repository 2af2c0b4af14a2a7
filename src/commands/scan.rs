//! The story of `tagbump scan`: every reference below the root.

use crate::environment::Environment;
use crate::error::Result;
use crate::git::Checkout;
use crate::plan::{self, Listing};
use crate::settings::ScanSettings;
use crate::worktree::Worktree;

/// Lists what is there; `looked` is called after each file, from several threads.
///
/// # Errors
/// Exit 1 where a file that was named can't be read as YAML, exit 2 where it may not be looked at, exit 3
/// where it is not there.
pub fn run(settings: &ScanSettings, looked: &(dyn Fn() + Sync)) -> Result<Listing> {
    let worktree = Worktree::open(&settings.root)?;
    // what git itself can't open is no reason not to look at files
    // nothing is asked of its configuration
    let checkout = Checkout::open(&settings.root, &Environment::default()).ok().flatten();
    let worktree = worktree.tracking(checkout.map(|c| c.tracked()).unwrap_or_default());
    plan::list(&worktree, &settings.selection, &settings.images, looked)
}
