//! Adding entries: kustomizations that lack an image get an entry for it.
//!
//! Which ones: those that `-f` names, and the outermost ones that include a workload which runs the image. Only where
//! neither the kustomization nor one between it and the workload has a reference of that image already.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::files::ScannedFiles;
use super::indexes::FileIndex;
use super::matched::{Match, MatchOwner, MatchPlace};
use super::parsed_file::ParsedFile;
use super::what_runs::reports::Reports;
use super::{Request, TargetIndex, UpdateTarget};
use crate::effective::join;
use crate::file_selection::{MatchLevel, folder};
use crate::image::{Field, join_tag, same_image};
use crate::manifest::{KUSTOMIZATION, Refusal, RefusalReason, Rewrite, add};
use crate::yaml::NewPair;

/// Adds a match for every entry to be created.
pub(super) fn add(scanned: &ScannedFiles, request: &Request, reports: &Reports, matches: &mut Vec<Match>) {
    let index = Index::of(scanned);
    for (target, wanted) in TargetIndex::each(&request.targets) {
        let (own, shared): (Vec<&Match>, Vec<&Match>) =
            matches.iter().filter(|m| m.target == target).partition(|m| m.outside.is_empty());
        let has_it: HashSet<FileIndex> = own.iter().map(|m| m.file).collect();
        let mut places = places(&index, scanned, wanted, &has_it);
        // an entry that other environments use too: what is behind it sees its new name
        for m in shared.iter().filter(|m| m.overrides) {
            for outermost in index.outermost(m.file, scanned, wanted, &has_it) {
                places.insert(outermost, m.image.clone());
            }
        }
        for (file, name) in places {
            if !reports.is_only_here(&scanned.files[file].path, request) {
                continue;
            }
            let Some(match_level) = wanted.scope.match_level(&scanned.files[file].path) else { continue };
            let owner = MatchOwner { file, target, match_level };
            let asked = RequestedAddition { owner, wanted, name };
            matches.extend(addition(&scanned.files[file], asked));
        }
    }
}

/// The kustomizations that need an entry for an image, each with the image's name as it is seen there.
fn places<'a>(
    index: &Index<'a>,
    scanned: &'a ScannedFiles,
    wanted: &UpdateTarget,
    has_it: &HashSet<FileIndex>,
) -> BTreeMap<FileIndex, String> {
    let mut places = BTreeMap::new();
    for (file, parsed) in FileIndex::each(&scanned.files).filter(|(file, _)| !has_it.contains(file)) {
        let Some(root) = add::kustomization_root(&parsed.path, &parsed.yaml) else { continue };
        match wanted.scope.match_level(&parsed.path) {
            None => {}
            Some(MatchLevel::Explicit) => {
                let name = spelling(index, parsed, root, wanted, true).unwrap_or(&wanted.name);
                places.insert(file, name.to_owned());
            }
            Some(_) => {
                // the workloads of a chosen overlay may be in a base that isn't chosen
                let deep = wanted.scope.is_chosen();
                let Some(name) = spelling(index, parsed, root, wanted, deep) else { continue };
                for outermost in index.outermost(file, scanned, wanted, has_it) {
                    places.entry(outermost).or_insert_with(|| name.to_owned());
                }
            }
        }
    }
    places
}

/// The files by path, and the files of each folder.
struct Index<'a> {
    by_path: HashMap<&'a str, &'a ParsedFile>,
    by_folder: HashMap<&'a str, Vec<&'a ParsedFile>>,
    /// For a folder, the kustomizations that include it.
    includers: HashMap<String, Vec<FileIndex>>,
    /// By path and image. A cache, since many kustomizations can list the same workload.
    spellings: RefCell<HashMap<(&'a str, String), Option<&'a str>>>,
}

impl<'a> Index<'a> {
    fn of(scanned: &'a ScannedFiles) -> Self {
        let mut by_folder: HashMap<_, Vec<_>> = HashMap::new();
        for file in &scanned.files {
            by_folder.entry(folder(&file.path)).or_default().push(file);
        }
        Index {
            includers: includers(scanned),
            by_path: scanned.files.iter().map(|file| (file.path.as_str(), file)).collect(),
            by_folder,
            spellings: RefCell::default(),
        }
    }

    /// The outermost kustomizations that include this one, among those to write; the kustomization itself if none does.
    /// Those behind one that `has_it` don't count.
    fn outermost(
        &self,
        start: FileIndex,
        scanned: &ScannedFiles,
        wanted: &UpdateTarget,
        has_it: &HashSet<FileIndex>,
    ) -> Vec<FileIndex> {
        let is_written = |file: &FileIndex| wanted.scope.match_level(&scanned.files[*file].path).is_some();
        let (mut seen, mut next, mut found) = (HashSet::from([start]), vec![start], Vec::new());
        while let Some(file) = next.pop() {
            if has_it.contains(&file) {
                continue;
            }
            let around = self.includers.get(folder(&scanned.files[file].path)).into_iter().flatten();
            let around: Vec<FileIndex> = around.copied().filter(is_written).collect();
            if around.is_empty() {
                found.push(file);
            }
            next.extend(around.into_iter().filter(|file| seen.insert(*file)));
        }
        found
    }

    /// The image's name as the workload at `path` spells it.
    fn spelling(&self, path: &str, image: &str) -> Option<&'a str> {
        let workload: &'a ParsedFile = self.by_path.get(path)?;
        let mut spellings = self.spellings.borrow_mut();
        let known = spellings.entry((&workload.path, image.to_owned()));
        *known.or_insert_with(|| add::spelling(&workload.yaml, image))
    }
}

fn includers(scanned: &ScannedFiles) -> HashMap<String, Vec<FileIndex>> {
    let mut includers: HashMap<String, Vec<FileIndex>> = HashMap::new();
    for (file, parsed) in FileIndex::each(&scanned.files) {
        let Some(root) = add::kustomization_root(&parsed.path, &parsed.yaml) else { continue };
        let resources = add::resources(&parsed.yaml, root).into_iter();
        for path in resources.filter_map(|resource| join(folder(&parsed.path), resource)) {
            includers.entry(path).or_default().push(file);
        }
    }
    includers
}

/// An image for which a file gets an entry.
struct RequestedAddition<'a> {
    owner: MatchOwner,
    wanted: &'a UpdateTarget,
    /// As the kustomization sees it.
    name: String,
}

fn addition(parsed: &ParsedFile, asked: RequestedAddition<'_>) -> Option<Match> {
    let RequestedAddition { owner, wanted, name } = asked;
    let root = add::kustomization_root(&parsed.path, &parsed.yaml)?;
    let pairs = pairs(wanted, &name);
    let value = |key| pairs.iter().find(|p| p.key == key).map(|p| p.value.as_str());
    let to = join_tag(value("newTag"), value("digest"));
    let result = match (other_entry(parsed, wanted), add::entry(&parsed.yaml, root, pairs.clone())) {
        (Some(at), _) => Err(Refusal::new(at, RefusalReason::OtherEntry { image: wanted.name.clone() })),
        (None, Some(change)) => Ok(Rewrite { changes: vec![change], to, ..Rewrite::default() }),
        (None, None) => Err(Refusal::new(root, RefusalReason::ImagesNotList)),
    };
    let image = wanted.effective_name().to_owned();
    let place = MatchPlace { at: root, line: parsed.yaml.node(root).line, kind: KUSTOMIZATION, image };
    Some(Match { added: true, overrides: true, ..Match::new(owner, place, result) })
}

/// An entry with the same name that is already there. kustomize would use the first of the two.
fn other_entry(parsed: &ParsedFile, wanted: &UpdateTarget) -> Option<usize> {
    let same = |original: &String| same_image(original, &wanted.name);
    parsed.all_references().find(|r| r.kustomize_name.as_ref().is_some_and(same)).map(|r| r.at)
}

/// The image's name as the kustomization's first workload that runs it spells it. With `deep`, this includes
/// the workloads of the kustomizations that it builds on.
fn spelling<'a>(
    index: &Index<'a>,
    parsed: &'a ParsedFile,
    root: usize,
    wanted: &UpdateTarget,
    deep: bool,
) -> Option<&'a str> {
    let mut seen = HashSet::new();
    let mut next = vec![(parsed, root)];
    while let Some((parsed, root)) = next.pop() {
        if !seen.insert(&parsed.path) {
            continue;
        }
        let folder = folder(&parsed.path);
        for path in add::resources(&parsed.yaml, root).into_iter().filter_map(|r| join(folder, r)) {
            if let Some(spelt) = index.spelling(&path, &wanted.name) {
                return Some(spelt);
            }
            let below = index.by_folder.get(path.as_str()).filter(|_| deep).into_iter().flatten();
            next.extend(below.filter_map(|f| Some((*f, add::kustomization_root(&f.path, &f.yaml)?))));
        }
    }
    None
}

fn pairs(wanted: &UpdateTarget, name: &str) -> Vec<NewPair> {
    let mut pairs = vec![NewPair { key: "name", value: name.to_owned() }];
    if let Field::Set(new) = &wanted.new_name {
        pairs.push(NewPair { key: "newName", value: new.clone() });
    }
    if let Some(tag) = &wanted.tag {
        pairs.push(NewPair { key: "newTag", value: tag.to_string() });
    }
    if let Field::Set(digest) = &wanted.digest {
        pairs.push(NewPair { key: "digest", value: digest.to_string() });
    }
    pairs
}
