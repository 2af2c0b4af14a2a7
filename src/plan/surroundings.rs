//! What a plan keeps of the files around those that it edits: which there are, which include others, and which
//! mention an image. What runs is computed from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::SourceFile;
use crate::effective::{FileMarks, FileRole};
use crate::file_selection::file_name;
use crate::manifest::is_compose;

/// The files around the edits.
#[derive(Default)]
pub(super) struct Surroundings {
    /// Every YAML file.
    pub paths: BTreeSet<String>,
    /// The files that can include others, with their bytes.
    pub structural: BTreeMap<String, Vec<u8>>,
    /// The files that declare what others refer to by name, with the names.
    pub declarations: BTreeMap<String, Vec<String>>,
    /// The files that may name one of the images.
    pub seeds: BTreeSet<String>,
}

/// Collects the surroundings while the files are visited, from several threads.
#[derive(Default)]
pub(super) struct SurroundingsCollector {
    marks: FileMarks,
    files: Mutex<Vec<NotedFile>>,
}

struct NotedFile {
    path: String,
    /// If it can include others.
    bytes: Option<Vec<u8>>,
    declared: Vec<String>,
    is_seed: bool,
}

impl SurroundingsCollector {
    /// Takes note of a file; `is_seed` if it may name one of the images.
    pub fn note(&self, file: &SourceFile<'_>, is_seed: bool) {
        let FileRole { is_structural, declared } = self.marks.role(file.path, file.bytes);
        // the image's name can be in a variable
        let is_seed = is_seed || (is_compose(file_name(file.path)) && file.bytes.contains(&b'$'));
        let bytes = is_structural.then(|| file.bytes.to_vec());
        let noted = NotedFile { path: file.path.to_owned(), bytes, declared, is_seed };
        self.files.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    }

    pub fn finish(self) -> Surroundings {
        let mut around = Surroundings::default();
        let mut files = self.files.into_inner().unwrap_or_else(PoisonError::into_inner);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        around.paths = files.iter().map(|file| file.path.clone()).collect();
        for NotedFile { path, bytes, declared, is_seed } in files {
            if is_seed {
                around.seeds.insert(path.clone());
            }
            if !declared.is_empty() {
                around.declarations.insert(path.clone(), declared);
            }
            if let Some(bytes) = bytes {
                around.structural.insert(path, bytes);
            }
        }
        around
    }
}
