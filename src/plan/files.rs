//! Reads the files of a plan: keeps those that matter, counts those that can't be read, and notes every
//! image seen, for the message when nothing matches.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::listing::no_yaml;
use super::screen::Screen;
use super::spare::Spare;
use super::{Request, Shelf, SourceFile, Want};
use crate::error::{Result, inline};
use crate::manifest::{
    Form, ManifestFile, Reference, VALUES, add, field_references, is_kustomization_file, is_values_file,
    looks_like_values, references,
};
use crate::select::{Standing, folder};
use crate::yaml::{ScanFault, Tape, scan};

/// How many of the files are parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Those that can matter.
    Matching,
    /// All, to tell what was seen instead.
    Everything,
}

/// A file that may matter to the request, parsed.
pub(super) struct Parsed {
    pub path: String,
    pub bytes: Vec<u8>,
    pub tape: Tape,
    /// What the rules find.
    pub references: Vec<Reference>,
    /// What the fields of each want lead to.
    pub fields: Vec<FieldPlaces>,
}

/// Where one field of one want leads to in a file.
pub(super) struct FieldPlaces {
    pub want: usize,
    /// Which of the want's fields.
    pub nth: usize,
    pub references: Vec<Reference>,
}

/// All that a plan knows of the files.
#[derive(Default)]
pub(super) struct Survey {
    /// In the order of their paths.
    pub files: Vec<Parsed>,
    /// Files that were looked at.
    pub count: usize,
    pub warnings: Vec<String>,
    pub unread: Vec<String>,
    /// The fields that some document has, by want and number.
    pub fields: HashSet<(usize, usize)>,
    /// Every image that some reference names, with the first place.
    pub seen: BTreeMap<String, String>,
    /// Places that name an image and no tag.
    pub untagged: Vec<(String, String)>,
    /// Tags that stand without an image, with the `--field` that would name them.
    pub nameless: Vec<String>,
}

/// Tags that stand deeper are not named in a message.
const FIELD_DEPTH: usize = 32;

/// How many nameless tags are kept for a message.
const NAMELESS: usize = 5;

/// What one file is to the plan.
struct Looked {
    path: String,
    /// Values, unless no chart is beside them.
    needs_chart: bool,
    matter: Matter,
}

enum Matter {
    Parsed(Box<Parsed>),
    Noted(Notes),
    Unread { fault: ScanFault, named: bool },
}

/// What a file has to tell where nothing matches.
#[derive(Default)]
struct Notes {
    seen: Vec<(String, String)>,
    untagged: Vec<(String, String)>,
    nameless: Vec<String>,
}

/// Reads what a request is about.
///
/// # Errors
/// Exit 1 where a named file can't be read as YAML, and what the shelf says.
pub(super) fn survey(shelf: &dyn Shelf, request: &Request, depth: Depth) -> Result<Survey> {
    let screen = Screen::of(request);
    let looked = Mutex::new(Vec::new());
    let spare = Spare::new();
    let look = |file: SourceFile<'_>| {
        if depth == Depth::Matching && !is_wanted(&file, request, &screen) {
            spare.keep(&file);
        } else if let Some(one) = look_at(&file, request, depth) {
            looked.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
    };
    let found = shelf.each(&request.selection()?, request.add, &look)?;
    let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    looked.extend(spare.unreadable().map(|(path, fault)| Looked {
        path,
        needs_chart: false,
        matter: Matter::Unread { fault, named: false },
    }));
    looked.sort_by(|a, b| a.path.cmp(&b.path));
    let mut survey = Survey { count: found.count, warnings: found.warnings, ..Survey::default() };
    for one in looked {
        let has_chart = !one.needs_chart || found.charts.contains(folder(&one.path));
        survey.take(one, has_chart, request)?;
    }
    Ok(survey)
}

/// Whether a file must be parsed for the request.
fn is_wanted(file: &SourceFile<'_>, request: &Request, screen: &Screen<'_>) -> bool {
    file.standing == Standing::Named
        || screen.lets_pass(file.bytes)
        || (request.add && is_kustomization_file(file.path))
        || !fields_of(request, file.path).is_empty()
}

fn look_at(file: &SourceFile<'_>, request: &Request, depth: Depth) -> Option<Looked> {
    let named = file.standing == Standing::Named;
    let fields = fields_of(request, file.path);
    let (is_values, needs_chart) = values_role(file);
    let path = file.path.to_owned();
    let tape = match scan(file.bytes) {
        Ok(tape) => tape,
        Err(_) if file.standing == Standing::Context => return None,
        Err(fault) => {
            return Some(Looked { path, needs_chart, matter: Matter::Unread { fault, named } });
        }
    };
    let mut parsed = parse(file, tape, is_values);
    parsed.fields = fields.into_iter().map(|field| field_places(&parsed.tape, field, request)).collect();
    let matter = match depth {
        Depth::Matching => Matter::Parsed(Box::new(parsed)),
        Depth::Everything if file.standing == Standing::Context => return None,
        Depth::Everything => Matter::Noted(parsed.notes(is_values)),
    };
    Some(Looked { path, needs_chart, matter })
}

/// The fields that are to be set in a file, by want and number.
fn fields_of(request: &Request, path: &str) -> Vec<(usize, usize)> {
    let wants = request.wants.iter().enumerate();
    let all =
        wants.flat_map(|(want, w)| w.scope.fields.iter().enumerate().map(move |(nth, f)| (want, nth, f)));
    all.filter(|(_, _, field)| field.files.standing(path).is_some())
        .map(|(want, nth, _)| (want, nth))
        .collect()
}

/// Whether a file may hold Helm values, and whether only with a chart beside it.
pub(super) fn values_role(file: &SourceFile<'_>) -> (bool, bool) {
    match file.standing {
        Standing::Named => (true, false),
        Standing::Chosen => (looks_like_values(file.path), false),
        Standing::Found | Standing::Context => (is_values_file(file.path), true),
    }
}

/// A file with what the rules find in it.
pub(super) fn parse(file: &SourceFile<'_>, tape: Tape, is_values: bool) -> Parsed {
    // what was parsed is UTF-8
    let text = std::str::from_utf8(file.bytes).unwrap_or_default();
    let references = references(&ManifestFile { path: file.path, text, tape: &tape, is_values });
    let (path, bytes) = (file.path.to_owned(), file.bytes.to_vec());
    Parsed { path, bytes, tape, references, fields: Vec::new() }
}

fn field_places(tape: &Tape, (want, nth): (usize, usize), request: &Request) -> FieldPlaces {
    let Want { name, scope, .. } = &request.wants[want];
    FieldPlaces { want, nth, references: field_references(tape, &scope.fields[nth].path, name) }
}

impl Survey {
    fn take(&mut self, looked: Looked, has_chart: bool, request: &Request) -> Result<()> {
        match looked.matter {
            Matter::Unread { fault, named: true } => return Err(no_yaml(&looked.path, &fault)),
            Matter::Unread { fault, named: false } => {
                self.unread.push(format!("{}:{fault}", inline(&looked.path)));
            }
            Matter::Noted(notes) if has_chart => self.note(notes),
            Matter::Noted(_) => {}
            Matter::Parsed(mut parsed) => {
                if !has_chart {
                    parsed.references.retain(|reference| reference.kind != VALUES);
                }
                let places = parsed.fields.iter().filter(|places| !places.references.is_empty());
                self.fields.extend(places.map(|places| (places.want, places.nth)));
                if parsed.matters(request) {
                    self.files.push(*parsed);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, notes: Notes) {
        for (image, place) in notes.seen {
            self.seen.entry(image).or_insert(place);
        }
        self.untagged.extend(notes.untagged);
        let room = NAMELESS.saturating_sub(self.nameless.len());
        self.nameless.extend(notes.nameless.into_iter().take(room));
    }
}

impl Parsed {
    /// `file:line`.
    pub fn place(&self, node: usize) -> String {
        format!("{}:{}", inline(&self.path), self.tape.node(node).line)
    }

    /// `file:line:column`.
    pub fn exact_place(&self, node: usize) -> String {
        format!("{}:{}", self.place(node), self.tape.node(node).column)
    }

    fn matters(&self, request: &Request) -> bool {
        let meant = |r: &Reference| request.wants.iter().any(|w| r.is_meant_by(&w.name, &w.new_name));
        let for_adding = || {
            add::kustomization_root(&self.path, &self.tape).is_some()
                || request.wants.iter().any(|w| add::spelling(&self.tape, &w.name).is_some())
        };
        let fields = || self.fields.iter().any(|places| !places.references.is_empty());
        self.references.iter().any(meant) || fields() || (request.add && for_adding())
    }

    fn notes(&self, is_values: bool) -> Notes {
        let mut notes = Notes { nameless: self.nameless_tags(is_values), ..Notes::default() };
        for reference in self.references.iter().filter(|r| !r.image.is_empty()) {
            let noted = (reference.image.clone(), self.place(reference.at));
            match reference.form {
                Form::Untagged { .. } => notes.untagged.push(noted),
                _ => notes.seen.push(noted),
            }
        }
        notes
    }

    /// `image.tag` in a HelmRelease, or in values, whose repository is in the chart.
    fn nameless_tags(&self, is_values: bool) -> Vec<String> {
        let taken: HashSet<_> =
            self.references.iter().filter_map(|r| r.tag_slot()).map(|s| s.place()).collect();
        let tags = (0..self.tape.len()).filter(|id| !taken.contains(id));
        let tags = tags.filter(|&id| ["tag", "imageTag"].contains(&self.tape.key_text(id).unwrap_or("")));
        let below_values = tags.filter_map(|id| Some((id, field_path(&self.tape, id, is_values)?)));
        below_values
            .map(|(id, path)| format!("{}: -f {} --field {path}", self.place(id), self.path))
            .take(NAMELESS)
            .collect()
    }
}

/// The `--field` path of a node that stands in values: below `spec.values`, or anywhere in a values file.
fn field_path(tape: &Tape, id: usize, is_values: bool) -> Option<String> {
    let mut keys = Vec::new();
    let mut node = id;
    while let Some(parent) = tape.node(node).parent.filter(|_| keys.len() < FIELD_DEPTH) {
        keys.push(tape.key_text(node)?.replace('.', r"\."));
        node = parent;
    }
    keys.reverse();
    (is_values || keys.starts_with(&["spec".to_owned(), "values".to_owned()])).then(|| keys.join("."))
}
