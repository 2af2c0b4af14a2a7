//! Reads the references that a request matches, with their current tags and positions, without changing them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::files::{self, ScannedFiles};
use super::indexes::FileIndex;
use super::matched::Match;
use super::no_match::NoMatch;
use super::{FileSource, PlanError, Request, TargetIndex, image_inventory, matching, overridden};
use crate::yaml::{NodeId, ParsedYaml};

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
}

/// What one file means, in the order of its text; nothing where it can't be read as YAML.
///
/// # Errors
/// Where the request was cancelled.
pub fn current_references(
    shelf: &dyn FileSource,
    request: &Request,
) -> Result<Option<Vec<CurrentReference>>, PlanError> {
    let survey = files::survey(shelf, request).ok().filter(ScannedFiles::is_whole);
    let found = survey.as_ref().and_then(|survey| Some((survey, found(survey, request).ok()?)));
    if request.cancellation.is_cancelled() {
        return Err(PlanError::Cancelled);
    }
    Ok(found.map(|(survey, matches)| told(survey, matches.iter())))
}

/// What is meant, in the order of files and text; workloads whose image a kustomization sets are not. Each want
/// must mean something.
///
/// # Errors
/// Where a named file is not valid YAML, what the file source reports, and where nothing matches.
pub fn some_mentions(shelf: &dyn FileSource, request: &Request) -> Result<Vec<CurrentReference>, PlanError> {
    let survey = files::survey(shelf, request)?;
    let matches = found(&survey, request)?;
    check_some(shelf, request, &matches)?;
    Ok(told(&survey, matches.iter()))
}

/// Like [`some_mentions`], but requires that a bump could change all of them, and that the targets are
/// unambiguous.
///
/// # Errors
/// The same as for a plan: references that can't be changed, too many or too few of them, or different tags.
pub fn changeable_mentions(
    shelf: &dyn FileSource,
    request: &Request,
) -> Result<Vec<CurrentReference>, PlanError> {
    let survey = files::survey(shelf, request)?;
    let matches = found(&survey, request)?;
    matching::check_fields(&survey, request)?;
    check_some(shelf, request, &matches)?;
    matching::check(&survey, request, &matches)?;
    Ok(told(&survey, matches.iter().filter(|m| m.result.is_ok() && !m.only_told)))
}

fn found(survey: &ScannedFiles, request: &Request) -> Result<Vec<Match>, PlanError> {
    let mut matches = matching::find(survey, request)?;
    overridden::remove_overridden(survey, request, &mut matches);
    survey.check()?;
    Ok(matches)
}

fn check_some(shelf: &dyn FileSource, request: &Request, matches: &[Match]) -> Result<(), PlanError> {
    match matching::missing(request, matches).as_slice() {
        [] => Ok(()),
        missing => {
            let seen = image_inventory::seen(shelf, request)?;
            Err(PlanError::NoMatch(Box::new(NoMatch::new(&seen, request, missing))))
        }
    }
}

/// The places of nodes that are known so far.
type NodePlaces = HashMap<(FileIndex, NodeId), u64>;

fn told<'a>(survey: &ScannedFiles, matches: impl Iterator<Item = &'a Match>) -> Vec<CurrentReference> {
    let mut places = HashMap::new();
    matches.map(|m| mention(survey, m, &mut places)).collect()
}

fn mention(survey: &ScannedFiles, m: &Match, places: &mut NodePlaces) -> CurrentReference {
    let file = &survey.files[m.file];
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    CurrentReference {
        target: m.target,
        file: file.path.clone(),
        has_chart: file.has_chart(),
        place: place(&file.yaml, m.file, m.at, places),
        line: file.yaml.node(m.at).line,
        tag: said(&m.tag),
        digest: said(&m.digest),
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

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
