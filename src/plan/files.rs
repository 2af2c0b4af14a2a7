//! Reads the files of a plan: keeps those that matter, counts those that can't be read.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::field_index::FieldIndex;
use super::parsed::{FieldPlaces, Parsed};
use super::screen::Screen;
use super::spare::Spare;
use super::unparsed::{LeftOut, Unparsed, out_of_time, stopped_at};
use super::{Request, Shelf, SourceFile, Want};
use crate::error::Result;
use crate::manifest::{Reference, add, field_references, is_kustomization_file};
use crate::select::{Standing, folder};
use crate::yaml::{ReadError, Tape, scan_until};

/// All that a plan knows of the files.
#[derive(Default)]
pub(super) struct Survey {
    /// Those that matter, in the order of their paths.
    pub files: Vec<Parsed>,
    pub warnings: Vec<String>,
    pub unread: Vec<String>,
    /// The fields that some document has, by want and number.
    pub fields: HashSet<(usize, usize)>,
    /// Those that were looked for in some file.
    pub looked_for: HashSet<(usize, usize)>,
}

/// What one file is to the plan.
enum Looked {
    Parsed(Box<Parsed>),
    /// Parsed, and of no matter but for the fields that it lacks.
    Passed {
        path: String,
        fields: Vec<(usize, usize)>,
    },
    Unparsed(Unparsed),
}

impl Looked {
    fn path(&self) -> &str {
        match self {
            Looked::Parsed(parsed) => &parsed.path,
            Looked::Passed { path, .. } | Looked::Unparsed(Unparsed { path, .. }) => path,
        }
    }
}

/// Reads what a request is about.
///
/// # Errors
/// Exit 1 where a named file can't be read as YAML, exit 6 where it takes too much work, exit 4 where the time is over,
/// and what the shelf says.
pub(super) fn survey(shelf: &dyn Shelf, request: &Request) -> Result<Survey> {
    let (screen, fields) = (Screen::of(request), FieldIndex::of(request)?);
    let looked = Mutex::new(Vec::new());
    let spare = Spare::new();
    let look = |file: SourceFile<'_>| {
        if request.cancellation.is_cancelled() {
            return ControlFlow::Break(());
        }
        let fields = fields.in_file(file.path);
        if !is_wanted(&file, request, &screen) && fields.is_empty() {
            spare.keep(&file);
        } else if let Some(one) = look_at(&file, fields, request) {
            looked.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
        ControlFlow::Continue(())
    };
    let found = shelf.each(&request.selection()?, request.add, &look)?;
    if request.cancellation.is_cancelled() {
        return Err(out_of_time());
    }
    let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    looked.extend(spare.unparsed().map(Looked::Unparsed));
    looked.sort_by(|a, b| a.path().cmp(b.path()));
    let (mut survey, mut left_out) = (Survey::default(), LeftOut::default());
    for one in looked {
        let has_chart = found.charts.contains(folder(one.path()));
        survey.take(one, has_chart, &mut left_out)?;
    }
    survey.warnings = found.warnings.into_iter().chain(left_out.too_costly).collect();
    survey.unread = left_out.not_yaml;
    Ok(survey)
}

/// Whether a file must be parsed for the request.
fn is_wanted(file: &SourceFile<'_>, request: &Request, screen: &Screen<'_>) -> bool {
    file.standing == Standing::Named
        || screen.lets_pass(file.bytes)
        || (request.add && is_kustomization_file(file.path))
}

fn look_at(file: &SourceFile<'_>, fields: Vec<(usize, usize)>, request: &Request) -> Option<Looked> {
    let unparsed = |error| {
        let (path, named) = (file.path.to_owned(), file.standing == Standing::Named);
        Some(Looked::Unparsed(Unparsed { path, error, named }))
    };
    let mut parsed = match scan_until(file.bytes, &request.cancellation) {
        Ok(tape) => Parsed::of(file, tape),
        Err(ReadError::Syntax(_)) if file.standing == Standing::Context => return None,
        Err(error) => return unparsed(error),
    };
    parsed.fields = fields.iter().map(|&field| field_places(&parsed.tape, field, request)).collect();
    let matters = matters(&parsed, request);
    if let Err(stopped) = parsed.tape.check() {
        return unparsed(stopped.into());
    }
    if matters {
        return Some(Looked::Parsed(Box::new(parsed)));
    }
    (!fields.is_empty()).then(|| Looked::Passed { path: file.path.to_owned(), fields })
}

fn field_places(tape: &Tape, (want, nth): (usize, usize), request: &Request) -> FieldPlaces {
    let Want { name, scope, .. } = &request.wants[want];
    FieldPlaces { want, nth, references: field_references(tape, &scope.fields[nth].path, name) }
}

impl Survey {
    fn take(&mut self, looked: Looked, has_chart: bool, left_out: &mut LeftOut) -> Result<()> {
        match looked {
            Looked::Unparsed(unparsed) => left_out.add(unparsed)?,
            Looked::Passed { fields, .. } => self.looked_for.extend(fields),
            Looked::Parsed(mut parsed) => {
                parsed.settle_chart(has_chart);
                self.looked_for.extend(parsed.fields.iter().map(|places| (places.want, places.nth)));
                let places = parsed.fields.iter().filter(|places| !places.references.is_empty());
                self.fields.extend(places.map(|places| (places.want, places.nth)));
                self.files.push(*parsed);
            }
        }
        Ok(())
    }
}

impl Survey {
    /// Whether no file was left out.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty() && self.warnings.is_empty()
    }

    /// Whether all that was found in the files is complete.
    ///
    /// # Errors
    /// Exit 6 where a file takes too much work, exit 4 where the time is over.
    pub fn check(&self) -> Result<()> {
        let stopped = |file: &Parsed| file.tape.check().map_err(|stopped| stopped_at(&file.path, stopped));
        self.files.iter().try_for_each(stopped)
    }
}

fn matters(file: &Parsed, request: &Request) -> bool {
    let meant = |r: &Reference| request.wants.iter().any(|w| r.is_meant_by(&w.name, &w.new_name));
    let for_adding = || {
        add::kustomization_root(&file.path, &file.tape).is_some()
            || request.wants.iter().any(|w| add::spelling(&file.tape, &w.name).is_some())
    };
    let fields = || file.fields.iter().any(|places| !places.references.is_empty());
    file.all_references().any(meant) || fields() || (request.add && for_adding())
}
