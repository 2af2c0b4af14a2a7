//! The `bump` commands: decide, then edit, commit, push or open a pull request.

mod auto_merge;
mod commit;
mod edit;
mod identities;
mod landing_target;
mod merge_request;
mod overlay_file;
mod pr_branch;
mod pull_request;
mod push;
mod remote;
mod report;

use std::path::Path;
use std::sync::Arc;

use crate::build_info;
use crate::ci::Ci;
use crate::decision::{DecisionContext, DecisionError};
use crate::diagnostics::{self, BumpError, Error};
use crate::git::{Checkout, GitError, Identity};
use crate::image::{Field, ImageArg};
use crate::output::Report;
use crate::settings::{BumpSettings, Destination, WorkLocation};
use crate::tag::BuildInfo;
use crate::worktree::Worktree;
use report::BumpReport;

/// Does what the settings ask for. If that fails, the report says why. `on_wait` is called with what the run waits for,
/// and with `None` when it goes on.
pub fn run(settings: &BumpSettings, on_wait: &dyn Fn(Option<&str>)) -> Report {
    let mut report = BumpReport::new(settings);
    report.warnings.extend(rival_systems(&settings.run_context.ci));
    let done = bump(settings, on_wait, &mut report);
    let audience = diagnostics::audience(&settings.run_context.environment);
    report.finish(done.map_err(|error| match settings.run_context.run.is_from_fork() {
        true => diagnostics::diagnose_in_fork(error, audience),
        false => diagnostics::diagnose(error, audience),
    }))
}

/// The warning that the variables of no CI system count, because the markers of several are set.
pub(super) fn rival_systems(ci: &Ci) -> Option<String> {
    let markers = ci.rival_markers();
    let text =
        || format!("{} are set, so tagbump reads the variables of none of them", markers.join(" and "));
    (!markers.is_empty()).then(text)
}

fn bump(
    settings: &BumpSettings,
    on_wait: &dyn Fn(Option<&str>),
    report: &mut BumpReport,
) -> Result<(), Error> {
    let bump = Bump::prepare(settings, on_wait)?;
    match (&settings.run_context.root, settings.delivery.destination) {
        (_, Destination::PullRequest) => bump.open_pull_request(report),
        (_, Destination::Push) | (WorkLocation::Url(_), _) => bump.push(report),
        (WorkLocation::Folder(folder), Destination::WorkTree) => bump.edit(&Worktree::open(folder)?, report),
        (WorkLocation::Folder(folder), Destination::LocalCommit) => {
            bump.commit(&Worktree::open(folder)?, report)
        }
    }
}

/// A bump with everything that is known before files are read.
struct Bump<'a> {
    settings: &'a BumpSettings,
    checkout: Option<Checkout>,
    /// Why there is a repository, but no checkout.
    unopened: Option<Arc<GitError>>,
    build: BuildInfo,
    on_wait: &'a dyn Fn(Option<&str>),
}

/// Whether a tag is computed, or a commit is made, whose message may name the build. It takes time to read all tags of a repository.
fn uses_build_info(settings: &BumpSettings) -> bool {
    let is_computed = |image: &ImageArg| image.tag == Field::Unspecified && settings.tag.is_none();
    let computes_tag = !settings.operation.sets_earlier_tags() && settings.images.iter().any(is_computed);
    computes_tag || settings.delivery.destination != Destination::WorkTree
}

impl<'a> Bump<'a> {
    fn prepare(settings: &'a BumpSettings, on_wait: &'a dyn Fn(Option<&str>)) -> Result<Self, Error> {
        let needs_git = settings.delivery.destination != Destination::WorkTree;
        let environment = &settings.run_context.environment;
        let (root, opened) = match &settings.run_context.root {
            WorkLocation::Url(url) => (Path::new("."), Checkout::of_url(url, environment).map(Some)),
            WorkLocation::Folder(folder) => {
                // report a folder that doesn't exist before anything else
                Worktree::open(folder)?;
                (folder.as_path(), Checkout::open(folder, environment))
            }
        };
        let (checkout, unopened) = match opened {
            Ok(checkout) => (checkout, None),
            Err(error) if needs_git => return Err(error.into()),
            // files can be edited even if git can't open the repository
            Err(error) => (None, Some(Arc::new(error))),
        };
        if needs_git && checkout.is_none() {
            return Err(BumpError::NoCheckout { folder: root.display().to_string() }.into());
        }
        let remote = &settings.delivery.landing.remote;
        let of_build = build_info::checkout_of_build(&settings.run_context, checkout.as_ref(), remote);
        let build = match uses_build_info(settings) {
            true => build_info::tag_facts(&settings.run_context, of_build),
            false => BuildInfo::default(),
        };
        Ok(Bump { settings, checkout, unopened, build, on_wait })
    }

    fn checkout(&self) -> Result<&Checkout, DecisionError> {
        self.checkout.as_ref().ok_or(DecisionError::NoRepository)
    }

    /// For decisions; `committer` is `None` if no commit is made.
    fn context(&self, committer: Option<Identity>) -> DecisionContext<'_> {
        DecisionContext {
            settings: self.settings,
            checkout: self.checkout.as_ref(),
            unopened: self.unopened.clone(),
            build: &self.build,
            committer,
            on_wait: self.on_wait,
        }
    }
}
