//! `--add`: kustomizations that lack an image get an entry for it.
//!
//! Which ones: those that `-f` names, and those that list a workload that runs the image among their own
//! resources. Only where no reference of that image is in the kustomization already.

use std::collections::HashSet;

use super::files::{Parsed, Survey};
use super::matched::Match;
use super::{Request, Want};
use crate::image::{Part, join_tag, same_image};
use crate::manifest::{Refusal, Rewrite, add};
use crate::select::Standing;
use crate::yaml::Pair;

const KIND: &str = "kustomization";

/// Adds a match for every entry that is to be made.
pub(super) fn add(survey: &Survey, request: &Request, matches: &mut Vec<Match>) {
    for (want, wanted) in request.wants.iter().enumerate() {
        for (file, parsed) in survey.files.iter().enumerate() {
            let has_it = matches.iter().any(|m| m.file == file && m.want == want);
            if has_it || parsed.standing == Standing::Context {
                continue;
            }
            if let Some(addition) = addition(survey, parsed, file, want, wanted) {
                matches.push(addition);
            }
        }
    }
}

fn addition(survey: &Survey, parsed: &Parsed, file: usize, want: usize, wanted: &Want) -> Option<Match> {
    let root = add::kustomization_root(&parsed.path, &parsed.tape)?;
    let named = parsed.standing == Standing::Named;
    let spelt = spelling(survey, parsed, root, wanted, named);
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
        at: root,
        kind: KIND,
        image,
        tag: None,
        added: true,
        by_new_name: false,
        result,
    })
}

/// kustomize would take the first entry of that name.
fn other_entry(parsed: &Parsed, wanted: &Want) -> Option<usize> {
    let same = |original: &String| same_image(original, &wanted.name);
    parsed.references.iter().find(|r| r.original.as_ref().is_some_and(same)).map(|r| r.at)
}

/// As the first of its workloads that runs the image spells it; with `deep` also those of the kustomizations
/// that it builds on.
fn spelling<'a>(
    survey: &'a Survey,
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
        let folder = parsed.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in add::resources(&parsed.tape, root).into_iter().filter_map(|r| join(folder, r)) {
            let workload = survey.files.iter().find(|f| f.path == path);
            if let Some(spelt) = workload.and_then(|w| add::spelling(&w.tape, &wanted.name)) {
                return Some(spelt);
            }
            let below = survey
                .files
                .iter()
                .filter(|f| deep && f.path.rsplit_once('/').map_or("", |(d, _)| d) == path);
            next.extend(below.filter_map(|f| Some((f, add::kustomization_root(&f.path, &f.tape)?))));
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
