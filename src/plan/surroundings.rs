//! What a plan keeps of the files around those that it edits: which there are, which include others, and which
//! mention an image. What runs is computed from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::SourceFile;
use crate::effective::{declared_names, is_structural};
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
pub(super) struct SurroundingsCollector(Mutex<Surroundings>);

impl SurroundingsCollector {
    /// Takes note of a file; `is_seed` if it may name one of the images.
    pub fn note(&self, file: &SourceFile<'_>, is_seed: bool) {
        let structural = is_structural(file.path, file.bytes).then(|| file.bytes.to_vec());
        let declared = declared_names(file.bytes);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.paths.insert(file.path.to_owned());
        if let Some(bytes) = structural {
            kept.structural.insert(file.path.to_owned(), bytes);
        }
        if !declared.is_empty() {
            kept.declarations.insert(file.path.to_owned(), declared);
        }
        // the image's name can be in a variable
        if is_seed || (is_compose(file_name(file.path)) && file.bytes.contains(&b'$')) {
            kept.seeds.insert(file.path.to_owned());
        }
    }

    pub fn finish(self) -> Surroundings {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
