//! Compose projects around an image.

use std::collections::{BTreeMap, BTreeSet};

use super::super::compose;
use super::super::files::{Files, folder_of};
use super::super::root::Root;
use super::scene::{Scene, file_name};
use crate::manifest::is_compose;

/// The projects of every folder with a reached compose file or `.env`.
pub(super) fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let folders: BTreeSet<&str> =
        scene.reached.iter().filter(|path| is_compose(file_name(path))).map(|path| folder_of(path)).collect();
    let names: BTreeMap<&str, Vec<&str>> =
        folders.into_iter().map(|folder| (folder, compose_files(files, folder))).collect();
    names.into_iter().flat_map(|(folder, names)| compose::roots(files, folder, &names)).collect()
}

/// The names of the compose files in a folder.
fn compose_files<'a>(files: &Files<'a>, folder: &str) -> Vec<&'a str> {
    let inside = files.below(folder).filter(|path| folder_of(path) == folder);
    inside.map(file_name).filter(|name| is_compose(name)).collect()
}
