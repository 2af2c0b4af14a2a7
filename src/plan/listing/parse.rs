//! Parses the files of a listing on all cores, and renders the roots beside it: first those files that some root may
//! be made from, so that rendering, which takes one core, starts early.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::thread::{available_parallelism, scope};

use super::super::what_runs::rendered_roots::{Overridable, Renderer, read_part};
use super::super::what_runs::surroundings::Surroundings;
use super::super::{FileSource, PlanError, SourceFile};
use super::ListingRequest;
use super::files::{Listed, TextFile, listed};
use super::places::ListedPlaces;
use crate::effective::ParsedContent;
use crate::mutex::lock;
use crate::yaml::{Cancellation, scan};

/// What came of the files.
pub(super) struct Parsed {
    pub rendered: ListedPlaces,
    /// In any order.
    pub listed: Vec<Listed>,
}

/// What came of one file.
struct Done {
    path: String,
    /// `None` if the file is only read because a root is made from it.
    listed: Option<Listed>,
    /// `None` if it isn't valid YAML.
    content: Option<ParsedContent>,
}

/// How many files a thread takes at once. Each time, the thread that renders is woken.
const AT_ONCE: usize = 16;

/// The files that wait to be parsed. Until it is known which of them roots are made from, any may be the next.
struct Queue {
    /// Roots are made from them.
    first: Vec<TextFile>,
    rest: Vec<TextFile>,
    /// How many files were taken.
    taken: usize,
    /// It is known which files roots are made from.
    is_sorted: bool,
}

/// Files that a thread has taken.
struct Batch {
    files: Vec<TextFile>,
    /// How many files were taken before.
    before: usize,
    /// Roots may be made from them.
    may_be_included: bool,
}

impl Queue {
    fn next(&mut self) -> Option<Batch> {
        let may_be_included = !self.is_sorted || !self.first.is_empty();
        let waiting = if self.first.is_empty() { &mut self.rest } else { &mut self.first };
        let files = waiting.split_off(waiting.len().saturating_sub(AT_ONCE));
        let before = self.taken;
        self.taken += files.len();
        (!files.is_empty()).then_some(Batch { files, before, may_be_included })
    }

    /// Puts the files that roots are made from first, with those in `context` that aren't listed. Returns how many files
    /// are taken until all of them are.
    fn prefer(&mut self, included: &BTreeSet<String>, context: Vec<TextFile>) -> usize {
        let is_included = |file: &TextFile| included.contains(&file.path);
        let (first, rest) = std::mem::take(&mut self.rest).into_iter().partition(is_included);
        (self.first, self.rest) = (first, rest);
        self.first.extend(context.into_iter().filter(is_included));
        self.is_sorted = true;
        self.taken + self.first.len()
    }
}

/// Parses the files of the queue, on several threads.
struct ListingParser<'a> {
    queue: Mutex<Queue>,
    images: &'a [String],
}

impl ListingParser<'_> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    /// Parses some of the files that wait; `None` if there are none.
    fn next(&self) -> Option<ParsedBatch> {
        // the queue is free again before the files are parsed
        let batch = self.queue().next();
        batch.map(|batch| self.parse(batch))
    }

    /// As [`ListingParser::next`], but only of the files that roots are made from.
    fn next_first(&self) -> Option<ParsedBatch> {
        let mut queue = self.queue();
        let batch = if queue.first.is_empty() { None } else { queue.next() };
        drop(queue);
        batch.map(|batch| self.parse(batch))
    }

    fn parse(&self, Batch { files, before, may_be_included }: Batch) -> ParsedBatch {
        let parsed = files.into_iter().map(|file| parse(file, self.images));
        // what no root is made from needn't wait for the rendering
        let files =
            parsed.map(|done| Done { content: done.content.filter(|_| may_be_included), ..done }).collect();
        ParsedBatch { files, before }
    }
}

/// What came of a batch.
struct ParsedBatch {
    files: Vec<Done>,
    /// How many files were taken before.
    before: usize,
}

/// Lists the wanted files, and renders the roots in which any place may override another.
///
/// # Errors
/// If a root is in two environments.
pub(super) fn parse_and_render(
    source: &dyn FileSource,
    around: &Surroundings,
    request: &ListingRequest<'_>,
    files: Vec<TextFile>,
) -> Result<Parsed, PlanError> {
    let ListingRequest { images, environments, repository_url: url, .. } = *request;
    let cancellation = Cancellation::default();
    let read = |path: &str| read_part(source, path);
    let renderer = Renderer { around, read: &read, url, environments, cancellation: &cancellation };
    let (wanted, context): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.is_wanted);
    let queue = Queue { first: Vec::new(), rest: wanted, taken: 0, is_sorted: false };
    let parser = ListingParser { queue: Mutex::new(queue), images };
    let work = |done: Sender<ParsedBatch>| {
        // fails only if the receiver is gone
        std::iter::from_fn(|| parser.next()).for_each(|batch| drop(done.send(batch)));
    };
    scope(|scope| {
        let (sender, receiver) = channel();
        // this thread parses too while it doesn't render
        for _ in 1..available_parallelism().map_or(1, usize::from) {
            let sender = sender.clone();
            scope.spawn(|| work(sender));
        }
        drop(sender);
        let overridable = renderer.overridable();
        let until = parser.queue().prefer(&overridable.included, context);
        finish(&parser, &receiver, until, overridable, &renderer)
    })
}

/// Renders once the first files, up to `until`, are there, and then takes the rest.
fn finish(
    parser: &ListingParser<'_>,
    receiver: &Receiver<ParsedBatch>,
    until: usize,
    overridable: Overridable<'_>,
    renderer: &Renderer<'_>,
) -> Result<Parsed, PlanError> {
    let (mut parsed, mut listed, mut waiting_for) = (HashMap::new(), Vec::new(), until);
    while waiting_for > 0 {
        // of few files, all may be listed before it is known what else roots are made from: that is read when it is needed
        let Some(batch) = parser.next_first().or_else(|| receiver.recv().ok()) else { break };
        waiting_for -= if batch.before < until { batch.files.len() } else { 0 };
        for done in batch.files {
            let content = done.content.filter(|_| overridable.included.contains(&done.path));
            parsed.extend(content.map(|content| (done.path, content)));
            listed.extend(done.listed);
        }
    }
    let naming = listed.iter().flatten().filter(|file| file.names_image()).map(|file| file.path.clone());
    let reach = overridable.reach(naming);
    let rendered = renderer.render(&reach, parsed, ListedPlaces::of)?;
    let rest = std::iter::from_fn(|| parser.next()).chain(receiver);
    listed.extend(rest.flat_map(|batch| batch.files).filter_map(|done| done.listed));
    Ok(Parsed { rendered, listed })
}

fn parse(file: TextFile, images: &[String]) -> Done {
    let TextFile { path, bytes, match_level, is_wanted } = file;
    if !is_wanted {
        let content = scan(&bytes).ok().map(|yaml| ParsedContent { bytes, yaml });
        return Done { path, listed: None, content };
    }
    let file = SourceFile { path: &path, bytes: &bytes, match_level };
    let (listed, content) = match listed(&file, images) {
        Ok((listing, content)) => (Ok(listing), Some(content)),
        Err(unparsed) => (Err(unparsed), None),
    };
    Done { path, listed: Some(listed), content }
}
