//! A bump as a pure function: files and a request in, edits out.
//!
//! No I/O of its own, repeatable, and empty when there is nothing to do. The working tree, a commit and the landing
//! loop all plan with this, each on its own [`FileSource`] of files. `screen` and `files` find those that matter,
//! `matching` the references that are meant, `shared` looks after aliases and merge keys, `overridden` after
//! workloads whose image a kustomization sets, `addition` makes new kustomization entries, `messages` words
//! what went wrong. `listing` tells of every reference, and `mentions` of those that
//! are meant, without changing any; `bump_check` whether a change was a bump.

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

/// A file to look at.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Relative to the root, with `/`.
    pub path: &'a str,
    pub bytes: &'a [u8],
    pub match_level: MatchLevel,
}

/// Where files are read from: a working tree, or a commit.
pub trait FileSource {
    /// Hands every selected file to `look`, in any order and from several threads at once; with `context`
    /// every other YAML file too. Once `look` breaks, the rest may be left out.
    ///
    /// # Errors
    /// A named file that is not there, or that may not be read.
    fn visit(&self, selection: &Selection, context: bool, look: Visitor<'_>) -> Result<FoundFiles>;

    /// One file's bytes, at most so many of them; nothing where it is not there.
    ///
    /// # Errors
    /// Where it can't be read; exit 2 where it is a symlink, or behind one.
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>>;
}

/// What is done with each file, and whether more are wanted.
pub type Visitor<'a> = &'a (dyn Fn(SourceFile<'_>) -> ControlFlow<()> + Sync);

/// What is known of the files besides what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundFiles {
    /// Files that were selected.
    pub count: usize,
    /// Folders with a `Chart.yaml`.
    pub charts: HashSet<String>,
    /// Files that were left out.
    pub warnings: Vec<String>,
}

impl FoundFiles {
    /// Counts a file that is looked at.
    pub fn take(&mut self, path: &str, standing: MatchLevel) {
        self.count += usize::from(standing != MatchLevel::ContextOnly);
        self.pass(path);
    }

    /// Notes a file that may not be selected, for what its name says.
    pub fn pass(&mut self, path: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == CHART {
            self.charts.insert(folder.to_owned());
        }
    }
}

/// One image, what its references shall say, and where they are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTarget {
    pub name: String,
    pub new_name: Field<String>,
    /// `None` keeps the tag.
    pub tag: Option<Tag>,
    pub digest: Field<Digest>,
    /// The service of `tagbump.yaml` that it is for.
    pub service: Option<String>,
    pub scope: Scope,
}

/// Where references are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The files that are searched; `None` where only `fields` are set.
    pub files: Option<Selection>,
    pub fields: Vec<FieldTarget>,
    /// Of all these only what is in these files.
    pub only: Option<BTreeSet<String>>,
}

/// A place that no rule knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTarget {
    pub files: Selection,
    /// Only files that this selects too.
    pub within: Option<Selection>,
    pub path: FieldPath,
}

/// What is said where a path to read leads through a symlink.
pub fn symlink(path: &str) -> Failure {
    Failure::usage(format!("{}: is a symlink, or behind one, which is not followed", inline(path)))
        .hinted("put the file itself there")
}

impl UpdateTarget {
    /// As the user knows it: the service, or the image.
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
    /// What is found in the files of a selection.
    pub fn of_files(files: &Selection) -> Self {
        Scope { files: Some(files.clone()), ..Scope::default() }
    }

    /// How a file comes to be searched for references, if it does.
    fn standing(&self, path: &str) -> Option<MatchLevel> {
        self.files.as_ref().filter(|_| self.takes(path))?.match_level(path)
    }

    fn takes(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(path))
    }

    /// Whether the user said which files are meant.
    fn is_chosen(&self) -> bool {
        self.only.is_some() || self.files.as_ref().is_none_or(|files| !files.is_everything())
    }

    fn selections(&self) -> impl Iterator<Item = &Selection> {
        self.files.iter().chain(self.fields.iter().map(|field| &field.files))
    }
}

/// What to do.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub targets: Vec<UpdateTarget>,
    pub add: bool,
    /// Several places with different tags are all meant.
    pub all: bool,
    pub expect: Option<usize>,
    /// The services that there are, for messages.
    pub services: Vec<String>,
    /// References that match, and are not to be changed all the same.
    pub skip: Vec<SkipReference>,
    /// When to give up.
    pub cancellation: Cancellation,
}

/// References of one want in one file that are left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipReference {
    pub target: usize,
    pub file: String,
    /// What they say now, as in [`ChangedReference::from`]; nothing: whatever they say.
    pub from: Option<String>,
}

impl Request {
    /// Every file that is looked at.
    ///
    /// # Errors
    /// Exit 2, as [`Selection::new`].
    pub fn selection(&self) -> Result<Selection> {
        Selection::all_of(self.targets.iter().flat_map(|target| target.scope.selections()))
    }
}

/// New bytes for a file.
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
    /// 1-based, in the file as it was.
    pub line: usize,
    pub kind: &'static str,
    /// The image that runs after the bump.
    pub image: String,
    /// The one that ran before, where it is another.
    pub renamed_from: Option<String>,
    /// Which of the request's wants it is for.
    pub target: usize,
    /// `TAG`, `TAG@DIGEST`, or empty where there was none.
    pub from: String,
    pub to: String,
    pub dropped_digest: bool,
}

/// What a bump changes. Nothing where every reference says what is wanted already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What was asked for.
    pub targets: Vec<UpdateTarget>,
    pub edits: Vec<FileEdit>,
    pub changes: Vec<ChangedReference>,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
    /// How many references were left alone, as the request said.
    pub left: usize,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

/// A plan or why there is none, and what is to be told in either case.
#[derive(Debug)]
pub struct PlanOutcome {
    pub plan: Result<Plan>,
    /// Files that were left out.
    pub warnings: Vec<String>,
    /// Files that could not be read as YAML, with where and why.
    pub unparsable: Vec<String>,
}

/// Plans a bump. The plan is an error with exit 1 where a named file can't be read as YAML; exit 3 where
/// nothing matches, too few or too many, or different tags are meant at once; exit 4 where the request was cancelled;
/// exit 6 where a reference can't be edited safely, or a named file takes too much work.
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
        // to say what there is instead, everything has to be read
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
