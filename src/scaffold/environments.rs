//! The environments to propose: by the folders and files that images are in.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::DeployEnvironment;
use super::sorting::DeployedImage;
use crate::image::short_name;
use crate::plan::ListedReference;

/// More paths of an environment are left out.
const LISTED: usize = 10;

/// An environment to propose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedEnvironment {
    pub name: String,
    /// Patterns.
    pub files: Vec<String>,
    pub from: Option<String>,
}

/// The environment that a reference's file is for, with the patterns of the files that decide it: those that make a root one, if
/// they are known. A patch decides nothing.
fn around(reference: &ListedReference, image: &str) -> Vec<(DeployEnvironment, String, String)> {
    let Some(own) = DeployEnvironment::pattern_of(&reference.file, image) else { return Vec::new() };
    if reference.entries.is_empty() {
        return vec![own];
    }
    let entries = reference.entries.iter().filter_map(|file| DeployEnvironment::pattern_of(file, image));
    entries.filter(|(environment, ..)| *environment == own.0).collect()
}

/// What was found of an environment.
#[derive(Default)]
struct FoundEnvironment<'a> {
    words: BTreeSet<String>,
    patterns: BTreeSet<String>,
    images: BTreeSet<&'a str>,
}

/// The environments that images run in, each with the last one before it that runs one of the same images. Empty if there are no
/// two such environments: then nothing can be promoted.
pub fn of(images: &[&DeployedImage<'_>]) -> Vec<ProposedEnvironment> {
    let mut found: BTreeMap<DeployEnvironment, FoundEnvironment<'_>> = BTreeMap::new();
    for image in images {
        for reference in image.places.values().flatten() {
            for (environment, word, pattern) in around(reference, short_name(image.image)) {
                let known = found.entry(environment).or_default();
                known.words.insert(word);
                known.patterns.insert(pattern);
                known.images.insert(image.image);
            }
        }
    }
    let mut before: Vec<(String, BTreeSet<&str>)> = Vec::new();
    let proposed = found.into_iter().map(|(environment, FoundEnvironment { words, patterns, images })| {
        let mut words = words.into_iter();
        let name = match (words.next(), words.next()) {
            (Some(word), None) => word,
            _ => environment.name(),
        };
        let from = before.iter().rev().find(|(_, earlier)| !earlier.is_disjoint(&images));
        let from = from.map(|(name, _)| name.clone());
        before.push((name.clone(), images));
        ProposedEnvironment { name, files: patterns.into_iter().take(LISTED).collect(), from }
    });
    let proposed: Vec<_> = proposed.collect();
    if proposed.iter().any(|environment| environment.from.is_some()) { proposed } else { Vec::new() }
}
