//! What the references that a request means say now: their tags, and where they stand, without changing any.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::files::{self, ScannedFiles};
use super::matched::Match;
use super::no_match::NoMatch;
use super::{FileSource, PlanError, Request, image_inventory, matching, overridden};
use crate::yaml::{NodeId, ParsedYaml};

/// One reference that is meant, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentReference {
    /// Which of the request's wants it is for.
    pub target: usize,
    pub file: String,
    /// Whether a `Chart.yaml` is beside the file.
    pub has_chart: bool,
    /// A hash of the keys that lead to it: what stays the same when items or lines come and go. (The keys of a deeply
    /// nested value can be as long as the file.)
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

/// As [`some_mentions`], where a bump must be able to change them all, and must know which are meant.
///
/// # Errors
/// What a plan says of references that it can't change, too many or too few of them, or different tags.
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

fn told<'a>(survey: &ScannedFiles, matches: impl Iterator<Item = &'a Match>) -> Vec<CurrentReference> {
    let mut places = HashMap::new();
    matches.map(|m| mention(survey, m, &mut places)).collect()
}

fn mention(survey: &ScannedFiles, m: &Match, places: &mut HashMap<(usize, NodeId), u64>) -> CurrentReference {
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

/// The place of a node, from those of the nodes around it, which are remembered.
fn place(yaml: &ParsedYaml, file: usize, id: NodeId, places: &mut HashMap<(usize, NodeId), u64>) -> u64 {
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
