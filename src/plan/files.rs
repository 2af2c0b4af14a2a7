//! Reads the files of a plan: keeps those that matter, counts those that can't be read, and notes every
//! image seen, for the message when nothing matches.

use std::collections::{BTreeMap, HashSet};

use super::{Request, SourceFile};
use crate::error::{Exit, Failure, Result, inline};
use crate::manifest::{Form, Reference, add, field_references, references};
use crate::select::Standing;
use crate::yaml::{Tape, scan};

/// A file that may matter to the request, parsed.
pub(super) struct Parsed {
    pub path: String,
    pub bytes: Vec<u8>,
    pub standing: Standing,
    pub tape: Tape,
    pub references: Vec<Reference>,
}

/// All that a plan knows of the files.
#[derive(Default)]
pub(super) struct Survey {
    pub files: Vec<Parsed>,
    /// Files that were looked at.
    pub count: usize,
    pub unread: Vec<String>,
    /// Of each field that is to be set, whether some document has it.
    pub fields: Vec<bool>,
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

pub(super) fn survey(files: impl IntoIterator<Item = SourceFile>, request: &Request) -> Result<Survey> {
    let mut survey = Survey::default();
    for file in files {
        survey.take(file, request)?;
    }
    Ok(survey)
}

impl Survey {
    fn take(&mut self, file: SourceFile, request: &Request) -> Result<()> {
        self.count += usize::from(file.standing != Standing::Context);
        let tape = match scan(&file.bytes) {
            Ok(tape) => tape,
            Err(fault) => return self.unreadable(&file, &fault.to_string()),
        };
        let references = if request.fields.is_empty() {
            references(&file.path, &tape)
        } else {
            self.fields.resize(request.fields.len(), false);
            let wants = request.wants.first().map_or("", |want| want.name.as_str());
            let each = request.fields.iter().map(|path| field_references(&tape, path, wants));
            let each: Vec<Vec<Reference>> = each.collect();
            each.iter().zip(&mut self.fields).for_each(|(found, has)| *has |= !found.is_empty());
            each.into_iter().flatten().collect()
        };
        let parsed = Parsed { path: file.path, bytes: file.bytes, standing: file.standing, tape, references };
        self.note(&parsed);
        if parsed.matters(request) {
            self.files.push(parsed);
        }
        Ok(())
    }

    fn unreadable(&mut self, file: &SourceFile, fault: &str) -> Result<()> {
        let place = format!("{}:{fault}", inline(&file.path));
        if file.standing == Standing::Named {
            return Err(Failure::new(Exit::Other, format!("{place} (no YAML)"))
                .hinted("mend the file; without its name in -f it would only be a warning"));
        }
        if file.standing == Standing::Found {
            self.unread.push(place);
        }
        Ok(())
    }

    fn note(&mut self, file: &Parsed) {
        if file.standing == Standing::Context {
            return;
        }
        for reference in &file.references {
            let place = file.place(reference.at);
            if matches!(reference.form, Form::Untagged { .. }) {
                self.untagged.push((reference.image.clone(), place));
            } else {
                self.seen.entry(reference.image.clone()).or_insert(place);
            }
        }
        let room = NAMELESS.saturating_sub(self.nameless.len());
        self.nameless.extend(file.nameless_tags().into_iter().take(room));
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
        self.references.iter().any(meant) || (request.add && for_adding())
    }

    /// `image.tag` in a HelmRelease whose repository is in the chart.
    fn nameless_tags(&self) -> Vec<String> {
        let taken: HashSet<_> =
            self.references.iter().filter_map(|r| r.tag_slot()).map(|s| s.place()).collect();
        let tags = (0..self.tape.len()).filter(|id| !taken.contains(id));
        let tags = tags.filter(|&id| ["tag", "imageTag"].contains(&self.tape.key_text(id).unwrap_or("")));
        let below_values = tags.filter_map(|id| Some((id, path_below_values(&self.tape, id)?)));
        below_values
            .map(|(id, path)| format!("{}: -f {} --field {path}", self.place(id), self.path))
            .take(NAMELESS)
            .collect()
    }
}

/// The `--field` path of a node that stands below `spec.values` of its document.
fn path_below_values(tape: &Tape, id: usize) -> Option<String> {
    let mut keys = Vec::new();
    let mut node = id;
    while let Some(parent) = tape.node(node).parent.filter(|_| keys.len() < FIELD_DEPTH) {
        keys.push(tape.key_text(node)?.replace('.', r"\."));
        node = parent;
    }
    keys.reverse();
    keys.starts_with(&["spec".to_owned(), "values".to_owned()]).then(|| keys.join("."))
}
