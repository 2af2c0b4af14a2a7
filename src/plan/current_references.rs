//! Reads the references that a request matches, with their current tags and positions, without changing them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::files::{self, ScannedFiles};
use super::indexes::FileIndex;
use super::matched::Match;
use super::parsed_file::ParsedFile;
use super::what_runs::reports::Reports;
use super::{FileSource, PlacePath, PlanError, Request, TargetIndex, matching, no_match, what_runs};
use crate::file_selection::MatchLevel;
use crate::manifest::{EmbeddedText, Refusal, RefusalReason};
use crate::yaml::{self, NodeId, ParsedYaml};

/// How many keys of a place in the YAML of a block scalar count.
const MAX_INNER_DEPTH: usize = 64;

/// One matched reference and its current tag and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentReference {
    /// The request's target that it matches.
    pub target: TargetIndex,
    pub file: String,
    /// Whether a `Chart.yaml` is next to the file.
    pub has_chart: bool,
    /// A hash of the keys that lead to the reference, so it stays the same when items or lines are added or
    /// removed. (The keys themselves can be as long as the file if the value is deeply nested.)
    pub place: u64,
    /// 1-based.
    pub line: usize,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// As in [`super::ChangedReference::field`].
    pub field: Option<PlacePath>,
}

/// The references in one file that the request matches, in the order of its text; `None` if it isn't valid YAML.
///
/// # Errors
/// If the request was cancelled.
pub fn current_references(
    source: &dyn FileSource,
    request: &Request,
) -> Result<Option<Vec<CurrentReference>>, PlanError> {
    let mut scanned = files::scan_files(source, request).ok().filter(ScannedFiles::is_whole);
    let found = scanned.as_mut().and_then(|scanned| {
        let mut matches = matching::find_to_read(scanned, request);
        scanned.check().ok()?;
        matches.retain(|m| m.field.is_none() || !names_another_image(m));
        Some((scanned, matches))
    });
    if request.cancellation.is_cancelled() {
        return Err(PlanError::Cancelled);
    }
    Ok(found.map(|(scanned, matches)| listed(scanned, matches.iter())))
}

/// Whether a field holds an image of another name: no tag has these characters. A bump would replace it, but it isn't a tag
/// that the image had.
fn names_another_image(m: &Match) -> bool {
    m.tag.as_deref().is_some_and(|tag| tag.contains(['/', ':']))
}

/// Whether the version of a place is somewhere that tagbump can't read.
fn is_unread(m: &Match) -> bool {
    let is_fixed = |refusal: &Refusal| matches!(refusal.reason, RefusalReason::Fixed { .. });
    m.tag.is_none() && m.digest.is_none() && m.result.as_ref().is_err_and(is_fixed)
}

/// The references that the request matches, in the order of files and text, without workloads whose image a
/// kustomization sets. Each target must match something.
///
/// # Errors
/// If a named file isn't valid YAML, or a target matches nothing, and the errors of the file source.
pub fn matching_references(
    source: &dyn FileSource,
    request: &Request,
) -> Result<Vec<CurrentReference>, PlanError> {
    let mut scanned = files::scan_files(source, request)?;
    scanned.check_narrowed(request)?;
    let (mut matches, reports) = found(source, &mut scanned, request)?;
    matches.retain(|m| !is_unread(m));
    check_some(source, request, &mut scanned, (&matches, &reports))?;
    Ok(listed(&scanned, matches.iter()))
}

/// The references that a bump could change.
#[derive(Clone, Debug, Default)]
pub struct ChangeableReferences {
    pub references: Vec<CurrentReference>,
    /// Those that another tool fills in, if there are others too.
    pub placeholders: Vec<CurrentReference>,
}

/// Like [`matching_references`], but requires that a bump could change all of them but placeholders, and that the
/// targets are unambiguous.
///
/// # Errors
/// The same as for a plan: references that can't be changed, too many or too few of them, or different tags.
pub fn changeable_references(
    source: &dyn FileSource,
    request: &Request,
) -> Result<ChangeableReferences, PlanError> {
    let mut scanned = files::scan_files(source, request)?;
    scanned.check_narrowed(request)?;
    let (matches, reports) = found(source, &mut scanned, request)?;
    if scanned.selected > 0 {
        matching::check_fields(&scanned, request)?;
    }
    check_some(source, request, &mut scanned, (&matches, &reports))?;
    let (mut matches, mut filled): (Vec<_>, Vec<_>) = matches.into_iter().partition(|m| !is_placeholder(m));
    if matches.is_empty() {
        std::mem::swap(&mut matches, &mut filled);
    }
    matching::check(&scanned, request, &matches)?;
    Ok(ChangeableReferences {
        references: listed(&scanned, matches.iter().filter(|m| m.result.is_ok() && !m.report_only)),
        placeholders: listed(&scanned, filled.iter()),
    })
}

/// Whether another tool fills in the tag, in a file that wasn't named: whoever names a file means all that is in it.
fn is_placeholder(m: &Match) -> bool {
    m.match_level != MatchLevel::Explicit && m.tag.as_deref().is_some_and(yaml::is_placeholder)
}

pub(super) fn found(
    source: &dyn FileSource,
    scanned: &mut ScannedFiles,
    request: &Request,
) -> Result<(Vec<Match>, Reports), PlanError> {
    let found = what_runs::winning::find(source, request, scanned)?;
    scanned.check()?;
    Ok(found)
}

fn check_some(
    source: &dyn FileSource,
    request: &Request,
    scanned: &mut ScannedFiles,
    (matches, reports): (&[Match], &Reports),
) -> Result<(), PlanError> {
    match matching::missing(request, matches).as_slice() {
        [] => Ok(()),
        missing => Err(no_match::explain(source, request, scanned, reports, missing)),
    }
}

/// The places of nodes that are known so far.
type NodePlaces = HashMap<(FileIndex, NodeId), u64>;

pub(super) fn listed<'a>(
    scanned: &ScannedFiles,
    matches: impl Iterator<Item = &'a Match>,
) -> Vec<CurrentReference> {
    let mut places = HashMap::new();
    matches.map(|m| current_reference(scanned, m, &mut places)).collect()
}

fn current_reference(scanned: &ScannedFiles, m: &Match, places: &mut NodePlaces) -> CurrentReference {
    let file = &scanned.files[m.file];
    let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    CurrentReference {
        target: m.target,
        file: file.path.clone(),
        has_chart: file.has_chart(),
        place: with_inner(place(&file.yaml, m.file, m.at, places), file, m),
        line: m.line,
        tag: non_empty(&m.tag),
        digest: non_empty(&m.digest),
        field: m.field.clone(),
    }
}

/// The hash of a node's place, computed from its parents' hashes, which are cached.
fn place(yaml: &ParsedYaml, file: FileIndex, id: NodeId, places: &mut NodePlaces) -> u64 {
    let around = std::iter::successors(Some(id), |&node| yaml.node(node).parent);
    let unknown: Vec<NodeId> = around.take_while(|&node| !places.contains_key(&(file, node))).collect();
    let known = unknown.last().map_or(Some(id), |&node| yaml.node(node).parent);
    let start = known.and_then(|node| places.get(&(file, node)).copied()).unwrap_or_default();
    unknown.iter().rev().fold(start, |outer, &node| {
        let place = yaml.key_text(node).map_or(outer, |key| hash((outer, key)));
        places.insert((file, node), place);
        place
    })
}

/// The hash of a place, with the keys in the YAML of the block scalar that it is in.
fn with_inner(outer: u64, file: &ParsedFile, m: &Match) -> u64 {
    if let Some(name) = file.variable(m.at) {
        return hash((outer, name));
    }
    let Some(inner_at) = m.inner_at else { return outer };
    let within = |text: &EmbeddedText| {
        let around = std::iter::successors(Some(inner_at), |&node| text.yaml.node(node).parent);
        let keys = around.take(MAX_INNER_DEPTH).filter_map(|node| text.yaml.key_text(node));
        keys.fold(outer, |place, key| hash((place, key)))
    };
    match file.embedded(m.at) {
        Some(text) => within(text),
        None => file.read_embedded(m.at).map_or(outer, |text| within(&text)),
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
