//! Keeps the files that can't name the image, as long as there are few of them, to report the broken ones. In a
//! small repository, a user who broke a file learns about it even if it doesn't matter for this bump. In a
//! large one, parsing them all would cost more than the bump.

use std::sync::Mutex;

use super::SourceFile;
use super::unparsed::{Unparsed, UnparsedText};
use crate::file_selection::MatchLevel;
use crate::mutex::{into_inner, lock};
use crate::yaml::scan;

/// About as much as can be parsed in ten milliseconds.
const FEW: usize = 256 * 1024;

/// Files by path, with their bytes; `None` when there are too many.
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
        let mut kept = lock(&self.0);
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

    /// The files that can't be parsed, with the reason.
    pub fn unparsed(self) -> impl Iterator<Item = Unparsed> {
        let kept = into_inner(self.0).unwrap_or_default();
        let files = kept.files.into_iter();
        files.filter_map(|(path, bytes)| {
            Some(Unparsed { path, error: scan(&bytes).err()?, named: false, text: UnparsedText::default() })
        })
    }
}
