//! `tagbump scan`: lists every reference below the root.

use crate::config::Config;
use crate::decision::{DecisionError, environment_limit};
use crate::diagnostics::Error;
use crate::environment::Environment;
use crate::git::Checkout;
use crate::holds::{Hold, HoldsFile};
use crate::plan::{self, Environments, Listing, ListingRequest, NamedEnvironment, NestedRepository};
use crate::settings::{DEFAULT_REMOTE, ScanSettings};
use crate::worktree::{TrackedFiles, Worktree};

/// Lists the references, and which of them are held at `now`, in seconds since the epoch; `looked` is called after each file,
/// from several threads.
///
/// # Errors
/// If a named file doesn't exist, can't be read, or isn't valid YAML, or if `tagbump.yaml` isn't valid.
pub fn run(settings: &ScanSettings, now: i64, looked: &(dyn Fn() + Sync)) -> Result<Listing, Error> {
    let worktree = Worktree::open(&settings.root)?;
    // files can be searched even if git can't open the repository; git's configuration isn't needed here
    let checkout = Checkout::open(&settings.root, &Environment::default()).ok().flatten();
    let url = checkout.as_ref().and_then(|checkout| checkout.repository_url(DEFAULT_REMOTE));
    let tracked = checkout.map(|checkout| TrackedFiles::new(checkout.tracked()));
    let worktree = worktree.tracking(tracked);
    let config = Config::load(&worktree)?;
    let environments = match &settings.env {
        Some(env) => config.limited_to(environment_limit(&config, env)?),
        None => Environments::default(),
    };
    let request = ListingRequest {
        selection: &settings.selection,
        images: &settings.images,
        environments: &environments,
        repository_url: url.as_deref(),
    };
    let listing = plan::list(&worktree, &request, looked)?;
    let mut listing = listing.with_winning(&settings.selection, &settings.images);
    let holds = HoldsFile::load(&worktree).map_err(DecisionError::from)?.holds;
    let elsewhere = OtherEnvironments(config.environments().cloned().collect());
    for reference in listing.references.iter_mut().chain(&mut listing.winning) {
        let mut active = holds
            .iter()
            .filter(|placed| !placed.hold.is_over(now) && !elsewhere.have(&placed.hold, &reference.file));
        let hold = active.find(|placed| placed.held_image().covers(&reference.image, &reference.file));
        reference.held = hold.map(|placed| placed.hold.to_string());
    }
    if listing.references.is_empty() {
        listing.warnings.extend(listing.nested.iter().map(NestedRepository::to_string));
    }
    Ok(listing)
}

/// The environments of `tagbump.yaml`, to show the hold of one of them only where it may hold something.
struct OtherEnvironments(Vec<NamedEnvironment>);

impl OtherEnvironments {
    /// Whether a file is in another environment than the one that is held.
    fn have(&self, hold: &Hold, file: &str) -> bool {
        let Some(held) = &hold.env else { return false };
        let mut around =
            self.0.iter().filter(|environment| environment.files.match_level_of_any(file).is_some());
        let is_known = self.0.iter().any(|environment| environment.name == *held);
        is_known && around.next().is_some_and(|environment| environment.name != *held)
    }
}
