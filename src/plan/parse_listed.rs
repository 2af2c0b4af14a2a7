//! Parses the files of a listing on all cores, and renders the roots beside it: first those files that some root may
//! be made from, so that rendering, which takes one core, starts early.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use super::listed_files::{FileListing, Listed, TextFile, listed};
use super::listed_places::ListedPlaces;
use super::rendered_roots::{Overridable, Renderer, read_part};
use super::surroundings::Surroundings;
use super::{Environments, FileSource, PlanError, SourceFile};
use crate::effective::ParsedContent;
use crate::yaml::Cancellation;

/// What came of the files.
pub(super) struct Parsed {
    pub rendered: ListedPlaces,
    /// In any order.
    pub listed: Vec<Listed>,
}

/// What came of one file.
struct Done {
    listed: Listed,
    /// If some root may be made from it, and it is valid YAML.
    content: Option<ParsedContent>,
    /// Rendering waits for it.
    is_included: bool,
}

/// The files, by what is done with them.
struct Sorted {
    /// To list first: some root may be made from them.
    first: Vec<TextFile>,
    /// To list.
    rest: Vec<TextFile>,
    /// To read only if a root is made from them, by path.
    context: HashMap<String, Vec<u8>>,
}

impl Sorted {
    fn new(files: Vec<TextFile>, included: &BTreeSet<String>) -> Self {
        let (wanted, context): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.is_wanted);
        let (first, rest) = wanted.into_iter().partition(|file| included.contains(&file.path));
        let context = context.into_iter().filter(|file| included.contains(&file.path));
        Sorted { first, rest, context: context.map(|file| (file.path, file.bytes)).collect() }
    }
}

/// Lists the wanted files, and renders the roots in which any place may override another.
///
/// # Errors
/// If a root is in two environments.
pub(super) fn parse_and_render(
    source: &dyn FileSource,
    around: &Surroundings,
    environments: &Environments,
    files: Vec<TextFile>,
    images: &[String],
) -> Result<Parsed, PlanError> {
    let cancellation = Cancellation::default();
    let read = |path: &str| read_part(source, path);
    let renderer = Renderer { around, read: &read, url: None, environments, cancellation: &cancellation };
    let overridable = renderer.overridable();
    let Sorted { first, rest, context } = Sorted::new(files, &overridable.included);
    let read = |path: &str| context.get(path).cloned().or_else(|| read(path));
    let renderer = Renderer { read: &read, ..renderer };
    let waiting_for = first.len();
    let first = first.into_iter().map(|file| (file, true));
    let queue = Mutex::new(first.chain(rest.into_iter().map(|file| (file, false))));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |done: Sender<Done>| {
        for (file, is_included) in std::iter::from_fn(next) {
            // fails only if nobody waits for it any more
            let _ = done.send(list_one(&file, is_included, images));
        }
    };
    scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            let sender = sender.clone();
            scope.spawn(|| work(sender));
        }
        drop(sender);
        finish(&receiver, waiting_for, overridable, &renderer)
    })
}

/// Renders once `waiting_for` included files are there, and then takes the rest.
fn finish(
    receiver: &Receiver<Done>,
    mut waiting_for: usize,
    overridable: Overridable<'_>,
    renderer: &Renderer<'_>,
) -> Result<Parsed, PlanError> {
    let (mut parsed, mut listed) = (HashMap::new(), Vec::new());
    while waiting_for > 0 {
        let Ok(done) = receiver.recv() else { break }; // all workers panicked
        waiting_for -= usize::from(done.is_included);
        if let (Some(content), Ok(FileListing { path, .. })) = (done.content, &done.listed) {
            parsed.insert(path.clone(), content);
        }
        listed.push(done.listed);
    }
    let naming = listed.iter().flatten().filter(|file| file.names_image()).map(|file| file.path.clone());
    let reach = overridable.reach(naming);
    let rendered = renderer.render(&reach, parsed, ListedPlaces::of)?;
    listed.extend(receiver.iter().map(|done| done.listed));
    Ok(Parsed { rendered, listed })
}

fn list_one(file: &TextFile, is_included: bool, images: &[String]) -> Done {
    let TextFile { path, bytes, match_level, .. } = file;
    let file = SourceFile { path, bytes, match_level: *match_level };
    let (listed, content) = match listed(&file, images) {
        Ok((listing, content)) => (Ok(listing), Some(content).filter(|_| is_included)),
        Err(unparsed) => (Err(unparsed), None),
    };
    Done { listed, content, is_included }
}
