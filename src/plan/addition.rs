//! `--add`: kustomizations that lack an image get an entry for it.
//!
//! Which ones: those that `-f` names, and those that list a workload that runs the image among their own
//! resources. Only where no reference of that image is in the kustomization already.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::files::Survey;
use super::matched::Match;
use super::parsed::Parsed;
use super::{Request, Want};
use crate::image::{Part, join_tag, same_image};
use crate::manifest::{Refusal, Rewrite, add};
use crate::select::{Standing, folder};
use crate::yaml::Pair;

const KIND: &str = "kustomization";

/// Adds a match for every entry that is to be made.
pub(super) fn add(survey: &Survey, request: &Request, matches: &mut Vec<Match>) {
    let index = Index::of(survey);
    for (want, wanted) in request.wants.iter().enumerate() {
        let has_it: HashSet<usize> = matches.iter().filter(|m| m.want == want).map(|m| m.file).collect();
        for (file, parsed) in survey.files.iter().enumerate().filter(|(file, _)| !has_it.contains(file)) {
            let Some(standing) = wanted.scope.standing(&parsed.path) else { continue };
            matches.extend(addition(&index, parsed, Asked { file, want, standing, wanted }));
        }
    }
}

/// The files by their paths, and those of each folder.
struct Index<'a> {
    by_path: HashMap<&'a str, &'a Parsed>,
    by_folder: HashMap<&'a str, Vec<&'a Parsed>>,
    /// By path and image. A cache: many kustomizations can list one workload.
    spellings: RefCell<HashMap<(&'a str, String), Option<&'a str>>>,
}

impl<'a> Index<'a> {
    fn of(survey: &'a Survey) -> Self {
        let mut by_folder: HashMap<_, Vec<_>> = HashMap::new();
        for file in &survey.files {
            by_folder.entry(folder(&file.path)).or_default().push(file);
        }
        Index {
            by_path: survey.files.iter().map(|file| (file.path.as_str(), file)).collect(),
            by_folder,
            spellings: RefCell::default(),
        }
    }

    /// The image as a workload spells it.
    fn spelling(&self, path: &str, image: &str) -> Option<&'a str> {
        let workload: &'a Parsed = self.by_path.get(path)?;
        let mut spellings = self.spellings.borrow_mut();
        let known = spellings.entry((&workload.path, image.to_owned()));
        *known.or_insert_with(|| add::spelling(&workload.tape, image))
    }
}

/// An image that a file may get an entry for.
struct Asked<'a> {
    file: usize,
    want: usize,
    standing: Standing,
    wanted: &'a Want,
}

fn addition<'a>(index: &Index<'a>, parsed: &'a Parsed, asked: Asked<'_>) -> Option<Match> {
    let Asked { file, want, standing, wanted } = asked;
    let root = add::kustomization_root(&parsed.path, &parsed.tape)?;
    let named = standing == Standing::Named;
    let spelt = spelling(index, parsed, root, wanted, named);
    if spelt.is_none() && !named {
        return None;
    }
    let pairs = pairs(wanted, spelt.unwrap_or(&wanted.name));
    let value = |key| pairs.iter().find(|p| p.key == key).map(|p| p.value.as_str());
    let to = join_tag(value("newTag"), value("digest"));
    let result = match (other_entry(parsed, wanted), add::entry(&parsed.tape, root, pairs.clone())) {
        (Some(at), _) => Err(Refusal {
            at,
            why: format!("there is an entry for {} already, which runs another image", wanted.name),
            cure: format!("bump that image, or say which: {}=NEWNAME:TAG", wanted.name),
            written_at: None,
        }),
        (None, Some(change)) => Ok(Rewrite { changes: vec![change], to, ..Rewrite::default() }),
        (None, None) => Err(Refusal {
            at: root,
            why: "images is no list that an entry could be added to".to_owned(),
            cure: "make images a list, or remove the key".to_owned(),
            written_at: None,
        }),
    };
    let image = wanted.effective_name().to_owned();
    Some(Match {
        file,
        want,
        standing,
        at: root,
        kind: KIND,
        image,
        tag: None,
        digest: None,
        added: true,
        overrides: true,
        only_told: false,
        by_new_name: false,
        result,
    })
}

/// kustomize would take the first entry of that name.
fn other_entry(parsed: &Parsed, wanted: &Want) -> Option<usize> {
    let same = |original: &String| same_image(original, &wanted.name);
    parsed.all_references().find(|r| r.original.as_ref().is_some_and(same)).map(|r| r.at)
}

/// As the first of its workloads that runs the image spells it; with `deep` also those of the kustomizations
/// that it builds on.
fn spelling<'a>(
    index: &Index<'a>,
    parsed: &'a Parsed,
    root: usize,
    wanted: &Want,
    deep: bool,
) -> Option<&'a str> {
    let mut seen = HashSet::new();
    let mut next = vec![(parsed, root)];
    while let Some((parsed, root)) = next.pop() {
        if !seen.insert(&parsed.path) {
            continue;
        }
        let folder = folder(&parsed.path);
        for path in add::resources(&parsed.tape, root).into_iter().filter_map(|r| join(folder, r)) {
            if let Some(spelt) = index.spelling(&path, &wanted.name) {
                return Some(spelt);
            }
            let below = index.by_folder.get(path.as_str()).filter(|_| deep).into_iter().flatten();
            next.extend(below.filter_map(|f| Some((*f, add::kustomization_root(&f.path, &f.tape)?))));
        }
    }
    None
}

/// A resource's path, relative to the root; nothing for one outside of it.
fn join(folder: &str, resource: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in resource.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn pairs(wanted: &Want, name: &str) -> Vec<Pair> {
    let mut pairs = vec![Pair { key: "name", value: name.to_owned() }];
    if let Part::Set(new) = &wanted.new_name {
        pairs.push(Pair { key: "newName", value: new.clone() });
    }
    if let Some(tag) = &wanted.tag {
        pairs.push(Pair { key: "newTag", value: tag.to_string() });
    }
    if let Part::Set(digest) = &wanted.digest {
        pairs.push(Pair { key: "digest", value: digest.to_string() });
    }
    pairs
}
