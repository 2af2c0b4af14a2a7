//! The words of many files that may be paths, to look for many of them at once.
//!
//! A chain of mentions has few steps, and each asks for all of its paths together. Looking through all words once per step
//! is faster than ordering them.

use std::collections::HashSet;

use super::words::Word;

/// The words of each file that may be paths.
pub(super) struct PathWords<'a>(Vec<&'a [Word]>);

/// How many bits of a hash are looked at first.
const BITS: u32 = 16;

impl<'a> PathWords<'a> {
    /// `files` gives the words of each file.
    pub fn new(files: impl Iterator<Item = &'a [Word]>) -> Self {
        PathWords(files.collect())
    }

    /// The words with one of these hashes, each with the position of its file, in the order of the files.
    pub fn with_hashes(&self, wanted: &HashSet<u32>) -> impl Iterator<Item = (usize, Word)> {
        let mut may_be_wanted = vec![false; 1 << BITS];
        wanted.iter().for_each(|hash| may_be_wanted[start(*hash)] = true);
        let files: &[_] = if wanted.is_empty() { &[] } else { &self.0 };
        let words =
            files.iter().enumerate().flat_map(|(file, words)| words.iter().map(move |word| (file, *word)));
        let words = words.filter(move |(_, word)| may_be_wanted[start(word.hash)]);
        words.filter(|(_, word)| wanted.contains(&word.hash))
    }
}

fn start(hash: u32) -> usize {
    (hash >> (u32::BITS - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::super::words::{FileWords, hash};
    use super::*;

    #[test]
    fn words_are_found_in_every_file_that_has_them() {
        let texts = ["- a\n- b/c\n", "", "- c\n- a\n"];
        let files = texts.map(|text| FileWords::of("kustomization.yaml", text.as_bytes()).paths);
        let all = PathWords::new(files.iter().map(Vec::as_slice));
        let found = |words: &[&str]| {
            let hashes = words.iter().map(|word| hash(word.as_bytes())).collect();
            let found = all.with_hashes(&hashes);
            found.map(|(file, word)| (file, word.text(texts[file].as_bytes()))).collect::<Vec<_>>()
        };
        assert_eq!(found(&["a"]), [(0, "a"), (2, "a")]);
        assert_eq!(found(&["a", "c"]), [(0, "a"), (0, "b/c"), (2, "c"), (2, "a")]);
        assert_eq!(found(&["b"]), []);
        assert_eq!(found(&[]), []);
    }
}
