//! What is there instead, where nothing matches: every image, and tags that stand without one.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::parsed::Parsed;
use super::{Request, Shelf, SourceFile};
use crate::error::{Result, inline};
use crate::manifest::Form;
use crate::select::{Standing, folder};
use crate::yaml::{Tape, scan};

/// What all files have, for a message.
#[derive(Default)]
pub(super) struct Seen {
    /// Files that were looked at.
    pub count: usize,
    pub unread: Vec<String>,
    /// Every image that some reference names, with the first place.
    pub images: BTreeMap<String, String>,
    /// Images of blocks without a tag, with their places.
    pub untagged: Vec<(String, String)>,
    /// Images, places and paths of what would be Helm values.
    pub values: Vec<(String, String, String)>,
    /// Tags that stand without an image, with the `--field` that would name them.
    pub nameless: Vec<String>,
}

/// Tags that stand deeper are not named in a message.
const FIELD_DEPTH: usize = 32;

/// How many nameless tags are kept for a message.
const NAMELESS: usize = 5;

/// What one file has.
#[derive(Default)]
struct Notes {
    path: String,
    unread: Option<String>,
    images: Vec<(String, String)>,
    untagged: Vec<(String, String)>,
    values: Vec<(String, String, String)>,
    nameless: Vec<String>,
}

/// Looks at all files of a request.
///
/// # Errors
/// What the shelf says.
pub(super) fn seen(shelf: &dyn Shelf, request: &Request) -> Result<Seen> {
    let looked = Mutex::new(Vec::new());
    let look = |file: SourceFile<'_>| {
        let notes = notes(&file);
        looked.lock().unwrap_or_else(PoisonError::into_inner).push(notes);
    };
    let found = shelf.each(&request.selection()?, false, &look)?;
    let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    looked.sort_by(|a, b| a[0].path.cmp(&b[0].path));
    let mut seen = Seen { count: found.count, ..Seen::default() };
    for [with_chart, without] in looked {
        let has_chart = found.charts.contains(folder(&with_chart.path));
        seen.take(if has_chart { with_chart } else { without });
    }
    Ok(seen)
}

/// What a file has with a chart beside it, and without.
fn notes(file: &SourceFile<'_>) -> [Notes; 2] {
    let path = || file.path.to_owned();
    match scan(file.bytes) {
        Ok(tape) => {
            let mut parsed = Parsed::of(file, tape);
            [true, false].map(|has_chart| {
                parsed.settle_chart(has_chart);
                Notes::of(&parsed, file.standing)
            })
        }
        // a named one has failed the run before
        Err(_) if file.standing == Standing::Named => {
            [(); 2].map(|()| Notes { path: path(), ..Notes::default() })
        }
        Err(fault) => [(); 2].map(|()| {
            let unread = Some(format!("{}:{fault}", inline(file.path)));
            Notes { path: path(), unread, ..Notes::default() }
        }),
    }
}

impl Notes {
    fn of(file: &Parsed, standing: Standing) -> Self {
        let mut notes =
            Notes { path: file.path.clone(), nameless: nameless_tags(file, standing), ..Notes::default() };
        notes.values = file
            .would_be_values(standing)
            .map(|r| (r.image.clone(), file.place(r.at), inline(&file.path)))
            .collect();
        for reference in file.references(standing).iter().filter(|r| !r.image.is_empty()) {
            let noted = (reference.image.clone(), file.place(reference.at));
            match reference.form {
                Form::Untagged { .. } => notes.untagged.push(noted),
                _ => notes.images.push(noted),
            }
        }
        notes
    }
}

impl Seen {
    fn take(&mut self, notes: Notes) {
        for (image, place) in notes.images {
            self.images.entry(image).or_insert(place);
        }
        self.untagged.extend(notes.untagged);
        self.values.extend(notes.values);
        self.unread.extend(notes.unread);
        let room = NAMELESS.saturating_sub(self.nameless.len());
        self.nameless.extend(notes.nameless.into_iter().take(room));
    }
}

/// `image.tag` in a HelmRelease, or in values, whose repository is in the chart; and marked tags.
fn nameless_tags(file: &Parsed, standing: Standing) -> Vec<String> {
    let tape = &file.tape;
    let (unnamed, named): (Vec<_>, Vec<_>) =
        file.references(standing).iter().partition(|r| r.image.is_empty());
    let taken: HashSet<_> = named.iter().filter_map(|r| r.tag_slot()).map(|s| s.place()).collect();
    let marked: HashSet<_> = unnamed.iter().map(|r| r.at).collect();
    let is_tag = |id: usize| ["tag", "imageTag"].contains(&tape.key_text(id).unwrap_or_default());
    let tags = (0..tape.len()).filter(|id| !taken.contains(id) && (is_tag(*id) || marked.contains(id)));
    let paths = tags.filter_map(|id| Some((id, field_path(tape, id)?)));
    let in_values =
        |id, path: &str| file.is_values(standing) || marked.contains(&id) || path.starts_with("spec.values.");
    let offered = paths.filter(|(id, path)| in_values(*id, path));
    offered
        .map(|(id, path)| format!("{}: -f {} --field {path}", file.place(id), inline(&file.path)))
        .take(NAMELESS)
        .collect()
}

/// The `--field` path of a node.
fn field_path(tape: &Tape, id: usize) -> Option<String> {
    let mut steps = Vec::new();
    let mut node = id;
    while let Some(parent) = tape.node(node).parent {
        if steps.len() >= FIELD_DEPTH {
            return None;
        }
        steps.push(match tape.key_text(node) {
            Some(key) => format!(".{}", inline(key).replace('.', r"\.")),
            None => format!("[{}]", tape.items(parent).position(|item| item == node)?),
        });
        node = parent;
    }
    steps.reverse();
    Some(steps.concat().trim_start_matches('.').to_owned())
}
