//! Reads the files of a listing: what is in each, and what the roots around them need to know.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::SourceFile;
use super::listed_elsewhere::elsewhere;
use super::listed_references::references;
use super::listing::{ListedReference, PlacedReference};
use super::listing_filter::ListingFilter;
use super::parsed_file::ParsedFile;
use super::skipped_files::SkippedFiles;
use super::surroundings::{Names, Surroundings, SurroundingsCollector};
use super::unparsed::{Unparsed, UnparsedText};
use crate::effective::ParsedContent;
use crate::file_selection::MatchLevel;
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

/// Collects what is in the files while they are visited, from several threads.
pub(super) struct ListedFiles<'a> {
    images: &'a [String],
    filter: ListingFilter,
    around: SurroundingsCollector,
    listed: Mutex<Vec<Result<FileListing, Unparsed>>>,
    /// By path.
    parsed: Mutex<HashMap<String, ParsedContent>>,
    skipped: SkippedFiles,
}

/// What was found in the files.
pub(super) struct ReadFiles {
    /// In the order of their paths.
    pub listed: Vec<Result<FileListing, Unparsed>>,
    pub around: Surroundings,
    /// Files that some root may be made from, by path.
    pub parsed: HashMap<String, ParsedContent>,
}

impl<'a> ListedFiles<'a> {
    /// For the references to `images`, or to all images if none is given.
    pub fn new(images: &'a [String]) -> Self {
        ListedFiles {
            images,
            filter: ListingFilter::default(),
            around: SurroundingsCollector::default(),
            listed: Mutex::default(),
            parsed: Mutex::default(),
            skipped: SkippedFiles::new(),
        }
    }

    pub fn take(&self, file: &SourceFile<'_>) {
        let is_wanted = match file.match_level {
            MatchLevel::ContextOnly => false,
            MatchLevel::Explicit => true,
            MatchLevel::Pattern | MatchLevel::Discovered => self.filter.lets_pass(file.bytes),
        };
        if !is_wanted {
            self.around.note(file, Names::Nothing);
            self.skipped.keep(file);
            return;
        }
        let listed = listed(file, self.images).map(|(listing, content)| {
            if self.around.note(file, listing.names()) {
                let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
                parsed.insert(file.path.to_owned(), content);
            }
            listing
        });
        if listed.is_err() {
            self.around.note(file, Names::Nothing);
        }
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).push(listed);
    }

    pub fn finish(self) -> ReadFiles {
        let mut listed = self.listed.into_inner().unwrap_or_else(PoisonError::into_inner);
        listed.extend(self.skipped.unparsed().map(Err));
        listed.sort_by(|a, b| path(a).cmp(path(b)));
        let parsed = self.parsed.into_inner().unwrap_or_else(PoisonError::into_inner);
        ReadFiles { listed, around: self.around.finish(), parsed }
    }
}

fn path(listed: &Result<FileListing, Unparsed>) -> &str {
    match listed {
        Ok(FileListing { path, .. }) | Err(Unparsed { path, .. }) => path,
    }
}

/// What is in a file, and the parsed file.
fn listed(file: &SourceFile<'_>, images: &[String]) -> Result<(FileListing, ParsedContent), Unparsed> {
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
    fn of(parsed: &ParsedFile, standing: MatchLevel, images: &[String]) -> Self {
        PlacedReferences {
            by_rule: references(parsed, standing, images),
            elsewhere: elsewhere(parsed, standing, images),
        }
    }
}

impl FileListing {
    fn names(&self) -> Names {
        let mut listed = self.with_chart.by_rule.iter().map(|placed| &placed.reference);
        let has_variable = |r: &ListedReference| {
            [Some(&r.image), r.tag.as_ref(), r.digest.as_ref()]
                .into_iter()
                .flatten()
                .any(|part| part.contains('$'))
        };
        match listed.len() {
            0 => Names::Nothing,
            _ if listed.any(has_variable) => Names::Variable,
            _ => Names::Image,
        }
    }
}
