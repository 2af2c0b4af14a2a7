//! The files of a listing, as they are read, and what is in each.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::SourceFile;
use super::super::parsed_file::ParsedFile;
use super::super::unparsed::{Unparsed, UnparsedText};
use super::super::what_runs::surroundings::{Names, Surroundings, SurroundingsCollector};
use super::PlacedReference;
use super::elsewhere::elsewhere;
use super::filter::ListingFilter;
use super::references::references;
use crate::effective::ParsedContent;
use crate::file_selection::MatchLevel;
use crate::mutex::{into_inner, lock};
use crate::yaml::scan;

/// What is in one file.
pub(super) struct FileListing {
    pub path: String,
    pub with_chart: PlacedReferences,
    /// What is in it if there is no chart next to the file.
    pub without_chart: PlacedReferences,
}

#[derive(Clone, Default)]
pub(super) struct PlacedReferences {
    pub by_rule: Vec<PlacedReference>,
    /// Places that no rule covers; the first part says whether they hold an image for certain.
    pub elsewhere: Vec<(bool, PlacedReference)>,
}

/// A file that was read.
pub(super) struct TextFile {
    pub path: String,
    pub bytes: Vec<u8>,
    pub match_level: MatchLevel,
    /// It is listed.
    pub is_wanted: bool,
}

/// Larger repositories are not held in memory: what doesn't fit is read again when a root is made from it.
const MOST_TEXT: usize = 256 * 1024 * 1024;

/// If so many bytes can't hold a reference, they are parsed too, to report the files that aren't valid YAML. Of a large
/// repository, that would take as long as everything else.
const FEW: usize = 4 * 1024 * 1024;

/// Collects the files while they are visited, from several threads.
pub(super) struct ListedFiles<'a> {
    images: &'a [String],
    filter: ListingFilter,
    around: SurroundingsCollector,
    /// The bytes in `texts`.
    size: AtomicUsize,
    texts: Mutex<Vec<TextFile>>,
    /// What is in the files that didn't fit.
    listed: Mutex<Vec<Listed>>,
}

/// What is in a file, or why it can't be parsed.
pub(super) type Listed = Result<FileListing, Unparsed>;

/// What was found in the files.
pub(super) struct GatheredFiles {
    pub texts: Vec<TextFile>,
    /// What is in the files that are not in `texts`.
    pub listed: Vec<Listed>,
    pub around: Surroundings,
}

impl<'a> ListedFiles<'a> {
    /// For the references to `images`, or to all images if none is given.
    pub fn new(images: &'a [String]) -> Self {
        ListedFiles {
            images,
            filter: ListingFilter::default(),
            around: SurroundingsCollector::default(),
            size: AtomicUsize::default(),
            texts: Mutex::default(),
            listed: Mutex::default(),
        }
    }

    pub fn take(&self, file: &SourceFile<'_>) {
        let names = self.filter.names(file.bytes);
        let is_wanted = match file.match_level {
            MatchLevel::ContextOnly => false,
            MatchLevel::Explicit => true,
            MatchLevel::Pattern | MatchLevel::Discovered => names != Names::Nothing,
        };
        self.around.note(file, if is_wanted { names } else { Names::Nothing });
        let fits = self.size.fetch_add(file.bytes.len(), Ordering::Relaxed) <= MOST_TEXT;
        if fits {
            let (path, bytes) = (file.path.to_owned(), file.bytes.to_vec());
            let text = TextFile { path, bytes, match_level: file.match_level, is_wanted };
            lock(&self.texts).push(text);
        } else if is_wanted {
            let listed = listed(file, self.images).map(|(listing, _)| listing);
            lock(&self.listed).push(listed);
        }
    }

    /// `other` are the files beside those that aren't YAML.
    pub fn finish(self, other: BTreeSet<String>) -> GatheredFiles {
        let listed = into_inner(self.listed);
        let mut texts = into_inner(self.texts);
        let is_skipped = |file: &TextFile| !file.is_wanted && file.match_level != MatchLevel::ContextOnly;
        let skipped = texts.iter().filter(|file| is_skipped(file)).map(|file| file.bytes.len());
        if skipped.sum::<usize>() <= FEW {
            texts.iter_mut().filter(|file| is_skipped(file)).for_each(|file| file.is_wanted = true);
        }
        GatheredFiles { texts, listed, around: self.around.finish(other) }
    }
}

/// What is in a file, and the parsed file.
pub(super) fn listed(
    file: &SourceFile<'_>,
    images: &[String],
) -> Result<(FileListing, ParsedContent), Unparsed> {
    let path = file.path.to_owned();
    let named = file.match_level == MatchLevel::Explicit;
    let unparsed =
        |error| Unparsed { path: file.path.to_owned(), error, named, text: UnparsedText::default() };
    let mut parsed = ParsedFile::of(file, scan(file.bytes).map_err(unparsed)?);
    let without_chart = PlacedReferences::of(&parsed, file.match_level, images);
    parsed.settle_chart(true);
    let matters = parsed.is_values(file.match_level);
    let with_chart = match matters {
        true => PlacedReferences::of(&parsed, file.match_level, images),
        false => without_chart.clone(),
    };
    parsed.yaml.check().map_err(|stopped| unparsed(stopped.into()))?;
    let content =
        ParsedContent { yaml: parsed.yaml.with_full_budget(parsed.bytes.len()), bytes: parsed.bytes };
    Ok((FileListing { path, with_chart, without_chart }, content))
}

impl PlacedReferences {
    fn of(parsed: &ParsedFile, match_level: MatchLevel, images: &[String]) -> Self {
        PlacedReferences {
            by_rule: references(parsed, match_level, images),
            elsewhere: elsewhere(parsed, match_level, images),
        }
    }
}

impl FileListing {
    /// Whether a rule finds an image in it.
    pub fn names_image(&self) -> bool {
        !self.with_chart.by_rule.is_empty()
    }
}
