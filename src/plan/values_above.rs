//! Values files that may be used on top of those that a bump sets, and that keep a tag of their own. Nothing in the repository
//! says what uses them: they are somewhere in the folder of a chart, or were named and have no chart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::files::ScannedFiles;
use super::matched::Match;
use super::parsed_file::ParsedFile;
use super::what_runs::rendered_roots::read_part;
use super::what_runs::reports::Reports;
use super::{FileSource, Request, SourceFile, TargetIndex, UnsetPlace};
use crate::file_selection::{MatchLevel, folder, in_folder, paths_below};
use crate::image::Tag;
use crate::location::Location;
use crate::manifest::{CHART, Reference, VALUES, looks_like_values};
use crate::yaml::{FieldPath, NodeId, scan_until};

/// How many places a warning lists.
const LISTED: usize = 5;

/// How many files to read for it. A chart can be the folder of a whole repository.
const MAX_FILES: usize = 200;

/// Folders of a chart that have no values of a deployment, as hidden ones don't either.
const NOT_DEPLOYED: [&str; 6] = ["charts", "ci", "crds", "templates", "test", "tests"];

/// Tags in values files that may be used on top of one that a bump sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesAbove {
    pub image: String,
    /// The tag that the bump sets.
    pub below: Location,
    /// The first of the others.
    pub places: Vec<UnsetPlace>,
    /// How many more there are.
    pub more: usize,
}

/// A tag that a bump sets in a values file.
struct SetTag<'a> {
    target: TargetIndex,
    at: Location,
    field: String,
    /// The folder of its chart, if it has one.
    chart: Option<&'a str>,
}

/// For each tag that `matches` set in values files, the tags that may override it. `reports` says which files some root is made
/// from: those are known.
pub(super) fn find(
    source: &dyn FileSource,
    request: &Request,
    scanned: &ScannedFiles,
    reports: &Reports,
    matches: &[Match],
) -> Vec<ValuesAbove> {
    let set = set_tags(request, scanned, reports, matches);
    let taken: BTreeSet<(&str, NodeId)> = matches
        .iter()
        .flat_map(|m| m.nodes.iter().map(|place| (scanned.files[m.file].path.as_str(), place.node)))
        .collect();
    let mut reader = ValuesReader { source, request, read: HashMap::new() };
    let found = set.into_values().filter_map(|tag| {
        let mut places = Vec::new();
        for path in candidates(request, scanned, &tag).filter(|path| !reports.is_rendered(path)) {
            let Some(file) = reader.file(path) else { continue };
            let other = tag_alone(file, &tag.field).filter(|node| !taken.contains(&(path, *node)));
            places.extend(other.filter(|node| is_behind(file, *node, request, tag.target)).map(|node| {
                UnsetPlace { at: file.place(node), object: None, field: Some(tag.field.clone()) }
            }));
        }
        let more = places.len().saturating_sub(LISTED);
        places.truncate(LISTED);
        let image = request.targets[tag.target].name.clone();
        (!places.is_empty()).then_some(ValuesAbove { image, below: tag.at, places, more })
    });
    found.collect()
}

/// The tags that matches set in values files, each target's field once for all files of a chart, and for all those without.
fn set_tags<'a>(
    request: &Request,
    scanned: &'a ScannedFiles,
    reports: &Reports,
    matches: &[Match],
) -> BTreeMap<(TargetIndex, Option<&'a str>, String), SetTag<'a>> {
    let mut set = BTreeMap::new();
    let in_values = |m: &&Match| m.kind == VALUES && m.field.is_none() && m.result.is_ok();
    for m in matches.iter().filter(in_values).filter(|m| !m.added && !request.keeps(m)) {
        let file = &scanned.files[m.file];
        let chart = Some(folder(&file.path)).filter(|folder| is_chart(scanned, folder));
        if chart.is_none() && reports.is_rendered(&file.path) {
            continue;
        }
        let Some(field) = tag_of(file, m).and_then(|node| FieldPath::to_node(&file.yaml, node)) else {
            continue;
        };
        let tag = SetTag { target: m.target, at: file.place_of(m), field: field.clone(), chart };
        set.entry((m.target, chart, field)).or_insert(tag);
    }
    set
}

fn is_chart(scanned: &ScannedFiles, folder: &str) -> bool {
    scanned.around.paths.contains(&in_folder(folder, CHART))
}

/// The scalar of a match that holds its tag and nothing else.
fn tag_of(file: &ParsedFile, m: &Match) -> Option<NodeId> {
    let reference = file.all_references().find(|reference| reference.at == m.at);
    let node = reference.map_or(Some(m.at), Reference::tag_place)?;
    (file.yaml.text(node) == m.tag.as_deref()).then_some(node)
}

/// The files whose values may be used on top of those with `tag`: in the folder of its chart, or if it has none, what was named
/// as values.
fn candidates<'a>(
    request: &'a Request,
    scanned: &'a ScannedFiles,
    tag: &'a SetTag<'_>,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let is_above = move |path: &&str| match tag.chart {
        Some(chart) => is_of_chart(scanned, chart, path),
        None => is_named_as_values(request, tag.target, path),
    };
    let counts = |path: &&str| request.environments.counts(request.environments.of_file(path));
    let paths = paths_below(tag.chart.unwrap_or_default(), &scanned.around.paths).map(String::as_str);
    paths.filter(is_above).filter(counts).filter(move |path| *path != tag.at.file).take(MAX_FILES)
}

/// Whether a file below a chart's folder may have values for it: it isn't part of another chart there.
fn is_of_chart(scanned: &ScannedFiles, chart: &str, path: &str) -> bool {
    let inside = path[chart.len()..].trim_start_matches('/');
    let is_deployed =
        !folder(inside).split('/').any(|name| name.starts_with('.') || NOT_DEPLOYED.contains(&name));
    let folders = std::iter::successors(Some(folder(path)), |path| Some(folder(path)));
    is_deployed && !folders.take_while(|path| *path != chart).any(|path| is_chart(scanned, path))
}

fn is_named_as_values(request: &Request, target: TargetIndex, path: &str) -> bool {
    match request.targets[target].scope.match_level(path) {
        Some(MatchLevel::Explicit) => true,
        Some(MatchLevel::Pattern) => looks_like_values(path),
        _ => false,
    }
}

/// The tag at a field, if no image name belongs to it.
fn tag_alone(file: &ParsedFile, field: &str) -> Option<NodeId> {
    let path = FieldPath::parse(field).ok()?;
    let roots = file.yaml.roots().iter();
    let node = roots.flat_map(|root| path.find(&file.yaml, *root)).map(|found| found.node).next()?;
    let references = file.references(MatchLevel::Explicit).iter();
    let mut named = references.filter(|reference| !reference.image.is_empty());
    (!named.any(|reference| reference.tag_place() == Some(node))).then_some(node)
}

/// Whether a node is a tag, and not the one that the target gets.
fn is_behind(file: &ParsedFile, node: NodeId, request: &Request, target: TargetIndex) -> bool {
    let wanted = request.targets[target].tag.as_ref();
    let tag = file.yaml.text(node).and_then(|text| Tag::parse(text).ok());
    tag.zip(wanted).is_some_and(|(tag, wanted)| tag != *wanted)
}

/// Reads files as Helm values, each once.
struct ValuesReader<'a> {
    source: &'a dyn FileSource,
    request: &'a Request,
    /// `None` for those that can't be read.
    read: HashMap<String, Option<ParsedFile>>,
}

impl ValuesReader<'_> {
    fn file(&mut self, path: &str) -> Option<&ParsedFile> {
        if !self.read.contains_key(path) {
            let file = self.parse(path);
            self.read.insert(path.to_owned(), file);
        }
        self.read.get(path)?.as_ref()
    }

    fn parse(&self, path: &str) -> Option<ParsedFile> {
        let bytes = read_part(self.source, path)?;
        let yaml = scan_until(&bytes, &self.request.cancellation).ok()?;
        Some(ParsedFile::of(&SourceFile { path, bytes: &bytes, match_level: MatchLevel::Explicit }, yaml))
    }
}
