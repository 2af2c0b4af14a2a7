//! Files that can't name the image, kept while they are few: in a small repository whoever broke a file is
//! told, though it is not the one that matters; in a large one that would cost more than the bump.

use std::sync::{Mutex, PoisonError};

use super::SourceFile;
use super::unparsed::Unparsed;
use crate::file_selection::MatchLevel;
use crate::yaml::scan;

/// As much as is parsed in some ten milliseconds.
const FEW: usize = 256 * 1024;

/// Files by path, with their bytes; nothing once they are too many.
pub(super) struct SkippedFiles(Mutex<Option<KeptFiles>>);

#[derive(Default)]
struct KeptFiles {
    size: usize,
    files: Vec<(String, Vec<u8>)>,
}

impl SkippedFiles {
    pub fn new() -> Self {
        SkippedFiles(Mutex::new(Some(KeptFiles::default())))
    }

    pub fn keep(&self, file: &SourceFile<'_>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = kept.as_mut().filter(|k| k.size + file.bytes.len() <= FEW);
        match room {
            _ if file.match_level == MatchLevel::ContextOnly => {}
            Some(kept) => {
                kept.size += file.bytes.len();
                kept.files.push((file.path.to_owned(), file.bytes.to_vec()));
            }
            None => *kept = None,
        }
    }

    /// The files that can't be parsed, with why.
    pub fn unparsed(self) -> impl Iterator<Item = Unparsed> {
        let kept = self.0.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_default();
        let files = kept.files.into_iter();
        files.filter_map(|(path, bytes)| Some(Unparsed { path, error: scan(&bytes).err()?, named: false }))
    }
}
