//! Repositories in memory, and what their kustomizations run.

mod entries;
mod generators;
mod patches;
mod replacements;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use super::super::files::Files;
use super::super::images::object_images;
use super::super::setting::EffectiveImage;
use super::{Additions, Build, build};
use crate::yaml::Cancellation;

pub const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  template:
    spec:
      containers:
        - name: app
          image: app:v1
";

/// Files by path.
pub struct MemoryRepository {
    files: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

pub fn repository(files: &[(&str, &str)]) -> MemoryRepository {
    let files: BTreeMap<_, _> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let is_yaml = |path: &&String| path.ends_with(".yaml") || path.ends_with(".yml");
    let paths = files.keys().filter(is_yaml).cloned().collect();
    MemoryRepository { files, paths }
}

impl MemoryRepository {
    pub fn with<T>(&self, work: impl FnOnce(&mut Files<'_>) -> T) -> T {
        let read = |path: &str| self.files.get(path).map(|text| text.clone().into_bytes());
        work(&mut Files::new(&self.paths, &read, Cancellation::default()))
    }

    /// What the kustomization in a folder runs.
    pub fn run(&self, folder: &str) -> Outcomes {
        self.with(|files| {
            let build = build(files, folder, &Additions::default());
            Outcomes::of(files, &build)
        })
    }
}

/// A build, as text.
#[derive(Debug, PartialEq)]
pub struct Outcomes {
    /// `image <- winning place; weaker places`
    pub images: Vec<String>,
    /// Unmatched entries: where they are, whether they may match something else, and what renamed the image.
    pub unmatched: Vec<String>,
    pub unknown: Vec<String>,
    pub uncertain: Vec<String>,
}

impl Outcomes {
    pub fn of(files: &Files<'_>, build: &Build) -> Self {
        let at = |place| files.location(place).to_string();
        let images = build.objects.iter().flat_map(|object| object_images(&object.value));
        let unmatched = build.unmatched.iter().map(|entry| {
            let renamed = entry.renamed_by.map(|by| format!(" renamed by {}", at(by))).unwrap_or_default();
            format!("{}{}{renamed}", at(entry.name), if entry.may_match { " may match" } else { "" })
        });
        let doubts = |doubts: &[crate::effective::Doubt]| {
            let text = doubts.iter().map(|doubt| {
                format!("{} {}", doubt.at.map(at).unwrap_or_default(), doubt.what).trim().to_owned()
            });
            text.collect()
        };
        Outcomes {
            images: images.map(|image| image_line(files, &image)).collect(),
            unmatched: unmatched.collect(),
            unknown: doubts(&build.unknown),
            uncertain: doubts(&build.uncertain),
        }
    }
}

fn image_line(files: &Files<'_>, image: &EffectiveImage) -> String {
    let at = |place| files.location(place).to_string();
    let tag = image.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = image.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
    let winning = image.winning().map(|setting| setting.place().map_or("nowhere".to_owned(), at));
    let weaker: Vec<_> = image.weaker().map(at).collect();
    let weaker = if weaker.is_empty() { String::new() } else { format!("; {}", weaker.join(", ")) };
    format!("{}{tag}{digest} <- {}{weaker}", image.name, winning.unwrap_or_default())
}
