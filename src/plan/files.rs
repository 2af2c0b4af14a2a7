//! Reads the files of a plan: keeps those that matter, counts those that can't be read.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::listing::no_yaml;
use super::parsed::{FieldPlaces, Parsed};
use super::screen::Screen;
use super::spare::Spare;
use super::{Request, Shelf, SourceFile, Want};
use crate::error::{Result, inline};
use crate::manifest::{Reference, add, field_references, is_kustomization_file};
use crate::select::{Standing, folder};
use crate::yaml::{ScanFault, Tape, scan};

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
    Unread {
        path: String,
        fault: ScanFault,
        named: bool,
    },
}

impl Looked {
    fn path(&self) -> &str {
        match self {
            Looked::Parsed(parsed) => &parsed.path,
            Looked::Passed { path, .. } | Looked::Unread { path, .. } => path,
        }
    }
}

/// Reads what a request is about.
///
/// # Errors
/// Exit 1 where a named file can't be read as YAML, and what the shelf says.
pub(super) fn survey(shelf: &dyn Shelf, request: &Request) -> Result<Survey> {
    let screen = Screen::of(request);
    let looked = Mutex::new(Vec::new());
    let spare = Spare::new();
    let look = |file: SourceFile<'_>| {
        if !is_wanted(&file, request, &screen) {
            spare.keep(&file);
        } else if let Some(one) = look_at(&file, request) {
            looked.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
    };
    let found = shelf.each(&request.selection()?, request.add, &look)?;
    let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    let unread = |(path, fault)| Looked::Unread { path, fault, named: false };
    looked.extend(spare.unreadable().map(unread));
    looked.sort_by(|a, b| a.path().cmp(b.path()));
    let mut survey = Survey { warnings: found.warnings, ..Survey::default() };
    for one in looked {
        let has_chart = found.charts.contains(folder(one.path()));
        survey.take(one, has_chart)?;
    }
    Ok(survey)
}

/// Whether a file must be parsed for the request.
fn is_wanted(file: &SourceFile<'_>, request: &Request, screen: &Screen<'_>) -> bool {
    file.standing == Standing::Named
        || screen.lets_pass(file.bytes)
        || (request.add && is_kustomization_file(file.path))
        || fields_of(request, file.path).next().is_some()
}

fn look_at(file: &SourceFile<'_>, request: &Request) -> Option<Looked> {
    let tape = match scan(file.bytes) {
        Ok(tape) => tape,
        Err(_) if file.standing == Standing::Context => return None,
        Err(fault) => {
            let (path, named) = (file.path.to_owned(), file.standing == Standing::Named);
            return Some(Looked::Unread { path, fault, named });
        }
    };
    let mut parsed = Parsed::of(file, tape);
    let places = fields_of(request, file.path).map(|field| field_places(&parsed.tape, field, request));
    parsed.fields = places.collect();
    if matters(&parsed, request) {
        return Some(Looked::Parsed(Box::new(parsed)));
    }
    let fields: Vec<_> = fields_of(request, file.path).collect();
    (!fields.is_empty()).then(|| Looked::Passed { path: file.path.to_owned(), fields })
}

/// The fields that are to be set in a file, by want and number.
fn fields_of<'a>(request: &'a Request, path: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    let wants = request.wants.iter().enumerate();
    wants.flat_map(move |(want, w)| w.scope.fields_in(path).map(move |nth| (want, nth)))
}

fn field_places(tape: &Tape, (want, nth): (usize, usize), request: &Request) -> FieldPlaces {
    let Want { name, scope, .. } = &request.wants[want];
    FieldPlaces { want, nth, references: field_references(tape, &scope.fields[nth].path, name) }
}

impl Survey {
    fn take(&mut self, looked: Looked, has_chart: bool) -> Result<()> {
        match looked {
            Looked::Unread { path, fault, named: true } => return Err(no_yaml(&path, &fault)),
            Looked::Unread { path, fault, named: false } => {
                self.unread.push(format!("{}:{fault}", inline(&path)));
            }
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

fn matters(file: &Parsed, request: &Request) -> bool {
    let meant = |r: &Reference| request.wants.iter().any(|w| r.is_meant_by(&w.name, &w.new_name));
    let for_adding = || {
        add::kustomization_root(&file.path, &file.tape).is_some()
            || request.wants.iter().any(|w| add::spelling(&file.tape, &w.name).is_some())
    };
    let fields = || file.fields.iter().any(|places| !places.references.is_empty());
    file.all_references().any(meant) || fields() || (request.add && for_adding())
}
