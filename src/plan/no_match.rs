//! Images that nothing matches, and what there is instead.

use std::collections::BTreeSet;
use std::fmt;

use super::elsewhere::{self, UnsetPlace};
use super::files::ScannedFiles;
use super::image_inventory::{self, ImageInventory};
use super::what_runs::reports::Reports;
use super::{FileSource, NestedRepository, PlanError, Request, TargetIndex, UpdateTarget, WiderPattern};
use crate::image::{NAME_LENGTH, same_image, short_name};
use crate::location::Location;
use crate::visible::inline;

/// How many pairs of characters are compared at most to find the nearest name: a second's work.
const MAX_COMPARISONS: usize = 20_000_000;

/// How many places a message lists.
const LISTED: usize = 10;

/// Nothing matches one or more images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoMatch {
    pub images: Vec<UnmatchedImage>,
    /// The services that there are.
    pub services: Vec<String>,
    /// How many files were searched.
    pub files: usize,
    /// The paths and patterns that select them; empty for all.
    pub selected_by: Vec<String>,
    /// Folders that were left out: their files belong to repositories of their own.
    pub nested: BTreeSet<NestedRepository>,
    /// If no file was selected: a pattern that selects some.
    pub wider: Option<WiderPattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedImage {
    pub name: String,
    pub instead: Instead,
}

/// What may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A block names the image, but has no tag.
    WithoutTag {
        at: Location,
    },
    /// A block names the image, and has a digest and no tag.
    OnlyDigest {
        at: Location,
    },
    /// The files would be read as Helm values if they were named.
    HelmValues {
        places: Vec<Location>,
    },
    /// It is in places that tagbump doesn't recognise.
    Elsewhere {
        places: Vec<UnsetPlace>,
    },
    Others {
        similar: Vec<SimilarImage>,
        nameless: Vec<NamelessTag>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimilarImage {
    pub name: String,
    pub at: Location,
}

/// A tag whose image is not in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamelessTag {
    pub at: Location,
    /// The path of the field that holds it.
    pub field: String,
}

impl NoMatch {
    pub(super) fn new(
        inventory: &ImageInventory,
        scanned: &ScannedFiles,
        request: &Request,
        missing: &[TargetIndex],
    ) -> Self {
        let unmatched = |&target: &TargetIndex| {
            let UpdateTarget { name, .. } = &request.targets[target];
            let instead = instead(inventory, name, || elsewhere::all(scanned, request, target));
            UnmatchedImage { name: name.clone(), instead }
        };
        NoMatch {
            images: missing.iter().map(unmatched).collect(),
            services: request.services.clone(),
            files: inventory.count,
            selected_by: request.selection().map(|selection| selection.texts().collect()).unwrap_or_default(),
            nested: inventory.nested.clone(),
            wider: None,
        }
    }
}

/// Why nothing was found for some targets.
pub(super) fn explain(
    source: &dyn FileSource,
    request: &Request,
    scanned: &mut ScannedFiles,
    reports: &Reports,
    missing: &[TargetIndex],
) -> PlanError {
    let replaced = match scanned.selected {
        // nothing was selected, so it doesn't matter what wins elsewhere
        0 => None,
        _ => reports.only_elsewhere(request, missing).or_else(|| reports.replaced(request, missing)),
    };
    let similar = || similar_ones(source, request, scanned, missing).unwrap_or_else(|error| error);
    replaced.unwrap_or_else(similar)
}

/// The error that suggests what the user may have meant. Every file must be read for that.
fn similar_ones(
    source: &dyn FileSource,
    request: &Request,
    scanned: &mut ScannedFiles,
    missing: &[TargetIndex],
) -> Result<PlanError, PlanError> {
    let mut inventory = image_inventory::read(source, request)?;
    let left_out = std::mem::take(&mut inventory.left_out);
    scanned.unparsable = left_out.not_yaml;
    scanned.warnings.extend(left_out.too_costly);
    scanned.warnings.sort();
    scanned.warnings.dedup();
    let no_match = NoMatch::new(&inventory, scanned, request, missing);
    let wider = if no_match.files == 0 { WiderPattern::find(source, &request.selection()?) } else { None };
    Ok(PlanError::NoMatch(Box::new(NoMatch { wider, ..no_match })))
}

fn instead(inventory: &ImageInventory, name: &str, elsewhere: impl Fn() -> Vec<UnsetPlace>) -> Instead {
    let places = |list: &[(String, Location)]| -> Vec<Location> {
        list.iter().filter(|(image, _)| same_image(image, name)).map(|(_, at)| at.clone()).collect()
    };
    if let Some(at) = places(&inventory.untagged).into_iter().next() {
        return Instead::WithoutTag { at };
    }
    if let Some(at) = places(&inventory.pinned).into_iter().next() {
        return Instead::OnlyDigest { at };
    }
    let values = places(&inventory.values);
    if !values.is_empty() {
        return Instead::HelmValues { places: values };
    }
    let places = elsewhere();
    if !places.is_empty() {
        return Instead::Elsewhere { places };
    }
    Instead::Others { similar: similar(inventory, name), nameless: inventory.nameless.clone() }
}

/// The images most like a name: by the whole, and by the last part.
fn similar(inventory: &ImageInventory, name: &str) -> Vec<SimilarImage> {
    let likeness = |image: &str| {
        let whole = strsim::normalized_damerau_levenshtein(image, name);
        let last = strsim::jaro_winkler(short_name(image), short_name(name));
        whole.max(last)
    };
    let untagged = inventory.untagged.iter().chain(&inventory.pinned).map(|(image, at)| (image, at));
    let all = inventory.images.iter().chain(untagged).filter(|(image, _)| image.len() <= NAME_LENGTH);
    let mut work = 0;
    let all = all.take_while(|(image, _)| {
        work += image.len() * name.len();
        work <= MAX_COMPARISONS
    });
    let mut scored: Vec<_> = all.map(|(image, at)| (likeness(image), image, at)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near = scored.into_iter().take(3).filter(|(score, ..)| *score > 0.6);
    near.map(|(_, image, at)| SimilarImage { name: image.clone(), at: at.clone() }).collect()
}

impl std::error::Error for NoMatch {}

impl fmt::Display for NoMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = match (self.files, self.selected_by.as_slice()) {
            (0, [one]) => format!("; {} matches no file", inline(one)),
            (0, [_, ..]) => format!("; {} match no file", inline(&self.selected_by.join(", "))),
            (1, _) => " in 1 file".to_owned(),
            (files, _) => format!(" in {files} files"),
        };
        for (nth, UnmatchedImage { name, instead }) in self.images.iter().enumerate() {
            let line_break = if nth > 0 { "\n" } else { "" };
            write!(f, "{line_break}nothing matches {name}{files}{instead}")?;
        }
        self.nested.iter().take(LISTED).try_for_each(|nested| write!(f, "\n  {nested}"))?;
        if !self.services.is_empty() {
            write!(f, "\nservices of tagbump.yaml: {}", self.services.join(", "))?;
        }
        Ok(())
    }
}

/// The first of some lines, and how many more there are.
fn write_lines(
    f: &mut fmt::Formatter<'_>,
    mut lines: impl ExactSizeIterator<Item: fmt::Display>,
) -> fmt::Result {
    let more = lines.len().saturating_sub(LISTED);
    lines.by_ref().take(LISTED).try_for_each(|line| write!(f, "\n  {line}"))?;
    if more > 0 { write!(f, "\n  and {more} more") } else { Ok(()) }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instead::WithoutTag { at } => {
                write!(f, "\n  {at}: names the image, but has no tag, so the chart's default tag runs")
            }
            Instead::OnlyDigest { at } => {
                write!(f, "\n  {at}: names the image, and has a digest and no tag")
            }
            Instead::HelmValues { places } => {
                let told = |at| {
                    format!(
                        "{at}: names the image, but tagbump reads this file as Helm values only if you name it"
                    )
                };
                write_lines(f, places.iter().map(told))
            }
            Instead::Elsewhere { places } => {
                f.write_str("\nit is in places that tagbump doesn't recognise:")?;
                write_lines(f, places.iter())
            }
            Instead::Others { similar, nameless } => {
                if !similar.is_empty() {
                    f.write_str("\nsimilar images:")?;
                }
                similar
                    .iter()
                    .try_for_each(|image| write!(f, "\n  {} ({})", inline(&image.name), image.at))?;
                if !nameless.is_empty() {
                    f.write_str("\ntags without a name:")?;
                }
                nameless.iter().try_for_each(|tag| write!(f, "\n  {}: field {}", tag.at, inline(&tag.field)))
            }
        }
    }
}
