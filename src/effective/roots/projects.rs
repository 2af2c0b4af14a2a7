//! Compose projects around an image.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::compose;
use super::super::files::{Files, folder_of, join};
use super::super::place::FileId;
use super::super::root::Root;
use super::super::setting::{EffectiveImage, Fixed, Setting};
use super::scene::{CHART_FILE, KUSTOMIZATION_FILES, Scene};
use crate::file_selection::file_name;
use crate::manifest::is_compose;

/// The projects of every folder with a reached compose file or `.env`.
pub(super) fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let folders: BTreeSet<&str> = scene
        .reached
        .iter()
        .filter(|path| may_be_of_project(files, path))
        .map(|path| folder_of(path))
        .collect();
    let names: BTreeMap<&str, Vec<&str>> =
        folders.into_iter().map(|folder| (folder, compose_files(files, folder))).collect();
    let mut roots: Vec<Root> =
        names.into_iter().flat_map(|(folder, names)| compose::roots(files, folder, &names)).collect();
    drop_unfilled(files, &mut roots);
    roots
}

/// Whether a file may be part of a project: by its name, or because `COMPOSE_FILE` in an `.env` beside it can name it.
fn may_be_of_project(files: &Files<'_>, path: &str) -> bool {
    let folder = folder_of(path);
    let is_there = |name: &str| join(folder, name).is_some_and(|path| files.has(&path));
    is_compose(file_name(path)) || !(is_there(CHART_FILE) || KUSTOMIZATION_FILES.into_iter().any(is_there))
}

/// Drops the images that another project fills in, which includes their file from another folder: alone, they don't run.
fn drop_unfilled(files: &Files<'_>, roots: &mut [Root]) {
    let folder = |file: FileId| folder_of(&files.file(file).path);
    let mut filled: HashSet<(FileId, String)> = HashSet::new();
    for root in roots.iter() {
        let own: Vec<&str> = root.entry.levels().flatten().map(|path| folder_of(path)).collect();
        let names = root.images.iter().filter(|image| unfilled_in(image).is_none()).map(|image| &image.name);
        let names: HashSet<&String> = names.collect();
        let included = root.files.iter().filter(|file| !own.contains(&folder(**file)));
        filled.extend(included.flat_map(|file| names.iter().map(move |name| (*file, (*name).clone()))));
    }
    for root in roots {
        root.images.retain(|image| {
            unfilled_in(image).is_none_or(|file| !filled.contains(&(file, image.name.clone())))
        });
    }
}

/// The file of an image whose tag is a variable without a value.
fn unfilled_in(image: &EffectiveImage) -> Option<FileId> {
    match image.winning()? {
        Setting::Fixed { reason: Fixed::NoDefault { .. }, at } => Some((*at)?.file),
        _ => None,
    }
}

/// The names of the compose files in a folder.
fn compose_files<'a>(files: &Files<'a>, folder: &str) -> Vec<&'a str> {
    let inside = files.below(folder).filter(|path| folder_of(path) == folder);
    inside.map(file_name).filter(|name| is_compose(name)).collect()
}
