//! `--add`: kustomizations that lack an image get an entry for it.
//!
//! Which ones: those that `-f` names, and those that list a workload that runs the image among their own
//! resources. Only where no reference of that image is in the kustomization already.

use super::files::{Parsed, Survey};
use super::matched::Match;
use super::{Request, Want};
use crate::image::{Part, join_tag};
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
    let spelt = spelling(survey, parsed, root, wanted);
    if spelt.is_none() && parsed.standing != Standing::Named {
        return None;
    }
    let pairs = pairs(wanted, spelt.unwrap_or(&wanted.name));
    let to = {
        let value = |key| pairs.iter().find(|p| p.key == key).map(|p| p.value.as_str());
        join_tag(value("newTag"), value("digest"))
    };
    let result = match add::entry(&parsed.tape, root, pairs) {
        Some(change) => Ok(Rewrite { changes: vec![change], to, ..Rewrite::default() }),
        None => Err(Refusal {
            at: root,
            why: "images is no list that an entry could be added to".to_owned(),
            cure: "make images a list, or remove the key".to_owned(),
            written_at: None,
        }),
    };
    Some(Match {
        file,
        want,
        at: root,
        kind: KIND,
        image: wanted.effective_name().to_owned(),
        tag: None,
        added: true,
        result,
    })
}

/// As the first of its own workloads that runs the image spells it.
fn spelling<'a>(survey: &'a Survey, parsed: &Parsed, root: usize, wanted: &Want) -> Option<&'a str> {
    let folder = parsed.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let resources = add::resources(&parsed.tape, root);
    let paths = resources.iter().filter_map(|resource| join(folder, resource));
    paths
        .filter_map(|path| survey.files.iter().find(|f| f.path == path))
        .find_map(|workload| add::spelling(&workload.tape, &wanted.name))
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
