//! A bump as a pure function: files and a request in, edits out.
//!
//! It does no I/O of its own, gives the same result every time, and is empty if there is nothing to do. The working
//! tree, a commit and the landing loop all plan with it, each on its own [`FileSource`].
//!
//! 1. `request` is the input. `prefilter` and `files` find the files that matter.
//! 2. `matching` finds the references that a request matches, and `what_runs` keeps those that win in what is deployed.
//!    `shared` handles aliases and merge keys, `addition` new kustomization entries, `held` what someone holds.
//! 3. `edits` is the output. `error` and `no_match` are the errors.
//!
//! `listing` lists every reference, `current_references` those that a request matches, and `running` what runs of them, all
//! without changing any; `bump_check` checks whether a change was a bump.

mod addition;
mod bump_check;
mod current_references;
mod edits;
mod elsewhere;
mod environments;
mod error;
mod field_index;
mod files;
mod held;
mod image_inventory;
mod indexes;
mod listing;
mod matched;
mod matching;
mod no_match;
mod parsed_file;
mod prefilter;
mod request;
mod running;
mod shared;
mod skipped_files;
mod source;
mod symlinks;
mod unparsed;
mod values_above;
mod what_runs;
mod wider_pattern;

use crate::memory::drop_in_background;

pub use crate::manifest::NewDigest;
pub use crate::yaml::Cancellation;
pub use bump_check::{ImageVersion, SingleFile, is_bump};
pub use current_references::{
    ChangeableReferences, CurrentReference, changeable_references, current_references, matching_references,
};
pub use edits::{ChangedReference, FileEdit, Plan, PlanOutcome};
pub use elsewhere::{ImageInTemplates, PlacesElsewhere, UnsetPlace};
pub use environments::{
    EnvironmentLimit, Environments, InTwoEnvironments, NamedEnvironment, OtherPlace, OtherRoot, SharedPlace,
};
pub use error::{MatchedValue, PlanError, RefusedReference, ReplacedImage, WithoutEffect};
pub use held::{HeldImage, HeldReference};
pub use indexes::TargetIndex;
pub use listing::{ListedReference, Listing, ListingRequest, OverriddenBy, Overrides, list};
pub use no_match::{Instead, NamelessTag, NoMatch, SimilarImage, UnmatchedImage};
pub use request::{FieldTarget, PlacePath, Request, Scope, SkipReference, UpdateTarget};
pub use running::{RunningReference, running};
pub use source::{
    FileContent, FileSource, FoundFiles, NestedRepository, PathProblem, RepositoryFiles, SourceError,
    SourceFile, VisitScope, Visitor, is_lfs_pointer, is_other_kind,
};
pub use values_above::ValuesAbove;
pub use what_runs::outside::overridden_outside;
pub use wider_pattern::WiderPattern;

/// Plans a bump; see [`PlanError`] for what can go wrong.
pub fn plan(source: &dyn FileSource, request: &Request) -> PlanOutcome {
    let mut scanned = files::ScannedFiles::default();
    let plan = plan_on(source, request, &mut scanned);
    let files::ScannedFiles { warnings, unparsable, around, .. } = scanned;
    drop_in_background(around.paths.len(), around);
    PlanOutcome { plan, warnings, unparsable }
}

fn plan_on(
    source: &dyn FileSource,
    request: &Request,
    scanned: &mut files::ScannedFiles,
) -> Result<Plan, PlanError> {
    *scanned = files::scan_files(source, request)?;
    scanned.check_narrowed(request)?;
    let (mut matches, mut reports) = what_runs::winning::find(source, request, scanned)?;
    if request.add {
        addition::add(scanned, request, &reports, &mut matches);
        reports.drop_overridden_by_added(scanned, request, &mut matches);
    }
    held::mark(scanned, request, &reports, &mut matches);
    matching::refuse_broken_macs(scanned, &mut matches);
    if scanned.selected > 0 {
        matching::check_fields(scanned, request)?;
    }
    let missing = matching::missing(request, &matches);
    if !missing.is_empty() {
        return Err(no_match::explain(source, request, scanned, &reports, &missing));
    }
    scanned.check()?;
    matching::check(scanned, request, &matches)?;
    let values_above = values_above::find(source, request, scanned, &reports, &matches);
    let plan = matching::write(scanned, request, matches)?;
    let elsewhere = elsewhere::beside(scanned, request);
    let in_templates = elsewhere::in_templates(scanned, request);
    scanned.check()?;
    let mut plan = reports.on(plan);
    plan.warnings.extend(symlinks::warnings(scanned, &plan.edits));
    plan.notices.extend(elsewhere::not_listed(request));
    Ok(Plan { elsewhere, in_templates, values_above, ..plan })
}
