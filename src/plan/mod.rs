//! A bump as a pure function: files and a request in, edits out.
//!
//! It does no I/O of its own, gives the same result each time, and makes no edits if everything is up to date.
//! The work tree, a commit and the landing loop all use it, each with its own [`FileSource`].
//!
//! `prefilter` and `files` find the files that matter, `matching` the references that match, `shared` handles
//! aliases and merge keys, `overridden` handles workloads whose image a kustomization overrides, `addition`
//! creates kustomization entries, and `messages` words the errors. `listing` reports every reference, and
//! `current_references` those that match, without changing them. `bump_check` decides whether a change was a
//! bump.

mod addition;
mod bump_check;
mod current_references;
mod field_index;
mod files;
mod image_inventory;
mod listing;
mod matched;
mod matching;
mod messages;
mod overridden;
mod parsed_file;
mod prefilter;
mod shared;
mod skipped_files;
mod unparsed;

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use crate::error::{Failure, Result, inline};
use crate::file_selection::{MatchLevel, Selection};
use crate::image::{Digest, Field, Tag};
use crate::manifest::CHART;
use crate::yaml::FieldPath;

pub use crate::yaml::Cancellation;
pub use bump_check::{ImageVersion, SingleFile, is_bump};
pub use current_references::{CurrentReference, changeable_mentions, current_references, some_mentions};
pub use listing::{ListedReference, Listing, list};
pub use unparsed::out_of_time;

/// A file to visit.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Relative to the root, separated by `/`.
    pub path: &'a str,
    pub bytes: &'a [u8],
    pub match_level: MatchLevel,
}

/// A place to read files from: the work tree, or a commit.
pub trait FileSource {
    /// Passes every selected file to `look`, in any order and from several threads at once; with `context`,
    /// every other YAML file too. After `look` breaks, it may skip the remaining files.
    ///
    /// # Errors
    /// A named file doesn't exist, or can't be read.
    fn visit(&self, selection: &Selection, context: bool, look: Visitor<'_>) -> Result<FoundFiles>;

    /// The first `at_most` bytes of one file, or all of it if it is shorter; `None` if there is no such file.
    ///
    /// # Errors
    /// The file can't be read; exit 2 if it is a symlink, or the path leads through one.
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>>;
}

/// Called for each file. Return [`ControlFlow::Break`] to stop.
pub type Visitor<'a> = &'a (dyn Fn(SourceFile<'_>) -> ControlFlow<()> + Sync);

/// The facts about files that don't depend on their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundFiles {
    /// The number of selected files.
    pub count: usize,
    /// Folders with a `Chart.yaml`.
    pub charts: HashSet<String>,
    /// Warnings about files that were skipped.
    pub warnings: Vec<String>,
}

impl FoundFiles {
    /// Counts a file that is visited.
    pub fn take(&mut self, path: &str, standing: MatchLevel) {
        self.count += usize::from(standing != MatchLevel::ContextOnly);
        self.pass(path);
    }

    /// Records a file that may not be selected, in case its name matters.
    pub fn pass(&mut self, path: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == CHART {
            self.charts.insert(folder.to_owned());
        }
    }
}

/// One image, the tag and digest that its references should get, and where to look for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTarget {
    pub name: String,
    pub new_name: Field<String>,
    /// `None` keeps the tag.
    pub tag: Option<Tag>,
    pub digest: Field<Digest>,
    /// The service of `tagbump.yaml` that the target belongs to.
    pub service: Option<String>,
    pub scope: Scope,
}

/// Where to look for references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The files to search; `None` if only `fields` are set.
    pub files: Option<Selection>,
    pub fields: Vec<FieldTarget>,
    /// If set, only these files of the above.
    pub only: Option<BTreeSet<String>>,
}

/// A field that the user named, for places that tagbump doesn't recognise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTarget {
    pub files: Selection,
    /// If set, only files that this selects too.
    pub within: Option<Selection>,
    pub path: FieldPath,
}

/// The error for a path that leads through a symlink.
pub fn symlink(path: &str) -> Failure {
    Failure::usage(format!("{}: is a symlink, or behind one, which is not followed", inline(path)))
        .hinted("put the file itself there")
}

impl UpdateTarget {
    /// The name that the user knows the target by: its service, or else its image.
    pub fn label(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.name)
    }

    /// The image that runs after the bump.
    pub fn effective_name(&self) -> &str {
        match &self.new_name {
            Field::Set(name) => name,
            Field::Unspecified | Field::Keep => &self.name,
        }
    }
}

impl Scope {
    /// A scope of all references in the files of a selection.
    pub fn of_files(files: &Selection) -> Self {
        Scope { files: Some(files.clone()), ..Scope::default() }
    }

    /// How strongly the scope asks for searching a file; `None` if it doesn't.
    fn standing(&self, path: &str) -> Option<MatchLevel> {
        self.files.as_ref().filter(|_| self.takes(path))?.match_level(path)
    }

    fn takes(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(path))
    }

    /// Whether the user chose the files.
    fn is_chosen(&self) -> bool {
        self.only.is_some() || self.files.as_ref().is_none_or(|files| !files.is_everything())
    }

    fn selections(&self) -> impl Iterator<Item = &Selection> {
        self.files.iter().chain(self.fields.iter().map(|field| &field.files))
    }
}

/// The input of a plan: its targets and options.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub targets: Vec<UpdateTarget>,
    pub add: bool,
    /// Update every match, even if their tags differ.
    pub all: bool,
    pub expect: Option<usize>,
    /// The services in `tagbump.yaml`, for messages.
    pub services: Vec<String>,
    /// References to leave unchanged, even though they match.
    pub skip: Vec<SkipReference>,
    /// When to give up.
    pub cancellation: Cancellation,
}

/// References to one target in one file that must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipReference {
    pub target: usize,
    pub file: String,
    /// Their current tag and digest, as in [`ChangedReference::from`]; `None` means any.
    pub from: Option<String>,
}

impl Request {
    /// Every file to read.
    ///
    /// # Errors
    /// Exit 2, as for [`Selection::new`].
    pub fn selection(&self) -> Result<Selection> {
        Selection::all_of(self.targets.iter().flat_map(|target| target.scope.selections()))
    }
}

/// New content for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    pub path: String,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

/// One reference that gets a new tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChangedReference {
    pub file: String,
    /// 1-based, in the old content of the file.
    pub line: usize,
    pub kind: &'static str,
    /// The image that runs after the bump.
    pub image: String,
    /// The image that ran before, if it is a different one.
    pub renamed_from: Option<String>,
    /// Index of the request's target that it matches.
    pub target: usize,
    /// `TAG`, `TAG@DIGEST`, or empty if there was none.
    pub from: String,
    pub to: String,
    pub dropped_digest: bool,
}

/// The edits of a bump, and what to report about them. Empty if every reference is up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The targets of the request.
    pub targets: Vec<UpdateTarget>,
    pub edits: Vec<FileEdit>,
    pub changes: Vec<ChangedReference>,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
    /// How many references were skipped because the request says so.
    pub left: usize,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

/// A plan, or the error that prevented it, and what to report in either case.
#[derive(Debug)]
pub struct PlanOutcome {
    pub plan: Result<Plan>,
    /// Warnings about files that were skipped.
    pub warnings: Vec<String>,
    /// Files that aren't valid YAML, with position and reason.
    pub unparsable: Vec<String>,
}

/// Plans a bump. The plan is an error with exit 1 if a named file isn't valid YAML; exit 3 if nothing matches,
/// the number of matches isn't the expected one, or the matches have different tags; exit 4 if the request was
/// cancelled; exit 6 if a reference can't be edited safely, or a named file takes too much work.
pub fn plan(shelf: &dyn FileSource, request: &Request) -> PlanOutcome {
    let mut survey = files::ScannedFiles::default();
    let plan = plan_on(shelf, request, &mut survey);
    let files::ScannedFiles { warnings, unparsable, .. } = survey;
    PlanOutcome { plan, warnings, unparsable }
}

fn plan_on(shelf: &dyn FileSource, request: &Request, survey: &mut files::ScannedFiles) -> Result<Plan> {
    *survey = files::survey(shelf, request)?;
    let mut matches = matching::find(survey, request)?;
    if request.add {
        addition::add(survey, request, &mut matches);
    }
    matching::check_fields(survey, request)?;
    let missing = matching::missing(request, &matches);
    if !missing.is_empty() {
        // every file must be read to suggest what the user may have meant
        let mut seen = image_inventory::seen(shelf, request)?;
        let left_out = std::mem::take(&mut seen.left_out);
        survey.unparsable = left_out.not_yaml;
        survey.warnings.extend(left_out.too_costly);
        survey.warnings.sort();
        survey.warnings.dedup();
        return Err(messages::nothing(&seen, request, &missing));
    }
    let notices = overridden::remove_overridden(survey, request, &mut matches);
    survey.check()?;
    matching::check(survey, request, &matches)?;
    let plan = matching::write(survey, request, matches)?;
    survey.check()?;
    Ok(Plan { notices, ..plan })
}
