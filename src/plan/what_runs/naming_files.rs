//! The files that name an image of a request, to ask which of them a root may render.

use std::collections::{HashMap, HashSet};

use super::summary::Summary;
use crate::effective::FolderPattern;

/// So many comparisons of a path with a pattern are made. After that, every pattern may be one of a folder with such a file.
const MAX_COMPARED: usize = 2_000_000;

/// The files that name an image of the request and that it may set, found when they are first asked for.
#[derive(Default)]
pub(super) struct NamingFiles<'a> {
    paths: Option<NamingPaths<'a>>,
    /// Many roots may render the same folders.
    known: HashMap<FolderPattern, bool>,
    compared: usize,
}

impl<'a> NamingFiles<'a> {
    /// Whether such a file may be in one of the folders.
    pub fn are_in(&mut self, folders: &FolderPattern, summary: &'a Summary<'_>) -> bool {
        if let Some(known) = self.known.get(folders) {
            return *known;
        }
        let candidates = self.paths.get_or_insert_with(|| NamingPaths::of(summary)).candidates(folders);
        self.compared = self.compared.saturating_add(candidates.len());
        let is_limited = !candidates.is_empty() && self.compared > MAX_COMPARED;
        let found = is_limited || candidates.iter().any(|path| folders.holds(path));
        self.known.insert(folders.clone(), found);
        found
    }
}

struct NamingPaths<'a> {
    /// Sorted.
    paths: Vec<&'a str>,
    /// The names of all folders in them.
    folders: HashSet<&'a str>,
}

impl<'a> NamingPaths<'a> {
    fn of(summary: &'a Summary<'_>) -> Self {
        let elsewhere = summary.of_other_environments();
        let files = summary.roots.files.all().filter(|file| !elsewhere.contains(file.path.as_str()));
        let naming = files.filter(|file| summary.names_targeted(file));
        let mut paths: Vec<&str> = naming.map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        let folders = paths.iter().flat_map(|path| path.split('/')).collect();
        NamingPaths { paths, folders }
    }

    /// Those that may be in one of the folders, by how they start.
    fn candidates(&self, folders: &FolderPattern) -> &[&'a str] {
        if !folders.names().all(|name| self.folders.contains(name)) {
            return &[];
        }
        let start = folders.start();
        let from = self.paths.partition_point(|path| *path < start);
        let count = self.paths[from..].partition_point(|path| path.starts_with(start));
        &self.paths[from..from + count]
    }
}
