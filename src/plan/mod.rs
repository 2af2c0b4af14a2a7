//! A bump as a pure function: files and a request in, edits out.
//!
//! It does no I/O of its own, gives the same result every time, and is empty if there is nothing to do. The working
//! tree, a commit and the landing loop all plan with it, each on its own [`FileSource`]. `prefilter` and `files` find
//! the files that matter, and `matching` the references that a request matches. `shared` handles aliases and merge
//! keys, `overridden` workloads whose image a kustomization sets, and `addition` new kustomization entries. `error`
//! and `no_match` are the errors. `listing` lists every reference, and `current_references` those that a request
//! matches, without changing any; `bump_check` checks whether a change was a bump.

mod addition;
mod bump_check;
mod current_references;
mod digests_apart;
mod doubts;
mod elsewhere;
mod environments;
mod error;
mod field_index;
mod files;
mod held;
mod image_inventory;
mod indexes;
mod listed_elsewhere;
mod listed_files;
mod listed_places;
mod listed_references;
mod listed_winners;
mod listing;
mod listing_filter;
mod matched;
mod matching;
mod no_match;
mod outside;
mod parse_listed;
mod parsed_file;
mod prefilter;
mod rendered_roots;
mod reports;
mod running;
mod shared;
mod skipped_files;
mod source;
mod summary;
mod surroundings;
mod unparsed;
mod what_runs;
mod wider_pattern;
mod winning;
mod winning_place;

use std::collections::BTreeSet;

use crate::file_selection::{MatchLevel, Selection, SelectionError, is_yaml};
use crate::image::{Digest, Field, Tag};
use crate::manifest::DesiredImage;
use crate::yaml::FieldPath;

pub use crate::manifest::NewDigest;
pub use crate::yaml::Cancellation;
pub use bump_check::{ImageVersion, SingleFile, is_bump};
pub use current_references::{
    ChangeableMentions, CurrentReference, changeable_mentions, current_references, some_mentions,
};
pub use elsewhere::UnsetPlace;
pub use environments::{
    EnvironmentLimit, Environments, InTwoEnvironments, NamedEnvironment, OtherPlace, OtherRoot, SharedPlace,
};
pub use error::{MatchedValue, PlanError, RefusedReference, ReplacedImage};
pub use held::{HeldImage, HeldReference};
pub use indexes::TargetIndex;
pub use listing::{ListedReference, Listing, OverriddenBy, Overrides, list};
pub use no_match::{Instead, NamelessTag, NoMatch, SimilarImage, UnmatchedImage};
pub use outside::overridden_outside;
pub use running::{RunningReference, running};
pub use source::{
    FileContent, FileSource, FoundFiles, NestedRepository, PathProblem, RepositoryFiles, SourceError,
    SourceFile, Visitor,
};
pub use wider_pattern::WiderPattern;

/// One image, the tag and digest that its references should get, and where to look for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTarget {
    pub name: String,
    pub new_name: Field<String>,
    /// `None` keeps the tag.
    pub tag: Option<Tag>,
    pub digest: Field<Digest>,
    /// What happens to the digest where no place is there for one yet.
    pub new_digest: NewDigest,
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
    /// If set, only what this selects of the above: the files that were typed, of a service with files of its own.
    pub within: Option<Selection>,
    /// If set, only these files of the above.
    pub only: Option<BTreeSet<String>>,
}

/// A field that the user named, for places that tagbump doesn't recognise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTarget {
    pub files: Selection,
    pub path: FieldPath,
    /// If set, the path leads to a block scalar, and this one to a field of the YAML in it.
    pub inside: Option<FieldPath>,
}

/// Where a place is that no rule finds by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlacePath {
    /// The path of the field, or the name of the variable.
    pub path: String,
    /// If the path leads to a block scalar: the path in the YAML there.
    pub inside: Option<String>,
}

impl FieldTarget {
    fn place_path(&self) -> PlacePath {
        let text = |path: &FieldPath| path.as_str().to_owned();
        PlacePath { path: text(&self.path), inside: self.inside.as_ref().map(text) }
    }
}

impl UpdateTarget {
    /// The name that the user knows the target by: its service, or else its image.
    pub fn label(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.name)
    }

    /// What a reference of the target should be.
    fn desired(&self) -> DesiredImage<'_> {
        DesiredImage {
            name: &self.name,
            new_name: &self.new_name,
            tag: self.tag.as_ref(),
            digest: &self.digest,
            new_digest: self.new_digest,
        }
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

    /// A scope of some fields in the files of a selection.
    pub fn of_fields(paths: &[FieldPath], files: &Selection) -> Self {
        let field = |path: &FieldPath| FieldTarget { files: files.clone(), path: path.clone(), inside: None };
        Scope { fields: paths.iter().map(field).collect(), ..Scope::default() }
    }

    /// How strongly the scope asks for searching a file; `None` if it doesn't.
    fn match_level(&self, path: &str) -> Option<MatchLevel> {
        self.standing_of_any(path).filter(|level| *level == MatchLevel::Explicit || is_yaml(path))
    }

    /// As [`Scope::match_level`], for a file that may be something else than YAML.
    fn standing_of_any(&self, path: &str) -> Option<MatchLevel> {
        let level = self.files.as_ref().filter(|_| self.takes(path))?.match_level_of_any(path)?;
        Some(
            self.within
                .as_ref()
                .and_then(|within| within.match_level_of_any(path))
                .map_or(level, |w| w.max(level)),
        )
    }

    fn takes(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(path))
            && self.within.as_ref().is_none_or(|within| within.match_level_of_any(path).is_some())
    }

    /// Whether any of its files or fields may be in a file.
    fn reaches(&self, path: &str) -> bool {
        let in_field = |field: &FieldTarget| field.files.match_level(path).is_some();
        self.standing_of_any(path).is_some() || (self.takes(path) && self.fields.iter().any(in_field))
    }

    /// The paths and patterns of its files; empty for all files.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.own_selections().flat_map(Selection::texts).collect();
        texts.sort();
        texts.dedup();
        texts
    }

    /// Whether the user chose the files.
    fn is_chosen(&self) -> bool {
        let is_narrowed = self.only.is_some() || self.within.is_some();
        is_narrowed || self.files.as_ref().is_none_or(|files| !files.is_everything())
    }

    fn own_selections(&self) -> impl Iterator<Item = &Selection> {
        self.files.iter().chain(self.fields.iter().map(|field| &field.files))
    }

    /// Selects at least the files of the scope.
    fn selection(&self) -> Result<Selection, SelectionError> {
        let own = Selection::all_of(self.own_selections())?;
        self.within.as_ref().map_or(Ok(own.clone()), |within| own.narrowed_to(within))
    }
}

/// The input of a plan: its targets and options.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub targets: Vec<UpdateTarget>,
    pub add: bool,
    /// Update every match, even if their tags differ.
    pub all: bool,
    /// Update the defaults of charts too, if their tag floats and a stronger place sets it.
    pub floating: bool,
    pub expect: Option<usize>,
    /// The services in `tagbump.yaml`, for messages.
    pub services: Vec<String>,
    /// References to leave unchanged, even though they match.
    pub skip: Vec<SkipReference>,
    /// Images whose references keep what they have.
    pub holds: Vec<HeldImage>,
    /// Change held references too.
    pub overrides_holds: bool,
    /// The URL of the repository, if it has one: Flux and Argo CD name repositories by it.
    pub repository_url: Option<String>,
    /// The environments that the request is about.
    pub environments: Environments,
    /// When to give up.
    pub cancellation: Cancellation,
}

/// References to one target in one file that must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipReference {
    pub target: TargetIndex,
    pub file: String,
    /// Their current tag and digest, as in [`ChangedReference::from`]; `None` means any.
    pub from: Option<String>,
}

impl Request {
    /// The same request, which also finds these fields, each with its target, file and path. They lead to references
    /// that a single file doesn't name.
    #[must_use]
    pub fn following<'a>(
        &self,
        fields: impl IntoIterator<Item = (TargetIndex, &'a str, &'a PlacePath)>,
    ) -> Request {
        let mut request = self.clone();
        for (target, file, place) in fields {
            let Ok(path) = FieldPath::parse(&place.path) else { continue };
            let Ok(inside) = place.inside.as_deref().map(FieldPath::parse).transpose() else { continue };
            let field = FieldTarget { files: Selection::of_file(file), path, inside };
            let fields = &mut request.targets[target].scope.fields;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        request
    }

    /// Every file that is looked at.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn selection(&self) -> Result<Selection, SelectionError> {
        let selections = self.targets.iter().map(|target| target.scope.selection());
        Selection::all_of(&selections.collect::<Result<Vec<_>, _>>()?)
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
    /// The request's target that it matches.
    pub target: TargetIndex,
    /// `TAG`, `TAG@DIGEST`, or empty if there was none.
    pub from: String,
    pub to: String,
    pub dropped_digest: bool,
    /// There was no place for the new digest, so only the tag is set.
    pub left_out_digest: bool,
    /// Where it is, if only its field leads to it: it holds a tag whose image is named elsewhere.
    pub field: Option<PlacePath>,
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
    /// The references that are held and would change; with [`Request::overrides_holds`], those that do.
    pub held: Vec<HeldReference>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether references stay as they are, although they match.
    pub fn leaves_any(&self) -> bool {
        self.left > 0 || !self.held.is_empty()
    }
}

/// A plan, or the error that prevented it, and what to report in either case.
#[derive(Debug)]
pub struct PlanOutcome {
    pub plan: Result<Plan, PlanError>,
    /// Warnings about files that were skipped.
    pub warnings: Vec<String>,
    /// Files that aren't valid YAML, with position and reason.
    pub unparsable: Vec<String>,
}

/// Plans a bump; see [`PlanError`] for what can go wrong.
pub fn plan(shelf: &dyn FileSource, request: &Request) -> PlanOutcome {
    let mut survey = files::ScannedFiles::default();
    let plan = plan_on(shelf, request, &mut survey);
    let files::ScannedFiles { warnings, unparsable, around, .. } = survey;
    free_beside(around);
    PlanOutcome { plan, warnings, unparsable }
}

/// Frees something large on another thread: of ten thousand files, that takes longer than writing the edits.
fn free_beside(large: impl Send + 'static) {
    // without another thread, it is freed here
    let _ = std::thread::Builder::new().spawn(move || drop(large));
}

fn plan_on(
    shelf: &dyn FileSource,
    request: &Request,
    survey: &mut files::ScannedFiles,
) -> Result<Plan, PlanError> {
    *survey = files::survey(shelf, request)
        .or_else(|error| Err(wider_pattern::with_wider(error, shelf, &request.selection()?)))?;
    survey.check_narrowed(request)?;
    let (mut matches, mut reports) = winning::find(shelf, request, survey)?;
    if request.add {
        addition::add(survey, request, &reports, &mut matches);
        reports.drop_overridden_by_added(survey, request, &mut matches);
    }
    held::mark(survey, request, &reports, &mut matches);
    matching::refuse_broken_macs(survey, &mut matches);
    matching::check_fields(survey, request)?;
    let missing = matching::missing(request, &matches);
    if let Some(elsewhere) = reports.only_elsewhere(request, &missing) {
        return Err(elsewhere);
    }
    if let Some(replaced) = reports.replaced(request, &missing) {
        return Err(replaced);
    }
    if !missing.is_empty() {
        // every file must be read to suggest what the user may have meant
        let mut seen = image_inventory::seen(shelf, request)?;
        let left_out = std::mem::take(&mut seen.left_out);
        survey.unparsable = left_out.not_yaml;
        survey.warnings.extend(left_out.too_costly);
        survey.warnings.sort();
        survey.warnings.dedup();
        let no_match = NoMatch::new(&seen, survey, request, &missing);
        let wider = if no_match.files == 0 { WiderPattern::find(shelf, &request.selection()?) } else { None };
        return Err(PlanError::NoMatch(Box::new(NoMatch { wider, ..no_match })));
    }
    survey.check()?;
    matching::check(survey, request, &matches)?;
    let plan = matching::write(survey, request, matches)?;
    let elsewhere = elsewhere::notices(survey, request);
    survey.check()?;
    let plan = reports.on(plan);
    Ok(Plan { notices: plan.notices.into_iter().chain(elsewhere).collect(), ..plan })
}
