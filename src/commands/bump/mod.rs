//! The story of a bump: read, plan, then write, commit or land.

mod ground;
mod landing;
mod order_guard;
mod overlay_file;
mod pull_request;
mod rollback;
mod wording;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;

use crate::config::Config;
use crate::error::{Exit, Failure, Result};
use crate::git::{self, Checkout, CommitRequest};
use crate::image::{Digest, Field, ImageArg, Tag};
use crate::landing::{BuildOrder, RolledBack};
use crate::output::{BumpedImage, Outcome, Report, unparsable_warning};
use crate::plan::{self, FileSource, Plan, PlanOutcome, Request, UpdateTarget};
use crate::settings::{BumpSettings, Destination, WorkLocation};
use crate::tag::{self, BuildInfo};
use crate::template::Template;
use crate::worktree::Worktree;
use crate::{build_info, resolve_targets};
use overlay_file::OverlayFile;
use rollback::{RollbackBase, RollbackPlan};

/// Does what was asked for. A failure is in the report too.
pub fn run(settings: &BumpSettings) -> Report {
    let mut report = Report::new(asked_for(settings));
    match bump(settings, &mut report) {
        Ok(()) => report,
        Err(failure) => report.failed(of_fork(settings, failure)),
    }
}

/// A fork's job can't push, whatever else its settings are.
fn of_fork(settings: &BumpSettings, failure: Failure) -> Failure {
    if failure.exit != Exit::Refused || !settings.place.run.is_from_fork() {
        return failure;
    }
    let message = format!("{}\npull requests from forks have no right to push", failure.message);
    Failure { message, ..failure }
        .hinted("bump after the merge: on push, or on workflow_run, which has the repository's own token")
}

/// The images as far as they are known before anything is read.
fn asked_for(settings: &BumpSettings) -> Vec<BumpedImage> {
    let one = |image: &ImageArg| BumpedImage {
        name: match &image.new_name {
            Field::Set(new) => new.clone(),
            Field::Unspecified | Field::Keep => image.name.clone(),
        },
        tag: match &image.tag {
            Field::Set(tag) => Some(tag.to_string()),
            Field::Keep => None,
            Field::Unspecified => settings.tag.as_ref().map(Tag::to_string),
        },
        digest: digest(&image.digest),
    };
    settings.images.iter().map(one).collect()
}

fn digest(part: &Field<Digest>) -> Option<String> {
    match part {
        Field::Set(digest) => Some(digest.to_string()),
        Field::Unspecified | Field::Keep => None,
    }
}

fn bumped_images(targets: &[UpdateTarget]) -> Vec<BumpedImage> {
    let one = |target: &UpdateTarget| BumpedImage {
        name: target.effective_name().to_owned(),
        tag: target.tag.as_ref().map(Tag::to_string),
        digest: digest(&target.digest),
    };
    targets.iter().map(one).collect()
}

fn bump(settings: &BumpSettings, report: &mut Report) -> Result<()> {
    let bump = Bump::prepare(settings)?;
    let done = match (&settings.place.root, settings.delivery.destination) {
        (_, Destination::PullRequest) => bump.propose_pull_request(report),
        (_, Destination::Push) | (WorkLocation::Url(_), _) => bump.land(report),
        (WorkLocation::Folder(folder), Destination::WorkTree) => bump.edit(&Worktree::open(folder)?, report),
        (WorkLocation::Folder(folder), Destination::LocalCommit) => {
            bump.commit(&Worktree::open(folder)?, report)
        }
    };
    report_last_plan(report, bump.last.into_inner());
    done
}

/// A bump with all that is known before files are read.
struct Bump<'a> {
    settings: &'a BumpSettings,
    checkout: Option<Checkout>,
    /// Why there is a repository, but no checkout.
    unopened: Option<Failure>,
    facts: OnceCell<BuildInfo>,
    /// Of the last plan, told whatever comes of it.
    last: RefCell<LastPlan>,
    /// Of pairs of commits, as far as it was found out.
    orders: RefCell<HashMap<(String, String), BuildOrder>>,
    /// Whether somebody's commits go with the bump.
    carries: Cell<bool>,
    /// Of a rollback, once it is known what goes back to what.
    rollback_plan: RefCell<Option<RollbackPlan>>,
    /// What was rolled back and stays away, though something else is written now; by the plan's wants.
    still_blocked: RefCell<Vec<(usize, RolledBack)>>,
}

/// What the last plan was for, which files were not looked at, and those that are no YAML.
#[derive(Debug, Default)]
struct LastPlan {
    images: Option<Vec<BumpedImage>>,
    warnings: Vec<String>,
    unparsable: Vec<String>,
}

impl<'a> Bump<'a> {
    fn prepare(settings: &'a BumpSettings) -> Result<Self> {
        let needs_git = settings.delivery.destination != Destination::WorkTree;
        let environment = &settings.place.environment;
        let (root, opened) = match &settings.place.root {
            WorkLocation::Url(url) => (Path::new("."), Checkout::of_url(url, environment).map(Some)),
            WorkLocation::Folder(folder) => {
                // a folder that is none is told of before all else
                Worktree::open(folder)?;
                (folder.as_path(), Checkout::open(folder, environment))
            }
        };
        let (checkout, unopened) = match opened.map_err(Failure::from) {
            Ok(checkout) => (checkout, None),
            Err(failure) if needs_git => return Err(failure),
            // what git itself can't open is no reason not to edit files
            Err(failure) => (None, Some(failure)),
        };
        if needs_git && checkout.is_none() {
            return Err(Failure::usage(format!("{}: is not inside a git repository", root.display()))
                .hinted(
                    "name a checkout with -C (a bare repository is none), or leave --commit and --push out",
                ));
        }
        Ok(Bump {
            settings,
            checkout,
            unopened,
            facts: OnceCell::new(),
            last: RefCell::default(),
            orders: RefCell::default(),
            carries: Cell::default(),
            rollback_plan: RefCell::default(),
            still_blocked: RefCell::default(),
        })
    }

    fn facts(&self) -> &BuildInfo {
        self.facts.get_or_init(|| build_info::tag_facts(&self.settings.place, self.checkout.as_ref()))
    }

    fn computed_tag(&self, template: &Template) -> Result<Tag> {
        match &self.unopened {
            Some(failure) => Err(failure.clone()),
            None => Ok(tag::compute(template, self.facts())?),
        }
    }

    /// What is to be planned on some files.
    fn request(&self, config: &Config, basis: RollbackBase<'_>) -> Result<Request> {
        let compute = |template: &Template| self.computed_tag(template);
        let request = resolve_targets::request(self.settings, config, &compute)?;
        let request = Request { cancellation: basis.cancellation(), ..request };
        match self.settings.back {
            Some(back) => self.backward(back, request, config, basis),
            None => Ok(request),
        }
    }

    fn plan(&self, shelf: &dyn FileSource, request: &Request) -> Result<Plan> {
        let PlanOutcome { plan, warnings, unparsable } = plan::plan(shelf, request);
        *self.last.borrow_mut() =
            LastPlan { images: Some(bumped_images(&request.targets)), warnings, unparsable };
        Ok(plan?)
    }

    fn edit(&self, worktree: &Worktree, report: &mut Report) -> Result<()> {
        let tracked = self.checkout.as_ref().map(Checkout::tracked).unwrap_or_default();
        let shelf = worktree.clone().tracking(tracked);
        let request = self.request(&Config::load(&shelf)?, RollbackBase::of_head(&shelf))?;
        let planned = self.plan(&shelf, &request)?;
        let outcome = self.outcome(&planned, Outcome::Edited);
        if outcome == Outcome::Edited {
            worktree.replace(&planned.edits)?;
            let why = "nothing keeps late builds of what was rolled back away, unless --commit or --push makes the commit";
            report.notices.extend(self.settings.back.map(|_| why.to_owned()));
        }
        report_plan(report, planned, outcome);
        Ok(())
    }

    fn outcome(&self, planned: &Plan, done: Outcome) -> Outcome {
        match (planned.is_empty(), self.settings.delivery.dry_run) {
            (true, _) if planned.left > 0 => Outcome::Superseded,
            (true, _) => Outcome::Already,
            (false, true) => Outcome::Planned,
            (false, false) => done,
        }
    }

    fn checkout(&self) -> Result<&Checkout> {
        self.checkout.as_ref().ok_or_else(|| Failure::usage("no git repository"))
    }

    fn commit(&self, worktree: &Worktree, report: &mut Report) -> Result<()> {
        let checkout = self.checkout()?;
        let shelf = checkout.head_files()?;
        let config = Config::load(&shelf)?;
        let request = self.request(&config, RollbackBase::of_head(&shelf))?;
        let planned = self.plan(&shelf, &request)?;
        let outcome = self.outcome(&planned, Outcome::Committed);
        let replan =
            |path: &str, bytes: &[u8]| self.plan(&OverlayFile { shelf: &shelf, path, bytes }, &request).ok();
        if outcome == Outcome::Planned {
            git::rehearse(checkout, &planned, worktree, &replan)?;
        }
        if outcome == Outcome::Committed {
            let (author, committer) = self.identities()?;
            let signer = self.signer(&committer)?;
            let request = CommitRequest {
                message: &self.message(&committer, &config, &planned)?,
                plan: &planned,
                author: &author,
                committer: &committer,
                signer: signer.as_ref(),
                worktree,
                replan: &replan,
            };
            report.commit = Some(git::commit(checkout, &request)?);
            report.branch = checkout.branch();
        }
        report_plan(report, planned, outcome);
        Ok(())
    }
}

fn report_plan(report: &mut Report, planned: Plan, outcome: Outcome) {
    report.outcome = outcome;
    report.warnings.splice(0..0, planned.warnings);
    report.notices.splice(0..0, planned.notices);
    report.images = bumped_images(&planned.targets);
    report.changes = planned.changes;
    report.edits = planned.edits;
}

fn report_last_plan(report: &mut Report, last: LastPlan) {
    if let Some(images) = last.images {
        report.images = images;
    }
    report.warnings.splice(0..0, last.warnings);
    report.warnings.extend(unparsable_warning(last.unparsable.len()));
    report.details.extend(last.unparsable.iter().map(|file| format!("no YAML: {file}")));
}
