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

/// The environments that images run in, each with the one that builds pass through before. Empty if there are fewer
/// than two: then nothing can be promoted.
pub fn of(images: &[&DeployedImage<'_>]) -> Vec<ProposedEnvironment> {
    let mut found: BTreeMap<DeployEnvironment, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for image in images {
        for reference in image.places.values().flatten() {
            for (environment, word, pattern) in around(reference, short_name(image.image)) {
                let (words, patterns) = found.entry(environment).or_default();
                words.insert(word);
                patterns.insert(pattern);
            }
        }
    }
    if found.len() < 2 {
        return Vec::new();
    }
    let mut before: Option<String> = None;
    let proposed = found.into_iter().map(|(environment, (words, patterns))| {
        let mut words = words.into_iter();
        let name = match (words.next(), words.next()) {
            (Some(word), None) => word,
            _ => environment.name(),
        };
        let from = before.replace(name.clone());
        ProposedEnvironment { name, files: patterns.into_iter().take(LISTED).collect(), from }
    });
    proposed.collect()
}
