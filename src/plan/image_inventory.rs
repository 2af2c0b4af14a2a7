//! Collects what the files contain when nothing matches a target: every image, and tags without an image name.
//! Error messages use it for suggestions.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::parsed_file::ParsedFile;
use super::unparsed::{Unparsed, UnparsedReport, UnparsedText};
use super::{FileSource, NamelessTag, NestedRepository, PlanError, Request, SourceFile, VisitScope};
use crate::file_selection::{MatchLevel, folder};
use crate::location::Location;
use crate::manifest::{ReferenceSyntax, is_encrypted};
use crate::mutex::{into_inner, lock};
use crate::yaml::{FieldPath, ParsedYaml, scan_until};

/// The images and tags in all files, for an error message.
#[derive(Default)]
pub(super) struct ImageInventory {
    /// The number of files that were read.
    pub count: usize,
    /// Folders that were left out: their files belong to repositories of their own.
    pub nested: BTreeSet<NestedRepository>,
    pub left_out: UnparsedReport,
    /// Every image that a reference names, with the place of the first one.
    pub images: BTreeMap<String, Location>,
    /// Images of blocks without a tag, with their places.
    pub untagged: Vec<(String, Location)>,
    /// Images of blocks with a digest and no tag, with their places.
    pub pinned: Vec<(String, Location)>,
    /// Images and places in what would be Helm values.
    pub values: Vec<(String, Location)>,
    /// Tags that stand without an image.
    pub nameless: Vec<NamelessTag>,
}

/// Tags that are nested deeper don't appear in a message.
const FIELD_DEPTH: usize = 32;

/// How many tags without a name to keep for a message.
const NAMELESS: usize = 5;

/// The images and tags in one file.
#[derive(Default)]
struct FileImages {
    path: String,
    images: Vec<(String, Location)>,
    untagged: Vec<(String, Location)>,
    pinned: Vec<(String, Location)>,
    values: Vec<(String, Location)>,
    nameless: Vec<NamelessTag>,
}

/// Reads all files of a request.
///
/// # Errors
/// If the request was cancelled, and the errors of the file source.
pub(super) fn read(source: &dyn FileSource, request: &Request) -> Result<ImageInventory, PlanError> {
    let looked = Mutex::new(Vec::new());
    let look = |file: SourceFile<'_>| {
        if request.cancellation.is_cancelled() {
            return ControlFlow::Break(());
        }
        let notes = notes(&file, request);
        lock(&looked).push(notes);
        ControlFlow::Continue(())
    };
    let found = source.visit(&request.selection()?, VisitScope::Selected, &look)?;
    if request.cancellation.is_cancelled() {
        return Err(PlanError::Cancelled);
    }
    let mut looked = into_inner(looked);
    looked.sort_by(|a, b| path(a).cmp(path(b)));
    let mut inventory = ImageInventory {
        count: found.count,
        nested: found.nested,
        left_out: UnparsedReport::without_templates(&found.charts),
        ..ImageInventory::default()
    };
    for notes in looked {
        match notes {
            Err(unparsed) => inventory.left_out.add(unparsed)?,
            Ok([with_chart, without]) => {
                let has_chart = found.charts.contains(folder(&with_chart.path));
                inventory.take(if has_chart { with_chart } else { without });
            }
        }
    }
    Ok(inventory)
}

fn path(notes: &Result<[FileImages; 2], Unparsed>) -> &str {
    match notes {
        Ok([FileImages { path, .. }, _]) | Err(Unparsed { path, .. }) => path,
    }
}

/// The images and tags in a file, with and without a chart next to it.
fn notes(file: &SourceFile<'_>, request: &Request) -> Result<[FileImages; 2], Unparsed> {
    // an unparsable file that the user named has failed the run already
    let unparsed =
        |error| Unparsed { path: file.path.to_owned(), error, named: false, text: UnparsedText::default() };
    let yaml = scan_until(file.bytes, &request.cancellation).map_err(unparsed)?;
    let mut parsed = ParsedFile::of(file, yaml);
    let notes = [true, false].map(|has_chart| {
        parsed.settle_chart(has_chart);
        FileImages::of(&parsed, file.match_level)
    });
    parsed.yaml.check().map_err(|stopped| unparsed(stopped.into()))?;
    Ok(notes)
}

impl FileImages {
    fn of(file: &ParsedFile, match_level: MatchLevel) -> Self {
        let mut notes = FileImages {
            path: file.path.clone(),
            nameless: nameless_tags(file, match_level),
            ..FileImages::default()
        };
        let values = file.would_be_values(match_level);
        notes.values = values.map(|r| (r.image.clone(), file.place(r.at))).collect();
        for reference in file.references(match_level).iter().filter(|r| !r.image.is_empty()) {
            let noted = (reference.image.clone(), file.place(reference.at));
            match reference.syntax {
                ReferenceSyntax::BlockWithoutTag { .. } if reference.digest.is_some() => {
                    notes.pinned.push(noted);
                }
                ReferenceSyntax::BlockWithoutTag { .. } => notes.untagged.push(noted),
                ReferenceSyntax::Block { .. } if reference.has_no_version() => notes.untagged.push(noted),
                _ => notes.images.push(noted),
            }
        }
        notes
    }
}

impl ImageInventory {
    fn take(&mut self, notes: FileImages) {
        for (image, place) in notes.images {
            self.images.entry(image).or_insert(place);
        }
        self.untagged.extend(notes.untagged);
        self.pinned.extend(notes.pinned);
        self.values.extend(notes.values);
        let room = NAMELESS.saturating_sub(self.nameless.len());
        self.nameless.extend(notes.nameless.into_iter().take(room));
    }
}

/// Tags without an image name: `image.tag` in a HelmRelease or in values whose chart sets the repository, and
/// marked tags.
fn nameless_tags(file: &ParsedFile, match_level: MatchLevel) -> Vec<NamelessTag> {
    let yaml = &file.yaml;
    let (unnamed, named): (Vec<_>, Vec<_>) =
        file.references(match_level).iter().partition(|r| r.image.is_empty());
    let taken: HashSet<_> = named.iter().filter_map(|r| r.tag_slot()).map(|s| s.place()).collect();
    let marked: HashSet<_> = unnamed.iter().map(|r| r.at).collect();
    let is_tag = |id: usize| ["tag", "imageTag"].contains(&yaml.key_text(id).unwrap_or_default());
    let in_values = |id| {
        file.is_values(match_level)
            || marked.contains(&id)
            || is_below(yaml, id, &["spec", "values"])
            || file.may_be_values() && !is_in_object(yaml, id)
    };
    let tags = (0..yaml.len()).filter(|id| !taken.contains(id) && (is_tag(*id) || marked.contains(id)));
    // compute the path last: finding an item's index in a long list is slow
    let is_open = |id: usize| !yaml.text(id).is_some_and(is_encrypted);
    let offered = tags.filter(|id| in_values(*id) && is_open(*id));
    let nameless = offered
        .filter_map(|id| Some(NamelessTag { at: file.place(id), field: FieldPath::to_node(yaml, id)? }));
    nameless.take(NAMELESS).collect()
}

/// Whether a node's document declares a kind of its own.
fn is_in_object(yaml: &ParsedYaml, id: usize) -> bool {
    let root = std::iter::successors(Some(id), |&id| yaml.node(id).parent).last();
    root.is_some_and(|root| yaml.get(root, "kind").is_some())
}

/// Whether a node is below these keys of the document.
fn is_below(yaml: &ParsedYaml, id: usize, keys: &[&str]) -> bool {
    let parents = std::iter::successors(Some(id), |&id| yaml.node(id).parent);
    let path: Vec<_> = parents.take(FIELD_DEPTH + 1).map(|id| yaml.key_text(id)).collect();
    // the last one is the root, which has no key
    let mut path = path.iter().rev().skip(1);
    keys.iter().all(|key| path.next() == Some(&Some(*key))) && path.next().is_some()
}
