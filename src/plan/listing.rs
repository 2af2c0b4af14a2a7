//! Lists every reference in some files, and whether tagbump could edit it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::indexes::FileIndex;
use super::listed_places::{ListedPlaces, ListedWinner, OverriddenPlace, listed_places};
use super::matched::Match;
use super::parsed_file::ParsedFile;
use super::surroundings::{Names, SurroundingsCollector};
use super::unparsed::{Unparsed, UnparsedReport, UnparsedText};
use super::what_runs::FilePlace;
use super::{FileSource, NestedRepository, PlanError, SourceFile, TargetIndex, shared};
use crate::file_selection::{MatchLevel, Selection, folder};
use crate::image::{Field, ParsedReference, Tag, full_name, same_image};
use crate::location::Location;
use crate::manifest::{
    DesiredImage, NewDigest, Reference, ReferenceSyntax, Refusal, RefusalReason, Rewrite, ScalarPlace,
    UnknownPlace, VALUES, is_override,
};
use crate::yaml::{FieldPath, scan};

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
    /// The stronger places that override it.
    pub overridden: Overrides,
    /// It sets what some root runs.
    pub wins: bool,
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

/// What is in one file.
struct FileListing {
    path: String,
    with_chart: PlacedReferences,
    /// What is in it if there is no chart next to the file.
    without_chart: PlacedReferences,
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

#[derive(Clone, Default)]
struct PlacedReferences {
    by_rule: Vec<PlacedReference>,
    /// Places that no rule covers; the first part says whether they hold an image for certain.
    elsewhere: Vec<(bool, PlacedReference)>,
}

/// A reference, and the scalars that it consists of.
#[derive(Clone)]
struct PlacedReference {
    reference: ListedReference,
    nodes: Vec<ScalarPlace>,
}

/// Lists the references to `images`, or to all images if none is given; `looked` is called after each file, from
/// several threads.
///
/// # Errors
/// If a named file isn't valid YAML or takes too much work, and the errors of the file source.
pub fn list(
    shelf: &dyn FileSource,
    selection: &Selection,
    images: &[String],
    looked: &(dyn Fn() + Sync),
) -> Result<Listing, PlanError> {
    let (all, around) = (Mutex::new(Vec::new()), SurroundingsCollector::default());
    let look = |file: SourceFile<'_>| {
        if file.match_level == MatchLevel::ContextOnly {
            around.note(&file, Names::Nothing);
            return ControlFlow::Continue(());
        }
        let listed = listed(&file, images);
        around.note(&file, listed.as_ref().map_or(Names::Nothing, FileListing::names));
        all.lock().unwrap_or_else(PoisonError::into_inner).push(listed);
        looked();
        ControlFlow::Continue(())
    };
    let found = shelf.visit(selection, true, &look)?;
    let ListedPlaces { overridden, known, winning } = listed_places(shelf, &around.finish());
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by(|a, b| path(a).cmp(path(b)));
    let (mut references, mut left_out) = (Vec::new(), UnparsedReport::without_templates(&found.charts));
    let mut elsewhere = Vec::new();
    let winners: HashSet<FilePlace> = winning.iter().flat_map(|winner| winner.nodes.clone()).collect();
    let mut named = HashSet::new();
    for listed in all {
        match listed {
            Err(unparsed) => left_out.add(unparsed)?,
            Ok(FileListing { path, with_chart, without_chart }) => {
                let has_chart = found.charts.contains(folder(&path));
                let placed = if has_chart { with_chart } else { without_chart };
                named.extend(placed.by_rule.iter().flat_map(|one| one.named_places(&path)));
                let by_rule = placed.by_rule.into_iter();
                references.extend(by_rule.map(|placed| placed.overridden_by(&path, &overridden, &winners)));
                let others = placed.elsewhere.into_iter().filter(|(_, one)| !one.is_in(&path, &known));
                elsewhere.extend(others.map(|(certain, one)| (certain, one.reference)));
            }
        }
    }
    add_elsewhere(&mut references, elsewhere, images);
    let warnings = found.warnings.into_iter().chain(left_out.too_costly).collect();
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

fn path(listed: &Result<FileListing, Unparsed>) -> &str {
    match listed {
        Ok(FileListing { path, .. }) | Err(Unparsed { path, .. }) => path,
    }
}

fn listed(file: &SourceFile<'_>, images: &[String]) -> Result<FileListing, Unparsed> {
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
    Ok(FileListing { path, with_chart, without_chart })
}

impl PlacedReferences {
    fn of(parsed: &ParsedFile, standing: MatchLevel, images: &[String]) -> Self {
        PlacedReferences {
            by_rule: references(parsed, standing, images),
            elsewhere: elsewhere(parsed, standing, images),
        }
    }
}

/// The kind of a reference that no rule covers, as it appears in reports.
const ELSEWHERE: &str = "elsewhere";

/// How many such places of one file are listed.
const MOST_ELSEWHERE: usize = 50;

/// Places that no rule covers: those that name one of `images`, or any image.
fn elsewhere(parsed: &ParsedFile, standing: MatchLevel, images: &[String]) -> Vec<(bool, PlacedReference)> {
    let is_version = |image: &ParsedReference<'_>| {
        image.digest.is_some() || image.tag.is_some_and(|tag| Tag::parse(tag).is_ok())
    };
    let wanted = |image: &ParsedReference<'_>| match images {
        [] => is_version(image),
        images => images.iter().any(|name| same_image(name, image.name)),
    };
    let found = parsed.unknown_places(standing, &wanted).into_iter().filter(|place| !place.bare);
    found
        .take(MOST_ELSEWHERE)
        .filter_map(|place| Some((place.certain, one_elsewhere(parsed, place)?)))
        .collect()
}

fn one_elsewhere(parsed: &ParsedFile, place: UnknownPlace) -> Option<PlacedReference> {
    let field = FieldPath::to_node(&parsed.yaml, place.at)?;
    let node = parsed.yaml.node(place.at);
    let reference = ListedReference {
        file: parsed.path.clone(),
        line: node.line,
        column: node.column,
        kind: ELSEWHERE,
        image: place.image,
        tag: place.tag.filter(|tag| !tag.is_empty()),
        digest: place.digest,
        reason: Some(format!("is in a place that no rule covers; set it by its field {field}")),
        ..ListedReference::default()
    };
    Some(PlacedReference { reference, nodes: vec![ScalarPlace { inside: None, node: place.at }] })
}

/// Adds the places that hold an image for certain, that were asked for, or that name an image which is listed anyway.
fn add_elsewhere(
    references: &mut Vec<ListedReference>,
    found: Vec<(bool, ListedReference)>,
    images: &[String],
) {
    let known: HashSet<String> = references.iter().map(|r| full_name(&r.image)).collect();
    let listed = |certain: bool, r: &ListedReference| {
        certain || !images.is_empty() || known.contains(&full_name(&r.image))
    };
    let found = found.into_iter().filter(|(certain, reference)| listed(*certain, reference));
    references.extend(found.map(|(_, reference)| reference));
    references.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
}

/// The kind of a winning place that no rule lists under the name of the image that it sets.
const WINNING: &str = "winning";

/// The winning places that no reference covers, by scalar and image.
fn unlisted(winning: Vec<ListedWinner>, named: &HashSet<(FilePlace, String)>) -> Vec<ListedReference> {
    let is_listed = |winner: &ListedWinner| {
        let image = full_name(&winner.image);
        winner.nodes.iter().any(|place| named.contains(&(place.clone(), image.clone())))
    };
    let new = winning.into_iter().filter(|winner| !is_listed(winner));
    let mut listed: Vec<_> = new.map(ListedWinner::reference).collect();
    listed.sort_by(|a, b| (&a.file, a.line, &a.image).cmp(&(&b.file, b.line, &b.image)));
    listed
}

impl ListedWinner {
    fn reference(self) -> ListedReference {
        let Location { file, line, .. } = self.at;
        ListedReference {
            file,
            line,
            kind: WINNING,
            image: self.image,
            tag: self.tag.filter(|tag| !tag.is_empty()),
            digest: self.digest,
            reason: self.fixed,
            wins: true,
            ..ListedReference::default()
        }
    }
}

impl PlacedReference {
    /// Its scalars, each with the image's full name.
    fn named_places(&self, path: &str) -> impl Iterator<Item = (FilePlace, String)> {
        let image = full_name(&self.reference.image);
        self.nodes.iter().map(move |node| (FilePlace::new(path, *node), image.clone()))
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
        winners: &HashSet<FilePlace>,
    ) -> ListedReference {
        let places = || self.nodes.iter().map(|node| FilePlace::new(path, *node));
        let overrides = places().filter_map(|place| overridden.get(&place)).next().map(overrides);
        // a place that no root overrides and that none is rendered for is the only one
        let wins = overrides.is_none() || places().any(|place| winners.contains(&place));
        ListedReference { overridden: overrides.unwrap_or_default(), wins, ..self.reference }
    }
}

fn overrides(place: &OverriddenPlace) -> Overrides {
    let by = place.by.iter().filter_map(|overridden| {
        let at = overridden.by.clone()?;
        Some(OverriddenBy { root: overridden.root.clone(), file: at.file, line: at.line })
    });
    Overrides { everywhere: place.everywhere, by: by.collect() }
}

fn references(parsed: &ParsedFile, match_level: MatchLevel, images: &[String]) -> Vec<PlacedReference> {
    let wanted = |r: &&Reference| images.is_empty() || images.iter().any(|image| same_image(image, &r.image));
    // a block without a tag runs the chart's default tag, so there is no tag to list
    let is_listed =
        |r: &&Reference| !matches!(r.syntax, ReferenceSyntax::BlockWithoutTag { .. }) && wanted(r);
    let all = parsed.references(match_level);
    if !all.iter().any(|r| is_listed(&r)) {
        return Vec::new();
    }
    let both = all.iter().zip(tried(parsed, all));
    let listed = both.filter(|(reference, _)| is_listed(reference));
    listed
        .map(|(reference, m)| PlacedReference {
            nodes: reference.places(),
            reference: one(parsed, reference, m),
        })
        .collect()
}

/// Tries a bump of each reference's image, to see what would happen.
fn tried(parsed: &ParsedFile, references: &[Reference]) -> Vec<Match> {
    let mut targets: HashMap<&str, TargetIndex> = HashMap::new();
    let mut matches: Vec<Match> = references
        .iter()
        .map(|reference| {
            let next = TargetIndex::new(targets.len());
            let target = *targets.entry(&reference.image).or_insert(next);
            Match {
                file: FileIndex::FIRST,
                target,
                match_level: MatchLevel::Discovered,
                at: reference.at,
                inner_at: reference.inner_at(),
                line: reference.position(&parsed.yaml).0,
                nodes: Vec::new(),
                kind: reference.kind,
                image: reference.image.clone(),
                tag: reference.tag.clone(),
                digest: reference.digest.clone(),
                added: false,
                overrides: false,
                only_told: false,
                by_new_name: false,
                kustomize_name: reference.kustomize_name.clone(),
                unused: false,
                effective_tags: Vec::new(),
                effective_tag: None,
                field: None,
                result: try_one(parsed, reference),
            }
        })
        .collect();
    shared::resolve_shared_values(parsed, &mut matches);
    matches
}

fn try_one(parsed: &ParsedFile, reference: &Reference) -> Result<Rewrite, Refusal> {
    if reference.image.is_empty() {
        return Err(Refusal::new(reference.at, RefusalReason::NoImage));
    }
    let tag = Tag::parse("other-tag").ok();
    let (name, new_name, digest) = (&reference.image, &Field::Unspecified, &Field::Unspecified);
    let wanted = DesiredImage { name, new_name, tag: tag.as_ref(), digest, new_digest: NewDigest::default() };
    let rewrite = parsed.rewrite(reference, &wanted)?;
    if parsed.has_mac() && rewrite.is_edit() {
        return Err(Refusal::new(reference.at, RefusalReason::HasMac));
    }
    for change in &rewrite.changes {
        parsed.check(change).map_err(|obstacle| Refusal::blocked(change.node(), "the value", obstacle))?;
    }
    Ok(rewrite)
}

/// Why a bump leaves an empty tag unchanged.
const EMPTY_TAG: &str = "is empty, so the chart's appVersion is the tag";

/// Whether a block in a chart's values has a tag that is empty.
fn means_app_version(parsed: &ParsedFile, reference: &Reference) -> bool {
    let is_block = matches!(reference.syntax, ReferenceSyntax::Block { .. });
    parsed.has_chart() && reference.kind == VALUES && is_block && reference.has_no_version()
}

fn one(parsed: &ParsedFile, reference: &Reference, tried: Match) -> ListedReference {
    let (line, column) = reference.position(&parsed.yaml);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let refusal =
        tried.result.err().map(|refusal| format!("{}; {}", refusal.reason, refusal.reason.advice()));
    ListedReference {
        file: parsed.path.clone(),
        line,
        column,
        kind: reference.kind,
        image: reference.image.clone(),
        tag: text(&reference.tag),
        digest: text(&reference.digest),
        reason: refusal.or_else(|| means_app_version(parsed, reference).then(|| EMPTY_TAG.to_owned())),
        sets: reference.kustomize_name.clone().filter(|_| is_override(reference)),
        overridden: Overrides::default(),
        wins: false,
    }
}
