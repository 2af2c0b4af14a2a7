//! The story of a bump: read, plan, then write, commit or land.

mod ground;
mod guard;
mod landing;
mod pull_request;
mod replaced;
mod rollback;
mod wording;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;

use crate::config::Config;
use crate::error::{Exit, Failure, Result};
use crate::git::{self, Checkout, CommitRequest};
use crate::image::{Digest, ImageArg, Part, Tag};
use crate::land::{Order, RolledBack};
use crate::plan::{self, Plan, Planned, Request, Shelf, Want};
use crate::report::{BumpedImage, Outcome, Report, unread_warning};
use crate::settings::{BumpSettings, Reach, Root};
use crate::tag::{self, TagFacts};
use crate::template::Template;
use crate::worktree::Worktree;
use crate::{facts, request};
use replaced::Replaced;
use rollback::{Backward, Basis};

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
            Part::Set(new) => new.clone(),
            Part::Unsaid | Part::Keep => image.name.clone(),
        },
        tag: match &image.tag {
            Part::Set(tag) => Some(tag.to_string()),
            Part::Keep => None,
            Part::Unsaid => settings.tag.as_ref().map(Tag::to_string),
        },
        digest: digest(&image.digest),
    };
    settings.images.iter().map(one).collect()
}

fn digest(part: &Part<Digest>) -> Option<String> {
    match part {
        Part::Set(digest) => Some(digest.to_string()),
        Part::Unsaid | Part::Keep => None,
    }
}

fn told(wants: &[Want]) -> Vec<BumpedImage> {
    let one = |want: &Want| BumpedImage {
        name: want.effective_name().to_owned(),
        tag: want.tag.as_ref().map(Tag::to_string),
        digest: digest(&want.digest),
    };
    wants.iter().map(one).collect()
}

fn bump(settings: &BumpSettings, report: &mut Report) -> Result<()> {
    let bump = Bump::prepare(settings)?;
    let done = match (&settings.place.root, settings.delivery.reach) {
        (_, Reach::Propose) => bump.propose_pull_request(report),
        (_, Reach::Land) | (Root::Url(_), _) => bump.land(report),
        (Root::Folder(folder), Reach::Edit) => bump.edit(&Worktree::open(folder)?, report),
        (Root::Folder(folder), Reach::Commit) => bump.commit(&Worktree::open(folder)?, report),
    };
    tell_last(report, bump.last.into_inner());
    done
}

/// A bump with all that is known before files are read.
struct Bump<'a> {
    settings: &'a BumpSettings,
    checkout: Option<Checkout>,
    /// Why there is a repository, but no checkout.
    unopened: Option<Failure>,
    facts: OnceCell<TagFacts>,
    /// Of the last plan, told whatever comes of it.
    last: RefCell<Last>,
    /// Of pairs of commits, as far as it was found out.
    orders: RefCell<HashMap<(String, String), Order>>,
    /// Whether somebody's commits go with the bump.
    carries: Cell<bool>,
    /// Of a rollback, once it is known what goes back to what.
    backward: RefCell<Option<Backward>>,
    /// What was rolled back and stays away, though something else is written now; by the plan's wants.
    kept_away: RefCell<Vec<(usize, RolledBack)>>,
}

/// What the last plan was for, which files were not looked at, and those that are no YAML.
#[derive(Debug, Default)]
struct Last {
    images: Option<Vec<BumpedImage>>,
    warnings: Vec<String>,
    unread: Vec<String>,
}

impl<'a> Bump<'a> {
    fn prepare(settings: &'a BumpSettings) -> Result<Self> {
        let needs_git = settings.delivery.reach != Reach::Edit;
        let environment = &settings.place.environment;
        let (root, opened) = match &settings.place.root {
            Root::Url(url) => (Path::new("."), Checkout::of_url(url, environment).map(Some)),
            Root::Folder(folder) => {
                // a folder that is none is told of before all else
                Worktree::open(folder)?;
                (folder.as_path(), Checkout::open(folder, environment))
            }
        };
        let (checkout, unopened) = match opened {
            Ok(checkout) => (checkout, None),
            Err(failure) if needs_git => return Err(failure),
            // what git itself can't open is no reason not to edit files
            Err(failure) => (None, Some(failure)),
        };
        if needs_git && checkout.is_none() {
            return Err(Failure::usage(format!("{}: is in no git repository", root.display())).hinted(
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
            backward: RefCell::default(),
            kept_away: RefCell::default(),
        })
    }

    fn facts(&self) -> &TagFacts {
        self.facts.get_or_init(|| facts::tag_facts(&self.settings.place, self.checkout.as_ref()))
    }

    fn computed_tag(&self, template: &Template) -> Result<Tag> {
        match &self.unopened {
            Some(failure) => Err(failure.clone()),
            None => tag::compute(template, self.facts()),
        }
    }

    /// What is to be planned on some files.
    fn request(&self, config: &Config, basis: Basis<'_>) -> Result<Request> {
        let compute = |template: &Template| self.computed_tag(template);
        let request = request::request(self.settings, config, &compute)?;
        let request = Request { cancellation: basis.cancellation(), ..request };
        match self.settings.back {
            Some(back) => self.backward(back, request, config, basis),
            None => Ok(request),
        }
    }

    fn plan(&self, shelf: &dyn Shelf, request: &Request) -> Result<Plan> {
        let Planned { plan, warnings, unread } = plan::plan(shelf, request);
        *self.last.borrow_mut() = Last { images: Some(told(&request.wants)), warnings, unread };
        plan
    }

    fn edit(&self, worktree: &Worktree, report: &mut Report) -> Result<()> {
        let tracked = self.checkout.as_ref().map(Checkout::tracked).unwrap_or_default();
        let shelf = worktree.clone().tracking(tracked);
        let request = self.request(&Config::load(&shelf)?, Basis::of_head(&shelf))?;
        let planned = self.plan(&shelf, &request)?;
        let outcome = self.outcome(&planned, Outcome::Edited);
        if outcome == Outcome::Edited {
            worktree.replace(&planned.edits)?;
            let why = "nothing keeps late builds of what was rolled back away, unless --commit or --push makes the commit";
            report.notices.extend(self.settings.back.map(|_| why.to_owned()));
        }
        tell(report, planned, outcome);
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
        let request = self.request(&config, Basis::of_head(&shelf))?;
        let planned = self.plan(&shelf, &request)?;
        let outcome = self.outcome(&planned, Outcome::Committed);
        let replan = |path: &str, bytes: &[u8]| self.plan(&Replaced { shelf: &shelf, path, bytes }, &request);
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
        tell(report, planned, outcome);
        Ok(())
    }
}

fn tell(report: &mut Report, planned: Plan, outcome: Outcome) {
    report.outcome = outcome;
    report.warnings.splice(0..0, planned.warnings);
    report.notices.splice(0..0, planned.notices);
    report.images = told(&planned.wants);
    report.changes = planned.changes;
    report.edits = planned.edits;
}

fn tell_last(report: &mut Report, last: Last) {
    if let Some(images) = last.images {
        report.images = images;
    }
    report.warnings.splice(0..0, last.warnings);
    report.warnings.extend(unread_warning(last.unread.len()));
    report.details.extend(last.unread.iter().map(|file| format!("no YAML: {file}")));
}
