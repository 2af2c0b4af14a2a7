//! Reads the files of a plan: keeps those that matter, and counts those that can't be parsed.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::elsewhere::TargetNames;
use super::field_index::FieldIndex;
use super::indexes::FieldPosition;
use super::parsed_file::{FieldPlaces, ParsedFile};
use super::prefilter::Prefilter;
use super::skipped_files::SkippedFiles;
use super::unparsed::{Unparsed, UnparsedPlace, UnparsedReport, UnparsedText, stopped_at};
use super::what_runs::FilePlace;
use super::what_runs::surroundings::{Names, Surroundings, SurroundingsCollector};
use super::wider_pattern::with_wider;
use super::{FieldTarget, FileSource, PlanError, Request, SourceFile, TargetIndex, UpdateTarget, VisitScope};
use crate::dotenv;
use crate::file_selection::{MatchLevel, Selection, folder};
use crate::image::ParsedReference;
use crate::manifest::{Reference, add, field_references, is_kustomization_file};
use crate::mutex::{into_inner, lock};
use crate::yaml::{ReadError, scan_until};

/// Everything that a plan knows about the files.
#[derive(Default)]
pub(super) struct ScannedFiles {
    /// The files that matter, ordered by path.
    pub files: Vec<ParsedFile>,
    pub warnings: Vec<String>,
    /// Symlinks that are called like manifests, with what they lead to, as it is written there.
    pub symlinks: BTreeMap<String, String>,
    pub unparsable: Vec<String>,
    /// How many files the request selects.
    pub selected: usize,
    /// Places that set an image in some root, whether a rule finds them or not.
    pub known_places: HashSet<FilePlace>,
    /// Places in files that aren't valid YAML.
    pub unparsed_places: Vec<UnparsedPlace>,
    /// The fields that exist in some document.
    pub fields: HashSet<FieldPosition>,
    /// The fields that were looked up in some file.
    pub looked_for: HashSet<FieldPosition>,
    /// The files around those that matter.
    pub around: Surroundings,
    /// The targets whose files don't include any of those that were typed.
    pub without_files: Vec<TargetIndex>,
}

/// The result of reading one file.
enum FileScan {
    Parsed(Box<ParsedFile>),
    /// Parsed, but without anything to change. Kept to know which fields it lacks.
    Skipped {
        path: String,
        fields: Vec<FieldPosition>,
    },
    Unparsed(Unparsed),
}

impl FileScan {
    fn path(&self) -> &str {
        match self {
            FileScan::Parsed(parsed) => &parsed.path,
            FileScan::Skipped { path, .. } | FileScan::Unparsed(Unparsed { path, .. }) => path,
        }
    }
}

/// Reads the files that a request concerns.
///
/// # Errors
/// If a named file isn't valid YAML or takes too much work, or the request was cancelled, and the errors of the file
/// source.
pub(super) fn scan_files(source: &dyn FileSource, request: &Request) -> Result<ScannedFiles, PlanError> {
    let (prefilter, fields) = (Prefilter::of(request), FieldIndex::of(request)?);
    let names = TargetNames::of(request);
    let narrowed = NarrowedTargets::of(request);
    let looked = Mutex::new(Vec::new());
    let (skipped, around) = (SkippedFiles::new(), SurroundingsCollector::default());
    let look = |file: SourceFile<'_>| {
        if request.cancellation.is_cancelled() {
            return ControlFlow::Break(());
        }
        narrowed.note(file.path, request);
        let fields = fields.in_file(file.path);
        let names_image = prefilter.lets_pass(file.bytes);
        around.note(&file, if names_image { Names::Image } else { Names::Nothing });
        if !names_image && !is_wanted(&file, request) && fields.is_empty() {
            skipped.keep(&file);
        } else if let Some(scan) = look_at(&file, fields, request, &names) {
            lock(&looked).push(scan);
        }
        ControlFlow::Continue(())
    };
    let selection = request.selection()?;
    // what runs can only be computed from all files
    let scope = if source.is_whole() { VisitScope::WithContext } else { VisitScope::Selected };
    let found = source
        .visit(&selection, scope, &look)
        .map_err(|error| with_wider(error.into(), source, &selection, request))?;
    if request.cancellation.is_cancelled() {
        return Err(PlanError::Cancelled);
    }
    let mut looked = into_inner(looked);
    looked.extend(skipped.unparsed().map(FileScan::Unparsed));
    looked.sort_by(|a, b| a.path().cmp(b.path()));
    let (mut scanned, mut left_out) =
        (ScannedFiles::default(), UnparsedReport::without_templates(&found.charts));
    for scan in looked {
        let has_chart = found.charts.contains(folder(scan.path()));
        scanned.take(scan, has_chart, &mut left_out)?;
    }
    scanned.warnings = found.all_warnings().into_iter().chain(left_out.too_costly).collect();
    scanned.unparsable = left_out.not_yaml;
    scanned.around = around.finish(found.other);
    scanned.selected = found.count;
    scanned.symlinks = found.symlinks;
    scanned.without_files = narrowed.without_files();
    Ok(scanned)
}

/// The services of which only some files were typed, and whether there are any such files.
struct NarrowedTargets(Vec<(TargetIndex, AtomicBool)>);

impl NarrowedTargets {
    fn of(request: &Request) -> Self {
        let targets = TargetIndex::each(&request.targets).filter(|(_, target)| target.scope.within.is_some());
        NarrowedTargets(targets.map(|(index, _)| (index, AtomicBool::new(false))).collect())
    }

    fn note(&self, path: &str, request: &Request) {
        for (target, has_files) in self.0.iter().filter(|(_, has_files)| !has_files.load(Relaxed)) {
            if request.targets[*target].scope.reaches(path) {
                has_files.store(true, Relaxed);
            }
        }
    }

    fn without_files(self) -> Vec<TargetIndex> {
        let without = self.0.into_iter().filter(|(_, has_files)| !has_files.load(Relaxed));
        without.map(|(target, _)| target).collect()
    }
}

/// Whether a file must be parsed for the request although it names none of the images.
fn is_wanted(file: &SourceFile<'_>, request: &Request) -> bool {
    file.match_level == MatchLevel::Explicit || (request.add && is_kustomization_file(file.path))
}

fn look_at(
    file: &SourceFile<'_>,
    fields: Vec<FieldPosition>,
    request: &Request,
    names: &TargetNames<'_>,
) -> Option<FileScan> {
    let unparsed = |error| {
        let (path, named) = (file.path.to_owned(), file.match_level == MatchLevel::Explicit);
        let is_syntax = matches!(error, ReadError::Syntax(_));
        let text = if is_syntax { UnparsedText::read(file, request) } else { UnparsedText::default() };
        Some(FileScan::Unparsed(Unparsed { path, error, named, text }))
    };
    let is_variable = |at: &FieldPosition| request.targets[at.target].scope.fields[at.nth].is_variable;
    if dotenv::has_assignments(file.path, file.bytes) || fields.iter().any(is_variable) {
        return look_at_variables(file, &fields, request);
    }
    let mut parsed = match scan_until(file.bytes, &request.cancellation) {
        Ok(yaml) => ParsedFile::of(file, yaml),
        Err(ReadError::Syntax(_)) if file.match_level == MatchLevel::ContextOnly => return None,
        Err(error) => return unparsed(error),
    };
    for &field in &fields {
        let places = field_places(&mut parsed, field, request);
        parsed.fields.push(places);
    }
    let matters = matters(&parsed, request, names);
    if let Err(stopped) = parsed.yaml.check() {
        return unparsed(stopped.into());
    }
    if matters {
        return Some(FileScan::Parsed(Box::new(parsed)));
    }
    (!fields.is_empty()).then(|| FileScan::Skipped { path: file.path.to_owned(), fields })
}

/// Looks for variables in a file of `NAME=VALUE` lines. Its fields are their names.
fn look_at_variables(file: &SourceFile<'_>, fields: &[FieldPosition], request: &Request) -> Option<FileScan> {
    let assignments = dotenv::parse(file.bytes).ok().filter(|_| !fields.is_empty())?;
    let mut parsed = ParsedFile::of_assignments(file.path, file.bytes.to_vec(), &assignments);
    let places = fields.iter().map(|&field| {
        let UpdateTarget { name, scope, .. } = &request.targets[field.target];
        let found = parsed.variable_reference(&scope.fields[field.nth], name);
        FieldPlaces { field, references: found.into_iter().collect() }
    });
    parsed.fields = places.collect();
    Some(FileScan::Parsed(Box::new(parsed)))
}

fn field_places(parsed: &mut ParsedFile, field: FieldPosition, request: &Request) -> FieldPlaces {
    let UpdateTarget { name, scope, .. } = &request.targets[field.target];
    let FieldTarget { path, inside, part, .. } = &scope.fields[field.nth];
    // in a block scalar, the part is of a text there
    let own_part = part.as_ref().filter(|_| inside.is_none());
    let references: Vec<_> = field_references(&parsed.yaml, path, own_part, name)
        .into_iter()
        .map(|reference| if own_part.is_none() { parsed.as_a_rule_finds(reference) } else { reference })
        .collect();
    let references = match inside {
        None => references,
        Some(inside) => {
            let blocks = references.into_iter().flat_map(|found| found.slots()).map(|slot| slot.node);
            blocks.flat_map(|block| parsed.references_inside(block, inside, part.as_ref(), name)).collect()
        }
    };
    FieldPlaces { field, references }
}

impl ScannedFiles {
    fn take(
        &mut self,
        looked: FileScan,
        has_chart: bool,
        left_out: &mut UnparsedReport,
    ) -> Result<(), PlanError> {
        match looked {
            FileScan::Unparsed(unparsed) => {
                self.unparsed_places.extend(left_out.places(&unparsed));
                left_out.add(unparsed)?;
            }
            FileScan::Skipped { fields, .. } => self.looked_for.extend(fields),
            FileScan::Parsed(mut parsed) => {
                parsed.settle_chart(has_chart);
                self.looked_for.extend(parsed.fields.iter().map(|places| places.field));
                let places = parsed.fields.iter().filter(|places| !places.references.is_empty());
                self.fields.extend(places.map(|places| places.field));
                self.files.push(*parsed);
            }
        }
        Ok(())
    }
}

impl ScannedFiles {
    /// Whether every file could be parsed.
    pub fn is_whole(&self) -> bool {
        self.unparsable.is_empty() && self.warnings.is_empty()
    }

    /// Checks that each service has some of the files that were typed.
    ///
    /// # Errors
    /// With the files of a service that has none of them.
    pub fn check_narrowed(&self, request: &Request) -> Result<(), PlanError> {
        let Some(&target) = self.without_files.first() else { return Ok(()) };
        let UpdateTarget { name, service, scope, .. } = &request.targets[target];
        Err(PlanError::NoneOfItsFiles {
            service: service.clone().unwrap_or_else(|| name.clone()),
            image: name.clone(),
            own: scope.texts(),
            typed: scope.within.iter().flat_map(Selection::texts).collect(),
        })
    }

    /// Checks that the references found in the files are complete.
    ///
    /// # Errors
    /// If a file takes too much work, or the request was cancelled.
    pub fn check(&self) -> Result<(), PlanError> {
        let stopped =
            |file: &ParsedFile| file.yaml.check().map_err(|stopped| stopped_at(&file.path, stopped));
        self.files.iter().try_for_each(stopped)
    }
}

fn matters(file: &ParsedFile, request: &Request, names: &TargetNames<'_>) -> bool {
    let meant = |r: &Reference| request.targets.iter().any(|w| r.matches(&w.name, &w.new_name));
    let for_adding = || {
        add::kustomization_root(&file.path, &file.yaml).is_some()
            || request.targets.iter().any(|w| add::spelling(&file.yaml, &w.name).is_some())
    };
    let fields = || file.fields.iter().any(|places| !places.references.is_empty());
    let elsewhere = || {
        let wanted = |image: &ParsedReference<'_>| names.has(image.name);
        !file.unknown_places(MatchLevel::Discovered, &wanted).is_empty()
    };
    file.all_references().any(meant) || fields() || (request.add && for_adding()) || elsewhere()
}
