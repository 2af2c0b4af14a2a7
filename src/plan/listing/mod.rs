//! Lists every reference in some files, and whether tagbump could edit it.
//!
//! `filter` says which files are worth parsing, `files` keeps them, and `parse` parses them and renders the roots beside that.
//! `references` are what rules find in a file, `elsewhere` the rest; `places` is what the roots say about them, and `winners`
//! what wins although no rule finds it.

mod elsewhere;
mod files;
mod filter;
mod parse;
mod places;
mod references;
mod winners;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use super::unparsed::{Unparsed, UnparsedReport};
use super::what_runs::FilePlace;
use super::{Environments, FileSource, NestedRepository, PlanError, SourceFile, wider_pattern};
use crate::file_selection::{MatchLevel, Selection, folder};
use crate::image::{full_name, same_image};
use crate::manifest::ScalarPlace;
use elsewhere::add_elsewhere;
use files::{FileListing, GatheredFiles, Listed, ListedFiles, PlacedReferences};
use parse::{Parsed, parse_and_render};
use places::{ListedPlaces, ListedWinner, OverriddenPlace};
use winners::unlisted;

/// One reference, as it is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedReference {
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    pub kind: &'static str,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Why it can't be edited, and what to do; `None` if it can.
    pub reason: Option<String>,
    /// For a kustomization entry that overrides workloads: the name that they use for the image.
    pub sets: Option<String>,
    /// Who holds its image, until when, and why; if someone does.
    pub held: Option<String>,
    /// The stronger places that override it.
    pub overridden: Overrides,
    /// It sets what some root runs.
    pub wins: bool,
    /// The other files that the digest of what runs is in.
    pub digest_files: BTreeSet<String>,
    /// The entry files of the roots in which it wins, as far as they are known: they decide which environments these are in.
    pub entries: BTreeSet<String>,
}

/// The roots in which a stronger place overrides a reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The reference wins in no root.
    pub everywhere: bool,
    pub by: Vec<OverriddenBy>,
}

/// A place that overrides a reference in a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverriddenBy {
    /// As messages call it: `kustomization apps/prod`.
    pub root: String,
    pub file: String,
    /// 1-based.
    pub line: usize,
}

/// All references of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the order of files and text.
    pub references: Vec<ListedReference>,
    /// Places that set what some root runs, and that aren't among the references by this name: a tag alone, a value
    /// of a patch, a variable.
    pub winning: Vec<ListedReference>,
    /// The number of files that were read.
    pub files: usize,
    pub warnings: Vec<String>,
    /// Files that aren't valid YAML, with position and reason.
    pub unparsable: Vec<String>,
    /// Folders whose files belong to a repository of their own, and were not searched.
    pub nested: BTreeSet<NestedRepository>,
}

/// A reference, and the scalars that it consists of.
#[derive(Clone)]
pub(super) struct PlacedReference {
    pub reference: ListedReference,
    pub nodes: Vec<ScalarPlace>,
}

/// Lists the references to `images`, or to all images if none is given, in these environments; `looked` is called
/// after each file, from several threads.
///
/// # Errors
/// If a named file isn't valid YAML or takes too much work, and the errors of the file source.
pub fn list(
    source: &dyn FileSource,
    selection: &Selection,
    images: &[String],
    environments: &Environments,
    looked: &(dyn Fn() + Sync),
) -> Result<Listing, PlanError> {
    let files = ListedFiles::new(images);
    let look = |file: SourceFile<'_>| {
        files.take(&file);
        if file.match_level != MatchLevel::ContextOnly {
            looked();
        }
        ControlFlow::Continue(())
    };
    let found = source
        .visit(selection, true, &look)
        .map_err(|error| wider_pattern::with_wider(error.into(), source, selection))?;
    let GatheredFiles { texts, mut listed, around } = files.finish();
    let Parsed { rendered, listed: more } = parse_and_render(source, &around, environments, texts, images)?;
    let ListedPlaces { overridden, known, winning, cut_off, files } = rendered;
    listed.extend(more);
    listed.sort_by(|a, b| path(a).cmp(path(b)));
    // a file that no root is made from is one of its own
    let is_listed = |path: &str| match files.get(path) {
        Some(counts) => *counts,
        None => environments.counts(environments.of_file(path)),
    };
    let (mut references, mut left_out) = (Vec::new(), UnparsedReport::without_templates(&found.charts));
    let mut elsewhere = Vec::new();
    let mut winners: HashMap<FilePlace, Vec<&ListedWinner>> = HashMap::new();
    for winner in &winning {
        winner.nodes.iter().for_each(|node| winners.entry(node.clone()).or_default().push(winner));
    }
    let mut named = HashSet::new();
    for file in listed {
        match file {
            Err(unparsed) => left_out.add(unparsed)?,
            Ok(FileListing { path, .. }) if environments.is_limited() && !is_listed(&path) => {}
            Ok(FileListing { path, with_chart, without_chart }) => {
                let has_chart = found.charts.contains(folder(&path));
                let PlacedReferences { mut by_rule, elsewhere: others } =
                    if has_chart { with_chart } else { without_chart };
                by_rule.retain(|placed| !placed.has_only_a_part_of_its_name(&path, &winners));
                named.extend(by_rule.iter().flat_map(|one| one.named_places(&path)));
                let by_rule = by_rule.into_iter();
                references.extend(by_rule.map(|placed| placed.overridden_by(&path, &overridden, &winners)));
                let others = others.into_iter().filter(|(_, one)| !one.is_in(&path, &known));
                elsewhere.extend(others.map(|(certain, one)| (certain, one.reference)));
            }
        }
    }
    add_elsewhere(&mut references, elsewhere, images);
    let mut warnings: Vec<_> = found.warnings.into_iter().chain(left_out.too_costly).chain(cut_off).collect();
    warnings.dedup();
    let winning = unlisted(winning, &named);
    Ok(Listing {
        references,
        winning,
        files: found.count,
        warnings,
        unparsable: left_out.not_yaml,
        nested: found.nested,
    })
}

fn path(listed: &Listed) -> &str {
    match listed {
        Ok(FileListing { path, .. }) | Err(Unparsed { path, .. }) => path,
    }
}

impl PlacedReference {
    /// Its scalars, each with the image's full name.
    fn named_places(&self, path: &str) -> impl Iterator<Item = (FilePlace, String)> {
        let image = full_name(&self.reference.image);
        self.nodes.iter().map(move |node| (FilePlace::new(path, *node), image.clone()))
    }

    /// Whether roots run what it sets, but all of them under another name, such as one with the registry of other values: then it
    /// is listed under that.
    fn has_only_a_part_of_its_name(
        &self,
        path: &str,
        winners: &HashMap<FilePlace, Vec<&ListedWinner>>,
    ) -> bool {
        let image = &self.reference.image;
        let mut of_place = self.winners(path, winners).peekable();
        !image.is_empty()
            && of_place.peek().is_some()
            && of_place.all(|winner| !same_image(&winner.image, image))
    }

    /// What its scalars set.
    fn winners<'w>(
        &self,
        path: &str,
        winners: &HashMap<FilePlace, Vec<&'w ListedWinner>>,
    ) -> impl Iterator<Item = &'w ListedWinner> {
        let places = self.nodes.iter().map(|node| FilePlace::new(path, *node));
        places.filter_map(|place| winners.get(&place)).flatten().copied()
    }

    /// Whether a part of it is among these places.
    fn is_in(&self, path: &str, places: &HashSet<FilePlace>) -> bool {
        self.nodes.iter().any(|node| places.contains(&FilePlace::new(path, *node)))
    }

    /// The reference, with the stronger places that override it.
    fn overridden_by(
        self,
        path: &str,
        overridden: &HashMap<FilePlace, OverriddenPlace>,
        winners: &HashMap<FilePlace, Vec<&ListedWinner>>,
    ) -> ListedReference {
        let mut places = self.nodes.iter().map(|node| FilePlace::new(path, *node));
        let overrides = places.find_map(|place| overridden.get(&place)).map(overrides);
        // a place that no root overrides and that none is rendered for is the only one
        let winner = self.winners(path, winners).next();
        let (wins, overridden) = (overrides.is_none() || winner.is_some(), overrides.unwrap_or_default());
        let digest_files = winner.map(|winner| winner.digest_files.clone()).unwrap_or_default();
        let fixed = winner.and_then(|winner| winner.fixed_digest.clone());
        let reason = self.reference.reason.clone().or(fixed);
        let entries = winner.map(|winner| winner.entries.clone()).unwrap_or_default();
        ListedReference { overridden, wins, digest_files, entries, reason, ..self.reference }
    }
}

fn overrides(place: &OverriddenPlace) -> Overrides {
    let by = place.by.iter().filter_map(|overridden| {
        let at = overridden.by.clone()?;
        Some(OverriddenBy { root: overridden.root.clone(), file: at.file, line: at.line })
    });
    Overrides { everywhere: place.everywhere, by: by.collect() }
}
