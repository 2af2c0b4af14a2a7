//! Compose projects around an image.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::compose::{self, Project};
use super::super::files::{Files, folder_of, join};
use super::super::place::Place;
use super::super::root::Root;
use super::super::setting::{EffectiveImage, Fixed, Setting};
use super::scene::{CHART_FILE, KUSTOMIZATION_FILES, Scene};
use crate::file_selection::file_name;
use crate::manifest::is_compose;

/// The projects of every folder with a reached file, unless it is the folder of a chart or kustomization and the file isn't
/// called like a compose file.
pub(super) fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let folders: BTreeSet<&str> = scene
        .reached
        .iter()
        .filter(|path| may_be_of_project(files, path))
        .map(|path| folder_of(path))
        .collect();
    let names: BTreeMap<&str, Vec<&str>> =
        folders.into_iter().map(|folder| (folder, compose_files(files, folder))).collect();
    let mut projects: Vec<Project> =
        names.into_iter().flat_map(|(folder, names)| compose::projects(files, folder, &names)).collect();
    drop_unfilled(files, &mut projects);
    projects.into_iter().map(|project| project.root).collect()
}

/// Whether a file may be part of a project: by its name, or because it is in a folder where an `.env` can name it as a
/// `COMPOSE_FILE`. In the folders of charts and kustomizations, nothing reads that.
fn may_be_of_project(files: &Files<'_>, path: &str) -> bool {
    let folder = folder_of(path);
    let is_there = |name: &str| join(folder, name).is_some_and(|path| files.has(&path));
    is_compose(file_name(path)) || !(is_there(CHART_FILE) || KUSTOMIZATION_FILES.into_iter().any(is_there))
}

/// Drops the images that a project of another folder fills in, which includes or extends their file: alone, they don't run.
fn drop_unfilled(files: &Files<'_>, projects: &mut [Project]) {
    let filled: HashSet<Place> =
        projects.iter().flat_map(|project| filled_elsewhere(files, project)).collect();
    for Project { root, written } in projects {
        let folders = own_folders(root);
        let is_dropped = |image: &EffectiveImage, at: &Place| {
            is_unfilled(image) && filled.contains(at) && folders.contains(folder_at(files, *at))
        };
        let mut places = written.iter();
        root.images.retain(|image| places.next().is_none_or(|at| !is_dropped(image, at)));
    }
}

/// Where images are written that a project fills in, although another folder has their file.
fn filled_elsewhere<'p>(files: &'p Files<'_>, project: &'p Project) -> impl Iterator<Item = Place> + 'p {
    let folders = own_folders(&project.root);
    let images = project.root.images.iter().zip(&project.written);
    let filled = images.filter(|(image, _)| !is_unfilled(image)).map(|(_, at)| *at);
    filled.filter(move |at| !folders.contains(folder_at(files, *at)))
}

/// The folders of the files that make a project one.
fn own_folders(root: &Root) -> BTreeSet<String> {
    root.entry.levels().flatten().map(|path| folder_of(path).to_owned()).collect()
}

fn folder_at<'f>(files: &'f Files<'_>, place: Place) -> &'f str {
    folder_of(&files.file(place.file).path)
}

/// Whether its tag is a variable without a value.
fn is_unfilled(image: &EffectiveImage) -> bool {
    matches!(image.winning(), Some(Setting::Fixed { reason: Fixed::NoDefault { .. }, .. }))
}

/// The names of the compose files in a folder.
fn compose_files<'a>(files: &Files<'a>, folder: &str) -> Vec<&'a str> {
    let inside = files.below(folder).filter(|path| folder_of(path) == folder);
    inside.map(file_name).filter(|name| is_compose(name)).collect()
}
